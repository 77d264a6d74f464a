"""When two e-mail addresses are one buyer's: one rule, wherever addresses are compared or looked up.

A local part is the mailbox's own affair by RFC 5321, but no provider that buyers use tells `Bob@` from `bob@`, and a
buyer types both. A domain has no case, and one that is not ASCII has a second form (RFC 5891): `bücher.example` is
`xn--bcher-kva.example`. Dots and plus signs are left alone: what they mean differs from provider to provider.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ENDS = re.compile(r"[\s<>()\[\]{}\"'“”„‘’,;:!?]+")
"""What stands between an address and the words around it."""

AROUND = '<>()[]"“”„‘’,;:.'


@lru_cache(maxsize=4096)
def one_spelling(address: str) -> str:
    """The spelling under which a buyer is known: lower case, and the domain as people read it. A text that is no
    address comes back in lower case."""
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    return f"{local.lower()}{at}{_as_read(domain.lower())}"


def in_ascii(address: str) -> str:
    """The address with its domain as it goes over the wire (RFC 5891): for whom takes no other."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_as_sent(domain)}"


def spellings(address: str) -> tuple[str, ...]:
    """The address as it is written, and as others may have kept it: for looking up where only texts are compared."""
    known_as = one_spelling(address)
    return tuple(dict.fromkeys((address, known_as, in_ascii(known_as))))


def same_buyer(one: str, other: str) -> bool:
    """Whether two addresses are one buyer's."""
    return one_spelling(one) == one_spelling(other)


def names_buyer(text: str, address: str) -> bool:
    """Whether a text names a buyer, in whichever spelling."""
    # What may end an address may also stand in one, such as o'brien@example.com (RFC 5322, 3.2.3).
    whole = (word.strip(AROUND) for word in text.split())
    words = (word.rstrip(".") for word in (*ENDS.split(text), *whole) if "@" in word)
    return any(same_buyer(word, address) for word in words)


def _as_read(domain: str) -> str:
    if domain.isascii() and "xn--" not in domain:
        return domain
    # Imported here: its tables take long to read, and hardly an address needs them.
    import idna

    try:
        return idna.decode(idna.encode(domain, uts46=True))
    except idna.IDNAError:
        return domain


def _as_sent(domain: str) -> str:
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain
