"""What a seller must never meet: a key that goes nowhere, a row mixed up with another, a product that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.access import AccessKind, DownloadableFile
from screens.widgets.choices import Rows
from tests.support.pictures import opens
from tests.support.seller import seller_at
from wizard.flow import with_value
from wizard.problems import Misfits
from wizard.sample import fill
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store

YOGA = "yoga-masterclass"


@pytest.fixture(autouse=True)
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


def names() -> list[str]:
    """The products as another process lists them."""
    with open_store(Settings()) as store:
        return [row.name for row in store.products().rows]


async def test_a_published_product_is_not_deleted_without_a_question() -> None:
    with open_store(Settings()) as store:
        Session(store, YOGA).switch(published=True)
    async with seller_at() as seller:
        await seller.press("slash")
        await seller.write("yoga masterclass")
        await seller.sees("1 product found")
        await seller.press("down", "x")
        await seller.sees("Delete Yoga Masterclass?")
        await seller.sees("It is published.")
        await seller.press("n")
        await seller.settled()
        assert "Yoga Masterclass" in names()
        await seller.press("x")
        await seller.sees("Delete Yoga Masterclass?")
        await seller.press("y")
        await seller.until(lambda: "Yoga Masterclass" not in names(), "it is deleted")


async def test_a_product_that_was_deleted_in_an_earlier_sitting_can_be_brought_back() -> None:
    with open_store(Settings()) as store:
        store.delete(YOGA, "test")
    async with seller_at() as seller:
        await seller.press("u")
        await seller.sees("Which deleted product comes back?")
        await seller.sees("Yoga Masterclass")
        await seller.press("enter")
        await seller.until(lambda: "Yoga Masterclass" in names(), "it is back")


async def test_a_field_that_disappears_hands_the_focus_on() -> None:
    with open_store(Settings()) as store:
        session = Session(store, YOGA)
        session.answer("affiliates.on_sale", True)
        session.answer("affiliates.commission", {})
    async with seller_at() as seller:
        await opens(seller)
        await seller.goes_to("affiliates sell it")
        await seller.press("tab")
        await seller.write("30")
        await seller.press("tab")
        await seller.settled()
        await seller.pilot.pause(0.2)
        assert seller.app.focused is not None
        assert seller.app.focused.id == "affiliates-tiers"


async def test_a_field_that_is_asked_no_more_does_not_keep_a_seller_from_leaving() -> None:
    with open_store(Settings()) as store:
        Session(store, YOGA).answer("post_sale.access.kind", AccessKind.DOWNLOADABLE_FILE)
    async with seller_at() as seller:
        await opens(seller)
        await seller.goes_to("link lifetime")
        await seller.press("end", *["backspace"] * 5)
        await seller.write("99d")
        await seller.press("enter")
        await seller.sees("from 1m to 7d")
        await seller.goes_to("accessing")
        await seller.press("up", "up", "space")
        await seller.settled()
        await seller.press("escape")
        await seller.sees("1 product found")


async def test_a_finding_about_a_row_puts_the_highlight_on_that_row_and_removing_it_says_which() -> None:
    with open_store(Settings()) as store:
        rules = [{"target": name} for name in ("first", "second", "")]
        Session(store, YOGA).answer("automations.rules", rules)
    async with seller_at() as seller:
        await opens(seller)
        await seller.goes_to("review")
        await seller.sees("Rules is incomplete")
        await seller.press("home")
        await seller.press("enter")
        await seller.settled()
        focused = seller.app.focused
        assert isinstance(focused, Rows)
        assert focused.highlighted == 2
        await seller.press("up", "x")
        await seller.sees("Remove rule 2: ")
        await seller.sees("second")


async def test_a_product_without_a_name_is_refused_aloud() -> None:
    async with seller_at() as seller:
        await seller.press("n")
        await seller.sees("A new product")
        await seller.press("enter")
        await seller.sees("a product needs a name")


async def test_the_list_follows_the_size_of_the_terminal() -> None:
    async with seller_at() as seller:
        await seller.sees("Received by")
        await seller.pilot.resize_terminal(60, 20)
        await seller.until(lambda: "Received by" not in seller.screen, "the column goes")
        await seller.pilot.resize_terminal(80, 24)
        await seller.sees("Received by")


@pytest.mark.parametrize("written", ["99d", "30s", "8d", "59"])
def test_limits_of_a_lifetime_are_said_as_it_is_written(written: str) -> None:
    with pytest.raises(Misfits, match="from 1m to 7d, such as 30m, 24h or 3d"):
        with_value(DownloadableFile(), "link_lifetime", written)


async def test_what_was_refused_and_is_not_asked_any_more_does_not_keep_a_dialogue_from_saving() -> None:
    with open_store(Settings()) as store:
        store.create("Desk yoga", "test")
    async with seller_at() as seller:
        await opens(seller, "Desk yoga")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        await seller.press("r", "tab")
        await seller.write("29")
        await seller.press("tab", "m", "tab", "space")
        await seller.sees("$0.00 today")
        await seller.press("tab")
        await seller.write("abc")
        await seller.press("shift+tab")
        await seller.sees("✗")
        await seller.press("space")
        await seller.settled()
        await seller.press("ctrl+s")
        await seller.until(lambda: "A new price point" not in seller.screen, "the price is saved")
    with open_store(Settings()) as store:
        [price] = store.load("desk-yoga").answers.pricing.prices
    assert (price.amount, price.initial_payment) == ("29", None)
