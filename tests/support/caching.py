"""A cache in front of a site, for tests: it keeps pages and gives them to others, as careful or careless as it is told.

It speaks ASGI: real ones stand in `tests/servers/caches.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Cache:
    """Keeps every page that was given with a good status, and shows it to whoever asks for that address."""

    site: ASGIApp
    says: Mapping[str, str] = field(default_factory=dict)
    """What it writes into the head of a page that it kept."""
    regards_cookies: bool = False
    """Whether a page is kept for the cookies that it was asked for with, as `Vary: Cookie` wants it."""
    waits_for: int = 1
    """How often a page is asked for before it is kept."""
    refusals_too: bool = False
    """Whether it keeps also what was refused."""
    kept: dict[Any, list[Message]] = field(default_factory=dict)
    asked: dict[Any, int] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        headers = dict(scope["headers"])
        at = scope["path"], scope["query_string"], headers.get(b"cookie", b"") if self.regards_cookies else b""
        if scope["method"] != "GET":
            await self.site(scope, receive, send)
            return
        self.asked[at] = self.asked.get(at, 0) + 1
        if at not in self.kept:
            whole: list[Message] = []

            async def keep(message: Message) -> None:
                whole.append(message)
                await send(message)

            await self.site(scope, receive, keep)
            status = whole[0]["status"]
            if (status == 200 or (self.refusals_too and status == 403)) and self.asked[at] >= self.waits_for:
                self.kept[at] = whole
            return
        head, *rest = self.kept[at]
        more = [(name.encode(), value.encode()) for name, value in self.says.items()]
        await send({**head, "headers": [*head["headers"], *more]})
        for message in rest:
            await send(message)
