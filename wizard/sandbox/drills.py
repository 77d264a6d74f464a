"""Acting a fault out, for one request: the sandbox goes wrong exactly as it was told to."""

from __future__ import annotations

import gzip
from asyncio import ensure_future, sleep, wait
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from wizard.sandbox.faults import DRILLS, HEADER, Fault
from wizard.sandbox.world import World

SLOW = 2.0
"""Seconds that a slow answer takes."""

WAIT = "1"
"""Seconds that a rate-limited request is asked to wait."""

DOWN = 2
"""How many tries of a key find nobody there."""

DRIP = 0.05
"""Seconds between two bytes of a slow drip."""

HUGE = 100_000_000
"""Bytes."""

REFUSALS: Mapping[Fault, tuple[int, dict[str, str]]] = {
    Fault.REDIRECT_CIRCLE: (307, {"location": "?again"}),
    Fault.REDIRECT_ELSEWHERE: (307, {"location": "https://elsewhere.example/"}),
    Fault.GATE: (401, {"www-authenticate": 'Basic realm="Staging"'}),
    Fault.UNAUTHORIZED: (401, {}),
    Fault.FORBIDDEN: (403, {}),
    Fault.NOT_FOUND: (404, {}),
    Fault.TIMED_OUT: (408, {}),
    Fault.GONE: (410, {}),
    Fault.TOO_EARLY: (425, {}),
    Fault.TOO_MANY: (429, {}),
    Fault.COME_BACK_LATER: (429, {"retry-after": "3600"}),
    Fault.BAD_GATEWAY: (502, {}),
    Fault.UNAVAILABLE: (503, {}),
    Fault.GATEWAY_TIMEOUT: (504, {}),
}
"""The faults that are one status, with the headers that belong to it."""

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


class Never(Response):
    """No reply at all, until whoever waits for it goes away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait."""
        while (await receive())["type"] != "http.disconnect":
            pass


class Endless(Response):
    """The same bytes again and again, until whoever reads them goes away."""

    def __init__(self, piece: bytes, pause: float, size: int | None = None) -> None:
        """`pause` in seconds between two pieces; `size` in bytes of the whole, where it ends at all."""
        super().__init__(media_type="application/json")
        self._piece, self._pause, self._size = piece, pause, size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send one piece after the other."""
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone, sent = ensure_future(_left(receive)), 0
        while not gone.done() and (self._size is None or sent < self._size):
            await send({"type": "http.response.body", "body": self._piece, "more_body": True})
            await wait([gone], timeout=self._pause)
            sent += len(self._piece)
        gone.cancel()
        await send({"type": "http.response.body"})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def fault_of(request: Request) -> Fault | None:
    """The fault that a request asks for. Raises NoSuchFault."""
    name = request.headers.get(HEADER)
    if name is None:
        return None
    if name not in DRILLS:
        raise NoSuchFault(f"there is no such fault; there are {', '.join(DRILLS)}")
    return Fault(name)


def lies(request: Request) -> bool:
    """Whether what takes access away is only to look done."""
    return fault_of(request) is Fault.LIES_ABOUT_REVOKING


async def acted_out(request: Request, world: World, key: str, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer to a request under an idempotency key, or what a fault makes of it. Raises NoSuchFault."""
    return await answered(fault_of(request), key, world.tries, answer)


async def answered(
    fault: Fault | None, key: str, tries: Counter[str], answer: Callable[[], Awaitable[Response]]
) -> Response:
    """What a fault makes of an answer. `tries`: how often each key was tried under each fault that counts."""
    if fault is not None and fault in REFUSALS:
        status, headers = REFUSALS[fault]
        return JSONResponse({"error": fault.label.lower()}, status, headers=headers)
    match fault:
        case None | Fault.LIES_ABOUT_REVOKING | Fault.CACHE:
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
        case Fault.SILENCE:
            return Never()
        case Fault.SLOW_DRIP:
            return Endless(b" ", DRIP)
        case Fault.HUGE:
            return Endless(b" " * (1 << 16), 0, HUGE)
        case Fault.DOWN_THEN_BACK | Fault.RATE_LIMITED:
            return await _busy_at_first(fault, key, tries, answer)
    return _disguised(fault, await answer())


async def _busy_at_first(
    fault: Fault, key: str, tries: Counter[str], answer: Callable[[], Awaitable[Response]]
) -> Response:
    tried = f"{fault} {key}"
    tries[tried] += 1
    if fault is Fault.DOWN_THEN_BACK and tries[tried] <= DOWN:
        return JSONResponse({"error": "down for a moment"}, 503)
    if fault is Fault.RATE_LIMITED and tries[tried] == 1:
        return JSONResponse({"error": "too many requests"}, 429, headers={"retry-after": WAIT})
    return await answer()


def _disguised(fault: Fault, whole: Response) -> Response:
    """A good answer in other clothes."""
    body = bytes(whole.body)
    match fault:
        case Fault.BYTE_ORDER_MARK:
            body = b"\xef\xbb\xbf" + body
        case Fault.WRONG_TYPE:
            whole.headers["content-type"] = "image/png"
        case Fault.UNKNOWN_CHARSET:
            whole.headers["content-type"] = f"{whole.media_type or 'application/json'}; charset=rot13"
        case Fault.NOT_COMPRESSED:
            whole.headers["content-encoding"] = "none"
        case Fault.COMPRESSED:
            whole.headers["content-encoding"] = "gzip"
            body = gzip.compress(body)
        case Fault.BROKEN_COMPRESSION:
            whole.headers["content-encoding"] = "gzip"
    del whole.headers["content-length"]
    return Response(body, whole.status_code, dict(whole.headers))
