"""What somebody new to the wizard expects of keys, fields and words, and no longer stumbles over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.access import KIND_SUITS, AccessKind
from models.account import Calendar, File, Membership, Webinar
from models.automations import Rule, Then, When
from models.general import ProductKind
from models.post_sale import Policy
from screens.folder import place_of
from screens.widgets.bars import KeyLine
from screens.widgets.choices import A_WORD, Dropdown
from screens.widgets.controls import Item
from screens.widgets.form import Form
from screens.widgets.outline import StepLine
from tests.support.seller import Seller, seller_at
from tests.support.ways import creates, stored
from wizard import flow
from wizard.sale.options import received
from wizard.sample import fill
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store
from wizard.wording import row_in_words


def focused(seller: Seller) -> Any:
    """The control that has the focus."""
    assert seller.app.focused is not None
    return seller.app.focused


def footer(seller: Seller) -> str:
    """The last line of the screen."""
    return seller.screen.splitlines()[-1]


# --- nothing written is lost without a word ---------------------------------------------------------------------------


async def test_esc_in_a_dialogue_asks_before_what_was_written_is_lost() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        await seller.press("tab")
        await seller.write("29")
        await seller.press("escape")
        await seller.sees("Leave without saving?")
        await seller.press("escape")
        await seller.until(lambda: "Leave without saving?" not in seller.screen, "the question closes")
        assert "29" in seller.screen
        await seller.press("escape")
        await seller.sees("Leave without saving?")
        await seller.press("y")
        await seller.until(lambda: "A new price point" not in seller.screen, "the dialogue closes")
        assert stored(seller, "talk").answers.pricing.prices == ()


async def test_esc_in_a_dialogue_without_anything_new_closes_it_at_once() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        await seller.press("escape")
        await seller.until(lambda: "A new price point" not in seller.screen, "the dialogue closes")


async def test_what_is_being_written_is_said_to_be_unsaved_until_ctrl_s_saves_it() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("description")
        await seller.write("An hour")
        await seller.sees("  not saved")
        await seller.press("ctrl+s")
        await seller.sees("Already saved 12:04.")
        assert "not saved" not in seller.screen
        assert stored(seller, "talk").answers.general.description == "An hour"


async def test_undo_takes_back_a_refused_answer_first_and_says_so() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("support")
        await seller.write("help@")
        await seller.press("tab")
        await seller.sees("✗")
        await seller.press("f8")
        await seller.sees("Taken back: what was written at Support")
        assert focused(seller).value == ""
        assert "✗" not in seller.screen


async def test_ctrl_z_undoes_and_a_question_mark_helps_where_no_text_has_the_focus() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("kind")
        await seller.press("down", "enter")
        await seller.settled()
        assert stored(seller, "talk").answers.general.kind is ProductKind.MEMBERSHIP
        await seller.press("ctrl+z")
        await seller.settled()
        assert stored(seller, "talk").answers.general.kind is ProductKind.DIGITAL
        await seller.press("question_mark")
        await seller.sees("Keys that work here")


# --- Enter, and where the cursor is -----------------------------------------------------------------------------------


async def test_enter_in_the_last_field_shows_the_way_on_and_letters_land_nowhere() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("sequences")
        await seller.press("enter")
        await seller.sees("▸ Next: Automations, Rules")
        await seller.write("typed blindly")
        assert "typed" not in seller.screen
        await seller.press("enter")
        await seller.sees("+ add a rule")


async def test_the_way_on_is_in_sight_on_a_page_that_fills_the_terminal() -> None:
    with open_store(Settings()) as store:
        fill(store)
        store.remember_place("morning-yoga-workbook", "post_sale.access.downloadable_file.access_days")
    async with seller_at("80x24") as seller:
        await seller.press("slash")
        await seller.write("workbook")
        await seller.press("enter")
        await seller.sees("Access ends after")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("▸ Next: ")


async def test_the_cursor_of_a_text_stands_at_its_end() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("message")
        await seller.write(" See you")
        await seller.press("ctrl+s")
        await seller.settled()
        assert stored(seller, "talk").answers.post_sale.thank_you.message == "Thank you for your order! See you"


async def test_a_list_has_no_line_that_answers_nothing_and_a_letter_jumps() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        await seller.press("r")
        await seller.sees("Recurring")
        await seller.press("tab")
        await seller.write("29")
        await seller.press("tab")
        period = focused(seller)
        assert isinstance(period, Dropdown)
        await seller.press("enter")
        await seller.sees("Weekly")
        await seller.press("m")
        await seller.press("enter")
        await seller.settled()
        assert period.value == "monthly"
        assert focused(seller).id == "initial_payment"


async def test_letters_lead_to_what_begins_with_them_and_one_letter_again_to_the_next() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        menu = Dropdown(
            [Item(name, name.title()) for name in ("sandbox", "webhook", "wordpress", "ghost")], "platforms"
        )
        await seller.app.screen.mount(menu)
        menu.focus()
        for typed, chosen in (
            ("wo", "wordpress"),
            ("we", "webhook"),
            ("wor", "wordpress"),
            ("wx", "webhook"),
            ("g", "ghost"),
        ):
            await seller.pilot.pause(A_WORD + 0.1)
            await seller.write(typed)
            assert menu.value == chosen, typed
        await seller.pilot.pause(A_WORD + 0.1)
        await seller.write("ww")
        assert menu.value == "wordpress"


async def test_help_names_the_key_of_a_document() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.settled()
        await seller.press("f1")
        await seller.sees("In documents: post_sale.access.membership")


async def test_a_search_that_finds_nothing_does_not_say_that_there_is_nothing() -> None:
    with open_store(Settings()) as store:
        store.put(Membership(name="Club", levels=("silver", "gold")))
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("Club")
        await seller.write("gym")
        await seller.sees("Nothing is called so. ctrl+n creates one.")


async def test_a_seller_without_any_makes_the_first_one_by_enter_and_its_only_level_is_taken() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("A new membership")
        assert "Name *" in seller.screen
        await seller.write("Club")
        await seller.press("ctrl+s")
        await seller.until(lambda: "A new membership" not in seller.screen, "the dialogue closes")
        await seller.settled()
        assert stored(seller, "talk").answers.post_sale.access.hosted_membership.levels == ("member",)


async def test_levels_say_what_is_missing_while_there_are_none() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("accessing")
        await seller.press("home", "enter")
        await seller.sees("choose a membership first")
        await seller.press("tab", "space", "shift+up", "shift+down")
        await seller.settled()
        assert stored(seller, "talk").answers.post_sale.access.hosted_membership.levels == ()


async def test_levels_are_left_to_the_seller_where_there_are_several() -> None:
    with open_store(Settings()) as store:
        store.put(Membership(name="Club", levels=("silver", "gold")))
        store.create("Talk", "ada")
        session = Session(store, "talk")
        session.answer("post_sale.access.kind", AccessKind.HOSTED_MEMBERSHIP)
        session.answer("post_sale.access.hosted_membership.membership", "club")
        assert session.answers.post_sale.access.hosted_membership.levels == ()


# --- currency, files --------------------------------------------------------------------------------------------------


async def test_a_currency_is_written_over_and_the_next_product_starts_with_it() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("currency")
        await seller.write("eur")
        await seller.press("enter")
        await seller.settled()
        assert stored(seller, "talk").answers.pricing.currency == "EUR"
        await seller.press("escape")
        await seller.sees("1 product")
        await creates(seller, "Another talk")
        assert stored(seller, "another-talk").answers.pricing.currency == "EUR"


@pytest.mark.parametrize(
    ("written", "leads_to", "left"),
    [("gui", "", "gui"), ("books/", "books", ""), ("books/gui", "books", "gui"), ("~/books/gui", "books", "gui")],
)
def test_a_path_in_the_box_of_the_folder_browser_leads_there(
    written: str, leads_to: str, left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place_of(written, tmp_path) == (tmp_path / leads_to, left)
    assert place_of(f"{tmp_path}/books/gui", Path("/")) == (tmp_path / "books", "gui")


def test_a_file_without_a_name_is_called_as_the_file_is() -> None:
    assert File.model_validate({"path": "~/books/Desk Yoga.pdf"}).name == "Desk Yoga"
    assert File.model_validate({"name": "Mine", "path": "~/books/Desk Yoga.pdf"}).slug == "mine"


# --- suggestions and words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ProductKind)
async def test_the_kind_of_a_product_suggests_an_option_and_picks_none(kind: ProductKind) -> None:
    with open_store(Settings()) as store:
        store.create("Talk", "ada")
        Session(store, "talk").answer("general.kind", kind)
    async with seller_at() as seller:
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.goes_to("accessing")
        suggested, _ = KIND_SUITS[kind]
        [line] = [line for line in seller.screen.splitlines() if "○" in line and "✦" in line]
        assert suggested.label.format(host="Kartra") in line
        assert f"✦ suits {kind.label}." in seller.screen
        assert stored(seller, "talk").answers.post_sale.access.kind is None
        assert focused(seller).highlighted == list(AccessKind).index(suggested)


def test_what_ships_is_said_to_ship_and_that_an_address_is_asked_for_elsewhere() -> None:
    with open_store(Settings()) as store:
        store.create("Lumbar cushion", "ada")
        session = Session(store, "lumbar-cushion")
        session.answer("post_sale.access.kind", AccessKind.NO_ACCESS_PAGE)
        session.answer("post_sale.access.no_access_page.reason", "physical")
        assert received(session.answers, session.around) == "Lumbar cushion: you ship it"


def test_forms_say_where_dates_links_and_hours_are() -> None:
    assert "date, hour and join link" in Webinar.about
    assert "hours and bookings" in Calendar.about


def test_rules_and_limits_are_read_as_sentences() -> None:
    rules = flow.question_at("automations.rules")
    rule = Rule(when=When.CANCELS_SUBSCRIPTION, then=Then.ASSIGN_TAG, target="win back")
    assert row_in_words(rules, rule) == "If the buyer cancels the subscription: assign the tag win back"
    assert Policy().expires_after_days is None


async def test_an_empty_number_has_no_unit_behind_what_empty_means() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.goes_to("access policy")
        [never] = [line for line in seller.screen.splitlines() if "Access ends after" in line]
        assert never.split() == ["Access", "ends", "after", "never"]


# --- what the edges of the screen promise -----------------------------------------------------------------------------


async def test_the_footers_name_the_keys_that_work() -> None:
    async with seller_at() as seller:
        await seller.press("n")
        await seller.sees("A new product")
        assert "enter Create" in footer(seller)
        await seller.write("Talk")
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.settled()
        assert "F3 Preview" in footer(seller)
        assert "F8" not in footer(seller)
        await seller.press("f1")
        await seller.sees("Keys that work here")
        assert "esc Close" in footer(seller)
        await seller.press("escape")
        await seller.goes_to("kind")
        await seller.press("down", "enter")
        await seller.settled()
        assert "F8 Undo" in footer(seller)


async def test_the_step_line_and_the_footer_are_pressed_with_the_mouse() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        line = seller.app.screen.query_one(StepLine)
        at = line.render().plain.index("Checkout")  # type: ignore[union-attr]
        await seller.pilot.click(StepLine, offset=(at + 2, 0))
        await seller.sees("Who takes the money?")
        keys = seller.app.screen.query_one(KeyLine)
        at = keys.render().plain.index("Go to")  # type: ignore[union-attr]
        await seller.pilot.click(KeyLine, offset=(at + 1, 0))
        await seller.until(lambda: len(seller.app.screen_stack) == 4, "the dialogue opens")


async def test_the_preview_stands_beside_the_page_only_where_there_is_room() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.pilot.resize_terminal(110, 24)
        await seller.until(lambda: "Review & go live" in seller.screen, "the outline")
        assert "What your buyer gets" not in seller.screen
        await seller.pilot.resize_terminal(120, 24)
        await seller.sees("What your buyer gets")


async def test_what_a_dialogue_cannot_do_without_is_marked() -> None:
    async with seller_at() as seller:
        await creates(seller, "Talk")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        form = seller.app.screen.query_one(Form)
        assert [field.path for field in form.every_field() if field.display and field.is_needed] == ["amount"]
        assert "Amount *" in seller.screen
