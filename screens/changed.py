"""Somebody else changed the product meanwhile: what differs, and which side to take, field by field."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from screens.dialog import Dialog
from screens.widgets.bars import KeyLine
from screens.widgets.lines import Lines
from wizard.editing.settling import Difference, differences
from wizard.session import ChangedElsewhere

LONGEST = 50
"""The most characters that are shown of one side: both sides stand below each other at 80 columns."""


def in_short(said: str) -> str:
    """One side of a difference, as far as there is room for it."""
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


class ChangedDialog(Dialog):
    """Gives back the paths of the answers that stay as this seller gave them; the others come from the store.

    At first only what this seller has just answered is theirs to keep. None when it is to be decided later.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+o", "done", "Save", id="changed.done", tooltip="Save what is chosen"),
        Binding("m", "all(True)", "Mark mine", id="changed.mine", tooltip="Keep every answer of yours"),
        Binding("t", "all(False)", "Mark theirs", id="changed.theirs", tooltip="Take every answer of theirs"),
        Binding("escape", "leave", "Later", id="changed.later", tooltip="Decide later; your answer stays unsaved"),
    ]

    def __init__(self, changed: ChangedElsewhere) -> None:
        super().__init__()
        self.changed = changed
        self.differences: list[Difference] = []
        self.mine = {each.path: each.given for each in changed.differences}
        self.lines = Lines("differences")

    def compose(self) -> ComposeResult:
        """What happened, and each answer that differs."""
        with Vertical(classes="box"):
            yield Static(Content("This product was changed elsewhere"), classes="heading")
            yield Static(Content("Nothing was overwritten. Space takes the other side of an answer.\n"))
            yield self.lines
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the differences."""
        self.differences = differences(self.changed, self.wizard.settings.host_name)
        self.show()
        self.lines.focus()

    def show(self) -> None:
        """Both sides of each answer below its name: the side that is taken is marked."""
        rows = []
        for each in self.differences:
            marks = ("◉", "○") if self.mine[each.path] else ("○", "◉")
            sides = f"\n  {marks[0]} yours   {in_short(each.mine)}\n  {marks[1]} theirs  {in_short(each.theirs)}"
            rows.append(Content.assemble((each.label, "bold"), sides))
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
