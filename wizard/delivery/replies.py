"""What a reply says in its headers and bytes. Whatever they hold is its sender's word, and breaks nothing here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from models.characters import quoted, visible

PASSING = frozenset({408, 425, 429})
"""The refusals that may be over a moment later (RFC 9110, RFC 8470, RFC 6585). So may be whatever is 500 and above."""

GATES = ("basic", "digest", "negotiate", "ntlm")
"""The schemes by which a web server asks for a password of its own, before a site or a platform is asked anything."""

ASKED_TO_WAIT = re.compile(r"[0-9]{1,9}")

MISSED = re.compile(r"miss|bypass|dynamic|expired|pass\b|none|no-cache|^0$", re.IGNORECASE)
"""What a cache says that did not answer itself."""


HIT = re.compile(r"(?<![a-z])hit(?![a-z])", re.IGNORECASE)
"""What a cache says that did: `HIT`, Akamai's `TCP_MEM_HIT`, RFC 9211's `ExampleCache; hit`."""

OF_THE_SITE = ("object-cache", "opcache", "query-cache", "db-cache", "fragment-cache")
"""Caches behind the site: it was asked all the same, and looked up its own data faster."""


def is_passing(status: int) -> bool:
    """Whether the same request may be answered otherwise a moment later."""
    return status in PASSING or status >= 500


def retry_after(header: str) -> float | None:
    """The seconds that a Retry-After header asks to wait: it is a number or a date (RFC 9110, 10.2.3). None where it is
    neither."""
    header = header.strip()
    if ASKED_TO_WAIT.fullmatch(header):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max((aware - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, OverflowError):  # a year of twenty digits is one for the latter
        return None


def text_of(body: bytes, encoding: str | None) -> str:
    """The text of a body, past a byte order mark. A site may name an encoding that there is not, or that is none for
    text (Python knows `rot13` and `idna`)."""
    if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
        try:
            return body.decode(encoding, "replace")
        except (LookupError, ValueError):  # the latter also for a name with a zero byte
            pass
    return body.decode("utf-8-sig", "replace")


def cached(headers: Mapping[str, str]) -> str:
    """What the headers say of a cache that may have answered, such as “Age: 12, X-Cache: HIT”; empty where they speak
    of none. There is a standard for it (RFC 9211), and each cache has its own ways."""
    found = [
        f"{visible(name, '').title()}: {quoted(value, 60)}"
        for name, value in headers.items()
        if _is_of_cache(name.lower()) and not MISSED.search(value) and not _is_first(name.lower(), value)
    ]
    return ", ".join(found[:4])


def is_kept(headers: Mapping[str, str]) -> bool:
    """Whether a cache says that this reply is one that it had kept."""
    age = headers.get("age", "").strip()
    says_hit = any(_is_of_cache(name.lower()) and HIT.search(value) for name, value in headers.items())
    # Varnish names the request that it answers, and the one whose reply it had kept.
    names_two = " " in headers.get("x-varnish", "").strip()
    return says_hit or names_two or (age.isdecimal() and age.strip("0") != "")


def _is_of_cache(name: str) -> bool:
    if name in ("age", "via", "x-varnish"):
        return True
    return "cache" in name and not name.endswith(("cache-control", *OF_THE_SITE))


def _is_first(name: str, value: str) -> bool:
    # Varnish writes the number of this request, and behind it the one for which a page was kept.
    return name == "x-varnish" and " " not in value.strip()


def gate(headers: Mapping[str, str]) -> str:
    """How a web server asks for a password of its own, such as “Basic, “Staging””; empty where it asks for none."""
    asked = headers.get("www-authenticate", "")
    scheme, _, more = asked.strip().partition(" ")
    if scheme.lower() not in GATES:
        return ""
    realm = re.search(r'realm="?([^",]*)', more, re.IGNORECASE)
    named = f", “{quoted(realm[1], 60)}”" if realm and realm[1] else ""
    return f"{scheme.title()} authentication{named}"


def behind(gate: str, host: str) -> str:
    """The sentence for a site that is behind such a gate."""
    return (
        f"{host} is behind a password of its own ({gate}): it stands in front of the site and lets nobody through, and "
        "no key was looked at. Let the wizard through there, or switch it off while you test."
    )
