"""Somebody else changed the product meanwhile: what differs, and which side to take, field by field."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from screens.bars import KeyLine
from screens.dialogs import Dialog
from screens.lines import Lines
from wizard import flow
from wizard.session import ChangedElsewhere


def shortly(value: Any) -> str:
    """A plain value on a part of a line."""
    text = "nothing" if value in (None, "", [], ()) else str(value)
    return text if len(text) <= 24 else text[:23] + "…"


class ChangedDialog(Dialog):
    """Gives back the paths of the answers that stay as this seller gave them; the others come from the store.

    At first only what this seller has just answered is theirs to keep. None when it is to be decided later.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "done", "Save", id="changed.done", tooltip="Save what is chosen"),
        Binding("m", "all(True)", "All mine", id="changed.mine", tooltip="Keep every answer of yours"),
        Binding("t", "all(False)", "All theirs", id="changed.theirs", tooltip="Take every answer of theirs"),
        Binding("escape", "leave", "Later", id="changed.later", tooltip="Decide later; your answer stays unsaved"),
    ]

    def __init__(self, changed: ChangedElsewhere) -> None:
        super().__init__()
        self.differences = changed.differences
        self.mine = {difference.path: difference.given for difference in self.differences}
        self.lines = Lines("differences")

    def compose(self) -> ComposeResult:
        """What happened, and one line for each answer that differs."""
        with Vertical(classes="box"):
            yield Static(Content("This product was changed elsewhere"), classes="heading")
            yield Static(Content("Nothing was overwritten. Choose for each answer which one stands; space changes it."))
            yield self.lines
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the differences."""
        self.show()
        self.lines.focus()

    def show(self) -> None:
        """One line for each answer: the side that is taken is marked."""
        rows = []
        for each in self.differences:
            label = flow.question_at(each.path).ask.label
            mine, theirs = ("◉", "○") if self.mine[each.path] else ("○", "◉")
            yours = f"{mine} yours: {shortly(each.mine):<24}"
            rows.append(Content(f"{label:<20.20} {yours}  {theirs} theirs: {shortly(each.theirs)}"))
        self.lines.put(rows)

    @on(OptionList.OptionSelected)
    def _turn(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        path = self.differences[event.option_index].path
        self.mine[path] = not self.mine[path]
        self.show()

    def action_all(self, mine: bool) -> None:
        """Take one side everywhere."""
        self.mine = dict.fromkeys(self.mine, mine)
        self.show()

    def action_done(self) -> None:
        """Give back what is kept."""
        self.dismiss({path for path, mine in self.mine.items() if mine})
