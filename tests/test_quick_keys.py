"""Keys that come faster than they can be obeyed: what they lead to is what the same keys lead to when typed slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Key, Paste
from textual.keys import _character_to_key
from textual.widgets import Input, TextArea

from screens.product import ProductScreen
from screens.products import ProductsScreen
from tests.seller import Seller, SteadyApp, seller_at
from wizard.settings import Settings

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
