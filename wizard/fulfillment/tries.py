"""Asking a backend until it answers or there is no hope: how often, how long, and what a failure means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import stamina
import stamina.instrumentation

from models.fulfillment import Evidence, Receipt, Status
from wizard.fulfillment.backend import ActionRequired, BackendError, Rejected, Retriable

# A step shows that it is tried again. The library's own log line would be written across the terminal app.
stamina.instrumentation.set_on_retry_hooks([])

Answer = TypeVar("Answer", Receipt, Evidence)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run waits for a backend. All times in seconds."""

    tries: int = 5
    one_try: float = 30.0
    """After this long without an answer a try has failed."""
    first_wait: float = 0.5
    longest_wait: float = 30.0
    """A backend that asks to wait longer is not tried again."""
    jitter: float = 1.0


PATIENT = Patience()


async def tried(
    call: Callable[[], Awaitable[Answer]],
    patience: Patience,
    on_try: Callable[[int], Awaitable[None]],
    on_retry: Callable[[Retriable], Awaitable[None]],
) -> Answer:
    """What the backend answers. `on_try` is told each try before it is made, from 1; `on_retry` why there is another.

    Raises BackendError, and what the two raise.
    """

    async def one_try(number: int) -> Answer:
        await on_try(number)
        try:
            return await _answer(call, patience)
        except Retriable as error:
            if number < patience.tries and _wait(patience, error) is not False:
                await on_retry(error)
            raise

    # Most answers come at the first try, and go past the library: its own work takes longer than theirs (measured).
    try:
        return await one_try(1)
    except Retriable as error:
        failed: Retriable | None = error
    async for attempt in stamina.retry_context(
        on=partial(_wait, patience),
        attempts=patience.tries,
        timeout=None,
        wait_initial=patience.first_wait,
        wait_max=patience.longest_wait,
        wait_jitter=patience.jitter,
    ):
        with attempt:
            if failed is not None:
                first, failed = failed, None
                raise first
            return await one_try(attempt.num)
    raise AssertionError("the last try answers or raises")


async def _answer(call: Callable[[], Awaitable[Answer]], patience: Patience) -> Answer:
    """One try. Raises BackendError and nothing else, whatever a third party's plug-in raises."""
    try:
        async with asyncio.timeout(patience.one_try):
            return await call()
    except BackendError:
        raise
    except TimeoutError:
        raise Retriable(f"No answer within {patience.one_try:g} seconds.") from None
    except Exception as error:
        broken = f"The backend broke ({type(error).__name__}: {error}). Tell whoever made it."
        raise BackendError(broken) from error


def _wait(patience: Patience, error: Exception) -> bool | float:
    """Whether to try again after an error, and how many seconds to wait where the other side said so."""
    if not isinstance(error, Retriable):
        return False
    if error.after is None:
        return True
    return max(error.after, 0.0) if error.after <= patience.longest_wait else False


def failure(error: BackendError) -> tuple[Status, str]:
    """How a step ends with this error, and the sentence for the seller."""
    if isinstance(error, ActionRequired):
        return Status.ACTION_REQUIRED, str(error)
    if isinstance(error, Rejected) and error.field:
        return Status.FAILED, f"{error} Look at {error.field}."
    if isinstance(error, Retriable) and error.after is not None:
        return Status.FAILED, f"{error} It asked to wait {error.after:g} seconds: try again then."
    if isinstance(error, Retriable):
        return Status.FAILED, f"{error} Every try failed: try again later."
    return Status.FAILED, str(error)
