"""What is cut short: a run that is left or stopped, a quit with a wrong answer, a review that is not up to date."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from models.events import Verdict
from models.product import Mode
from screens import firing
from screens.fire import FireScreen
from tests.support.seller import Seller, seller_at
from tests.support.ways import creates
from wizard import preflight
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store


@pytest.fixture
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


@pytest.fixture
def slow_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test-fire that takes a while before its first request."""
    carry_out = firing.Firing._carry_out

    async def late(self: Any) -> Any:
        await asyncio.sleep(0.3)
        return await carry_out(self)

    monkeypatch.setattr(firing.Firing, "_carry_out", late)


def verdicts(seller: Seller) -> list[Verdict | None]:
    """How the runs in the ledger ended."""
    assert seller.app.store is not None
    return [run.verdict for run in seller.app.store.runs()]


async def begins_a_run(seller: Seller) -> None:
    """Fire the first product of the list, and do not wait for it."""
    await seller.press("f5")
    await seller.sees("F5 carries out the event")
    await seller.press("f5")


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Event:
    """A backend that takes its first order and never answers; set once it has it."""
    has_it = Event()

    async def silently(self: Any, action: Any, context: Any) -> Any:
        has_it.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(SandboxBackend, "perform", silently)
    return has_it


@pytest.mark.usefixtures("sample")
async def test_a_run_that_is_left_is_stopped_first_and_kept_as_interrupted(stalled: Event) -> None:
    async with seller_at() as seller:
        await begins_a_run(seller)
        await seller.until(stalled.is_set, "the first order")
        assert verdicts(seller) == [None]
        await seller.press("escape")
        await seller.until(lambda: not isinstance(seller.app.screen, FireScreen), "the screen closes")
        assert verdicts(seller) == [Verdict.INTERRUPTED]


@pytest.mark.usefixtures("sample", "slow_start")
async def test_stop_works_from_the_first_moment() -> None:
    async with seller_at() as seller:
        await begins_a_run(seller)
        await seller.press("ctrl+t")
        await seller.sees("Stopped before anything was sent.")
        assert verdicts(seller) == []


@pytest.mark.usefixtures("sample")
async def test_quitting_during_a_run_closes_it_in_the_ledger(stalled: Event) -> None:
    async with seller_at() as seller:
        await begins_a_run(seller)
        await seller.until(stalled.is_set, "the first order")
        await seller.app.action_quit()
        await seller.until(lambda: not seller.app.is_running, "the app ends")
        with open_store(Settings()) as store:
            assert [run.verdict for run in store.runs()] == [Verdict.INTERRUPTED]


async def test_live_is_refused_before_the_review_has_been_read(monkeypatch: pytest.MonkeyPatch) -> None:
    inspect = preflight.inspect

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.3)
        return inspect(*arguments)

    monkeypatch.setattr(preflight, "inspect", slowly)
    async with seller_at() as seller:
        await creates(seller, "Nothing yet")
        await seller.goes_to("review")
        await seller.press("m")
        await seller.sees("Live is refused")
        assert seller.app.store is not None
        assert seller.app.store.load("nothing-yet").mode is Mode.DEMO


async def test_deleting_on_the_second_page_stays_on_it() -> None:
    with open_store(Settings()) as store:
        for number in range(40):
            store.create(f"Product {number:02d}", "test")
    async with seller_at() as seller:
        await seller.press("pagedown")
        await seller.settled()
        assert "Product 00" not in seller.screen
        names = [row.name for row in seller.app.screen.page.rows]  # type: ignore[attr-defined]
        await seller.press("down", "x")
        await seller.settled()
        left = [row.name for row in seller.app.screen.page.rows]  # type: ignore[attr-defined]
        assert left[:2] == [names[0], names[2]]


async def test_quitting_shows_a_refused_answer_before_it_is_lost() -> None:
    async with seller_at() as seller:
        await creates(seller, "Yoga")
        await seller.goes_to("support")
        await seller.write("nonsense")
        await seller.app.action_quit()
        await seller.sees("not saved")
        assert seller.app.return_code is None


async def test_a_refused_answer_put_back_to_what_is_stored_is_right_again() -> None:
    async with seller_at() as seller:
        await creates(seller, "Yoga")
        await seller.goes_to("support")
        await seller.write("x")
        await seller.press("enter")
        await seller.sees("✗")
        await seller.press("backspace")
        await seller.until(lambda: "✗" not in seller.screen, "the error goes")


async def test_a_wrong_answer_keeps_the_focus() -> None:
    async with seller_at() as seller:
        await creates(seller, "Yoga")
        await seller.goes_to("support")
        await seller.write("nonsense")
        await seller.press("enter")
        await seller.sees("✗")
        assert seller.app.focused is not None
        assert seller.app.focused.id == "general-support_email"


async def test_a_name_cannot_be_emptied() -> None:
    async with seller_at() as seller:
        await creates(seller, "Yoga")
        await seller.press(*["backspace"] * 4, "enter")
        await seller.sees("a product needs a name")
        assert seller.app.store is not None
        assert seller.app.store.load("yoga").answers.general.name == "Yoga"
