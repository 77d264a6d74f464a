"""The keyboard: one key is obeyed after the other, however many arrive at once.

Textual hands every key on as it comes. A letter is written by the field that has the focus, a backspace goes up to the
app and back, and what an Enter leads to (an answer is stored, a dialogue opens, the focus moves on) comes later still.
Keys that arrive in one read, from a paste, a macro or over a slow line, overtake each other, and meet a screen that is
not mounted yet or is gone already.

Here a key waits until the one before it is through, and then belongs to the screen that is in front. It is through when
nothing is left to do: the loop has nothing ready, the desk is idle, and the screen in front has laid itself out. No
part of the app has to say so, and what takes long by design (a dialogue that stands open, a test-fire in its own
thread) is no work of the loop or the desk, so nothing waits for it.

This rests on private parts of Textual and asyncio. Where they are not as expected keys are handed on as they come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection
from time import monotonic
from typing import Any, TypeVar

from textual.app import App
from textual.events import Event, Key, Paste
from textual.screen import Screen

ReturnType = TypeVar("ReturnType")

PATIENCE = 3.0
"""Seconds that a key waits at most: whoever waits for a database that hangs must still be able to leave."""

BATCH_PAUSE = 0.005
"""Seconds between two looks at a screen that may not be painted just now."""

PRIVATE_PARTS = ("_callbacks", "_layout_required", "_on_timer_update")


class KeysInTurn(App[ReturnType]):
    """An app that obeys one key after the other."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._typed: deque[Event] = deque()
        """What was typed and is not obeyed yet."""
        self._obeyed: Event | None = None
        """What is being obeyed."""
        self._typist: asyncio.Task[None] | None = None
        self._one_waits = asyncio.Lock()
        """Two that wait for the loop to have nothing ready would wait for each other."""

    def unfinished(self) -> Collection[asyncio.Future[Any]]:
        """The work outside the loop that a key has led to, and that the next one has to wait for."""
        return ()

    async def on_event(self, event: Event) -> None:
        """Put what is typed in its turn."""
        is_typed = isinstance(event, Key | Paste) and not event.is_forwarded and event is not self._obeyed
        if not is_typed or not hasattr(asyncio.get_running_loop(), "_ready"):
            await super().on_event(event)
            return
        self._typed.append(event)
        if self._typist is None or self._typist.done():
            self._typist = asyncio.create_task(self._obey(), name="keys in turn")

    async def _obey(self) -> None:
        try:
            while self._typed:
                await self.settled()
                if self._exit or not self._running:
                    self._typed.clear()
                    return
                self._obeyed = self._typed.popleft()
                self.post_message(self._obeyed)
                await asyncio.sleep(0)
        except Exception as error:  # the screen could not be laid out
            self._handle_exception(error)

    async def keys_obeyed(self) -> None:
        """Wait until every key that was typed is through."""
        while self._typed:
            if self._typist is None or self._typist.done():
                return  # it has failed
            await asyncio.wait([self._typist])
        await self.settled()

    async def settled(self) -> None:
        """Wait until what was typed last has led to all it leads to, or for `PATIENCE` seconds."""
        ready: Collection[Any] = getattr(asyncio.get_running_loop(), "_ready", ())
        async with self._one_waits:
            end = monotonic() + PATIENCE
            while (left := end - monotonic()) > 0 and self._running:
                if ready:
                    await asyncio.sleep(0)
                elif work := self.unfinished():
                    await asyncio.wait(work, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                elif self._screen_stack and is_unlaid(screen := self._screen_stack[-1]):
                    if self._batch_count:
                        await asyncio.sleep(BATCH_PAUSE)
                    else:
                        screen._on_timer_update()
                        await asyncio.sleep(0)
                else:
                    return


def is_unlaid(screen: Screen[Any]) -> bool:
    """Whether something on a screen waits for its next layout: where a field will be, or which one gets the focus."""
    return screen.is_running and bool(screen._callbacks or screen._layout_required)
