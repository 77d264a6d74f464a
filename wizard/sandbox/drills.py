"""Acting a fault out, for one request: the sandbox goes wrong exactly as it was told to."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from wizard.sandbox.faults import HEADER, Fault
from wizard.sandbox.world import World

SLOW = 2.0
"""Seconds that a slow answer takes."""

WAIT = "1"
"""Seconds that a rate-limited request is asked to wait."""

DOWN = 2
"""How many tries of a key find nobody there."""

WEB_PAGE = "<!doctype html><html lang=en><title>Welcome</title><h1>Please log in to continue</h1></html>"


class NoSuchFault(ValueError):
    """The header names no fault. The message says which there are."""


class BrokenOff(ConnectionError):
    """Raised in the middle of a reply, so that the server drops the connection."""


class Half(Response):
    """The first half of a reply."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send as much as there will be. Raises BrokenOff."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise BrokenOff("a drill")


def fault_of(request: Request) -> Fault | None:
    """The fault that a request asks for. Raises NoSuchFault."""
    name = request.headers.get(HEADER)
    if name is None:
        return None
    try:
        return Fault(name)
    except ValueError:
        raise NoSuchFault(f"there is no such fault; there are {', '.join(Fault)}") from None


def lies(request: Request) -> bool:
    """Whether what takes access away is only to look done."""
    return fault_of(request) is Fault.LIES_ABOUT_REVOKING


async def acted_out(request: Request, world: World, key: str, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer to a request under an idempotency key, or what a fault makes of it. Raises NoSuchFault."""
    fault = fault_of(request)
    match fault:
        case None | Fault.LIES_ABOUT_REVOKING:
            return await answer()
        case Fault.SLOW:
            await sleep(SLOW)
            return await answer()
        case Fault.DROPS_CONNECTION:
            whole = await answer()
            return Half(bytes(whole.body) or b'{"status": "accepted"}', media_type="application/json")
        case Fault.SERVER_ERROR:
            return JSONResponse({"error": "something broke"}, 500)
        case Fault.HTML:
            return HTMLResponse(WEB_PAGE)
        case Fault.ERROR_INSIDE:
            return JSONResponse({"status": "Error", "message": "the order was not understood", "type": "203"})
    tried = f"{fault} {key}"
    world.tries[tried] += 1
    if fault is Fault.DOWN_THEN_BACK and world.tries[tried] <= DOWN:
        return JSONResponse({"error": "down for a moment"}, 503)
    if fault is Fault.RATE_LIMITED and world.tries[tried] == 1:
        return JSONResponse({"error": "too many requests"}, 429, headers={"retry-after": WAIT})
    return await answer()
