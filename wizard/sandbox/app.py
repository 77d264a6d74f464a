"""The sandbox as one web application.

Its small transactions run on the event loop: each takes 0.2 ms, and a thread for each would cost 0.3 ms more. What
takes longer, password hashes and files, goes to threads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wizard.sandbox import admin, bookings, downloads, front, mailbox, members, platform
from wizard.sandbox.guard import Guard, TooLarge, too_large
from wizard.sandbox.world import Unusable, World, refusal

HOSTS = ["127.0.0.1", "localhost", "[::1]"]
"""Names under which the sandbox answers. Any other is another site's page that tries to reach this machine."""

HEADERS = [
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; form-action 'self'; "
     b"frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]  # fmt: skip


class CarefulHeaders:
    """Adds to every answer: no scripts, no frames, no guessing of types, no address told to other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add to its answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self.app(scope, receive, sending)


def sandbox_app(world: World) -> Starlette:
    """Make the web application of a world. The world is at `app.state.world`."""

    async def style(request: Request) -> Response:
        # A file of its own: the replies that a test-fire shows are then all content.
        return FileResponse(Path(__file__).parent / "templates" / "style.css", media_type="text/css")

    def not_found(request: Request, _error: Exception) -> Response:
        return refusal(request, 404, "There is no such page", "Check the address.", ("/", "Start"))

    def unusable(request: Request, error: Exception) -> Response:
        if request.url.path.startswith("/admin"):
            return JSONResponse({"error": str(error)}, 503)
        return refusal(request, 503, "The sandbox cannot be used now", str(error))

    handlers: dict[int | type[Exception], Callable[[Request, Exception], Response | Awaitable[Response]]] = {
        404: not_found,
        OverflowError: not_found,  # a number in an address that no table can hold
        TooLarge: lambda request, error: too_large(),
        Unusable: unusable,
    }
    areas = (front, admin, mailbox, downloads, bookings, members, platform)
    app = Starlette(
        routes=[
            Route("/style.css", style),
            *(route for area in areas for route in area.routes(world)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS),
            Middleware(CarefulHeaders),
            Middleware(Guard),
        ],
        exception_handlers=handlers,
    )
    app.state.world = world
    return app


@cache
def sandbox_in(folder: Path) -> Starlette:
    """The sandbox of a data folder, one for each folder and process."""
    return sandbox_app(World(folder))
