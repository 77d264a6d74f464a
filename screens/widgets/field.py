"""A question on the screen, and the screen that lets its fields know which of them has the focus."""

from __future__ import annotations

from typing import TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from screens.widgets.choices import Rows
from screens.widgets.controls import Noted, Told
from screens.widgets.lasting import LastingScreen
from wizard.flow import Question

Result = TypeVar("Result")


def widget_id(path: str) -> str:
    """The id of the widget that asks for the answer at a path: the question's id, with hyphens between its parts."""
    return path.replace(".", "-")


def first_sentence(help: str) -> str:
    """What fits on one line; F1 shows the rest."""
    return help.partition(". ")[0].removesuffix(".") + "." if help else ""


class Field(Vertical):
    """A question on the screen: its label, its control, and one line for help or, in its place, the error."""

    def __init__(self, question: Question, path: str, control: Widget, *, bare: bool = False) -> None:
        super().__init__(classes="-bare" if bare else "-stacked" if isinstance(control, Rows) else "")
        self.question = question
        self.path = path
        self.control = control
        self.error: str | None = None
        self.is_refused = False
        """Whether what stands here was not stored: it stays until it is, or until the seller writes another."""
        self.is_needed = False
        """Whether its form cannot do without an answer."""
        self.note = ""
        self._label = Static(Content(question.ask.label), classes="label")
        self._unit = Static(Content(question.ask.unit), classes="unit")
        self._message = Static("", classes="message", markup=False)

    def compose(self) -> ComposeResult:
        """The label beside the control, and the message under both."""
        with Horizontal(classes="line"):
            yield self._label
            yield self.control
            if self.question.ask.unit:
                yield self._unit
        yield self._message

    @property
    def is_on_screen(self) -> bool:
        """Whether it is asked now, on the page that is open."""
        return all(widget.display for widget in self.ancestors_with_self if isinstance(widget, Widget))

    def show_error(self, message: str | None) -> None:
        """Show what is wrong in place of the help, or take it away."""
        self.error = message
        self.is_refused = self.is_refused and message is not None
        self.set_class(message is not None, "-error")
        self._show_label()
        self._say()

    def show_needed(self, is_needed: bool) -> None:
        """Mark it as one that must be answered, or not."""
        if is_needed != self.is_needed:
            self.is_needed = is_needed
            self._show_label()

    def _show_label(self) -> None:
        mark, star = "! " if self.error is not None else "", (" *", "$accent") if self.is_needed else ""
        self._label.update(Content.assemble(mark + self.question.ask.label, star))

    def show_unit(self, is_there: bool) -> None:
        """Show the unit beside a number; an empty field says what empty means, and that has no unit."""
        self._unit.display = is_there

    def show_note(self, note: str) -> None:
        """Say in place of the help what the wizard did on its own."""
        self.note = note
        self._say()

    @on(Told)
    def _told(self, event: Told) -> None:
        event.stop()
        self._say()

    @on(Noted)
    def _noted(self, event: Noted) -> None:
        event.stop()
        self.show_note(event.text)

    def _say(self) -> None:
        if self.error is not None:
            text = f"✗ {self.error}"
        elif self.note:
            text = f"→ {self.note}"
        else:
            more = getattr(self.control, "more", "") or first_sentence(self.question.ask.help)
            text = more if self.has_class("-active") and not getattr(self.control, "says_all", False) else ""
        self._message.update(Content(text))

    def entered(self) -> None:
        """It has the focus now: it says what it is about."""
        self.add_class("-active")
        self._say()

    def left(self) -> None:
        """Another one has the focus now: only what is wrong stays."""
        self.remove_class("-active")
        self.note = ""
        self._say()


def field_of(widget: Widget | None) -> Field | None:
    """The field that a widget is in."""
    above = widget.ancestors_with_self if widget is not None else ()
    return next((node for node in above if isinstance(node, Field)), None)


class FormScreen(LastingScreen[Result]):
    """A screen with fields on it. The one that has the focus shows it in the same paint as the focus itself: told by
    messages, as Textual tells it, a key would be followed by two layouts and two paints."""

    def set_focus(self, widget: Widget | None, scroll_visible: bool = True, from_app_focus: bool = False) -> None:
        """Let the field that is left and the one that is entered know."""
        before = field_of(self.focused)
        super().set_focus(widget, scroll_visible, from_app_focus)
        now = field_of(self.focused)
        if now is not before:
            if before is not None:
                before.left()
            if now is not None:
                now.entered()
        self.refresh_bindings()
