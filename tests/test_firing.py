"""Test-fires in the app: the proof, a scenario with its timeline, a drill, and going on with a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Select

from models.fulfillment import Run, Verdict
from models.product import Product
from screens.fire import FireScreen
from tests.seller import Seller, seller_at
from wizard.fulfillment.backends.sandbox import SandboxBackend
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store


@pytest.fixture(params=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def seller(data_dir: Path, size: str) -> AsyncIterator[Seller]:
    """A seller who is about to fire the subscription of the sample."""
    with open_store(Settings()) as store:
        fill(store)
    async with seller_at(size) as seller:
        await seller.write("/studio")
        await seller.settled()
        await seller.press("enter", "f5")
        await seller.sees("F5 carries out the event")
        await seller.until(lambda: len(fire_screen(seller).query_one("#event", Select)._options) > 12, "scenarios")
        yield seller


def fire_screen(seller: Seller) -> FireScreen:
    screen = seller.app.screen
    assert isinstance(screen, FireScreen)
    return screen


def last_run(seller: Seller) -> Run:
    assert seller.app.store is not None
    return seller.app.store.run(seller.app.store.runs(limit=1)[0].id)


async def chooses(seller: Seller, box: str, label: str) -> None:
    """Choose from a drop-down box by the arrow keys."""
    choice = fire_screen(seller).query_one(box, Select)
    choice.focus()
    labels = [str(prompt) for prompt, _ in choice._options]
    down = next(at for at, each in enumerate(labels) if each.startswith(label))
    await seller.press("enter", "home", *["down"] * down, "enter")
    await seller.pilot.pause()


async def fires_and_is_interrupted(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fire, and have the run stopped when it asks for the first thing."""

    async def broken(self: Any, *more: Any) -> Any:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(SandboxBackend, "_perform", broken)
        await seller.press("f5")
        await seller.sees("F9 goes on with it", within=30)


async def test_one_key_proves_the_product(seller: Seller):
    await seller.press("f6")
    await seller.sees("✓ Passed: The buyer was let in", within=30)

    assert "expected" in seller.screen, "the timeline is shown first"
    assert "was turned away" in seller.screen
    run = last_run(seller)
    assert (run.life, run.verdict) == ("prove", Verdict.PASSED)


async def test_a_scenario_shows_what_the_buyer_can_do_at_each_moment(seller: Seller):
    await chooses(seller, "#event", "↻ Renewals")
    await seller.sees("Three charges after the first")
    await seller.press("f5")
    await seller.sees("✓ Passed: At each of", within=30)

    assert last_run(seller).life == "renewals_then_cancel"
    assert "gets in" in seller.screen
    assert "got in" in seller.screen


async def test_a_drill_is_chosen_beside_the_event_and_ends_as_it_says(seller: Seller):
    await chooses(seller, "#fault", "drill: An error")
    await seller.sees("F5 carries it out.")
    await seller.press("f5")
    await seller.sees("✓ Drill: noticed. The run failed, as it must:", within=30)

    run = last_run(seller)
    assert (run.fault, run.verdict) == ("error_inside", Verdict.FAILED)
    assert "with an error inside" in run.reason
    assert seller.app.screen.query_one("#verdict").has_class("-passed")
    await seller.press("f7")
    await seller.sees("Drill: noticed")


async def test_a_drill_that_could_show_nothing_is_not_offered(seller: Seller):
    def offered() -> list[str]:
        return [str(label) for label, _ in seller.app.screen.query_one("#fault", Select)._options]

    await seller.settled()
    assert "drill: Lies about revoking" not in offered()
    await chooses(seller, "#event", "Refund")
    await seller.settled()
    assert "drill: Lies about revoking" in offered()


async def test_the_pages_of_a_run_can_be_opened(seller: Seller):
    await seller.press("f5")
    await seller.sees("✓ Passed", within=30)
    await seller.press("end")
    await seller.sees("/runs/")

    assert f"http://127.0.0.1:8025/runs/{last_run(seller).id}" in seller.screen
    assert "Start “wizard sandbox” in another terminal first" in str(
        fire_screen(seller).query_one("#detail-text").render()
    )


async def test_a_run_that_was_stopped_is_gone_on_with(seller: Seller, monkeypatch: pytest.MonkeyPatch):
    perform = SandboxBackend._perform
    is_slow = True

    async def slowly(self: Any, action: Any, *more: Any) -> Any:
        if action.action == "send_email" and is_slow:
            await asyncio.sleep(60)
        return await perform(self, action, *more)

    monkeypatch.setattr(SandboxBackend, "_perform", slowly)
    await seller.press("f5")
    await seller.sees("▸ 2 Send the mail", within=30)
    assert last_run(seller).verdict is None
    await seller.press("ctrl+t")
    await seller.sees("F9 goes on with it")
    await seller.sees("- 2 Send the mail")
    assert last_run(seller).verdict is Verdict.INTERRUPTED
    is_slow = False
    await seller.press("f9")
    await seller.sees("✓ Passed", within=30)

    assert last_run(seller).verdict is Verdict.PASSED
    assert "F9" not in seller.screen


async def test_an_earlier_run_that_was_stopped_is_gone_on_with_from_the_list(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
):
    await fires_and_is_interrupted(seller, monkeypatch)
    await seller.press("f7")
    await seller.sees("Interrupted")
    await seller.press("enter")
    await seller.sees("Go on")
    await seller.press("f9")
    await seller.sees("✓ Passed", within=30)


async def test_enter_twice_in_the_buyers_field_fires_once(seller: Seller):
    fire_screen(seller).query_one("#buyer").focus()
    await seller.press("enter", "enter")
    await seller.sees("✓ Passed", within=30)

    assert seller.app.store is not None
    assert [run.verdict for run in seller.app.store.runs()] == [Verdict.PASSED]


async def test_a_run_that_somebody_else_carries_out_is_not_gone_on_with(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
):
    await fires_and_is_interrupted(seller, monkeypatch)
    assert seller.app.store is not None
    with seller.app.store.claim(last_run(seller).id):
        await seller.press("f7")
        await seller.sees("Interrupted")
        await seller.press("enter")
        await seller.sees("Another window is carrying it out")

        assert "Go on" not in seller.screen


async def test_a_price_that_is_not_complete_offers_events_and_no_crash(data_dir: Path):
    with open_store(Settings()) as store:
        answers = Product.model_validate({"general": {"name": "Bare"}, "pricing": {"prices": [{"type": "recurring"}]}})
        store.create("Bare", "test", answers)
    async with seller_at("80x24") as seller:
        await seller.press("f5")
        await seller.sees("F5 carries out the event")
        await seller.settled()
        await seller.press("f5")
        await seller.sees("✗ Not fired")
