"""What every page, dialogue and list looks like, at both sizes. A changed frame is looked at before it is accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from models.fulfillment import (
    Buyer,
    Event,
    Evidence,
    Exchange,
    GrantAccess,
    Page,
    Run,
    RunStep,
    SendEmail,
    ShowPage,
    Status,
    Verdict,
)
from screens.fire import FireScreen
from tests.support.seller import NOON, SIZES, Seller, SteadyApp
from wizard import flow
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store

Snap = Callable[..., bool]
SAMPLE = "Yoga Masterclass"

BOTH = pytest.mark.parametrize("size", SIZES)


@pytest.fixture
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


def frame(
    snap_compare: Snap, size: str, play: Callable[[Seller], Awaitable[Any]], app: SteadyApp | None = None
) -> None:
    """Play something and compare the last frame."""
    app = app or SteadyApp(Settings())

    async def before(pilot: Pilot[Any]) -> None:
        seller = Seller(app, pilot)
        await seller.until(lambda: app.store is not None, "the records are open")
        await seller.settled()
        await play(seller)
        await seller.settled()

    assert snap_compare(app, terminal_size=SIZES[size], run_before=before)


async def opens(seller: Seller, name: str = SAMPLE) -> None:
    """Open a product from the list."""
    await seller.press("slash")
    await seller.write(name)
    await seller.settled()
    await seller.sees("1 product found")
    await seller.press("enter")
    await seller.sees("saved 12:04")
    await seller.settled()


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


STRANGER = "Ada Example logged in with the mailed login and read gold; a stranger was turned away."
NO_LOGIN = "The mail was sent, but it holds no password. Put {login_password} back into the template."


def kept_run(verdict: Verdict) -> Run:
    """A run as the ledger keeps it, with times that are always the same."""
    good = verdict is Verdict.PASSED
    page = Exchange(
        request="GET http://127.0.0.1:8025/m/yoga-club/gold",
        status=200 if good else 303,
        received="Welcome to gold" if good else "Location: /m/yoga-club/login",
        ms=1.9,
    )
    grant = GrantAccess(target="yoga-club", levels=("gold",), name="Yoga Club")
    steps = (
        RunStep(
            position=1,
            action=grant,
            status=Status.PASSED if good else Status.FAILED,
            attempts=1,
            ms=146,
            detail="" if good else NO_LOGIN,
            evidence=Evidence(
                allowed=good,
                proven_by="buyer",
                detail=STRANGER if good else NO_LOGIN,
                facts={"read": "http://127.0.0.1:8025/m/yoga-club/gold"},
                exchanges=(page,),
            ),
        ),
        RunStep(
            position=2,
            action=SendEmail(target="membership_welcome", subject="Your login", body="Hello"),
            status=Status.PASSED,
            attempts=1,
            ms=9,
            detail="“Your login” is in the mailbox of ada@example.com.",
        ),
        RunStep(
            position=3,
            action=ShowPage(target="yoga-masterclass", source="product", text="Welcome to the club!"),
            status=Status.PASSED,
            attempts=1,
            ms=6,
            detail="Ada Example is shown your Thank You page.",
        ),
    )
    return Run(
        id="06am29xsppe8",
        product="yoga-masterclass",
        revision=3,
        event=Event.PURCHASE,
        backend="sandbox",
        buyer=Buyer(),
        price=1,
        started_at=NOON,
        finished_at=NOON,
        verdict=verdict,
        reason=STRANGER if good else NO_LOGIN,
        steps=steps,
        page=Page(source="product", text="Welcome to the club!"),
    )


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
