"""Keys that come faster than they can be obeyed: what they lead to is what the same keys lead to when typed slowly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.content import Content
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widgets import Input, TextArea

import screens.app
from models.product import Product
from screens.dialog import Question
from screens.form_dialog import FormDialog
from screens.product import ProductScreen
from screens.products import ProductsScreen
from screens.widgets import keyboard
from screens.widgets.lasting import MOST_MISTAKES, REPORT
from screens.widgets.lines import Lines
from tests.support.seller import Seller, SteadyApp, seller_at
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store

Typed = str | Paste
"""A key by its name or its character, or a text that is pasted."""


def typed(text: str) -> list[Typed]:
    """A text, letter by letter."""
    return list(text)


async def at_once(seller: Seller, keys: list[Typed]) -> None:
    """Type all of it in one read, then wait until it is obeyed."""
    driver = seller.app._driver
    assert driver is not None
    for each in keys:
        if isinstance(each, Paste):
            driver.process_message(Paste(each.text))
        else:
            name = _character_to_key(each) if len(each) == 1 else each
            driver.process_message(Key(name, each if len(each) == 1 else None))
    await asyncio.sleep(0.01)
    await seller.app.keys_obeyed()
    await seller.settled()


async def slowly(seller: Seller, keys: list[Typed]) -> None:
    """Type it key by key, each one obeyed to the end before the next."""
    for each in keys:
        await at_once(seller, [each])


class Bench:
    """An app that stays open from one example to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = asyncio.Runner()
        self.open = AsyncExitStack()
        self.number = 0

    def __enter__(self) -> Bench:
        async def start() -> Seller:
            return await self.open.enter_async_context(seller_at(app=SteadyApp(Settings(data_dir=self.folder))))

        self.seller = self.runner.run(start())
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self.open.aclose())
        self.runner.close()

    async def _write(self, keys: list[Typed], how: Any) -> Outcome:
        app, self.number = self.seller.app, self.number + 1
        saved = await app.desk.do(app.shelf.create, f"Product {self.number}", "test")
        products = app.screen
        assert isinstance(products, ProductsScreen)
        products.open_product(saved.slug)
        await self.seller.until(lambda: isinstance(app.screen, ProductScreen), "the product opens")
        await app.settled()
        await how(self.seller, keys)
        outcome = Outcome(
            await app.desk.do(lambda: app.shelf.load(saved.slug).answers.model_dump()),
            [type(screen).__name__ for screen in app.screen_stack],
            app.focused.id if app.focused else None,
            written(self.seller),
        )
        for screen in reversed(app.screen_stack[2:]):
            await screen.dismiss()
        await self.seller.settled()
        return outcome

    def write(self, keys: list[Typed], how: Any) -> Outcome:
        """Type keys into a new product, and tell what they led to."""
        return self.runner.run(self._write(keys, how))


@dataclass
class Outcome:
    """What keys have led to."""

    stored: dict[str, Any]
    screens: list[str]
    focus: str | None
    written: dict[str | None, str]


def written(seller: Seller) -> dict[str | None, str]:
    """What stands in every field of the screen in front."""
    screen = seller.app.screen
    lines: dict[str | None, str] = {field.id: field.value for field in screen.query(Input)}
    return lines | {field.id: field.text for field in screen.query(TextArea)}


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Bench]]:
    """Two apps, one for quick hands and one for slow ones."""
    with Bench(tmp_path_factory.mktemp("quick")) as quick, Bench(tmp_path_factory.mktemp("slow")) as slow:
        yield quick, slow


LETTERS = st.sampled_from([*"Teh 12.", "space"])
EDITS = st.sampled_from(["backspace", "delete", "left", "right", "home", "end", "ctrl+w", "ctrl+k"])
MOVES = st.sampled_from(["tab", "shift+tab", "up", "down", "enter"])
PAGES = st.sampled_from(["ctrl+f", "ctrl+b", "ctrl+n", "ctrl+o", "ctrl+g", "f1", "f8", "escape"])
PASTED = st.sampled_from(["pasted", "two\nlines", ""]).map(Paste)
KEYS: st.SearchStrategy[list[Typed]] = st.lists(
    st.one_of(LETTERS, LETTERS, EDITS, EDITS, MOVES, PAGES, PASTED), min_size=1, max_size=25
)


@settings(max_examples=15, deadline=None)
@given(keys=KEYS)
def test_keys_in_one_read_lead_to_what_slow_typing_leads_to(benches: tuple[Bench, Bench], keys: list[Typed]) -> None:
    quick, slow = benches
    assert quick.write(keys, at_once) == slow.write(keys, slowly)


# --- what was seen to break ------------------------------------------------------------------------------------------


@pytest.fixture
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


async def open_product(seller: Seller) -> ProductScreen:
    """Open the first product of the list."""
    await seller.press("home", "enter")
    await seller.until(lambda: isinstance(seller.app.screen, ProductScreen), "the product opens")
    await seller.app.settled()
    screen = seller.app.screen
    assert isinstance(screen, ProductScreen)
    return screen


def stored(slug: str) -> Product:
    """The answers as another process finds them."""
    with open_store(Settings()) as store:
        return store.load(slug).answers


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ([*"Teh", "backspace", "backspace", *"he"], "The"),
        ([*"12", "left", "0"], "102"),
        (["x", Paste("Yoga"), "home", "delete", "end", "s"], "Yogas"),
    ],
)
async def test_letters_and_the_keys_that_move_among_them_are_obeyed_in_their_order(
    keys: list[Typed], name: str
) -> None:
    async with seller_at() as seller:
        await at_once(seller, ["n", *keys, "enter"])
        await seller.until(lambda: isinstance(seller.app.screen, ProductScreen), "the product opens")
    with open_store(Settings()) as store:
        assert [row.name for row in store.products().rows] == [name]


async def test_keys_typed_ahead_of_a_dialogue_go_into_it(sample: None) -> None:
    async with seller_at() as seller:
        screen = await open_product(seller)
        slug = screen.session.saved.slug
        await seller.goes_to("price points")
        before = len(stored(slug).pricing.prices)
        await at_once(seller, ["ctrl+n", "tab", "3", "9", "ctrl+o"])
        dialog = seller.app.screen
        if isinstance(dialog, FormDialog):  # something else is missing there: what was typed stands in it
            assert "39" in written(seller).values(), seller.screen
        else:
            assert len(stored(slug).pricing.prices) == before + 1
        assert seller.app.mistakes == 0


async def test_a_key_right_behind_the_one_that_opens_a_product_is_for_the_product(sample: None) -> None:
    async with seller_at() as seller:
        await at_once(seller, ["home", "enter", "ctrl+f", "ctrl+f", "ctrl+b"])
        screen = seller.app.screen
        assert isinstance(screen, ProductScreen)
        assert screen.current == screen.order[1]


@pytest.mark.parametrize(
    "keys",
    [
        ["ctrl+p", *"help", "enter", "enter", "enter"],
        ["ctrl+p", "pagedown"],
        ["ctrl+p", "escape", "escape"],
        ["ctrl+p", "ctrl+p", "escape", "f1", "f1", "f1"],
        ["n", "escape", "escape", "n", "escape"],
        ["slash", "z", "pagedown", "down", "enter", "escape", "pagedown", "end"],
        ["home", "enter", "ctrl+g", "a", "enter", "ctrl+g", "escape", "enter"],
        ["home", "enter", "f5", "f5", "escape", "escape", "enter", "f7", "enter", "escape"],
        ["home", "enter", "f7", "f7", "q", "f3", "f3", "escape", "escape", "escape"],
    ],
    ids=lambda keys: "-".join(keys),
)
async def test_quick_keys_break_nothing(sample: None, keys: list[Typed]) -> None:
    async with seller_at() as seller:
        await at_once(seller, keys)
        for _ in range(6):
            await seller.press("escape")
        await seller.until(lambda: isinstance(seller.app.screen, ProductsScreen), "the list is in front again")
        assert seller.app.mistakes == 0


async def test_a_screen_is_dismissed_once_and_never_takes_another_with_it() -> None:
    async with seller_at() as seller:
        app = seller.app
        below, above = Question("Below?", ""), Question("Above?", "")
        answers: list[object] = []
        await app.push_screen(below, answers.append)
        await app.push_screen(above)
        below.dismiss(True)
        below.dismiss(False)
        await app.settled()
        assert app.screen is above
        assert below not in app.screen_stack
        assert answers == [True]
        above.dismiss(None)
        above.dismiss(None)
        await app.settled()
        assert isinstance(app.screen, ProductsScreen)


async def test_a_desk_that_hangs_does_not_keep_a_seller_from_typing(
    sample: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (keyboard, screens.app):
        monkeypatch.setattr(module, "PATIENCE", 0.2)
    hangs = threading.Event()
    async with seller_at() as seller:
        await seller.press("slash")
        work = asyncio.create_task(seller.app.desk.do(hangs.wait))
        await asyncio.sleep(0.01)
        driver = seller.app._driver
        assert driver is not None
        for letter in "yoga":
            driver.process_message(Key(letter, letter))
        await seller.until(lambda: "yoga" in written(seller).values(), "what was typed is there")
        hangs.set()
        await work


async def test_nothing_is_called_saved_before_it_is_stored(sample: None) -> None:
    hangs = threading.Event()
    async with seller_at() as seller:
        screen = await open_product(seller)
        assert screen.top.right.startswith("saved ")
        work = asyncio.create_task(seller.app.desk.do(hangs.wait))
        try:
            await seller.pilot.press("tab", "x", "enter")
            await seller.until(lambda: screen.top.right.strip() == "saving …", "it says that it is saving")
        finally:
            hangs.set()  # the desk is waited for at the end
        await work
        await seller.settled()
        assert screen.top.right.startswith("saved ")


# --- when something goes wrong all the same --------------------------------------------------------------------------


class Mistaken(SteadyApp):
    """An app with a mistake in it."""

    async def action_help(self) -> None:
        """Fail."""
        raise KeyError("[/nope]")


def is_anew(app: screens.app.WizardApp, before: Screen[Any]) -> bool:
    """Whether another screen is in front."""
    return app.screen is not before and app.screen.is_mounted


def forgiven(app: screens.app.WizardApp) -> None:
    """The mistake was meant: the test does not fail with it."""
    assert isinstance(app._exception, KeyError)
    app._exception = None


async def test_a_mistake_in_an_action_is_said_in_a_sentence_and_the_app_goes_on(data_dir: Path) -> None:
    async with seller_at(app=Mistaken(Settings())) as seller:
        await seller.press("f1")
        await seller.sees("The wizard made a mistake (KeyError).")
        await seller.press("n")
        await seller.sees("A new product")
        report = (data_dir / REPORT).read_text()
        assert "KeyError" in report
        assert "action_help" in report
        assert "nope" not in report
        forgiven(seller.app)


async def test_a_list_without_room_has_no_pages_to_turn() -> None:
    async with seller_at() as seller:
        lines = Lines("none")
        await seller.app.screen.mount(lines)
        lines.put([Content("one"), Content("two")])
        lines.styles.height = 0
        lines.focus()
        await seller.pilot.pause()
        await seller.press("pagedown", "pageup", "pagedown")

        assert lines.highlighted == 0


async def test_a_mistake_in_a_part_of_a_page_closes_the_page_and_what_was_written_there_is_stored(sample: None) -> None:
    def fail() -> None:
        raise KeyError

    async with seller_at() as seller:
        screen = await open_product(seller)
        slug = screen.session.saved.slug
        await seller.press("tab")
        await seller.write("x")
        field = seller.app.focused
        assert field is not None
        before = stored(slug).general.official_name
        screen.top.call_later(fail)
        await seller.sees("The page was closed: open it again.")
        await seller.until(lambda: isinstance(seller.app.screen, ProductsScreen), "the list is in front again")
        await seller.until(lambda: stored(slug).general.official_name != before, "what was written is stored")
        await open_product(seller)
        forgiven(seller.app)


async def test_a_mistake_on_the_first_page_shows_it_anew_and_again_and_again_it_ends_with_a_sentence() -> None:
    def fail() -> None:
        raise KeyError

    async with seller_at() as seller:
        app = seller.app
        for number in range(MOST_MISTAKES):
            first = app.screen
            assert isinstance(first, ProductsScreen)
            first.lines.call_later(fail)
            await seller.until(partial(is_anew, app, first), f"it is shown anew, time {number + 1}")
            await seller.until(lambda: "create your first product" in seller.screen, "the list is there")
        assert isinstance(app.screen, ProductsScreen)
        app.screen.lines.call_later(fail)
        await seller.until(lambda: bool(app.refused), "it gives up")
        assert "start it again" in app.refused
        assert app.return_code == 1
        forgiven(app)
