"""What an endpoint's reply with a good status says: yes, no, or nothing to rely on.

A status says that somebody answered. A login, a firewall or a coming-soon page in front of a site answers 200 as well,
and some programs write into a good reply what went wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from models.characters import quoted
from models.fulfillment import Receipt
from wizard.delivery.errors import Rejected
from wizard.delivery.page import Page
from wizard.delivery.platforms.api import Reply
from wizard.delivery.secrecy import Secrets

MARKUP = re.compile(r"<[a-z!/?]", re.IGNORECASE)

ALARMS = frozenset({"error", "errors", "error_message", "error_code", "error_description", "exception"})
"""What says no by being there with anything in it."""

PROMISES = frozenset({"success", "ok", "status"})
"""What says no by being false, or a word for a failure."""

OUTCOMES = frozenset({"result", "outcome", "state", "code", "status_code", "statuscode"})
"""What says no as a word for a failure or the number of one: empty, it may be all that there is to say."""

FAILURES = frozenset({
    "error", "err", "exception", "fail", "failed", "failure", "denied", "forbidden", "invalid", "rejected", "refused",
    "unauthorized", "unauthorised", "nok", "ko",
})  # fmt: skip
"""Words for a failure."""

INSIDE = frozenset({"data", "result", "response", "body"})
"""Where some programs put the reply proper."""

BEGINS = re.compile(rf"\W*(?:{'|'.join(FAILURES)}|fatal|not|cannot|unable)\b", re.IGNORECASE)
"""How a text begins that says no in plain words."""

DEEPEST = 4
"""How far into a reply anybody looks."""

NOTHING = frozenset({"", "0", "false", "no", "none", "null"})
"""Words for "not so", as some languages write them into JSON."""

REASONS = (
    "message", "error", "errors", "error_message", "error_description", "context", "detail", "reason", "description",
    *INSIDE,
)  # fmt: skip
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
        return _plainly(text, found, name, reply.status, secrets)
    raise Rejected(f"“{name}” answered {reply.status} with {_what_came(text, found, is_page, secrets)}")


def _plainly(text: str, found: object, name: str, status: int, secrets: Secrets) -> dict[str, Any]:
    """Nothing, for a reply in plain words, or a number or a list of JSON, that does not say no. Raises Rejected."""
    if found is None and text[0] in "{[":
        raise Rejected(f"“{name}” answered {status} with {_what_came('{', found, False, secrets)}")
    if text.lower().strip('"') in NOTHING or BEGINS.match(text):
        raise Rejected(f"“{name}” answered {status}, but its reply says no: {_quoted(text, secrets)}.")
    return {}


def is_bare(receipt: Receipt) -> bool:
    """Whether the reply that a receipt stands for was empty: it counts as a yes, and nothing but its status says so."""
    return bool(receipt.exchanges) and receipt.exchanges[-1].received.strip("\ufeff \t\r\n") in ("", "{}")


def _no_in(found: Mapping[str, Any], depth: int = 0) -> str:
    """What in a reply says no, as it stands there; empty where nothing does."""
    for name, value in found.items():
        word = name.lower()
        if word in ALARMS and not _is_nothing(value):
            return name
        if word in PROMISES and value is not None and _is_nothing(value):
            return _written(name, value)
        if word in PROMISES | OUTCOMES and _is_failure(value):
            return _written(name, value)
        if word in INSIDE and isinstance(value, dict) and depth < DEEPEST and (no := _no_in(value, depth + 1)):
            return no
    return ""


def _is_failure(value: object) -> bool:
    """Whether a value is a word for a failure, or the number of one (RFC 9110, 15.5 and 15.6)."""
    if isinstance(value, str):
        return value.strip().lower() in FAILURES
    return isinstance(value, int | float) and not isinstance(value, bool) and 400 <= value < 600


def _written(name: str, value: object) -> str:
    return f"{name} is {json.dumps(value, ensure_ascii=False)}"


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
    return quoted(secrets.mask(text))
