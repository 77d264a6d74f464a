"""What keeps the app going: a screen leaves once and for good, and a mistake in a handler ends neither app nor screen.

Textual takes off whatever is in front when any screen is dismissed, and breaks when one is dismissed twice. It also
ends with a traceback when any handler raises. Nothing that a seller gave is lost by that, but they would not know it.
"""

from __future__ import annotations

import traceback
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from textual._context import active_message_pump
from textual._styles_cache import StylesCache
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

Result = TypeVar("Result")

MOST_MISTAKES = 3
"""Mistakes after which the app ends if its first page breaks, behind which there is nothing to go back to."""

REPORT = "trouble.log"
"""The file in the data folder in which mistakes are written down: kinds and places, no values."""


class Unbroken(MessagePump):
    """Goes on with the next message when the handler of one has raised."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            self.app._handle_exception(error)


class LastingScreen(Unbroken, Screen[Result]):
    """A screen that is dismissed once, wherever it stands; a second time is harmless."""

    _has_left = False

    def on_unmount(self) -> None:
        """Let go of what was painted. Textual remembers by the painting itself how much room a border leaves: a
        thousand paintings of widgets that are gone, every line of them."""
        StylesCache.get_inner_outer.cache_clear()

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Give back the result and take this screen off, whatever has come in front of it meanwhile."""
        stack = self.app._screen_stack
        if self._has_left or self not in stack:
            return AwaitComplete()
        self._has_left = True
        if self is stack[-1]:
            return super().dismiss(result)
        self._result_callbacks[-1](result)
        self._pop_result_callback()
        stack.remove(self)
        return AwaitComplete(self.app._replace_screen(self)).call_next(self.app)


class LastingApp(Unbroken, App[Result]):
    """An app in which a mistake costs at most the page that it happened on."""

    mistakes = 0
    """The mistakes of this sitting."""

    def give_up(self, sentence: str) -> None:
        """End, and say why once the terminal is a terminal again."""
        raise NotImplementedError

    def tell_mistake(self, sentence: str) -> None:
        """Say what went wrong, while the app goes on."""
        raise NotImplementedError

    def report_folder(self) -> Path | None:
        """The folder that mistakes are written down in, once it is known."""
        raise NotImplementedError

    def start_over(self) -> None:
        """Show the first page anew: it was the one that broke."""
        raise NotImplementedError

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error
        if self._exception is None:  # a test that drives the app fails with it
            self._exception = cause
            self._exception_event.set()
        self.mistakes += 1
        broken, first_page = _broken_screen(), self._screen_stack[1] if len(self._screen_stack) > 1 else None
        told = f"The wizard made a mistake ({type(cause).__name__}). What you gave is saved"
        where = self._write_down(cause)
        if not self._running or first_page is None or (broken is first_page and self.mistakes > MOST_MISTAKES):
            self.give_up(f"{told}: start it again.{where}")
        elif broken is None:
            self.tell_mistake(f"{told}, and you can go on.{where}")
        else:
            self.run_worker(self._close(broken), group="mistakes", exit_on_error=False)
            self.tell_mistake(f"{told}. The page was closed: open it again.{where}")

    async def _close(self, broken: Screen[Any]) -> None:
        """Take a page off that does not work any more, with what stands in front of it."""
        try:
            if (give_all := getattr(broken, "give_all", None)) is not None:
                await give_all()
        finally:
            stack = self._screen_stack
            for screen in reversed(stack[stack.index(broken) :] if broken in stack else []):
                screen.dismiss()
            if len(stack) == 1:
                self.start_over()

    def _write_down(self, error: Exception) -> str:
        """Write down what happened; where it can be read, as the end of a sentence."""
        folder = self.report_folder()
        if folder is None:
            return ""
        places = [f"  {Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
        lines = [f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {type(error).__name__}", *places, ""]
        try:
            with (folder / REPORT).open("a", encoding="utf-8") as report:
                report.write("\n".join(lines))
        except OSError:
            return ""
        return f" Where it happened is written down in {REPORT} in the data folder."


def _broken_screen() -> Screen[Any] | None:
    """The screen that does not answer any more: a part of it has stopped, or it never came up."""
    pump = active_message_pump.get(None)
    if not isinstance(pump, Widget) or (isinstance(pump, Unbroken) and pump._is_mounted):
        return None
    return next((node for node in pump.ancestors_with_self if isinstance(node, Screen)), None)
