"""One control for each kind of answer. Each shows an answer, says what is being written, and hands over what is given.

Controls hold no rules: what was written goes to the model, which accepts it or says what is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, TextArea

from screens.widgets.harmless import marked
from screens.widgets.lines import QuietInput
from wizard.flow import Question
from wizard.wording import as_text, from_text


@dataclass
class Drafted(Message):
    """Something is being written and not given yet."""

    origin: Widget
    answer: Any


@dataclass
class Given(Message):
    """An answer was given: Enter was pressed, a choice was made, or the field was left."""

    origin: Widget
    answer: Any
    enter: bool = False
    """Whether Enter was pressed: once the answer is accepted, the next field gets the focus."""


@dataclass
class Told(Message):
    """Another choice is highlighted, and there may be something to say about it."""

    origin: Widget


@dataclass
class Noted(Message):
    """The wizard did something on its own with what was given, and says so."""

    origin: Widget
    text: str


@dataclass
class Onward(Message):
    """Enter was pressed: go on to the next field."""

    origin: Widget


@dataclass
class DialogRequested(Message):
    """The seller wants to choose, add or change something that needs a dialogue."""

    origin: Widget
    what: str
    """`choose`, `add`, `edit`, `remove`, `up` or `down`."""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to choose: its value, the label, and a hint."""

    value: Any
    label: str
    hint: str = ""
    more: str = ""


def example(question: Question) -> str:
    """What stands in an empty field: an example that cannot be taken for an answer, or what empty means."""
    shown = question.ask.placeholder
    return f"e.g. {shown}" if shown and question.ask.kind not in ("number", "duration") else shown


KEPT = "kept; write another to replace it"
"""What stands in the field of a secret that is there: it is never shown again."""


class LineControl(QuietInput):
    """One line of text. Up and Down leave it like Tab, Enter gives the answer and goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Previous field", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, question: Question, id: str) -> None:
        super().__init__(
            placeholder=example(question),
            password=question.ask.kind == "secret",
            # What is replaced rather than changed is selected: the next key writes over it.
            select_on_focus=bool(question.ask.usual) or question.ask.kind in ("number", "amount", "duration"),
            suggester=SuggestFromList(question.ask.usual, case_sensitive=False) if question.ask.usual else None,
            compact=True,
            id=id,
        )
        self.question = question
        self._shown = ""
        self.given: str | None = None
        """What is being stored. Until it is, or is refused, it is not painted over and not given again."""

    @property
    def is_dirty(self) -> bool:
        """Whether something was written that was not given yet."""
        return self.value != self._shown

    @property
    def written(self) -> Any:
        """What stands here, as an answer."""
        return from_text(self.question, self.value)

    def show_answer(self, answer: Any) -> None:
        """Show what is stored, unless the seller is in the middle of writing something else."""
        text = as_text(self.question, answer)
        if self.password:
            self.placeholder = KEPT if answer is not None else example(self.question)
        if not self.is_dirty or not self.has_focus:
            self._shown = text
            with self.prevent(Input.Changed):
                self.value = text
        self._shown = text

    def give(self) -> None:
        """Hand over what stands here, if it is something new."""
        if self.is_dirty and self.given != self.value:
            self.given = self.value
            self.post_message(Given(self, self.written))

    def forget(self) -> None:
        """Take what stands here for given."""
        self._shown = self.value

    @on(Input.Changed)
    def _draft(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(Drafted(self, self.written))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        # A wrong answer keeps the focus, so going on is left to whoever accepts it.
        self.post_message(Given(self, self.written, enter=True) if self.is_dirty else Onward(self))

    def on_blur(self) -> None:
        """Leaving the field gives the answer."""
        self.give()

    def _on_paste(self, event: events.Paste) -> None:
        # Textual's own way would take the first line without a word, and take many a character for the end of a line.
        event.prevent_default()
        event.stop()
        lines = [line for line in re.split(r"\r\n|\r|\n", event.text) if line.strip()]
        if not lines:
            return
        start, end = sorted(self.selection)
        self.replace(lines[0], start, end)
        if len(lines) > 1:
            self.post_message(Noted(self, f"This takes one line: the first of {len(lines)} was taken."))

    @property
    def _value(self) -> Text:
        # What the models will refuse is seen here, so that it can be taken out.
        seen = marked(self.value)
        plain = super()._value
        return plain if self.password or seen == self.value else Text(seen, no_wrap=True, overflow="ignore", end="")


class PathControl(LineControl):
    """A path of a file: written, or picked from a folder, which Enter opens while nothing is written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "browse", "Browse", id="path.browse", tooltip="Pick the file from a folder"),
    ]

    def action_browse(self) -> None:
        """Open the folder browser."""
        self.post_message(DialogRequested(self, "choose"))

    async def action_submit(self) -> None:
        """Give the path, or look for one where there is none."""
        if self.value:
            await super().action_submit()
        else:
            self.action_browse()


class TextControl(TextArea):
    """Several lines of text. Tab leaves it; Enter makes a new line."""

    def __init__(self, question: Question, id: str) -> None:
        super().__init__(compact=True, tab_behavior="focus", id=id, highlight_cursor_line=False)
        self.cursor_blink = False
        self.question = question
        self._is_fresh = False
        """Whether its text was put here since it had the focus last."""
        self._shown = ""
        self.given: str | None = None
        """What is being stored. Until it is, or is refused, it is not painted over and not given again."""

    @property
    def is_dirty(self) -> bool:
        """Whether something was written that was not given yet."""
        return self.text != self._shown

    @property
    def written(self) -> Any:
        """What stands here, as an answer."""
        return from_text(self.question, self.text)

    def show_answer(self, answer: Any) -> None:
        """Show what is stored, unless the seller is in the middle of writing something else."""
        text = as_text(self.question, answer)
        if (not self.is_dirty or not self.has_focus) and self.text != text:
            with self.prevent(TextArea.Changed):
                self.load_text(text)
            self._is_fresh = True
        self._shown = text

    def give(self) -> None:
        """Hand over what stands here, if it is something new."""
        if self.is_dirty and self.given != self.text:
            self.given = self.text
            self.post_message(Given(self, self.written))

    def forget(self) -> None:
        """Take what stands here for given."""
        self._shown = self.text

    @on(TextArea.Changed)
    def _draft(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(Drafted(self, self.written))

    def on_focus(self) -> None:
        """What was there already is read from its start, and written on from its end."""
        if self._is_fresh:
            self._is_fresh = False
            self.move_cursor(self.document.end)

    def on_blur(self) -> None:
        """Leaving the field gives the answer."""
        self.give()

    def get_line(self, line_index: int) -> Text:
        """A line as it is painted: what the models will refuse is seen, so that it can be taken out."""
        return Text(marked(self.document.get_line(line_index), "\t"), end="", no_wrap=True)
