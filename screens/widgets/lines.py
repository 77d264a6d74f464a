"""A short list without boxes, which screen readers can follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual._widget_navigation import Direction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option


def hanging(head: Content, text: Content, width: int) -> Content:
    """A head and a text beside it, in so many cells: what does not fit goes on below where the text began."""
    room = max(16, width - head.cell_length)
    return Content.assemble(head, Content(f"\n{' ' * head.cell_length}").join(text.wrap(room)))


class QuietInput(Input):
    """One line to write in, with a cursor that stands still: a blinking one sends bytes for ever."""

    def on_mount(self) -> None:
        """Stop the blinking."""
        self.cursor_blink = False


class Lines(OptionList):
    """One option a line. The terminal's own cursor follows the highlighted row: screen readers read where it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Select", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(markup=False, compact=True, id=id)
        self._gap = 0
        """Empty rows between two options."""
        self.is_marking = False
        """Whether the selection under way came from space, which marks and stays, and not from Enter."""

    def action_mark(self) -> None:
        """Select, and stay here."""
        self.is_marking = True
        self.action_select()
        self.call_after_refresh(setattr, self, "is_marking", False)

    def put(self, lines: Sequence[Content], keep: int | None = None, *, apart: bool = False) -> None:
        """Show these lines, the highlight staying where it was, or at `keep`; `apart` leaves rows free between."""
        at = self.highlighted if keep is None else keep
        self._clear_caches()  # what was painted of lines that are gone would be kept
        self._gap = int(apart)
        options = [Option(line) for line in lines]
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options([each for option in options for each in (option, None)][:-1] if apart else options)
            if lines:
                self.highlighted = min(at or 0, len(lines) - 1)

    def _move_page(self, direction: Direction) -> None:
        """Go a page up or down: there is none where the list has no room, and Textual looks for its lines."""
        if self.scrollable_content_region:
            super()._move_page(direction)

    def render_line(self, y: int) -> Strip:
        """Paint a row, and let the terminal's cursor follow the highlighted one in the same paint."""
        if self.has_focus and self.highlighted is not None:
            before = self.options[: self.highlighted]
            above = sum(str(option.prompt).count("\n") + 1 + self._gap for option in before)
            if y == above - self.scroll_offset.y:
                self.app.cursor_position = self.content_region.offset + Offset(0, y)
        return super().render_line(y)
