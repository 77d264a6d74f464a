"""How fast a run goes through httpx to a server on loopback, beside httpx alone; and what the ledger costs.

`python -m tests.bench_http`. The server is a process of its own. Ten runs go at a time; each step is two requests, one
that performs and one that verifies.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from models.events import Event, Verdict
from models.fulfillment import Action, Buyer, Evidence, KeepAccess, Receipt, Run, RunStep
from tests.bench import line
from wizard.delivery.backend import Check, Context, Manifest
from wizard.delivery.outgoing import GuardedTransport
from wizard.runs.ledger import Ledger, MemoryLedger, new_run_id
from wizard.runs.runner import Runner
from wizard.sale.script import steps_of
from wizard.settings import Settings
from wizard.store import open_store

AT_ONCE = 10
STEPS = 10
"""Of one run."""

SERVER = """
import asyncio, sys
REPLY = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: 11\\r\\n\\r\\n{\\"ok\\":true}"
async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(REPLY)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def server() -> Iterator[str]:
    """A server that answers at once; its address."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/x"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class OverHttp:
    """A backend whose every answer is a request."""

    manifest = Manifest(name="bench", label="Bench", can=frozenset({"keep_access"}))

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client, self._url = client, url

    async def check(self) -> Check:
        return Check(True, "")

    async def perform(self, action: Action, context: Context) -> Receipt:
        await self._client.get(self._url)
        return Receipt(reference=context.key)

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        await self._client.get(self._url)
        return Evidence(allowed=True, proven_by="buyer", detail="Seen.")

    async def clean_up(self, context: Context) -> str:
        return ""


class NoLedger(MemoryLedger):
    """Writes nothing down."""

    def open_run(self, run: Run) -> None: ...
    def write_steps(self, run: str, *steps: RunStep) -> None: ...
    def close_run(self, run: str, **ended: Any) -> None: ...


class Timed:
    """A ledger, with the time of each of its writes and the threads that they were made on."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.blocks = ledger.blocks
        self.ms: list[float] = []
        self.threads: set[int] = set()
        self.claim, self.is_claimed, self.read_run = ledger.claim, ledger.is_claimed, ledger.read_run
        self.open_run, self.close_run = ledger.open_run, ledger.close_run

    def write_steps(self, run: str, *steps: RunStep) -> None:
        began = time.perf_counter()
        self._ledger.write_steps(run, *steps)
        self.ms.append((time.perf_counter() - began) * 1e3)
        self.threads.add(threading.get_ident())


def planned(product: str) -> Run:
    """A run of so many steps."""
    now = datetime.now(UTC)
    keep = KeepAccess(target="x", reason="kept")
    return Run(
        id=new_run_id(now), product=product, revision=1, event=Event.PURCHASE, backend="bench", buyer=Buyer(),
        started_at=now, steps=steps_of([keep] * STEPS),
    )  # fmt: skip


async def a_second(work: Callable[[], Awaitable[object]], times: int) -> tuple[float, float]:
    """How many requests a second, `AT_ONCE` runs at a time; and how many a second of processor time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await work()

    await one()
    began, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one() for _ in range(times)))
    requests = times * STEPS * 2
    return requests / (time.perf_counter() - began), requests / (time.process_time() - busy)


Rate = tuple[float, float]


async def measured(url: str, store: Ledger, times: int) -> tuple[Rate, Rate, Rate]:
    """Requests a second, also of processor time: bare, by runs without a ledger, by runs with it."""
    guard = GuardedTransport(["127.0.0.1"], allow_private=True)
    async with httpx.AsyncClient(transport=guard, trust_env=False) as client:
        backend = OverHttp(client, url)

        async def bare() -> None:
            for _ in range(STEPS * 2):
                await client.get(url)

        async def run(ledger: Ledger) -> None:
            done = await Runner(backend, ledger).run(planned("bench"))
            if done.verdict is not Verdict.PASSED:
                raise RuntimeError(done.reason)

        return (
            await a_second(bare, times),
            await a_second(lambda: run(NoLedger()), times),
            await a_second(lambda: run(store), times),
        )


async def written(url: str, store: Ledger, times: int) -> Timed:
    """The ledger of runs that go one after the other: with ten at a time a write mostly waits for its turn."""
    timed = Timed(store)
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(times):
            await Runner(OverHttp(client, url), timed).run(planned("bench"))
    return timed


def main(rounds: int = 7, times: int = 60) -> None:
    """Print the rates side by side: the medians of rounds in which each had its turn."""
    with (
        tempfile.TemporaryDirectory() as folder,
        server() as url,
        open_store(Settings(data_dir=Path(folder))) as store,
    ):
        store.create("Bench", "bench")
        found = [asyncio.run(measured(url, store, times)) for _ in range(rounds)]
        timed = asyncio.run(written(url, store, 30))
    bare = statistics.median(each[0][0] for each in found)
    line("bare httpx", f"{bare:.0f} requests/s")
    for which, what, bound in ((1, "without a ledger", "0.9x"), (2, "with the ledger", "0.6x")):
        rate, busy = (statistics.median(each[which][by] / each[0][by] for each in found) for by in (0, 1))
        beside = f"{rate:.2f}x bare; by processor time {busy:.2f}x"
        line(f"runs over HTTP, {what}", f"{bare * rate:.0f} requests/s", beside, f"at least {bound}")
    a_step = statistics.median(timed.ms) * len(timed.ms) / (30 * STEPS)
    line("the ledger", f"{a_step:.2f} ms a step", f"{statistics.median(timed.ms):.2f} ms a write", "at most 1.5 ms")
    if threading.get_ident() in timed.threads:
        raise RuntimeError("the ledger was written on the thread of the event loop")


if __name__ == "__main__":
    main()
