"""Signing secrets of Standard Webhooks (https://www.standardwebhooks.com), as they are handed out and copied."""

from __future__ import annotations

import re
from base64 import b64decode

PREFIX = "whsec_"

ASYMMETRIC = ("whsk_", "whpk_")
"""How the keys begin of the other kind of signature: ed25519, with a key for each side."""

VERSION = re.compile(r"v\d+a?,")
"""How the kind of a signature is written in front of it, and at times in front of its secret."""

SHORTEST = 24
"""Bytes (Standard Webhooks)."""

STANDARD = str.maketrans("-_", "+/")
"""From the letters of base64 that addresses take to those of plain base64 (RFC 4648, 5)."""


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for, written in base64 with or without its prefix, with or without padding, or in
    the letters that addresses take.

    Raises ValueError, with what to write in its place.
    """
    word = secret.strip()
    if version := VERSION.match(word):
        raise ValueError(f"leave out “{version[0]}”: a signing secret begins with {PREFIX}")
    if word.startswith(ASYMMETRIC):
        raise ValueError(
            f"{word[:5]} is a key of the asymmetric kind, and this is for the other one: a secret that begins with "
            f"{PREFIX}"
        )
    letters = word.removeprefix(PREFIX).rstrip("=").translate(STANDARD)
    try:
        key = b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"a signing secret is {PREFIX} and then at least {SHORTEST} bytes in base64")
    return key


def keys_of(secrets: str) -> list[bytes]:
    """The bytes of one or more secrets with spaces between, as while one is changed. Raises ValueError."""
    return [key_of(word) for word in secrets.split() or [""]]
