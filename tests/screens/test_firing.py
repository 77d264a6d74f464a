"""Test-fires in the app: the proof, a scenario with its timeline, a drill, and going on with a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select, Static

from models.account import Connection
from models.events import Event, Verdict
from models.fulfillment import Run
from models.product import Product
from screens.fire import FireScreen
from tests.support.seller import Seller, seller_at
from wizard.delivery.backends.sandbox import SandboxBackend
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


def detail(seller: Seller) -> str:
    """What is said about the highlighted line."""
    return str(fire_screen(seller).query_one("#detail-text", Static).render())


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
    await chooses(seller, "#fault", "An error")
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
    assert "Lies about revoking" not in offered()
    await chooses(seller, "#event", "Refund")
    await seller.settled()
    assert "Lies about revoking" in offered()


async def test_the_pages_of_a_run_can_be_opened(seller: Seller):
    await seller.press("f5")
    await seller.sees("✓ Passed", within=30)
    await seller.press("end")
    await seller.sees("/runs/")

    assert f"http://127.0.0.1:8025/runs/{last_run(seller).id}" in seller.screen
    assert "run this in another terminal:\n  wizard sandbox" in detail(seller)


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


# --- what is offered, and where it goes -------------------------------------------------------------------------------


async def test_the_page_says_before_anything_is_fired_that_nothing_leaves_this_machine(seller: Seller):
    await seller.sees("Sandbox: nothing leaves this machine.")


async def test_events_that_the_price_has_no_place_for_are_not_offered(seller: Seller):
    offered = [str(prompt) for prompt, _ in fire_screen(seller).query_one("#event", Select)._options]

    assert "Renewal" in offered
    assert "Installments completed" in offered
    assert "Trial ended" not in offered


async def test_a_key_lists_the_scenarios_with_their_stories_and_enter_chooses_one(seller: Seller):
    await seller.press("s")
    await seller.sees("Scenarios: a sale's whole life")
    assert "Three charges after the first" in seller.screen
    await seller.write("failed")
    await seller.until(lambda: "Renewals, then" not in seller.screen, "only what fits")
    await seller.press("enter")
    await seller.sees("A renewal fails, on day 0, 3, 6 and 9. F5 carries it out.")
    await seller.press("f")
    await seller.sees("✓ Passed: At each of", within=30)

    assert last_run(seller).life == "failed_payments"


async def test_a_scenario_that_the_price_has_no_place_for_says_why(seller: Seller):
    await seller.press("f4")
    await seller.sees("Scenarios: a sale's whole life")
    await seller.write("trial that conv")
    await seller.sees("not here: This price has no")
    await seller.press("enter")
    await seller.sees("“Trial that converts” is not for this price. This price has no trial.")

    assert fire_screen(seller).query_one("#event", Select).value is Event.PURCHASE


async def test_the_command_palette_finds_the_scenarios(seller: Seller):
    await seller.press("ctrl+p")
    await seller.pilot.pause(0.3)
    await seller.write("scen")
    await seller.sees("Choose a whole life of a sale")


async def test_letters_do_what_the_function_keys_do_but_are_letters_in_the_buyers_field(seller: Seller):
    fire_screen(seller).query_one("#buyer").focus()
    await seller.write("fps")
    assert fire_screen(seller).query_one("#buyer", Input).value == "fps"
    await seller.press(*["backspace"] * 3, "tab", "p")
    await seller.sees("✓ Passed: The buyer was let in", within=30)

    assert last_run(seller).life == "prove"


@pytest.mark.parametrize("focused", ["#event", "#buyer", "#steps"])
async def test_esc_leaves_at_once_after_a_run(seller: Seller, focused: str):
    fire_screen(seller).query_one("#buyer" if focused == "#buyer" else "#event").focus()
    await seller.press("f5")
    await seller.sees("✓ Passed", within=30)
    fire_screen(seller).query_one(focused).focus()
    await seller.pilot.pause()
    await seller.press("escape")
    await seller.until(lambda: not isinstance(seller.app.screen, FireScreen), "the list")


# --- a step in full ---------------------------------------------------------------------------------------------------


async def test_enter_gives_a_step_the_whole_page_and_esc_brings_the_steps_back(seller: Seller):
    await seller.press("f5")
    await seller.sees("✓ Passed", within=30)
    await seller.press("enter")
    await seller.sees("Back to the steps")
    assert not fire_screen(seller).query_one("#steps").display
    await seller.press("escape")
    await seller.until(lambda: fire_screen(seller).query_one("#steps").has_focus, "the steps")
    await seller.press("enter", "tab")
    await seller.until(lambda: fire_screen(seller).query_one("#steps").has_focus, "the steps")


async def test_a_mail_is_shown_as_its_reader_sees_it_and_the_exchanges_behind_a_key(seller: Seller):
    await seller.press("f5")
    await seller.sees("✓ Passed", within=30)
    await seller.press("down")

    assert "Subject" in detail(seller)
    assert "Your order: Online Studio: one season" in detail(seller)
    assert "Hello Ada Example" in detail(seller)
    assert "<" not in detail(seller)
    await seller.press("x")
    assert "→ GET http://127.0.0.1:8025/mailbox" in detail(seller)
    await seller.press("x")
    assert "→" not in detail(seller)


# --- what leads elsewhere ---------------------------------------------------------------------------------------------


@pytest.fixture
def real(data_dir: Path) -> None:
    """A product whose buyers are let in by a real site, that nobody serves; its level is not chosen yet."""
    with open_store(Settings()) as store:
        keys = {"user": "shop", "application_password": "abcd", "role": "subscriber"}
        told = {"name": "My site", "kind": "wordpress", "url": "https://members.invalid", **keys}
        store.add(Connection.model_validate(told))
        chosen = {"connection": "my-site", "level": "subscriber"}
        access = {"kind": "integrated_membership", "integrated_membership": chosen}
        price = {"type": "one_time", "amount": "9.00"}
        product = {"general": {"name": "Real"}, "pricing": {"prices": [price]}, "post_sale": {"access": access}}
        store.create("Real", "seller", Product.model_validate(product))


async def test_a_real_place_is_named_before_it_is_asked_about_once(real: None):
    async with seller_at("80x24") as seller:
        await seller.press("f5")
        await seller.sees("WordPress at members.invalid: a test user is made there")
        await seller.press("f5")
        await seller.sees("This test-fire leaves this machine. Fire it?")
        assert seller.app.store is not None
        await seller.press("n")
        await seller.pilot.pause(0.2)
        assert not seller.app.store.runs()
        await seller.press("f5")
        await seller.sees("This test-fire leaves")
        await seller.press("y")
        await seller.sees("There is no host members.invalid", within=30)
        await seller.until(lambda: fire_screen(seller).firing is None, "it is over")
        await seller.press("f5")
        await seller.until(lambda: len(seller.app.shelf.runs()) == 2, "it is fired without a word")
        await seller.until(lambda: fire_screen(seller).firing is None, "it is over")


async def test_a_drill_goes_nowhere_and_is_not_asked_about(real: None):
    async with seller_at("120x40") as seller:
        await seller.press("f5")
        await seller.sees("WordPress at members.invalid")
        await chooses(seller, "#fault", "Server error")
        await seller.sees("a drill plays every place, and nothing leaves this machine")
        await seller.press("f5")
        await seller.sees("✓ Drill: noticed", within=30)
        await seller.press("escape", "f7")
        await seller.until(
            lambda: bool(re.search(r"✓ \d\d \w+ \d\d:\d\d  Drill: noticed", seller.screen)), "and in the list"
        )


@pytest.mark.parametrize("way", ["from the product", "from the list"])
async def test_what_keeps_a_product_from_being_fired_leads_to_its_field(data_dir: Path, way: str):
    with open_store(Settings()) as store:
        answers = Product.model_validate({"general": {"name": "Bare"}, "pricing": {"prices": [{"type": "recurring"}]}})
        store.create("Bare", "test", answers)
    async with seller_at("80x24") as seller:
        if way == "from the product":
            await seller.press("enter")
            await seller.sees("What do you sell?")
        await seller.press("f5")
        await seller.sees("F5 carries out the event")
        await seller.settled()
        await seller.press("f5")
        await seller.sees("→ Enter leads to")
        await seller.press("enter")
        await seller.sees("How do buyers receive")
