"""Where the work is done that must not block a key: one thread, on which store and session are used in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Desk:
    """One worker thread with a queue: what is handed in is done in that order, and awaited without blocking."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")

    async def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the work on the desk's thread and give its result back, or raise what it raised."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def close(self) -> None:
        """Finish what was handed in, then stop."""
        self._thread.shutdown(wait=True)
