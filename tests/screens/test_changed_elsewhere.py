"""Two sellers at one product, and records that cannot be written: nothing is overwritten, nothing written is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from models.account import Membership
from models.product import Mode
from screens.changed import ChangedDialog
from screens.product import ProductScreen
from screens.widgets.controls import LineControl
from tests.support.seller import Seller, SteadyApp, seller_at
from wizard.session import ChangedElsewhere, Session
from wizard.settings import Settings
from wizard.store import Store, open_store

CHANGED = "This product was changed elsewhere"


@contextmanager
def the_other(slug: str = "yoga") -> Iterator[Session]:
    """Another seller with the same product open, in a store of their own."""
    with open_store(Settings()) as store:
        yield Session(store, slug, "Ben")


@asynccontextmanager
async def editing(size: str = "80x24") -> AsyncIterator[Seller]:
    """A seller who has the product Yoga open, at its official name."""
    with open_store(Settings()) as store:
        store.create("Yoga", "Ada")
    async with seller_at(size) as seller:
        await seller.sees("1 product")
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.settled()
        await seller.goes_to("official name")
        yield seller


async def gives(seller: Seller, text: str) -> None:
    await seller.write(text)
    await seller.press("enter")


def general(slug: str = "yoga") -> Any:
    """The step General as it is stored now."""
    with open_store(Settings()) as store:
        return store.load(slug).answers.general


def field(seller: Seller, path: str) -> LineControl:
    screen = next(screen for screen in seller.app.screen_stack if isinstance(screen, ProductScreen))
    found = screen._field(path)
    assert found is not None
    assert isinstance(found.control, LineControl)
    return found.control


# --- two sellers ------------------------------------------------------------------------------------------------------


async def test_the_second_is_told_and_their_own_answer_starts_as_theirs_to_keep() -> None:
    async with editing() as seller:
        with the_other() as other:
            other.answer("general.description", "Ben's words")
        await gives(seller, "Yoga for all")
        await seller.sees(CHANGED)
        for side in (
            "◉ yours   Yoga for all",
            "○ theirs  not answered",
            "○ yours   not answered",
            "◉ theirs  Ben's words",
        ):
            assert side in seller.screen
        assert general().official_name is None
        await seller.press("ctrl+o")
        await seller.sees("saved")
        await seller.settled()
        assert (general().official_name, general().description) == ("Yoga for all", "Ben's words")
        assert "Yoga for all" in seller.screen
        assert "Ben's words" in seller.screen
        assert "✗" not in seller.screen


@pytest.mark.parametrize(
    ("keys", "stored"), [(["ctrl+o"], "mine"), (["space", "ctrl+o"], "Ben's"), (["t", "ctrl+o"], "Ben's")]
)
async def test_the_same_answer_given_by_both_goes_to_the_side_that_is_chosen(keys: list[str], stored: str) -> None:
    async with editing() as seller:
        with the_other() as other:
            other.answer("general.official_name", "Ben's")
        await gives(seller, "mine")
        await seller.sees(CHANGED)
        await seller.press(*keys)
        await seller.until(lambda: CHANGED not in seller.screen, "the dialogue closes")
        await seller.until(lambda: field(seller, "general.official_name").value == stored, stored)
        assert general().official_name == stored


async def test_deciding_later_keeps_what_was_written_and_overwrites_nothing() -> None:
    async with editing() as seller:
        with the_other() as other:
            other.answer("general.official_name", "Ben's")
        await gives(seller, "mine")
        await seller.sees(CHANGED)
        await seller.press("escape")
        await seller.sees("not saved yet: this product was changed elsewhere")
        assert field(seller, "general.official_name").value == "mine"
        assert general().official_name == "Ben's"
        await seller.press("enter")
        await seller.sees(CHANGED)
        await seller.press("ctrl+o")
        await seller.until(lambda: general().official_name == "mine", "it is stored")


async def test_two_who_give_the_same_answer_agree_and_it_is_saved() -> None:
    async with editing() as seller:
        with the_other() as other:
            other.answer("general.official_name", "Yoga for all")
        await gives(seller, "Yoga for all")
        await seller.sees("Somebody else gave the same")
        await seller.settled()

        assert "✗" not in seller.screen
        assert "not saved" not in seller.screen
        assert general().official_name == "Yoga for all"


async def test_a_third_change_while_the_second_is_being_decided_is_told_as_well() -> None:
    async with editing() as seller:
        with the_other() as other:
            other.answer("general.official_name", "Ben's")
            await gives(seller, "mine")
            await seller.sees(CHANGED)
            other.answer("general.official_name", "Ben's second")
        await seller.press("ctrl+o")
        await seller.sees("theirs  Ben's second")
        assert general().official_name == "Ben's second"
        await seller.press("ctrl+o")
        await seller.until(lambda: general().official_name == "mine", "it is stored")


async def test_a_row_written_in_a_dialogue_survives_a_change_made_elsewhere() -> None:
    async with editing() as seller:
        await seller.goes_to("pricing: product")
        await seller.press("enter")
        await seller.sees("A new price point")
        await seller.press("tab")
        await seller.write("29.00")
        with the_other() as other:
            other.answer("general.description", "Ben's words")
        await seller.press("ctrl+o")
        await seller.sees(CHANGED)
        await seller.press("escape")
        await seller.sees("not saved yet")
        assert "29.00" in seller.screen
        await seller.press("ctrl+o")
        await seller.sees(CHANGED)
        await seller.press("ctrl+o")
        await seller.until(lambda: "A new price point" not in seller.screen, "the dialogue closes")
        with open_store(Settings()) as store:
            answers = store.load("yoga").answers
        assert [price.amount for price in answers.pricing.prices] == ["29.00"]
        assert answers.general.description == "Ben's words"


async def test_a_notification_turned_while_the_product_was_changed_elsewhere_is_asked_about() -> None:
    async with editing() as seller:
        await seller.goes_to("notifications")
        with the_other() as other:
            other.answer("general.description", "Ben's words")
        await seller.press("space")
        await seller.sees(CHANGED)
        await seller.press("ctrl+o")
        await seller.until(lambda: "[ ] Order confirmation" in seller.screen, "it is turned off")
        with open_store(Settings()) as store:
            assert not store.load("yoga").answers.post_sale.notifications.order_confirmation.enabled
        assert general().description == "Ben's words"


async def test_a_switch_turned_elsewhere_is_shown_before_it_is_turned_again() -> None:
    async with editing() as seller:
        await seller.goes_to("review")
        with the_other() as other:
            other.switch(published=True)
        await seller.press("p")
        await seller.sees("Publish Yoga?")
        await seller.press("y")
        await seller.sees("· Published")
        with open_store(Settings()) as store:
            assert store.load("yoga").published
        await seller.press("p")
        await seller.sees("Unpublished")
        with open_store(Settings()) as store:
            assert (store.load("yoga").published, store.load("yoga").mode) == (False, Mode.DEMO)


async def test_an_answer_to_a_product_that_was_deleted_meanwhile_stays_on_the_screen() -> None:
    async with editing() as seller:
        with open_store(Settings()) as store:
            store.delete("yoga", "Ben")
        await gives(seller, "Yoga for all")
        await seller.sees("There is no product 'yoga'")
        assert field(seller, "general.official_name").value == "Yoga for all"
        with open_store(Settings()) as store:
            store.restore("yoga", "Ben")
        await seller.press("enter")
        await seller.sees(CHANGED)
        await seller.press("ctrl+o")
        await seller.until(lambda: general().official_name == "Yoga for all", "it is stored")


async def test_a_product_deleted_elsewhere_is_not_opened_from_a_list_that_still_shows_it() -> None:
    with open_store(Settings()) as store:
        store.create("Yoga", "Ada")
    async with seller_at("80x24") as seller:
        await seller.sees("1 product")
        with open_store(Settings()) as store:
            store.delete("yoga", "Ben")
        await seller.press("enter")
        await seller.sees("There is no product")
        await seller.sees("No products yet")


async def test_a_membership_removed_meanwhile_is_refused_at_its_field_with_the_way_out() -> None:
    with open_store(Settings()) as store:
        store.put(Membership(name="Club", levels=("gold",)))
    async with editing() as seller:
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("Which membership?")
        await seller.sees("Club")
        with open_store(Settings()) as store:
            store.remove("membership", "club")
        await seller.press("enter")
        await seller.sees("There is no membership 'club'")
        await seller.settled()
        with open_store(Settings()) as store:
            assert store.load("yoga").answers.post_sale.access.hosted_membership.membership is None
        await seller.goes_to("accessing")
        await seller.press("enter")
        await seller.sees("There is none yet. ctrl+n creates one.")


async def test_a_membership_in_use_is_not_removed_and_the_product_is_named() -> None:
    with open_store(Settings()) as store:
        store.put(Membership(name="Club", levels=("gold",)))
    async with editing() as seller:
        with the_other() as other:
            other.answer("post_sale.access.hosted_membership.membership", "club")
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.sees(CHANGED)
        await seller.press("ctrl+o")
        await seller.until(lambda: CHANGED not in seller.screen, "the dialogue closes")
        await seller.settled()
        await seller.goes_to("accessing")
        seller.app.screen.query_one("#post_sale-access-hosted_membership-membership").focus()
        await seller.press("enter")
        await seller.sees("Which membership?")
        await seller.press("delete")
        await seller.sees("Remove Club?")
        await seller.press("y")
        await seller.sees("is used by yoga")


async def test_undo_after_a_change_elsewhere_asks_too() -> None:
    async with editing() as seller:
        await gives(seller, "First")
        await seller.settled()
        with the_other() as other:
            other.answer("general.official_name", "Ben's")
        await seller.press("f8")
        await seller.sees(CHANGED)
        assert general().official_name == "Ben's"


# --- a file -----------------------------------------------------------------------------------------------------------


async def test_a_file_that_vanishes_meanwhile_is_refused_and_can_be_added_once_it_is_back(
    tmp_path: Path,
) -> None:
    workbook = tmp_path / "workbook.pdf"
    workbook.write_bytes(b"%PDF")
    async with editing() as seller:
        await seller.goes_to("accessing")
        await seller.press("home", "down", "down", "enter")
        await seller.settled()
        await seller.press("ctrl+n")
        await seller.sees("A new file")
        await seller.write("Workbook")
        await seller.press("tab")
        await seller.paste(str(workbook))
        workbook.unlink()
        await seller.press("ctrl+o")
        await seller.sees("There is no file")
        assert "A new file" in seller.screen
        with open_store(Settings()) as store:
            assert store.account().account.files == ()
        workbook.write_bytes(b"%PDF")
        await seller.press("ctrl+o")
        await seller.until(lambda: "A new file" not in seller.screen, "it is stored")
        await seller.settled()
        with open_store(Settings()) as store:
            assert store.load("yoga").answers.post_sale.access.downloadable_file.file == "workbook"


# --- records that cannot be written -----------------------------------------------------------------------------------


class Impatient(SteadyApp):
    """The app, which waits half a second for another program instead of five."""

    patience = 0.5

    def _open(self) -> Store:
        return Store.open(self.settings, patience=self.patience)


@asynccontextmanager
async def editing_impatiently(patience: float = 0.5) -> AsyncIterator[Seller]:
    app = Impatient(Settings())
    app.patience = patience
    with open_store(Settings()) as store:
        store.create("Yoga", "Ada")
    async with seller_at("80x24", app) as seller:
        await seller.sees("1 product")
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.settled()
        await seller.goes_to("official name")
        await seller.pilot.pause(0.6)  # the place is remembered
        yield seller


@contextmanager
def another_program_writing() -> Iterator[None]:
    """Another program that holds the database."""
    connection = sqlite3.connect(Settings().data_dir / "wizard.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def test_while_another_program_holds_the_database_the_answer_stays_and_is_given_again_later() -> None:
    async with editing_impatiently() as seller:
        with another_program_writing():
            await gives(seller, "Yoga for all")
            await seller.sees("Another program holds")
            assert field(seller, "general.official_name").value == "Yoga for all"
            assert general().official_name is None
        await seller.goes_to("official name")
        await seller.press("enter")
        await seller.until(lambda: general().official_name == "Yoga for all", "it is stored")
        await seller.settled()
        assert "✗" not in seller.screen


async def test_keys_keep_working_while_the_database_is_waited_for() -> None:
    async with editing_impatiently(patience=4) as seller:
        with another_program_writing():
            await gives(seller, "Yoga for all")
            await seller.write(" and more")
            await seller.sees("Yoga for all and more")
            assert general().official_name is None
            assert "Another program holds" not in seller.screen, "it was not being waited for any more"
        await seller.until(lambda: general().official_name == "Yoga for all", "the first answer is stored")
        await seller.settled()
        await seller.press("shift+tab", "tab")
        await seller.until(lambda: general().official_name == "Yoga for all and more", "the second is stored")


async def test_a_choice_that_could_not_be_stored_falls_back_to_what_is_and_can_be_made_again() -> None:
    async with editing_impatiently() as seller:
        await seller.goes_to("accessing")
        await seller.pilot.pause(0.6)
        with another_program_writing():
            await seller.press("home", "enter")
            await seller.sees("Another program holds")
            await seller.until(lambda: "◉" not in seller.screen, "nothing looks chosen")
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.sees("◉")
        await seller.settled()
        with open_store(Settings()) as store:
            assert store.load("yoga").answers.post_sale.access.kind == "hosted_membership"


async def test_what_a_dialogue_holds_is_kept_while_the_database_is_locked() -> None:
    async with editing_impatiently() as seller:
        await seller.goes_to("pricing: product")
        await seller.press("enter")
        await seller.sees("A new price point")
        await seller.press("tab")
        await seller.write("29.00")
        await seller.pilot.pause(0.6)
        with another_program_writing():
            await seller.press("ctrl+o")
            await seller.sees("Another program holds")
        assert "29.00" in seller.screen
        await seller.press("ctrl+o")
        await seller.until(lambda: "A new price point" not in seller.screen, "it is stored")


async def test_a_notification_that_cannot_be_turned_says_why_and_the_app_stays() -> None:
    async with editing_impatiently() as seller:
        await seller.goes_to("notifications")
        await seller.pilot.pause(0.6)
        with another_program_writing():
            await seller.press("space")
            await seller.sees("Another program holds")
        await seller.press("space")
        await seller.sees("[ ] Order confirmation")


async def test_a_merge_that_could_not_be_stored_can_be_done_again() -> None:
    async with editing_impatiently() as seller:
        with the_other() as other:
            other.answer("general.description", "Ben's words")
        await gives(seller, "Yoga for all")
        await seller.sees(CHANGED)
        with another_program_writing():
            await seller.press("ctrl+o")
            await seller.sees("Another program holds")
        assert field(seller, "general.official_name").value == "Yoga for all"
        await seller.press("enter")
        await seller.sees(CHANGED)
        await seller.press("ctrl+o")
        await seller.until(lambda: general().official_name == "Yoga for all", "it is stored")
        assert general().description == "Ben's words"


async def test_a_database_that_can_only_be_read_is_read_and_the_answer_stays_on_the_screen() -> None:
    async with editing_impatiently() as seller:
        engine = seller.app.shelf._database._engine
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
        await gives(seller, "Yoga for all")
        await seller.sees("can only be read")
        assert field(seller, "general.official_name").value == "Yoga for all"
        await seller.goes_to("review")
        await seller.sees("Before you go live")
        assert general().official_name is None


async def test_a_new_product_that_cannot_be_created_keeps_its_name_in_the_dialogue() -> None:
    with open_store(Settings()):
        pass
    async with seller_at("80x24", Impatient(Settings())) as seller:
        await seller.sees("No products yet")
        await seller.press("n")
        await seller.sees("A new product")
        with another_program_writing():
            await gives(seller, "Yoga")
            await seller.sees("Another program holds")
        await seller.press("enter")
        await seller.sees("What do you sell?")


# --- the dialogue itself ----------------------------------------------------------------------------------------------


def test_only_the_answer_being_given_starts_as_this_sellers() -> None:
    with open_store(Settings()) as store:
        store.create("Yoga", "Ada")
        mine = Session(store, "yoga", "Ada")
        with the_other() as other:
            other.answer("general.description", "Ben's")
            other.answer("general.support_email", "ben@example.com")
        with pytest.raises(ChangedElsewhere) as changed:
            mine.answer("general.official_name", "Ada's")
    assert ChangedDialog(changed.value).mine == {
        "general.official_name": True,
        "general.description": False,
        "general.support_email": False,
    }
