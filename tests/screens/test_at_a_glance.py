"""The list of products says what is to put right and how the last test-fire ended; the list of runs, what each was."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events import Verdict
from models.fulfillment import Run
from models.product import Mode
from models.saved import ProductRow
from screens.product import ProductScreen
from tests.support.pictures import kept_run
from tests.support.seller import NOON, Seller, seller_at
from wizard.sample import fill
from wizard.settings import Settings
from wizard.standing import Standing, standing_of, state_in_words
from wizard.standing import test_in_words as tested_in_words
from wizard.store import Store, open_store

PRODUCT = "yoga-masterclass"


@pytest.fixture
def sample(data_dir: Path) -> None:
    with open_store(Settings()) as store:
        fill(store)


def keep(store: Store, verdict: Verdict | None, number: int = 1, **fields: object) -> Run:
    """Keep a test-fire of the answers as they stand."""
    revision = store.load(PRODUCT).revision
    kept = {"id": f"run{number}", "revision": revision, "started_at": NOON, "verdict": verdict, **fields}
    run = kept_run(verdict or Verdict.INTERRUPTED).model_copy(update=kept)
    store.open_run(run)
    return run


def line_of(seller: Seller, name: str) -> str:
    return next(line for line in seller.screen.splitlines() if name in line and line.lstrip().startswith(("✓", "!")))


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.PASSED, "proven 12:04"),
        (Verdict.FAILED, "failed 12:04"),
        (Verdict.INTERRUPTED, "stopped midway"),
        (None, "stopped midway"),
    ],
)
async def test_the_list_says_how_the_last_test_fire_ended(sample: None, verdict: Verdict | None, said: str):
    with open_store(Settings()) as store:
        keep(store, verdict)
    async with seller_at("80x24") as seller:
        await seller.until(lambda: said in line_of(seller, "Yoga Masterclass"), said)


async def test_a_proof_of_earlier_answers_is_stale(sample: None):
    with open_store(Settings()) as store:
        keep(store, Verdict.PASSED)
        saved = store.load(PRODUCT)
        from wizard.session import Session

        Session(store, PRODUCT).answer("general.description", "Six weeks.")
        assert store.load(PRODUCT).revision > saved.revision
    async with seller_at("80x24") as seller:
        await seller.until(lambda: "stale" in line_of(seller, "Yoga Masterclass"), "stale")


async def test_a_drill_is_no_proof(sample: None):
    with open_store(Settings()) as store:
        keep(store, Verdict.PASSED, fault="slow")

        assert tested_in_words(standing_of(store, PRODUCT, NOON), "12:04") == "-"


async def test_the_list_counts_what_is_to_fix_where_only_the_test_card_is_there(sample: None):
    with open_store(Settings()) as store:
        from wizard.session import Session

        Session(store, PRODUCT).answer("checkout.gateways", ("test_card",))
    async with seller_at("80x24") as seller:
        await seller.until(lambda: "1 to fix" in line_of(seller, "Yoga Masterclass"), "1 to fix")

        assert line_of(seller, "Yoga Masterclass").lstrip().startswith("!")


@pytest.mark.parametrize(
    ("mode", "published", "errors", "said"),
    [
        (Mode.DEMO, False, 0, "ready"),
        (Mode.DEMO, False, 2, "2 to fix"),
        (Mode.DEMO, True, 0, "demo, shown"),
        (Mode.LIVE, True, 0, "live"),
        (Mode.LIVE, True, 1, "live, 1 to fix"),
        (Mode.LIVE, False, 0, "live, hidden"),
    ],
)
def test_a_product_s_state_is_a_word_or_two(mode: Mode, published: bool, errors: int, said: str):
    row = ProductRow(
        slug="a", name="A", mode=mode, published=published, access=None, complete=True, revision=1, updated_at=NOON
    )

    assert state_in_words(row, Standing(errors, None, None, None)) == said


async def test_a_run_that_was_stopped_midway_is_told_at_the_start_until_another_one_follows(sample: None):
    with open_store(Settings()) as store:
        keep(store, Verdict.INTERRUPTED)
    async with seller_at("80x24") as seller:
        await seller.sees("A test-fire of Yoga Masterclass was stopped midway: F7 lists it")
        keep(seller.app.shelf, Verdict.PASSED, 2)
        await seller.press("f7")
        await seller.sees("Interrupted")
        await seller.press("escape")
        await seller.until(lambda: "was stopped midway" not in seller.screen, "nothing is to go on with")


async def test_enter_in_the_search_opens_the_first_product_that_fits(sample: None):
    async with seller_at("80x24") as seller:
        await seller.press("slash")
        await seller.write("cork")
        await seller.press("enter")
        await seller.until(lambda: isinstance(seller.app.screen, ProductScreen), "the product")

        assert seller.app.screen.session.saved.slug == "cork-mat"  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", ["80x24", "120x40"])
async def test_the_list_of_runs_names_products_and_calls_a_proof_a_proof(sample: None, size: str):
    with open_store(Settings()) as store:
        keep(store, Verdict.PASSED, 1, life="prove", fault="lies_about_revoking")
    async with seller_at(size) as seller:
        await seller.press("f7")
        await seller.sees("Proof, drill: ")

        assert "…" not in seller.screen
        assert "  Yoga Masterclass: " in seller.screen
        assert PRODUCT not in seller.screen
        await seller.press("enter")
        await seller.sees("Test-fire: Yoga Masterclass, Proof")
