"""A test-fire that is killed at each boundary of its ledger in turn, and then gone on with.

Run as a program, in a process without threads, since it forks: `python -m tests.support.killed FOLDER PRODUCT LIFE`.
FOLDER is a data folder with records in it; every run works in a copy. It prints one JSON object a line: first what
stands everywhere after a run that nobody killed, then what stands there after each that was killed and resumed.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from models.events import Event, Verdict
from models.fulfillment import Run, RunStep, ShownPage
from wizard.runs.fire import OverRun, Workplace, fire, resume
from wizard.runs.ledger import Ledger
from wizard.runs.tries import Patience
from wizard.sale.lives import life_named
from wizard.sale.sold import Sale
from wizard.settings import load
from wizard.store import Store, open_store
from wizard.store.errors import NotFound

QUICK = Patience(tries=3, one_try=20, first_wait=0, longest_wait=0.2, jitter=0)


def run_of(boundary: int) -> str:
    """The id of the run that is killed there: each has its own, and so its own buyer."""
    return f"0killed{boundary:05}"


class Deadly:
    """A ledger that kills its process at a boundary: before or after one of its writes."""

    def __init__(self, ledger: Ledger, boundary: int) -> None:
        self._ledger = ledger
        self._left = boundary
        self.blocks = ledger.blocks
        self.claim, self.is_claimed, self.read_run = ledger.claim, ledger.is_claimed, ledger.read_run

    def open_run(self, run: Run) -> None:
        with self._boundaries():
            self._ledger.open_run(run)

    def write_steps(self, run: str, *steps: RunStep) -> None:
        with self._boundaries():
            self._ledger.write_steps(run, *steps)

    def close_run(
        self, run: str, *, verdict: Verdict, reason: str, finished_at: datetime, page: ShownPage | None
    ) -> None:
        with self._boundaries():
            self._ledger.close_run(run, verdict=verdict, reason=reason, finished_at=finished_at, page=page)

    @contextmanager
    def _boundaries(self) -> Iterator[None]:
        self._step_over()
        yield
        self._step_over()

    def _step_over(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def workplace(store: Store, boundary: int = 0) -> Workplace:
    """The installation's own, with a ledger that kills."""
    at = Workplace.of(load(), store)
    object.__setattr__(at, "ledger", Deadly(store, boundary))
    return at


def carried_out(slug: str, life: str, boundary: int) -> None:
    """Fire, and be killed."""
    with open_store(load()) as store:
        sold = Sale(product=store.load(slug), account=store.account())
        what = life_named(life) if life else Event.PURCHASE
        settings = load()
        at = workplace(store, boundary)
        asyncio.run(fire(sold, what, at=at, backend=settings.backend, run_id=run_of(boundary), patience=QUICK))


def gone_on_with(run_id: str) -> dict[str, Any]:
    """Resume it, and say what stands in the record."""
    with open_store(load()) as store:
        try:
            run = asyncio.run(resume(run_id, store.account(), at=workplace(store), patience=QUICK))
        except NotFound:
            return {"run": None}
        except OverRun:
            run = store.run(run_id)
        return {
            "run": run.verdict,
            "reason": run.reason,
            "steps": [step.status for step in run.steps],
            "is_claimed": store.is_claimed(run_id),
        }


def in_the_sandbox(folder: Path) -> dict[str, Any]:
    """What the buyer holds and what was mailed."""
    path = folder / "sandbox.sqlite"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        counted = {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in sorted(tables)}
        counted["subjects"] = sorted(subject for (subject,) in database.execute("select subject from mails"))
    return counted


def main(folder: Path, slug: str, life: str, place: Path) -> None:
    """Walk all boundaries."""
    for boundary in range(1_000):
        own = place / str(boundary)
        shutil.copytree(folder, own)
        os.environ["WIZARD_DATA_DIR"] = str(own)
        child = os.fork()
        if child == 0:
            carried_out(slug, life, boundary)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if boundary and ended == 0:
            return
        print(
            json.dumps({"ended": ended, **gone_on_with(run_of(boundary)), "sandbox": in_the_sandbox(own)}), flush=True
        )
        shutil.rmtree(own)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(place))
