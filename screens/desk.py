"""Where the work is done that must not block a key: one thread, on which store and session are used in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Desk:
    """One worker thread with a queue: what is handed in is done in that order, and awaited without blocking."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")
        self._under_way: dict[asyncio.Future[Any], float] = {}

    async def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the work on the desk's thread and give its result back, or raise what it raised."""
        done = asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))
        self._under_way[done] = monotonic()
        try:
            return await done
        finally:
            del self._under_way[done]

    def under_way(self, within: float) -> list[asyncio.Future[Any]]:
        """The work that was handed in not longer than this many seconds ago, and is not done yet."""
        since = monotonic() - within
        return [work for work, handed_in in self._under_way.items() if handed_in > since and not work.done()]

    def close(self) -> None:
        """Finish what was handed in, then stop."""
        self._thread.shutdown(wait=True)
