"""Where a test-fire is written down, step by step, so that nothing is done twice and nothing is forgotten.

The runner opens a run with all its planned steps, writes each step before and after it performs and verifies it, and
closes the run with its verdict. The methods are synchronous: unless they are quick, the runner calls them in another
thread, one after the other and never two at once for the same run. What arrives here is already masked: no password,
no token of a link and no signing secret is in it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Protocol

from models.events import Verdict
from models.fulfillment import Run, RunStep, ShownPage

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: digits and lower-case letters without i, l, o and u, in ASCII order so that ids sort."""

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def _in_base_32(number: int, length: int) -> str:
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def new_run_id(now: datetime) -> str:
    """Make the id of a run: 9 characters of milliseconds since 2020 and 3 of chance, so that ids sort by time."""
    milliseconds = int((now - EPOCH).total_seconds() * 1000)
    return _in_base_32(milliseconds, 9) + _in_base_32(secrets.randbits(15), 3)


def key_of(run: str, position: int) -> str:
    """The idempotency key of a step: the same on every try and after every restart."""
    return f"{run}-{position}"


class Ledger(Protocol):
    """What the runner needs from whoever keeps the record."""

    blocks: bool
    """Whether writing waits for something, such as a disk: then no event loop may write, and the runner does it on a
    thread of its own."""

    def open_run(self, run: Run) -> None:
        """Record a run that begins, with all its steps, each `pending`. Opening the same id again replaces nothing
        and is an error (ValueError)."""

    def write_steps(self, run: str, *steps: RunStep) -> None:
        """Record how far steps have come, all or none; the step with the same position is replaced whole, or added if
        new."""

    def close_run(
        self, run: str, *, verdict: Verdict, reason: str, finished_at: datetime, page: ShownPage | None
    ) -> None:
        """Record how a run ended. A run that was interrupted may be closed again, with another verdict."""

    def read_run(self, run: str) -> Run:
        """The run as it is recorded now, steps in the order of their positions. Raises KeyError."""

    def claim(self, run: str) -> AbstractContextManager[bool]:
        """Hold a run while the body lasts: whoever carries it out or resumes it does. The run need not be recorded yet.

        Gives False, at once, when another process or thread holds it. A claim ends with its process, however that
        ends. It may be let go by another thread than the one that took it.
        """

    def is_claimed(self, run: str) -> bool:
        """Whether somebody holds the run. One that is not closed and that nobody holds was left by a process that
        ended midway."""


class MemoryLedger:
    """A ledger that lasts as long as the process: for tests, and for a run nobody wants to keep."""

    blocks = False

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self._claimed: set[str] = set()
        self._one_at_a_time = threading.Lock()

    def open_run(self, run: Run) -> None:
        """See `Ledger`."""
        if run.id in self.runs:
            raise ValueError(f"there is a run {run.id} already")
        self.runs[run.id] = run

    def write_steps(self, run: str, *steps: RunStep) -> None:
        """See `Ledger`."""
        recorded = self.runs[run]
        known = {step.position: step for step in (*recorded.steps, *steps)}
        self.runs[run] = recorded.model_copy(update={"steps": tuple(known[at] for at in sorted(known))})

    def close_run(
        self, run: str, *, verdict: Verdict, reason: str, finished_at: datetime, page: ShownPage | None
    ) -> None:
        """See `Ledger`."""
        ended = {"verdict": verdict, "reason": reason, "finished_at": finished_at, "page": page}
        self.runs[run] = self.runs[run].model_copy(update=ended)

    def read_run(self, run: str) -> Run:
        """See `Ledger`."""
        return self.runs[run]

    @contextmanager
    def claim(self, run: str) -> Iterator[bool]:
        """See `Ledger`."""
        with self._one_at_a_time:
            is_free = run not in self._claimed
            self._claimed.add(run)
        try:
            yield is_free
        finally:
            if is_free:
                self._claimed.remove(run)

    def is_claimed(self, run: str) -> bool:
        """See `Ledger`."""
        return run in self._claimed
