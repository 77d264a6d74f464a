"""What every dialogue is, and the shortest one: yes or no. Each gives back one typed answer, or None when left."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from screens.host import HasHost
from screens.widgets.bars import KeyLine
from screens.widgets.field import FormScreen


class Dialog(HasHost, FormScreen[Any], ModalScreen[Any]):
    """What every dialogue is: a titled box in the middle, closed without effect by Esc."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="dialog.leave", tooltip="Close it; nothing changes"),
        Binding(
            "f1,question_mark",
            "app.help",
            "Help",
            id="dialog.help",
            tooltip="Explain the focused field and list the keys",
        ),
        Binding("ctrl+q", "app.quit", "Quit", show=False, id="dialog.quit", tooltip="Leave the program"),
    ]

    def action_leave(self) -> None:
        """Close it without an answer."""
        self.dismiss(None)


class Question(Dialog):
    """Asks yes or no before something that cannot be taken back. Gives back True for yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", id="question.yes", tooltip="Do it"),
        Binding("n", "leave", "No", id="question.no", tooltip="Leave everything as it is"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        """The question, and No first."""
        with Vertical(classes="box -small"):
            yield Static(Content(self.heading), classes="heading")
            yield Static(Content(self.text))
            with Horizontal(classes="buttons"):
                yield Button("No", id="no", compact=True)
                yield Button("Yes", id="yes", compact=True)
        yield KeyLine()

    @on(Button.Pressed, "#yes")
    def action_yes(self) -> None:
        """Yes."""
        self.dismiss(True)

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(None)
