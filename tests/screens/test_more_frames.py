"""What stands on the screen when something is in the way, and what is looked at less often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from models.events import Status, Verdict
from models.fulfillment import Evidence, Receipt, Run
from screens.dialog import Question
from screens.fire import FireScreen
from screens.folder import FolderBrowser
from tests.support import shop
from tests.support.pictures import SAMPLE, kept_run, opens
from tests.support.seller import NOON, SIZES, Seller, SteadyApp
from wizard.runs.outcome import outcome
from wizard.sale.lives import PROOF
from wizard.sample import fill
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store

Snap = Callable[..., bool]
SMALL = (60, 20)


@pytest.fixture
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


def frame(
    snap_compare: Snap, size: tuple[int, int], play: Callable[[Seller], Awaitable[Any]], opened: bool = True
) -> None:
    """Play something and compare the last frame."""
    app = SteadyApp(Settings())

    async def before(pilot: Pilot[Any]) -> None:
        seller = Seller(app, pilot)
        if opened:
            await seller.until(lambda: app.store is not None, "the records are open")
            await seller.settled()
        await play(seller)
        await seller.settled()

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_changed_elsewhere(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        with open_store(Settings()) as store:
            other = Session(store, "yoga-masterclass", "Ben")
            other.answer("general.description", "Six weeks of morning yoga, with a workbook for every day of it.")
            other.answer("automations.tags", ("yoga", "customer"))
            other.answer("pricing.prices", other.answers.pricing.prices[:1])
        await seller.goes_to("official name")
        await seller.write("Yoga for all")
        await seller.press("enter")
        await seller.sees("This product was changed elsewhere")

    frame(snap_compare, SIZES[size], play)


def test_a_terminal_that_is_too_small(snap_compare: Snap, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await seller.sees("columns")

    frame(snap_compare, (58, 15), play, opened=False)


async def test_a_terminal_that_is_too_small_at_the_start_shows_everything_once_it_is_larger(sample: None) -> None:
    app = SteadyApp(Settings())
    async with app.run_test(size=(58, 15), notifications=True) as pilot:
        seller = Seller(app, pilot)
        await seller.sees("This needs 60 columns and 16 rows")
        await pilot.resize_terminal(80, 24)
        await seller.sees(SAMPLE)
        await pilot.resize_terminal(40, 10)
        await seller.sees("This needs 60 columns")
        app.push_screen(Question("Remove it?", "It cannot be brought back."))
        await seller.sees("Remove it?")
        await pilot.resize_terminal(80, 24)
        await seller.press("escape")
        await seller.sees(SAMPLE)


@pytest.mark.parametrize("place", ["accessing", "pricing: product", "review", "notifications"])
def test_a_page_in_a_small_terminal(snap_compare: Snap, place: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to(place)

    frame(snap_compare, SMALL, play)


def test_the_list_in_a_small_terminal(snap_compare: Snap, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await seller.sees(SAMPLE)

    frame(snap_compare, SMALL, play)


def test_a_dialogue_in_a_small_terminal(snap_compare: Snap, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("pricing: product")
        await seller.press("tab", "enter")
        await seller.sees("Price point 1")

    frame(snap_compare, SMALL, play)


@pytest.mark.parametrize("size", SIZES)
def test_a_membership_that_is_in_use_stays(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("accessing")
        await seller.press("tab", "enter")
        await seller.sees("Which membership?")
        await seller.press("delete")
        await seller.sees("It cannot be brought back")
        await seller.press("y")
        await seller.sees("is used by")

    frame(snap_compare, SIZES[size], play)


@pytest.mark.parametrize("size", SIZES)
def test_the_folder_browser(snap_compare: Snap, size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library" / "recordings").mkdir(parents=True)
    files = {"notes.txt": 12, "workbook.pdf": 1_204_331, "[@click=app.quit()].pdf": 5, "a\x1b[31m.mp3": 9}
    for name, length in files.items():
        (tmp_path / "library" / name).write_bytes(b"x" * length)
    monkeypatch.chdir(tmp_path)

    async def play(seller: Seller) -> None:
        await seller.app.push_screen(FolderBrowser(Path("library")))
        await seller.sees("workbook.pdf")
        await seller.press("down", "down")

    frame(snap_compare, SIZES[size], play)


@pytest.mark.parametrize("size", SIZES)
def test_a_page_with_an_answer_that_was_refused(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("support")
        await seller.press(*["backspace"] * 30)
        await seller.write("help@exämple")
        await seller.press("tab")
        await seller.sees("✗")

    frame(snap_compare, SIZES[size], play)


def test_what_the_buyer_gets_on_a_screen_of_its_own(snap_compare: Snap, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.press("f3")
        await seller.sees("✉ mail")

    frame(snap_compare, SIZES["80x24"], play)


@pytest.mark.parametrize("size", SIZES)
def test_the_list_of_runs(snap_compare: Snap, size: str, sample: None) -> None:
    with open_store(Settings()) as store:
        for number, verdict in enumerate([*Verdict, Verdict.FAILED]):
            run = kept_run(verdict).model_copy(update={"id": f"run{number}", "started_at": NOON})
            store.open_run(run)

    async def play(seller: Seller) -> None:
        await seller.press("f7")
        await seller.sees("Interrupted")

    frame(snap_compare, SIZES[size], play)


def kept_proof() -> Run:
    """A proof as the ledger keeps it, that failed when access was taken away."""
    sold = shop.sold("hosted")
    script = PROOF.script(sold, NOON)
    steps = []
    for step in script.steps:
        is_wrong = step.moment == 3
        is_late = step.moment == 4
        status = Status.FAILED if is_wrong else Status.SKIPPED if is_late else Status.PASSED
        said = "Ada Example can still read silver after access was taken away." if is_wrong else "Seen."
        said = "Not done, because an earlier step failed." if is_late else said
        evidence = Evidence(allowed=True, proven_by="buyer", detail=said)
        page = {"http://127.0.0.1:8025/m/yoga-club/silver": "Welcome"} if step.action.action == "grant_access" else {}
        more = {} if is_late else {"ms": 12.0, "evidence": evidence, "receipt": Receipt(reference="r", proof=page)}
        steps.append(step.model_copy(update={"status": status, "attempts": 1, "detail": said, **more}))
    failed = {"life": "prove", "moments": script.moments, "steps": tuple(steps), "page": None}
    kept = kept_run(Verdict.FAILED).model_copy(update=failed)
    return kept.model_copy(update={"reason": outcome(kept)[1]})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("line", ["timeline", "addresses"])
def test_a_life_that_was_kept(snap_compare: Snap, size: str, line: str) -> None:
    async def play(seller: Seller) -> None:
        # One that cleaned up has no pages to open any more.
        run = kept_proof()
        kept = run if line == "timeline" else run.model_copy(update={"steps": run.steps[:-1]})
        await seller.app.push_screen(FireScreen(None, kept))
        await seller.sees("Test-fire")
        await seller.press("home" if line == "timeline" else "end")

    frame(snap_compare, SIZES[size], play)


@pytest.mark.parametrize("size", SIZES)
def test_what_can_be_fired(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.press("f5")
        await seller.sees("F5 carries out the event")
        await seller.settled()
        await seller.press("enter", "end")

    frame(snap_compare, SIZES[size], play)


@pytest.mark.parametrize("size", SIZES)
def test_the_scenarios_and_their_stories(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.press("f5")
        await seller.sees("nothing leaves this machine")
        await seller.press("s")
        await seller.sees("Scenarios: a sale")

    frame(snap_compare, SIZES[size], play)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["beside", "alone", "raw"])
def test_a_step_in_full(snap_compare: Snap, size: str, view: str) -> None:
    async def play(seller: Seller) -> None:
        await seller.app.push_screen(FireScreen(None, kept_run(Verdict.PASSED), name_of_product="Yoga Masterclass"))
        await seller.sees("Test-fire")
        await seller.press(*{"beside": ["down"], "alone": ["down", "enter"], "raw": ["enter", "x"]}[view])

    frame(snap_compare, SIZES[size], play)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FAILED])
def test_a_drill_that_was_kept(snap_compare: Snap, size: str, verdict: Verdict) -> None:
    async def play(seller: Seller) -> None:
        run = kept_run(verdict).model_copy(update={"fault": "error_inside"})
        await seller.app.push_screen(FireScreen(None, run, name_of_product="Yoga Masterclass"))
        await seller.sees("Drill")

    frame(snap_compare, SIZES[size], play)


def test_the_command_palette(snap_compare: Snap, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.press("ctrl+p")
        await seller.pilot.pause(0.5)
        await seller.write("go")
        await seller.pilot.pause(0.5)

    frame(snap_compare, SIZES["80x24"], play)


@pytest.mark.parametrize("size", SIZES)
def test_the_settings_of_a_backend(snap_compare: Snap, size: str, sample: None) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.press("f5")
        await seller.sees("F5 carries out the event")
        await seller.press("f8")
        await seller.sees("Who carries out test-fires?")
        await seller.write("webhook")
        await seller.sees("Webhook: signed requests")
        await seller.press("enter")
        await seller.sees("Settings of webhook")
        await seller.write("https://shop.example.com/wizard")
        await seller.press("tab")
        await seller.write("whsec_bm90IGEgcmVhbCBzZWNyZXQsIGJ1dCBsb25n")

    frame(snap_compare, SIZES[size], play)
