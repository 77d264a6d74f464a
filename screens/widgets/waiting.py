"""Waiting in sight: whoever waits is told for how long already."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

EVERY = 1.0
"""Seconds between two words."""


async def told_meanwhile(work: Coroutine[Any, Any, Result], say: Callable[[str], None], what: str) -> Result:
    """Wait for some work, and say every second that it goes on: `checking … 3 s`. Raises what the work raises."""
    began, task = time.monotonic(), asyncio.ensure_future(work)
    say(f"{what} …")
    try:
        while not (await asyncio.wait({task}, timeout=EVERY))[0]:
            say(f"{what} … {time.monotonic() - began:.0f} s")
        return task.result()
    finally:
        task.cancel()
