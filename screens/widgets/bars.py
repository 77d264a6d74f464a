"""The one-line bars at the edges of a screen: what is edited, and the keys that work now."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Static

SPELLED = {"enter": "enter", "escape": "esc", "delete": "del", "question_mark": "?", "slash": "/", "space": "space"}

HELP = "Help"
"""What the key that helps is called."""


def spelled(key: str) -> str:
    """A key as it is written on keyboards and in manuals: F1, ctrl+n, esc."""
    key = key.partition(",")[0]
    return SPELLED.get(key, key.upper() if key[:1] == "f" and key[1:].isdecimal() else key)


class TopLine(Static):
    """What is edited on the left, its two switches in the middle, and what was saved on the right."""

    DEFAULT_CSS = "TopLine { dock: top; height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; }"

    left: var[str] = var("")
    middle: var[str] = var("")
    right: var[str] = var("")

    def render(self) -> Content:
        """The three parts, the outer ones at the edges."""
        width = self.content_size.width or self.size.width or 80
        right = f"{self.middle}   {self.right}".strip() if self.middle else self.right
        left = Content(self.left).truncate(max(0, width - Content(right).cell_length - 2), ellipsis=True)
        gap = max(1, width - left.cell_length - Content(right).cell_length)
        return Content.assemble(left.stylize("bold"), " " * gap, right)

    def watch_left(self) -> None:
        """Paint anew."""
        self.refresh()

    def watch_middle(self) -> None:
        """Paint anew."""
        self.refresh()

    def watch_right(self) -> None:
        """Paint anew."""
        self.refresh()


class KeyLine(Static):
    """The few keys that work now; a click on one is the key. It is painted anew only when the text is another."""

    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; }"

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._said = ""
        self._places: list[tuple[int, int, Binding, DOMNode]] = []
        """Where each key stands: from this column to that one, its binding, and the widget that it is a key of."""

    def on_mount(self) -> None:
        """Follow the focus: other keys work elsewhere."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self.show()

    def _changed(self, _screen: Screen[object]) -> None:
        self.show()

    def show(self) -> None:
        """Write the keys of the focused widget first, then the screen's, then the app's."""
        keys: dict[str, tuple[str, Binding, DOMNode]] = {}
        for node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if enabled and binding.show and isinstance(binding, Binding):
                key = spelled(binding.key_display or binding.key)
                keys.setdefault(binding.description, (key, binding, node))
        room = (self.content_size.width or self.app.size.width) - 1
        help = keys.pop(HELP, None)  # always in sight, at the end
        line, self._places = Content(""), []
        for description, (key, binding, node) in [*keys.items(), *([(HELP, help)] if help else [])]:
            part = Content.assemble((key, "$accent"), f" {description}  ")
            if description == HELP or line.cell_length + part.cell_length <= room - len(f"F1 {HELP}"):
                start = line.cell_length
                line += part
                self._places.append((start, line.cell_length - 2, binding, node))
        if line.markup != self._said:
            self._said = line.markup
            self.update(line, layout=False)

    async def on_click(self, event: events.Click) -> None:
        """Do what the key under the pointer does."""
        at = event.get_content_offset(self)
        for start, end, binding, node in self._places:
            if at is not None and start <= at.x < end:
                await self.app.run_action(binding.action, node)
                return

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._said = ""
        self.show()
