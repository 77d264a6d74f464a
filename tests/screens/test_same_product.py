"""The same product, made by hand in the app, applied from its exported document, and on either database, is equal."""

from __future__ import annotations

from pathlib import Path

from models.access import AccessKind
from tests.support.seller import Seller, seller_at
from tests.support.ways import chooses_access, creates
from wizard.documents import apply, export, export_to
from wizard.settings import Settings
from wizard.store import open_store


async def makes_a_product_by_hand(seller: Seller, workbook: Path) -> None:
    """Answer something in every step, and give two access options their answers, with the keyboard alone."""
    await creates(seller, "Yoga Masterclass")
    await seller.press("tab")
    await seller.write("Yoga, the Masterclass")
    await seller.press("enter")
    await seller.goes_to("pricing: product")
    await seller.press("enter")
    await seller.sees("A new price point")
    await seller.press("enter", "down", "enter")  # recurring
    await seller.write("29")
    await seller.press("tab", "enter", "down", "down", "enter")  # monthly
    await seller.press("space")  # a trial: free, for 14 days
    await seller.sees("$0.00 today, then $29.00 monthly from 7 Dec 2026")
    await seller.saves("A new price point")
    await seller.goes_to("payment methods")
    await seller.press("home", "enter")
    await chooses_access(seller, AccessKind.DOWNLOADABLE_FILE)
    await seller.press("ctrl+n")
    await seller.sees("A new file")
    await seller.write("Course workbook")
    await seller.press("tab")
    await seller.paste(str(workbook))
    await seller.saves("A new file")
    await chooses_access(seller, AccessKind.HOSTED_MEMBERSHIP)
    await seller.press("ctrl+n")
    await seller.sees("A new membership")
    await seller.write("Yoga Club")
    await seller.press("tab", *["backspace"] * 10)
    await seller.write("silver, gold")
    await seller.saves("A new membership")
    await seller.press("down", "space")
    await seller.settled()
    await seller.goes_to("automations: on purchase")
    await seller.write("yoga, customer")
    await seller.press("enter")
    await seller.goes_to("affiliates: affiliate program")
    await seller.press("space")
    await seller.settled()
    await seller.press("tab")
    await seller.write("30")
    await seller.press("enter")
    await seller.settled()


async def test_by_hand_from_a_document_and_on_either_database_it_is_equal(settings: Settings, tmp_path: Path) -> None:
    workbook = tmp_path / "workbook.pdf"
    workbook.write_bytes(b"%PDF-1.4 forty lessons")
    document = tmp_path / "out" / "yoga.yaml"
    document.parent.mkdir()
    async with seller_at("80x24") as seller:
        await makes_a_product_by_hand(seller, workbook)
    with open_store(Settings()) as by_hand:
        made = by_hand.load("yoga-masterclass")
        export_to(by_hand, "yoga-masterclass", document)
        written = export(by_hand, "yoga-masterclass")
        files = by_hand.account().files

    with open_store(settings) as elsewhere:
        apply([document], elsewhere)
        applied = elsewhere.load("yoga-masterclass")
        assert applied.answers == made.answers
        assert applied.answers.post_sale.access.downloadable_file.file == "course-workbook"
        assert (applied.slug, applied.mode, applied.published) == (made.slug, made.mode, made.published)
        assert elsewhere.account().files["course-workbook"].sha256 == files["course-workbook"].sha256
        assert export(elsewhere, "yoga-masterclass") == written
