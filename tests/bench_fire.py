"""How many purchases a second are carried out and proven, in one process, the ledger included.

Run it with `python -m tests.bench_fire`. Members get the real password profile, and each login is made and used.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from models.events import Verdict
from tests.bench import line
from tests.support.shop import small_world, sold, workbook
from wizard.delivery.backend import Surroundings
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.runs.fire import Workplace, fire
from wizard.runs.ledger import MemoryLedger
from wizard.sale.lives import PROOF

TARGETS = {"hosted": 10, "integrated": 50, "file": 50, "calendar": 50, "physical": 50}
"""Purchases a second."""


async def purchases_per_second(option: str, *, number: int = 60, at_once: int = 4) -> tuple[float, float]:
    """Fire `number` purchases, `at_once` at a time, each with a buyer of its own; raises when one does not pass.

    Gives the purchases a second, and the milliseconds of processor time of one: on a busy machine only those compare.
    """
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        path = workbook(data_dir)
        what, ledger, gate = sold(option), MemoryLedger(), asyncio.Semaphore(at_once)

        async def one() -> None:
            async with gate:
                run = await fire(what, at=Workplace(data_dir, ledger, lambda slug: path))
                if run.verdict is not Verdict.PASSED:
                    raise RuntimeError(run.reason)

        await one()  # the first one opens the sandbox
        began, busy = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one() for _ in range(number)))
        spent = (time.process_time() - busy) / number * 1000
        return number / (time.perf_counter() - began), spent


class Stopwatch:
    """The sandbox, and the seconds that were spent in it."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.spent = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        try:
            await self._app(scope, receive, send)
        finally:
            self.spent += time.perf_counter() - began


async def proofs_per_second(option: str, number: int = 20) -> tuple[float, float]:
    """Prove `number` times, one after the other, with a cheap hash profile; raises when one does not pass.

    Gives the proofs a second, and the share of the time that was spent in the sandbox.
    """
    app = small_world()
    inside = Stopwatch(app)
    with tempfile.TemporaryDirectory() as folder:
        path = workbook(Path(folder))
        what, at = sold(option), Workplace(Path(folder), path_of_file=lambda slug: path)

        def backend(around: Surroundings) -> SandboxBackend:
            return SandboxBackend(around, app, httpx.ASGITransport(inside))

        async def one() -> None:
            run = await fire(what, PROOF, at=at, backend=backend)
            if run.verdict is not Verdict.PASSED:
                raise RuntimeError(run.reason)

        await one()
        inside.spent, began = 0.0, time.perf_counter()
        for _ in range(number):
            await one()
        whole = time.perf_counter() - began
    app.state.world.close()
    return number / whole, inside.spent / whole


async def main() -> None:
    """Measure each access option and print it beside its target."""
    for option, target in TARGETS.items():
        rate, cost = await purchases_per_second(option)
        line(
            f"purchases a second, {option}",
            f"{rate:.1f}",
            f"{cost:.1f} ms of processor time each",
            f"at least {target}",
        )
    for option in TARGETS:
        rate, share = await proofs_per_second(option)
        beside = f"{share:.0%} of it in the sandbox, {1 - share:.0%} in us"
        line(f"proofs a second, {option}", f"{rate:.1f}", beside, "at least 5")


if __name__ == "__main__":
    asyncio.run(main())
