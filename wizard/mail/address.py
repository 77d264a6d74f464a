"""The address of a mail server, `smtp://user:password@host:587`: what may stand in it, and what it means."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from models.text import is_email
from wizard.mail.templates import one_line

SHAPE = "write smtp://user:password@host:587, or smtps:// for TLS from the first byte"

PORTS = {"smtp": 587, "smtps": 465}
"""RFC 6409 and RFC 8314: where mail is handed in."""


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """A mail server, and how to speak to it."""

    host: str
    port: int
    tls: str
    """`starttls`, `implicit` (from the first byte) or `none`."""
    user: str | None = None
    password: str = field(default="", repr=False)
    ca: Path | None = None
    """A file with certificates to trust beside the system's own, in PEM."""


A_NAME_AND_AN_ADDRESS = re.compile(r'\s*(?:"(?P<quoted>[^"<>]*)"|(?P<bare>[^"<>]*?))\s*<(?P<address>[^<>]*)>\s*')
"""As a mail program shows a sender (RFC 5322, 3.4); its name may stand without quotes whatever letters it has."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who mails come from."""

    address: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def sender_of(text: str) -> Sender:
    """Read a sender: an address, or a name with the address behind it in angle brackets. Raises ValueError."""
    found = A_NAME_AND_AN_ADDRESS.fullmatch(one_line(text, "the sender"))
    if found is None:
        return Sender(is_email(text.strip()))
    return Sender(is_email(found["address"].strip()), found["quoted"] or found["bare"] or "")


def smtp_address(url: str) -> SmtpAddress:
    """Read an address. Raises ValueError with a hint that repeats nothing of it, since it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(SHAPE) from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
        raise ValueError(SHAPE)
    if options.keys() - {"tls", "ca"} or options.get("tls", "none") != "none" or options.get("ca") == "":
        raise ValueError("after the host there may stand ?ca=/path/of/certificates.pem or ?tls=none, nothing else")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("a user needs a password and a password a user: write both, or none")
    tls = "implicit" if parts.scheme == "smtps" else "starttls"
    if "tls" in options:
        if not _is_loopback(parts.hostname):
            raise ValueError("?tls=none is only for a server on this machine: leave it out")
        if user or tls == "implicit":
            raise ValueError("?tls=none goes with smtp:// and without a password: none is sent without TLS")
        tls = "none"
    ca = Path(options["ca"]).expanduser() if "ca" in options else None
    return SmtpAddress(parts.hostname, port or PORTS[parts.scheme], tls, user or None, password, ca)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
