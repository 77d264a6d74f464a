"""What every page, dialogue and list looks like, at both sizes. A changed frame is looked at before it is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events import Verdict
from screens.fire import FireScreen
from tests.support.pictures import SAMPLE, Snap, frame, kept_run, opens
from tests.support.seller import SIZES, Seller
from wizard import flow
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store

BOTH = pytest.mark.parametrize("size", SIZES)


@pytest.fixture
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


@BOTH
def test_an_empty_account_says_how_to_begin(snap_compare: Snap, size: str) -> None:
    async def play(seller: Seller) -> None:
        await seller.sees("No products yet")

    frame(snap_compare, size, play)


@BOTH
def test_the_list_shows_each_product_at_a_glance(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await seller.sees(SAMPLE)

    frame(snap_compare, size, play)


@BOTH
def test_a_search_finds_while_it_is_written(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await seller.press("slash")
        await seller.write("yoga")
        await seller.settled()

    frame(snap_compare, size, play)


@BOTH
@pytest.mark.parametrize("module", [module.id for module in flow.modules()])
def test_every_page(snap_compare: Snap, size: str, module: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.app.screen.open_page(module)  # type: ignore[attr-defined]
        await seller.settled()

    frame(snap_compare, size, play)


@BOTH
@pytest.mark.parametrize("presses", range(4), ids=["hosted", "integrated", "file", "no_access_page"])
def test_every_access_option(snap_compare: Snap, size: str, presses: int, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("accessing")
        await seller.press("home", *["down"] * presses, "enter")
        await seller.settled()

    frame(snap_compare, size, play)


@BOTH
def test_the_review_names_what_stands_in_the_way(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("review")
        await seller.sees("Before you go live")
        await seller.settled()

    frame(snap_compare, size, play)


@BOTH
def test_going_live_asks_and_says_what_is_now_true(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("review")
        await seller.press("m")
        await seller.sees("Go live with")
        await seller.press("y")
        await seller.sees("Back to Demo")
        await seller.press("p")
        await seller.sees("Publish Yoga Masterclass?")
        await seller.press("y")
        await seller.sees("You are live")

    frame(snap_compare, size, play)


@BOTH
def test_the_question_before_going_live(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("review")
        await seller.press("m")
        await seller.sees("Go live with")

    frame(snap_compare, size, play)


DIALOGUES: dict[str, tuple[str, list[str], str]] = {
    "price_point": ("pricing: product", ["tab", "enter"], "Price point 1"),
    "choose_membership": ("accessing", ["tab", "enter"], "Which membership?"),
    "new_membership": ("accessing", ["tab", "ctrl+n"], "A new membership"),
    "notification": ("notifications", ["down", "enter"], "Membership welcome"),
    "custom_field": ("custom fields", ["end", "enter"], "A new custom field"),
    "rule": ("automations: rules", ["end", "enter"], "A new rule"),
    "bump": ("bump", ["end", "enter"], "Which product"),
    "go_to": ("accessing", ["ctrl+g"], "Go to"),
    "help": ("accessing", ["f1"], "In documents"),
}


@BOTH
@pytest.mark.parametrize("name", DIALOGUES)
def test_every_dialogue(snap_compare: Snap, size: str, name: str, sample: None) -> None:
    place, keys, seen = DIALOGUES[name]

    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to(place)
        await seller.press(*keys)
        await seller.sees(seen)
        await seller.pilot.pause(0.2)

    frame(snap_compare, size, play)


@BOTH
def test_a_wrong_answer_is_explained_in_place_of_the_help(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("support")
        await seller.write("help@")
        await seller.press("tab")
        await seller.sees("✗")

    frame(snap_compare, size, play)


@BOTH
@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FAILED])
def test_a_test_fire_that_was_kept(snap_compare: Snap, size: str, verdict: Verdict) -> None:
    async def play(seller: Seller) -> None:
        await seller.app.push_screen(FireScreen(None, kept_run(verdict)))
        await seller.sees("Test-fire")

    frame(snap_compare, size, play)


def test_access_selector(snap_compare: Snap, sample: None) -> None:
    """The picture at the top of the README."""

    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("accessing")

    frame(snap_compare, "120x40", play)


@pytest.mark.parametrize("place", ["accessing", "pricing: product", "review"])
def test_without_colour_every_state_can_still_be_told(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, place: str, sample: None
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to(place)

    frame(snap_compare, "80x24", play)
