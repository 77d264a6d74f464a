"""What an endpoint's reply with a good status says: yes, no, or nothing to rely on.

A status says that somebody answered. A login, a firewall or a coming-soon page in front of a site answers 200 as well,
and some programs write into a good reply what went wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from models.characters import visible
from models.fulfillment import Receipt
from wizard.fulfillment.backend import Rejected
from wizard.fulfillment.backends.browser import Page
from wizard.fulfillment.platforms.api import Reply
from wizard.fulfillment.secrecy import Secrets

QUOTED = 200
"""Characters of a reply that are quoted at the most."""

MARKUP = re.compile(r"<[a-z!/?]", re.IGNORECASE)

ALARMS = frozenset({"error", "errors"})
"""What says no by being there with anything in it."""

PROMISES = frozenset({"success", "ok"})
"""What says no by being false."""

FAILURES = frozenset({"error", "fail", "failed", "failure"})
"""What says no as the `status` of a reply."""

DEEPEST = 4
"""How far into a reply anybody looks."""

NOTHING = frozenset({"", "0", "false", "no", "none", "null"})
"""Words for "not so", as some languages write them into JSON."""

REASONS = ("message", "error", "errors", "context", "detail", "reason", "description")
"""Where replies say what was wrong."""


def answer_of(reply: Reply, name: str, secrets: Secrets, *, is_elsewhere: bool = False) -> dict[str, Any]:
    """What a reply holds: nothing, for an empty one. `name`: what the seller calls who answered; `is_elsewhere`: for
    somebody who was never asked for JSON, and may answer with a plain word.

    Raises Rejected, with the reply quoted, for one that says no, and for one that says nothing to rely on.
    """
    text = reply.text.lstrip("\ufeff").strip()
    if not text:
        return {}
    found = reply.json
    if isinstance(found, dict):
        if no := _no_in(found):
            said = _quoted(". ".join(_reasons(found)) or no, secrets)
            raise Rejected(f"“{name}” answered {reply.status}, but its reply says no: {said}.")
        return found
    is_page = found is None and MARKUP.search(text) is not None
    if is_elsewhere and not is_page:
        return {}
    raise Rejected(f"“{name}” answered {reply.status} with {_what_came(text, found, is_page, secrets)}")


def is_bare(receipt: Receipt) -> bool:
    """Whether the reply that a receipt stands for was empty: it counts as a yes, and nothing but its status says so."""
    return bool(receipt.exchanges) and receipt.exchanges[-1].received.strip("\ufeff \t\r\n") in ("", "{}")


def _no_in(found: Mapping[str, Any]) -> str:
    """What in a reply says no, as it stands there; empty where nothing does."""
    for name, value in found.items():
        match name.lower():
            case word if word in ALARMS and not _is_nothing(value):
                return name
            case word if word in PROMISES and value is not None and _is_nothing(value):
                return _written(name, value)
            case "status" if str(value).lower() in FAILURES or (_is_number(value) and 400 <= value < 600):
                return _written(name, value)
    return ""


def _written(name: str, value: object) -> str:
    return f"{name} is {json.dumps(value, ensure_ascii=False)}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nothing(value: object, depth: int = 0) -> bool:
    if isinstance(value, dict | list):
        inside = value.values() if isinstance(value, dict) else value
        return depth < DEEPEST and all(_is_nothing(each, depth + 1) for each in inside)
    return value.strip().lower() in NOTHING if isinstance(value, str) else not value


def _reasons(found: object, depth: int = 0) -> Iterator[str]:
    """The reasons that a reply gives, outermost first."""
    if isinstance(found, str):
        yield found.strip().rstrip(".")
    elif isinstance(found, list) and depth < DEEPEST:
        for each in found[:3]:
            yield from _reasons(each, depth + 1)
    elif isinstance(found, dict) and depth < DEEPEST:
        lower = {str(name).lower(): value for name, value in found.items()}
        for reason in REASONS:
            if not _is_nothing(value := lower.get(reason)):
                yield from _reasons(value, depth + 1)


def _what_came(text: str, found: object, is_page: bool, secrets: Secrets) -> str:
    """The end of a sentence about a reply that is no JSON object: what it is, and what to do."""
    nothing, alone = "nothing shows that it was done.", "Let it answer with a JSON object, or with nothing at all."
    if isinstance(found, list):
        return f"a list in place of a JSON object: {nothing} {alone}"
    if text.startswith("{"):
        return f"JSON that is broken or breaks off: {nothing} Let it answer with whole JSON."
    # What stands in braces is not quoted: it may be the reply that was meant, with a password in it.
    words, brace, _ = Page("", 0, text).text.partition("{") if is_page else text.partition("{")
    words = _quoted(words, secrets)
    if is_page and brace:
        return f"“{words}” around its JSON: {nothing} Let it answer with JSON alone; its own log says why it did not."
    if is_page:
        page = f"a web page{f', “{words}”,' if words else ''} in place of a reply"
        return f"{page}: {nothing} Correct the address, or take away what stands in front of it, such as a login."
    return f"“{words}”, which is no JSON object: {nothing} {alone}"


def _quoted(text: str, secrets: Secrets) -> str:
    # Masked before it is cut: of a secret that the cut goes through, the first half would be left.
    whole = " ".join(visible(secrets.mask(text), "\n\t").split())
    return whole if len(whole) <= QUOTED else f"{whole[:QUOTED].rstrip()}…"
