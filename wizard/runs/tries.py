"""Asking a backend until it answers or there is no hope: how often, how long, and what a failure means."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import stamina
import stamina.instrumentation

from models.events import Status
from models.fulfillment import Evidence, Receipt
from wizard.delivery.errors import ActionRequired, BackendError, Rejected, Retriable, broken_backend

# A step shows that it is tried again. The library's own log line would be written across the terminal app.
stamina.instrumentation.set_on_retry_hooks([])

Answer = TypeVar("Answer", Receipt, Evidence)

WORD_EVERY = 5.0
"""Seconds after which a step that goes on waiting says so once more."""


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
    step: float = 60.0
    """All tries of a step together, with the waits between them."""
    run: float = 600.0
    """All steps of a run together: then it stops midway, and can be gone on with."""
    silence: float = 2.0
    """After this long without an answer a step says that it waits, and for how long."""

    def wait(self, number: int, error: Retriable) -> float:
        """The seconds between a try that failed and the next: as many as the other side asks for, else ever more."""
        if error.after is not None:
            return max(error.after, 0.0)
        return min(self.first_wait * 2.0 ** (number - 1) + random.uniform(0, self.jitter), self.longest_wait)

    def allows(self, number: int, left: float) -> str:
        """How a try stands, for who looks on: `left` are the seconds that remain for the step."""
        return f"Try {number} of {self.tries}, gives up in {max(math.ceil(left), 1)} s."


PATIENT = Patience()


class Telling(Protocol):
    """Whoever is told how the tries stand."""

    async def on_try(self, number: int) -> None:
        """A try is about to be made. They are numbered from 1."""

    async def on_wait(self, said: str) -> None:
        """There is no answer yet, or another try will be made: a sentence with what is known."""


class GivenUp(Retriable):
    """It was tried as often and as long as there was hope. The message is that of the last try."""

    def __init__(self, last: Retriable, tries: int, seconds: float) -> None:
        super().__init__(str(last), last.after, last.place)
        self.tries = tries
        self.seconds = seconds


@dataclass(slots=True)
class Retrying:
    """One question to a backend, asked until it is answered. `within`: the seconds for all of it. `is_lost`: whether a
    failure leaves no hope for another try. `broken`: what an error that is none of the contract means."""

    patience: Patience
    telling: Telling
    within: float
    is_lost: Callable[[Retriable], bool] = lambda error: False
    broken: Callable[[Exception], BackendError] = broken_backend
    _number: int = 0
    _ends: float = 0.0

    async def until_answered(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """What the backend answers. Raises BackendError – GivenUp where trying did not help – and what is raised by
        who is told."""
        now = asyncio.get_running_loop().time
        began, self._ends = now(), now() + self.within
        try:
            return await self._tried(call)
        except Retriable as error:
            raise GivenUp(error, self._number, now() - began) from error

    async def _tried(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        # Most answers come at the first try, and go past the library: its own work takes longer than theirs (measured).
        try:
            return await self._one_try(call)
        except Retriable as error:
            failed: Retriable | None = error
            waits = await self._next_wait(error)
            if waits is None:
                raise

        def hook(error: Exception) -> bool | float:
            return waits if isinstance(error, Retriable) and waits is not None else False

        async for attempt in stamina.retry_context(on=hook, attempts=self.patience.tries, timeout=None):
            with attempt:
                if failed is not None:
                    first, failed = failed, None
                    raise first
                try:
                    return await self._one_try(call)
                except Retriable as error:
                    waits = await self._next_wait(error)
                    raise
        raise AssertionError("the last try answers or raises")

    async def _next_wait(self, error: Retriable) -> float | None:
        """The seconds until another try, which is told; None where there will be none."""
        patience, left = self.patience, self._left()
        waits = patience.wait(self._number, error)
        is_over = self._number >= patience.tries or waits >= left or self.is_lost(error)
        if is_over or (error.after is not None and error.after > patience.longest_wait):
            return None
        await self.telling.on_wait(f"{error} {patience.allows(self._number + 1, left)}")
        return waits

    async def _one_try(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """One try. Raises BackendError and nothing else, whatever a third party's plug-in raises."""
        self._number += 1
        await self.telling.on_try(self._number)
        limit = min(self.patience.one_try, max(self._left(), 0.0))
        silence = _Silence(self.patience.silence, self._say_that_it_waits)
        try:
            async with asyncio.timeout(limit):
                return await call()
        except BackendError:
            raise
        except TimeoutError:
            raise Retriable(f"No answer within {round(limit, 2):g} seconds.") from None
        except Exception as error:
            raise self.broken(error) from error
        finally:
            await silence.end()

    async def _say_that_it_waits(self) -> None:
        await self.telling.on_wait(f"No answer yet. {self.patience.allows(self._number, self._left())}")

    def _left(self) -> float:
        return self._ends - asyncio.get_running_loop().time()


class _Silence:
    """Says again and again that there is no answer yet. Until it has lasted a while it costs a timer and no more."""

    def __init__(self, after: float, say: Callable[[], Awaitable[None]]) -> None:
        self._say = say
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(after, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._go_on())

    async def _go_on(self) -> None:
        while True:
            await self._say()
            await asyncio.sleep(WORD_EVERY)

    async def end(self) -> None:
        """End it, after what is being said. Raises what went wrong while it was said."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error


def failure(error: BackendError) -> tuple[Status, str]:
    """How a step ends with this error, and the sentence for the seller."""
    if isinstance(error, ActionRequired):
        return Status.ACTION_REQUIRED, str(error)
    if isinstance(error, Rejected) and error.field:
        return Status.FAILED, f"{error} Look at {error.field}."
    if isinstance(error, Retriable) and error.after is not None:
        asked = f"{error.after:g}" if error.after < 1 else f"{error.after:.0f}"
        return Status.FAILED, f"{error} It asked to wait {asked} seconds: try again then."
    if isinstance(error, GivenUp):
        how_often = "once" if error.tries == 1 else f"{error.tries} times"
        return (
            Status.FAILED,
            f"{error} Tried {how_often} in {math.ceil(error.seconds)} s, then given up: try again later.",
        )
    return Status.FAILED, str(error)
