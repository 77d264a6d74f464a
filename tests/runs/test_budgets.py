"""A step and a run have a budget of seconds: it is told while it passes, kept, and told again afterwards."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.events import Event, Status, Verdict
from models.fulfillment import RunStep
from tests.support.endpoint import SECRET
from tests.support.guarded import SITE, Heard, guarded
from tests.support.listening import saying
from tests.support.obedient import CONFIRMATION, GRANT, PAGE, Backend, planned, raising
from tests.support.shop import NOW, sold
from wizard.delivery.backend import Manifest
from wizard.delivery.errors import Retriable
from wizard.runs.fire import Workplace, fire
from wizard.runs.ledger import MemoryLedger
from wizard.runs.runner import Runner
from wizard.runs.tries import PATIENT, Patience

LONG = 20.0
"""Seconds that nothing here takes, however busy the machine is: what is waited for lasts far longer."""


async def hang(*_: Any) -> Any:
    await asyncio.sleep(3600)


def quick(**more: Any) -> Patience:
    return Patience(**{"tries": 4, "one_try": 3600, "first_wait": 0, "jitter": 0, "silence": 0.01, **more})


class Looking:
    """What somebody who looks on is told, and what is written down meanwhile."""

    def __init__(self, backend: Backend, patience: Patience) -> None:
        self.ledger = MemoryLedger()
        self.shown: list[str] = []
        self.runner = Runner(backend, self.ledger, clock=lambda: NOW, on_step=self.on_step, patience=patience)

    def on_step(self, step: RunStep) -> None:
        assert self.ledger.runs["run1"].steps[step.position - 1] == step, "the record says the same"
        self.shown.append(step.detail)


async def test_a_step_gives_up_when_its_seconds_are_over_and_says_so_before_and_after():
    looking = Looking(Backend(grant_access=hang), quick(step=0.5))
    began = time.monotonic()
    run = await looking.runner.run(planned([GRANT]))

    assert time.monotonic() - began < LONG
    assert run.verdict is Verdict.FAILED
    assert "No answer yet. Try 1 of 4, gives up in 1 s." in looking.shown
    assert run.reason.endswith("No answer within 0.5 seconds. Tried once in 1 s, then given up: try again later.")


async def test_each_try_says_which_it_is_and_how_long_there_will_be_others():
    looking = Looking(Backend(grant_access=hang), quick(one_try=0.05))
    run = await looking.runner.run(planned([GRANT]))

    said = list(dict.fromkeys(each for each in looking.shown if each))
    for number in (2, 3, 4):
        assert any(f"Try {number} of 4, gives up in 60 s." in each for each in said), said
    assert run.steps[0].attempts == 4


async def test_a_check_that_hangs_says_so_too_and_has_what_is_left_of_the_steps_seconds():
    looking = Looking(Backend(verify_grant_access=hang), quick(step=0.5))
    run = await looking.runner.run(planned([GRANT]))

    assert "No answer yet. Try 1 of 4, gives up in 1 s." in looking.shown
    assert run.verdict is Verdict.FAILED
    assert run.steps[0].attempts == 1


async def test_a_wait_that_does_not_fit_into_what_is_left_is_not_begun():
    looking = Looking(Backend(grant_access=raising(Retriable("Busy."))), quick(step=5, first_wait=6))
    run = await looking.runner.run(planned([GRANT]))

    assert run.reason.endswith("Busy. Tried once in 1 s, then given up: try again later.")


async def test_a_run_stops_midway_when_its_seconds_are_over_and_can_be_gone_on_with():
    looking = Looking(Backend(send_email=hang), quick(run=0.5))
    began = time.monotonic()
    run = await looking.runner.run(planned([GRANT, CONFIRMATION, PAGE]))

    assert time.monotonic() - began < LONG
    assert (run.verdict, run.reason) == (
        Verdict.INTERRUPTED, "Stopped midway: its 0.5 s are over, and a run takes no longer.",
    )  # fmt: skip
    assert looking.ledger.read_run("run1") == run
    assert [step.status for step in run.steps] == [Status.PERFORMED, Status.RUNNING, Status.PENDING]

    again = Runner(Backend(), looking.ledger, clock=lambda: NOW, patience=quick())
    assert (await again.resume(run)).verdict is Verdict.PASSED


async def test_a_step_that_has_more_seconds_than_the_run_has_left_does_not_fail_but_stops_with_it():
    run = await Looking(Backend(grant_access=hang), quick(run=0.5, step=60)).runner.run(planned([GRANT]))

    assert (run.verdict, [step.status for step in run.steps]) == (Verdict.INTERRUPTED, [Status.RUNNING])


async def test_nobody_knows_who_did_not_answer_so_nobody_else_is_asked_less():
    nameless = raising(*[Retriable("The sandbox is busy.")] * 9)
    backend = Backend(grant_access=nameless, send_email=raising(*[Retriable("Try later.")] * 9))
    run = await Runner(backend, MemoryLedger(), patience=quick()).run(planned([GRANT, CONFIRMATION]))

    assert [step.attempts for step in run.steps] == [4, 4]


async def test_who_did_not_answer_in_one_step_is_asked_once_in_each_later_one():
    busy = raising(*[Retriable("Nobody there.", place="shop")] * 99)
    backend = Backend(grant_access=busy, send_email=busy, show_page=busy)
    run = await Runner(backend, MemoryLedger(), patience=quick()).run(planned([GRANT, CONFIRMATION, PAGE]))

    assert [step.attempts for step in run.steps] == [4, 1, 1]
    assert run.steps[1].detail == "Nobody there. Tried once in 1 s, then given up: try again later."


async def test_somebody_else_is_asked_as_often_as_ever():
    backend = Backend(
        grant_access=raising(*[Retriable("Nobody there.", place="shop")] * 9),
        send_email=raising(*[Retriable("Nobody here.", place="post")] * 9),
    )
    run = await Runner(backend, MemoryLedger(), patience=quick()).run(planned([GRANT, CONFIRMATION]))

    assert [step.attempts for step in run.steps] == [4, 4]


async def test_a_ledger_that_cannot_write_that_a_step_waits_stops_the_run():
    class Full(MemoryLedger):
        def write_steps(self, run: str, *steps: RunStep) -> None:
            if any("No answer yet" in step.detail for step in steps):
                raise OSError("no space left")
            super().write_steps(run, *steps)

    with pytest.raises(OSError, match="no space left"):
        await Runner(Backend(grant_access=hang), Full(), patience=quick(step=0.5)).run(planned([GRANT]))


@pytest.mark.parametrize("after", [0.0, 0.05])
async def test_a_run_that_waits_is_stopped_at_once(after: float):
    ledger = MemoryLedger()
    runner = Runner(Backend(grant_access=hang), ledger, patience=quick())
    task = asyncio.create_task(runner.run(planned([GRANT])))
    await asyncio.sleep(after)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert time.monotonic() - began < LONG
    assert all(run.verdict is Verdict.INTERRUPTED for run in ledger.runs.values())


def test_the_budgets_are_ones_that_a_seller_waits_for():
    assert PATIENT.one_try < PATIENT.step <= 60
    assert PATIENT.step < PATIENT.run <= 600


async def test_a_dead_endpoint_costs_one_steps_tries_and_not_those_of_every_step(tmp_path: Path):
    with socket.socket() as taken:  # nobody listens there
        taken.bind(("127.0.0.1", 0))
        settings = {"url": f"http://127.0.0.1:{taken.getsockname()[1]}/wizard", "secret": SECRET}
        at = Workplace(tmp_path, backends={"webhook": settings}, allow_private=True)
        run = await fire(sold("hosted"), Event.REFUND, at=at, backend="webhook", patience=quick())

    assert run.verdict is Verdict.FAILED
    asked = [step.attempts for step in run.steps if step.attempts]
    assert len(asked) > 2
    assert asked == [4, *[1] * (len(asked) - 1)]


async def test_who_was_silent_twice_is_not_waited_for_so_long_again_until_they_answer():
    silent = True
    heard = Heard()

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        if silent:
            await asyncio.sleep(3600)
        await heard(head, writer)

    async with saying(answer) as port, guarded(longest=0.3, again=0.1) as client:
        url = f"http://{SITE}:{port}/"
        for within in ("0.3", "0.3", "0.1", "0.1"):
            with pytest.raises(httpx.ReadTimeout, match=re.escape(f"within {within} seconds")):
                await client.get(url)
        silent = False
        assert (await client.get(url)).status_code == 200
        silent = True
        with pytest.raises(httpx.ReadTimeout, match=r"within 0\.3 seconds"):
            await client.get(url)


async def test_who_drips_twice_is_not_waited_for_so_long_again_either():
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with saying(drip) as port, guarded(longest=0.3, again=0.1) as client:
        for within in ("0.3", "0.3", "0.1"):
            with pytest.raises(httpx.ReadTimeout, match=re.escape(f"within {within} seconds")):
                await client.get(f"http://{SITE}:{port}/")


class Ours(Backend):
    manifest = Manifest("ours", "Ours", Backend.manifest.can, backend="wizard.delivery.backends.ours:Ours")


async def test_an_error_in_a_backend_of_ours_is_laid_at_nobodys_door_who_made_one():
    run = await Runner(Ours(grant_access=raising(ValueError("odd"))), MemoryLedger(), patience=quick()).run(
        planned([GRANT])
    )

    assert run.reason.endswith(
        "What came back could not be used (ValueError: odd). It was not tried again: look at the reply, and at who "
        "sent it."
    )
