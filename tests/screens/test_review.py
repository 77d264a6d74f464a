"""Review & go live: the switches ask before buyers are charged, and say afterwards what is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.events import Verdict
from models.product import Mode, Product
from models.saved import SavedProduct
from screens.product import ProductScreen
from screens.review import ReviewPage
from screens.widgets import waiting
from tests.support.pictures import kept_run
from tests.support.seller import NOON, Seller, seller_at
from wizard.cli import main
from wizard.editing.switches import GO_BACK, GO_LIVE, PUBLISH, UNPUBLISH, change_of, standing
from wizard.sample import fill
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store

PRODUCT = "yoga-masterclass"


@pytest.fixture(params=["80x24", "120x40"])
async def seller(data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Seller]:
    """A seller on the review page of a product that may go live, with warnings."""
    with open_store(Settings()) as store:
        fill(store)
        store.remember_place(PRODUCT, "review")
    async with seller_at(str(request.param)) as seller:
        await seller.press("end", "enter")
        await seller.sees("Before you go live: 2 warnings")
        await seller.settled()
        yield seller


def test_the_command_line_says_in_the_same_words_what_is_true_now(data_dir: Path, capsys: pytest.CaptureFixture[str]):
    with open_store(Settings()) as store:
        fill(store)
    for command, said in [
        ("publish", "Published in Demo: buyers see it"),
        ("live", "You are live: buyers see it, and their cards are charged."),
        ("unpublish", "Live, but unpublished"),
        ("demo-mode", "In Demo, unpublished"),
    ]:
        assert main([command, PRODUCT]) == 0
        assert said in capsys.readouterr().out


def switches(seller: Seller) -> tuple[Mode, bool]:
    assert seller.app.store is not None
    saved = seller.app.store.load(PRODUCT)
    return saved.mode, saved.published


async def goes_live(seller: Seller) -> None:
    await seller.press("m")
    await seller.sees("Go live with Yoga Masterclass?")
    await seller.press("y")
    await seller.sees("Back to Demo")


async def test_going_live_asks_first_and_names_what_changes(seller: Seller):
    await seller.press("m")
    await seller.sees("Go live with Yoga Masterclass?")

    assert "once you publish it, real cards" in seller.screen
    assert "2 warnings:" in seller.screen
    assert "Nobody has tried these answers" in seller.screen
    await seller.press("n")
    await seller.sees("m Go live")
    assert switches(seller) == (Mode.DEMO, False)


async def test_once_live_and_published_the_page_says_so_and_no_longer_speaks_of_before(seller: Seller):
    assert "In Demo, unpublished: orders are tests" in seller.screen
    await goes_live(seller)
    await seller.sees("Live, but unpublished")
    await seller.press("p")
    await seller.sees("Publish Yoga Masterclass?")
    assert "Buyers will see it, and real cards" in seller.screen
    await seller.press("y")
    await seller.sees("✓ You are live: buyers see it")

    assert switches(seller) == (Mode.LIVE, True)
    assert "Before you go live" not in seller.screen
    assert "To put right while it is live: 2 warnings" in seller.screen
    assert "m Back to Demo  p Unpublish" in seller.screen


async def test_to_stop_a_sale_that_runs_is_asked_about_too(seller: Seller):
    await goes_live(seller)
    await seller.press("p", "y")
    await seller.sees("You are live")
    await seller.press("m")
    await seller.sees("Selling stops")
    await seller.press("n")
    await seller.pilot.pause()

    assert switches(seller) == (Mode.LIVE, True)


async def test_what_no_buyer_sees_goes_back_to_demo_at_once(seller: Seller):
    await goes_live(seller)
    await seller.press("m")
    await seller.sees("In Demo, unpublished")

    assert switches(seller) == (Mode.DEMO, False)


async def test_undo_takes_going_live_back_and_says_so(seller: Seller):
    await goes_live(seller)
    await seller.press("f8")
    await seller.sees("Undone")
    await seller.sees("m Go live")

    assert "In Demo, unpublished" in seller.screen
    assert switches(seller) == (Mode.DEMO, False)


async def test_redo_never_goes_live_and_says_so(seller: Seller):
    await goes_live(seller)
    await seller.press("f8")
    await seller.sees("m Go live")
    await seller.press("f9")
    await seller.sees("going live is asked about, on Review")

    assert switches(seller) == (Mode.DEMO, False)


async def test_a_finding_is_a_sentence_without_a_code_and_enter_leads_to_its_field(seller: Seller):
    assert "PF-" not in seller.screen
    await seller.press("down", "enter")
    screen = seller.app.screen
    assert isinstance(screen, ProductScreen)
    await seller.until(lambda: screen.current == "checkout.bumps", "the page of the finding")


async def test_live_is_refused_while_an_error_stands(data_dir: Path):
    with open_store(Settings()) as store:
        store.create("Cushion", "seller")
        store.remember_place("cushion", "review")
    async with seller_at("80x24") as seller:
        await seller.press("enter")
        await seller.sees("Before you go live")
        await seller.press("m")
        await seller.sees("Live is refused")

        assert "Go live with" not in seller.screen


def test_a_switch_that_was_turned_is_undone_before_the_answer_before_it(data_dir: Path):
    with open_store(Settings()) as store:
        fill(store)
        session = Session(store, PRODUCT)
        session.answer("general.description", "Six weeks.")
        session.switch(published=True)

        outcome = session.undo()
        assert outcome is not None
        assert [change.path for change in outcome.changes] == ["published"]
        assert session.answers.general.description == "Six weeks."
        outcome = session.undo()
        assert outcome is not None
        assert [change.path for change in outcome.changes] == ["general.description"]


def test_undo_never_publishes_again_and_goes_on_with_the_answer_before(data_dir: Path):
    with open_store(Settings()) as store:
        fill(store)
        session = Session(store, PRODUCT)
        session.answer("general.description", "Six weeks.")
        session.switch(published=True)
        session.switch(published=False)

        outcome = session.undo()
        assert outcome is not None
        assert outcome.changes == ()
        assert "publishing is asked about" in outcome.notes[0]
        assert not session.saved.published


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("published", [False, True])
def test_cards_are_charged_from_the_turn_on_that_makes_it_live_and_published(mode: Mode, published: bool):
    product = SavedProduct(slug="yoga", answers=Product(), mode=mode, published=published, updated_at=NOON)

    assert ("are charged" in standing(product)[1]) == (mode is Mode.LIVE and published)
    assert ("charged from now on" in change_of(GO_LIVE, product)) == published
    assert ("charged from now on" in change_of(PUBLISH, product)) == (mode is Mode.LIVE)
    assert ("Selling stops" in change_of(GO_BACK, product)) == published
    assert ("Selling stops" in change_of(UNPUBLISH, product)) == (mode is Mode.LIVE)


async def test_a_connection_is_checked_from_the_review_and_what_was_found_is_said(data_dir: Path):
    with open_store(Settings()) as store:
        fill(store)
        store.remember_place("studio-season", "review")
    async with seller_at("80x24") as seller:
        await seller.press("slash")
        await seller.write("studio season")
        await seller.press("enter")
        await seller.sees("c Check connection")
        assert "was never checked" in seller.screen
        await seller.press("c")
        await seller.until(lambda: "was never checked" not in seller.screen, "it is checked", within=30)
        await seller.until(lambda: "c Check connection" not in seller.screen, "there is nothing to check")


async def test_the_review_says_what_was_proven_on_a_played_platform_only(data_dir: Path):
    with open_store(Settings()) as store:
        fill(store)
        store.remember_place("studio-season", "review")
        kept = {"product": "studio-season", "started_at": NOON, "revision": store.load("studio-season").revision}
        store.open_run(kept_run(Verdict.PASSED).model_copy(update=kept))
    async with seller_at("80x24") as seller:
        await seller.press("slash")
        await seller.write("studio season")
        await seller.press("enter")
        await seller.sees("a platform that the wizard plays")


async def test_waiting_says_for_how_long_already(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting, "EVERY", 0.01)
    said: list[str] = []

    async def work() -> str:
        await asyncio.sleep(0.05)
        return "works"

    assert await waiting.told_meanwhile(work(), said.append, "checking My site") == "works"
    assert said[0] == "checking My site …"
    assert said[-1].endswith(" s")


async def test_while_it_is_not_known_what_stands_in_the_way_nothing_says_that_it_is_ready(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
):
    def gone(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("wizard.preflight.inspect", gone)
    seller.app.screen.query_one(ReviewPage).look()
    await seller.sees("It is not known what stands in the way: the disk is")

    assert "Ready" not in seller.screen
    assert "✓ m and p" not in seller.screen
