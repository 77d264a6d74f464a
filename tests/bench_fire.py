"""How many purchases a second are carried out and proven, in one process, the ledger included.

Run it with `python -m tests.bench_fire`. Members get the real password profile, and each login is made and used.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from models.fulfillment import Verdict
from tests.shop import sold, workbook
from wizard.fulfillment.fire import Workplace, fire
from wizard.fulfillment.ledger import MemoryLedger

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


async def main() -> None:
    """Measure each access option and print it beside its target."""
    for option, target in TARGETS.items():
        rate, cost = await purchases_per_second(option)
        print(f"{option:12} {rate:6.1f} purchases/s (target {target})   {cost:6.1f} ms of processor time each")


if __name__ == "__main__":
    asyncio.run(main())
