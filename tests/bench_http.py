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

from models.fulfillment import Action, Buyer, Event, Evidence, KeepAccess, Receipt, Run, RunStep, Verdict
from wizard.fulfillment.backend import Check, Context, Manifest
from wizard.fulfillment.ledger import Ledger, MemoryLedger, new_run_id
from wizard.fulfillment.outgoing import Guard
from wizard.fulfillment.runner import Runner
from wizard.fulfillment.script import steps_of
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
    def write_step(self, run: str, step: RunStep) -> None: ...
    def close_run(self, run: str, **ended: Any) -> None: ...


class Timed:
    """A ledger, with the time of each of its writes and the threads that they were made on."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.ms: list[float] = []
        self.threads: set[int] = set()
        self.claim, self.is_claimed, self.read_run = ledger.claim, ledger.is_claimed, ledger.read_run
        self.open_run, self.close_run = ledger.open_run, ledger.close_run

    def write_step(self, run: str, step: RunStep) -> None:
        began = time.perf_counter()
        self._ledger.write_step(run, step)
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


async def a_second(work: Callable[[], Awaitable[object]], times: int) -> float:
    """How many requests a second, `AT_ONCE` runs at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await work()

    await one()
    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(times)))
    return times * STEPS * 2 / (time.perf_counter() - began)


async def measured(url: str, store: Ledger, times: int) -> tuple[float, float, float, Timed]:
    """Requests a second: bare, by runs without a ledger, by runs with it; and the ledger."""
    timed = Timed(store)
    async with httpx.AsyncClient(transport=Guard(["127.0.0.1"], allow_private=True), trust_env=False) as client:
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
            await a_second(lambda: run(timed), times),
            timed,
        )


def main(times: int = 100) -> None:
    """Print the rates side by side."""
    with tempfile.TemporaryDirectory() as folder, server() as url:
        with open_store(Settings(data_dir=Path(folder))) as store:
            store.create("Bench", "bench")
            rounds = [asyncio.run(measured(url, store, times)) for _ in range(3)]
    for bare, without, with_it, timed in rounds:
        print(
            f"requests a second through httpx   bare {bare:6.0f}   runs {without:6.0f} = {without / bare:.2f}x (0.9)   "
            f"with the ledger {with_it:6.0f} = {with_it / bare:.2f}x (0.6)   "
            f"a write {statistics.median(timed.ms):.2f} ms (1.5)"
        )
        if threading.get_ident() in timed.threads:
            raise RuntimeError("the ledger was written on the thread of the event loop")


if __name__ == "__main__":
    main()
