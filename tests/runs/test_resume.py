"""A run that was stopped midway: whenever that was, going on leads to the same end, and nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.events import Event, Status, Verdict
from models.fulfillment import Run, RunStep
from tests.support.walked import walked
from wizard.cli.program import run as command
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.runs.fire import BusyRun, OverRun, Workplace, fire, resume
from wizard.sale.lives import PROOF
from wizard.sale.sold import Sale
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import Store, open_store
from wizard.store.errors import NotFound


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample in it."""
    folder = tmp_path_factory.mktemp("killed") / "data"
    with open_store(Settings(data_dir=folder)) as store:
        fill(store)
    return folder


@pytest.mark.parametrize(
    ("product", "life", "at_least"),
    [
        ("yoga-masterclass", "", 29),
        ("coaching-hour", "", 14),
        ("morning-yoga-workbook", "prove", 80),
        ("studio-season", "renewals_then_cancel", 50),
    ],
)
def test_killed_at_any_boundary_of_the_ledger_it_goes_on_to_the_same_end(
    product: str, life: str, at_least: int, filled: Path
):
    killed = walked(filled, product, life)

    assert len(killed) >= at_least


# --- in one process ---------------------------------------------------------------------------------------------------


@pytest.fixture
def store(data_dir: Path) -> Any:
    with open_store(Settings()) as store:
        fill(store)
        yield store


RUN = "0stopped0run"


class Stopped(Exception):
    """What ends a run midway."""


def stopped_at(store: Store, product: str, when: Callable[[RunStep], bool], what: Any = Event.PURCHASE) -> Run:
    """A run whose ledger fails when a step is written that `when` is true of: it ends as interrupted."""
    write = store.write_steps

    def failing(run: str, *steps: RunStep) -> None:
        if any(when(step) for step in steps):
            raise Stopped("the disk is gone")
        write(run, *steps)

    at = Workplace.of(Settings(), store)
    sold = Sale(product=store.load(product), account=store.account())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "write_steps", failing)
        with pytest.raises(Stopped):
            asyncio.run(fire(sold, what, at=at, run_id=RUN))
    return store.run(RUN)


def gone_on(store: Store) -> Run:
    return asyncio.run(resume(RUN, store.account(), at=Workplace.of(Settings(), store)))


def second_is(status: Status) -> Callable[[RunStep], bool]:
    return lambda step: step.position == 2 and step.status is status


def test_what_was_done_is_not_done_again_and_the_record_says_the_same(store: Store):
    stopped = stopped_at(store, "coaching-hour", second_is(Status.PASSED))
    assert stopped.verdict is Verdict.INTERRUPTED
    assert store.runs()[0].can_go_on

    run = gone_on(store)

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.steps[0] == stopped.steps[0]
    assert store.run(RUN) == run


def test_a_run_that_has_ended_is_not_gone_on_with(store: Store):
    stopped_at(store, "coaching-hour", second_is(Status.RUNNING))
    gone_on(store)

    with pytest.raises(OverRun, match="has ended: Passed"):
        gone_on(store)
    assert not store.runs()[0].can_go_on


def test_a_run_that_nobody_has_heard_of_is_not_found(store: Store):
    with pytest.raises(NotFound):
        gone_on(store)


def test_of_two_that_go_on_with_a_run_one_does(store: Store):
    stopped_at(store, "coaching-hour", second_is(Status.RUNNING))

    async def both() -> list[Any]:
        at = Workplace.of(Settings(), store)
        return await asyncio.gather(*(resume(RUN, store.account(), at=at) for _ in range(2)), return_exceptions=True)

    done, turned_away = sorted(asyncio.run(both()), key=lambda found: isinstance(found, Exception))

    assert done.verdict is Verdict.PASSED
    assert isinstance(turned_away, BusyRun)


def test_a_proof_goes_on_and_cleans_up(store: Store):
    stopped_at(store, "yoga-masterclass", lambda step: step.moment == 3, PROOF)

    run = gone_on(store)

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.steps[-1].detail == "Everything this run created was removed."


def test_a_drill_goes_on_as_a_drill(store: Store):
    at = Workplace.of(Settings(), store)
    sold = Sale(product=store.load("studio-season"), account=store.account())
    opened: list[Run] = []

    def stop(run: Run) -> None:
        opened.append(run)
        raise Stopped

    with pytest.raises(Stopped):
        asyncio.run(fire(sold, Event.REFUND, at=at, run_id=RUN, fault="lies_about_revoking", on_begin=stop))
    store.open_run(opened[0])

    run = gone_on(store)

    assert run.fault == "lies_about_revoking"
    assert run.verdict is Verdict.FAILED
    assert "can still read" in run.reason


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_goes_on_and_says_only_what_it_did(store: Store, capsys: pytest.CaptureFixture[str]):
    stopped_at(store, "coaching-hour", second_is(Status.RUNNING))

    assert command(["runs"]) == 0
    assert "interrupted" in capsys.readouterr().out
    assert command(["run", RUN]) == 0
    assert f"Go on with it: wizard resume {RUN}" in capsys.readouterr().out
    assert command(["resume", RUN]) == 0

    said = capsys.readouterr().out
    assert "Passed: " in said
    assert command(["resume", RUN]) == 1
    assert "has ended: Passed" in capsys.readouterr().err


def test_ctrl_c_leaves_a_run_that_can_be_gone_on_with(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    perform = SandboxBackend._perform

    async def stopped(self: Any, action: Any, *more: Any) -> Any:
        if action.action == "send_email":
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(10)
        return await perform(self, action, *more)

    # Whoever runs the tests in the background lets them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(SandboxBackend, "_perform", stopped)
            assert command(["fire", "coaching-hour"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)

    said = capsys.readouterr()
    run = store.runs()[0]
    assert f"Stopped midway. Go on with it: wizard resume {run.id}" in said.err
    assert run.verdict is Verdict.INTERRUPTED
    assert command(["resume", run.id]) == 0


def test_the_command_says_that_somebody_else_is_at_it(store: Store, capsys: pytest.CaptureFixture[str]):
    stopped_at(store, "coaching-hour", second_is(Status.RUNNING))

    with store.claim(RUN):
        assert store.runs()[0].is_running
        assert command(["resume", RUN]) == 1

    assert "is being carried out by another process" in capsys.readouterr().err
    assert store.run(RUN).verdict is Verdict.INTERRUPTED
