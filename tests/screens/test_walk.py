"""A seller walks the wizard with nothing but a keyboard, at both sizes, from an empty account to a passed test-fire."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.access import AccessKind
from models.pricing import Period, PriceType
from models.product import Mode
from tests.support.seller import SIZES, seller_at
from tests.support.ways import adds_a_price, chooses_access, creates, fires, stored

BOTH = pytest.mark.parametrize("size", SIZES)


@BOTH
async def test_a_hosted_membership_is_made_priced_and_proven(size: str) -> None:
    async with seller_at(size) as seller:
        await creates(seller, "Yoga")
        await adds_a_price(seller, "29.00")
        assert "$29.00 today" in seller.screen
        await chooses_access(seller, AccessKind.HOSTED_MEMBERSHIP)
        await seller.press("ctrl+n")
        await seller.sees("A new membership")
        await seller.write("Yoga Club")
        await seller.press("tab")
        await seller.press(*["backspace"] * 10)
        await seller.write("silver, gold")
        await seller.saves("A new membership")
        await seller.press("space")
        await seller.settled()
        access = stored(seller, "yoga").answers.post_sale.access
        assert access.hosted_membership.membership == "yoga-club"
        assert access.hosted_membership.levels == ("silver",)
        await fires(seller)
        assert "silver" in seller.screen


@BOTH
async def test_an_integrated_membership_is_made_checked_and_proven(size: str) -> None:
    async with seller_at(size) as seller:
        await creates(seller, "Course")
        await adds_a_price(seller, "99.00")
        await chooses_access(seller, AccessKind.INTEGRATED_MEMBERSHIP)
        await seller.press("ctrl+n")
        await seller.sees("A new connection")
        await seller.write("My site")
        await seller.saves("A new connection")
        await seller.press("up", "enter")
        await seller.sees("not checked yet")
        await seller.press("f6")
        await seller.sees("works")
        await seller.press("enter")
        await seller.settled()
        await seller.write("gold")
        await seller.press("enter")
        await seller.settled()
        await seller.goes_to("accessing")
        assert stored(seller, "course").answers.post_sale.access.integrated_membership.level == "gold"
        await fires(seller)


@BOTH
async def test_a_file_is_added_from_a_written_path_and_proven(size: str, tmp_path: Path) -> None:
    workbook = tmp_path / "workbook.pdf"
    workbook.write_bytes(b"%PDF-1.4 a workbook")
    async with seller_at(size) as seller:
        await creates(seller, "Workbook")
        await adds_a_price(seller, "9.00")
        await chooses_access(seller, AccessKind.DOWNLOADABLE_FILE)
        await seller.press("ctrl+n")
        await seller.sees("A new file")
        await seller.write("The workbook")
        await seller.press("tab")
        await seller.paste(str(workbook))
        await seller.saves("A new file")
        assert stored(seller, "workbook").answers.post_sale.access.downloadable_file.file == "the-workbook"
        await fires(seller)
        await seller.press("enter")
        await seller.sees("SHA-256")


@BOTH
async def test_a_calendar_registers_the_buyer_and_its_confirmation_is_shown(size: str) -> None:
    async with seller_at(size) as seller:
        await creates(seller, "Coaching")
        await adds_a_price(seller, "150.00")
        await chooses_access(seller, AccessKind.NO_ACCESS_PAGE)
        await seller.press("enter")
        await seller.press(*["down"] * 3, "enter")
        await seller.settled()
        await seller.press("ctrl+n")
        await seller.sees("A new calendar")
        await seller.write("Coaching call")
        await seller.press("tab", "tab")
        await seller.write("You are booked.")
        await seller.saves("A new calendar")
        access = stored(seller, "coaching").answers.post_sale.access
        assert access.linked == ("calendar", "coaching-call")
        await fires(seller)
        assert "You are booked." in seller.screen


async def test_every_step_is_answered_and_the_product_goes_live() -> None:
    async with seller_at("80x24") as seller:
        await creates(seller, "Everything")
        await seller.press("tab")
        await seller.write("Everything, officially")
        await seller.press("enter")
        await seller.goes_to("pricing: product")
        await seller.press("enter")
        await seller.sees("A new price point")
        await seller.press("enter", "down", "enter")  # recurring
        await seller.write("29")
        await seller.press("tab", "enter", "down", "down", "enter")  # monthly
        await seller.sees("$29.00 today, then $29.00 monthly from 23 Dec 2026")
        await seller.saves("A new price point")
        await seller.goes_to("payment methods")
        await seller.press("home", "enter")
        await seller.goes_to("automations: on purchase")
        await seller.write("customer, yoga")
        await seller.press("enter")
        await seller.goes_to("affiliates: affiliate program")
        await seller.press("space")
        await seller.settled()
        await seller.press("tab")
        await seller.write("30")
        await seller.press("enter")
        await chooses_access(seller, AccessKind.NO_ACCESS_PAGE)
        await seller.press("enter", "down", "enter")
        await seller.settled()
        await fires(seller)
        await seller.press("escape")
        await seller.goes_to("review")
        await seller.press("m")
        await seller.sees("Go live with Everything?")
        await seller.press("y")
        await seller.sees("Back to Demo")
        await seller.settled()
        saved = stored(seller, "everything")
        assert saved.mode is Mode.LIVE, seller.screen
        answers = saved.answers
        assert answers.general.official_name == "Everything, officially"
        assert answers.pricing.prices[0].type is PriceType.RECURRING
        assert answers.pricing.prices[0].period is Period.MONTHLY
        assert [gateway.value for gateway in answers.checkout.gateways] == ["test_card", "stripe"]
        assert answers.automations.tags == ("customer", "yoga")
        assert answers.affiliates.commission.percent == "30"


async def test_live_is_refused_while_something_stands_in_the_way() -> None:
    async with seller_at("80x24") as seller:
        await creates(seller, "Nothing yet")
        await seller.goes_to("review")
        await seller.sees("error")
        await seller.press("m")
        await seller.sees("Live is refused")
        assert stored(seller, "nothing-yet").mode is Mode.DEMO


async def test_enter_on_a_finding_jumps_to_its_field() -> None:
    async with seller_at("80x24") as seller:
        await creates(seller, "Nothing yet")
        await seller.goes_to("review")
        await seller.sees("error")
        finding = seller.app.screen.query_one("#page-review").findings[0]  # type: ignore[attr-defined]
        await seller.press("enter")
        await seller.settled()
        assert finding.field.partition(".")[0] == seller.app.screen.current.partition(".")[0]  # type: ignore[attr-defined]


async def test_the_seller_comes_back_to_the_same_field() -> None:
    async with seller_at("80x24") as seller:
        await creates(seller, "Comes back")
        await seller.goes_to("support")
        await seller.pilot.pause(0.6)
        await seller.press("escape")
        await seller.sees("Comes back")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.settled()
        assert seller.app.focused is not None
        assert seller.app.focused.id == "general-support_email"


async def test_undo_takes_back_and_redo_gives_again() -> None:
    async with seller_at("80x24") as seller:
        await creates(seller, "First")
        await seller.press("tab")
        await seller.write("Official")
        await seller.press("enter")
        await seller.settled()
        assert stored(seller, "first").answers.general.official_name == "Official"
        await seller.press("f8")
        await seller.settled()
        assert stored(seller, "first").answers.general.official_name is None
        await seller.press("f9")
        await seller.settled()
        assert stored(seller, "first").answers.general.official_name == "Official"


async def test_a_deleted_product_comes_back_with_one_key() -> None:
    async with seller_at("80x24") as seller:
        await creates(seller, "Going, going")
        await seller.press("escape")
        await seller.sees("1 product")
        await seller.settled()
        await seller.press("x")
        await seller.sees("No products yet")
        await seller.press("u")
        await seller.settled()
        await seller.sees("1 product")


@BOTH
async def test_a_course_with_trial_and_membership_takes_forty_keys_from_nothing_to_fired(size: str) -> None:
    async with seller_at(size) as seller:
        await seller.press("n")
        await seller.sees("A new product")
        await seller.write("Desk yoga")
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        await seller.press("r", "tab")
        await seller.write("29")
        await seller.press("tab", "m", "tab", "space")
        await seller.sees("$0.00 today, then $29.00 monthly from 7 Dec 2026")
        await seller.press("ctrl+s")
        await seller.until(lambda: "A new price point" not in seller.screen, "the price is saved")
        await seller.press("ctrl+g")
        await seller.sees("Go to")
        await seller.press("4", "enter")
        await seller.sees("How do buyers receive")
        await seller.press("home", "enter")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("A new membership")
        await seller.write("Yoga Club")
        await seller.press("ctrl+s")
        await seller.sees("a login mail at once")
        await fires(seller)
        assert seller.pressed <= 40
        price = stored(seller, "desk-yoga").answers.pricing.prices[0]
        assert price.initial_payment is not None
        assert (price.period, price.initial_payment.days) == (Period.MONTHLY, 14)


@BOTH
async def test_an_ebook_takes_forty_five_keys_from_nothing_to_fired(
    size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = tmp_path / "books"
    books.mkdir()
    (books / "desk-yoga.pdf").write_bytes(b"%PDF-1.4 a guide")
    (books / "unwound.pdf").write_bytes(b"%PDF-1.4 another")
    monkeypatch.setenv("HOME", str(tmp_path))
    async with seller_at(size) as seller:
        await seller.press("n")
        await seller.sees("A new product")
        await seller.write("Desk yoga")
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.press("ctrl+f", "enter")
        await seller.sees("A new price point")
        await seller.press("tab")
        await seller.write("19")
        await seller.press("ctrl+s")
        await seller.until(lambda: "A new price point" not in seller.screen, "the price is saved")
        await seller.press("ctrl+g")
        await seller.sees("Go to")
        await seller.press("4", "enter")
        await seller.sees("How do buyers receive")
        await seller.press("enter")
        await seller.settled()
        await seller.press("enter")
        await seller.sees("A new file")
        await seller.press("tab", "enter")
        await seller.write("books/de")
        await seller.until(lambda: "unwound" not in seller.screen and "desk-yoga.pdf" in seller.screen, "the file")
        await seller.press("enter")
        await seller.sees("A new file")
        await seller.press("ctrl+s")
        await seller.sees("a mail at once with")
        await fires(seller)
        assert seller.pressed <= 45
        assert stored(seller, "desk-yoga").answers.post_sale.access.downloadable_file.file == "desk-yoga"
