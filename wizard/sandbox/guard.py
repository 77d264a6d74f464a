"""What stands before every page: how much a visitor may send, and from which site."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 20_000
"""Bytes that anybody may send (Standard Webhooks advises less than 20 kB; our own forms are far smaller)."""

LARGEST_ORDER = 16_000_000
"""Bytes of an order of the shop's, such as a long mail. A file that is handed in is written down while it comes."""

LARGEST_FORM = 10_000
"""Bytes of one of our forms."""

CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")


class TooLarge(Exception):
    """A body that is longer than may be sent. It was not read to its end."""


class Guard:
    """Refuses what comes from another site's page, and cuts off a body at its limit while it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it before anything of it is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in CHANGES_NOTHING and is_foreign(scope, headers):
            await PlainTextResponse("This came from another site's page.", 403)(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        if limit is not None and _announced(headers) > limit:
            await too_large()(scope, receive, send)
            return
        came = 0

        async def receiving() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if limit is not None and came > limit:
                raise TooLarge
            return message

        await self.app(scope, receiving, send)


def is_foreign(scope: Scope, headers: Headers) -> bool:
    """Whether a page of another site sent it (https://fetch.spec.whatwg.org/#origin-header). Ours name no site at all,
    since they tell nobody where a buyer was: the token in each form is what proves those."""
    origin = headers.get("origin", "null")
    ours = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
    return headers.get("sec-fetch-site") == "cross-site" or origin not in ("null", ours)


def limit_of(path: str) -> int | None:
    """How many bytes may be sent to a path; None where they are counted there."""
    if path.startswith("/admin/files/"):
        return None
    return LARGEST_ORDER if path.startswith("/admin/") else LARGEST


def too_large() -> PlainTextResponse:
    """The answer to a body that was not read to its end: what is left of it is not waited for."""
    return PlainTextResponse("This is too large.", 413, headers={"connection": "close"})


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of one of our forms, each at most 1,000 characters. Whatever else is sent has none: nothing that a
    visitor writes is a mistake of the server's."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or len(body) > LARGEST_FORM:
        return {}
    try:
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10)
    except ValueError:  # more fields than any of our forms has
        return {}
    return {name: values[0][:1000] for name, values in found.items()}


def _announced(headers: Headers) -> int:
    told = headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 20 else 0
