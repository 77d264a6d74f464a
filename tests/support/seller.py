"""A seller at the keyboard: presses keys, writes, waits for what should appear, reads the screen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from textual.pilot import Pilot

from screens.app import WizardApp
from screens.host import Host
from wizard.settings import Settings

NOON = datetime(2026, 11, 23, 12, 4, tzinfo=UTC)
"""What every clock on a screen says, so that frames are always the same."""

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}


class SteadyApp(WizardApp):
    """The app with a clock that stands still and a cursor that does not blink."""

    def clock(self) -> datetime:
        """Always noon, or a little later."""
        return NOON

    def local(self, moment: datetime) -> datetime:
        """Whatever it is, it is noon."""
        return NOON


class Seller:
    """Drives one app through its keyboard."""

    def __init__(self, app: WizardApp, pilot: Pilot[Any]) -> None:
        self.host: Host = app  # mypy refuses an app that lacks what screens ask of it
        self.app = app
        self.pilot = pilot
        self.pressed = 0
        """The keys pressed so far, those of texts among them."""

    @property
    def screen(self) -> str:
        """What stands on the screen, as text."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, each taken in before the next."""
        for key in keys:
            self.pressed += 1
            await self.pilot.press(key)
            await self.app.keys_obeyed()
            await self.pilot.pause()

    async def write(self, text: str) -> None:
        """Write a text, letter by letter."""
        names = {" ": "space", "\n": "enter"}
        self.pressed += len(text)
        await self.pilot.press(*(names.get(letter, letter) for letter in text))
        await self.app.keys_obeyed()
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        """Paste a text into the focused field, as a terminal does."""
        from textual.events import Paste

        focused = self.app.focused
        assert focused is not None
        focused.post_message(Paste(text))
        await self.pilot.pause()

    async def sees(self, text: str, within: float = 10.0) -> None:
        """Wait until a text stands on the screen."""
        await self.until(lambda: text in self.screen, f"{text!r}", within)

    async def until(self, holds: Callable[[], bool], what: str, within: float = 10.0) -> None:
        """Wait until something holds."""
        end = time.monotonic() + within
        while not holds():
            assert time.monotonic() < end, f"never came: {what}\n{self.screen}"
            await self.pilot.pause(0.02)

    async def goes_to(self, name: str) -> None:
        """Go to a page or question by its name."""
        await self.press("ctrl+g")
        await self.sees("Go to")
        await self.write(name)
        await self.pilot.pause(0.1)
        await self.press("enter")
        await self.until(lambda: len(self.app.screen_stack) == 3, "the dialogue closes")
        await self.pilot.pause()

    async def saves(self, title: str) -> None:
        """Save the dialogue of that title, and wait until it is closed and its answer stored."""
        await self.press("ctrl+o")
        await self.until(lambda: title not in self.screen, f"{title} closes")
        await self.settled()

    async def settled(self) -> None:
        """Wait until every answer that was given is stored and shown."""
        # An empty list would mean all of them, and a dialogue that stands open never ends.
        if busy := [w for w in self.app.workers if w.group in ("answers", "fetch", "look", "change")]:
            await self.app.workers.wait_for_complete(busy)
        await self.app.desk.do(lambda: None)
        await self.pilot.pause()


@asynccontextmanager
async def seller_at(size: str = "80x24", app: WizardApp | None = None) -> AsyncIterator[Seller]:
    """A seller in front of the list of products, the records open."""
    app = app or SteadyApp(Settings())
    async with app.run_test(size=SIZES[size], notifications=True) as pilot:
        seller = Seller(app, pilot)
        await seller.until(lambda: app.store is not None, "the records are open")
        await seller.settled()
        yield seller
