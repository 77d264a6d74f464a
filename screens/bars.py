"""The one-line bars at the edges of a screen: what is edited, and the keys that work now."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Static

SPELLED = {"enter": "enter", "escape": "esc", "delete": "del", "question_mark": "?", "slash": "/", "space": "space"}


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
    """The few keys that work now. It is one line of text, painted anew only when the text is another."""

    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; }"

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._said = ""

    def on_mount(self) -> None:
        """Follow the focus: other keys work elsewhere."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self.show()

    def _changed(self, _screen: Screen[object]) -> None:
        self.show()

    def show(self) -> None:
        """Write the keys of the focused widget first, then the screen's, then the app's."""
        keys: list[tuple[str, str]] = []
        for _node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if enabled and binding.show and isinstance(binding, Binding):
                pair = (spelled(binding.key_display or binding.key), binding.description)
                if all(description != binding.description for _, description in keys):
                    keys.append(pair)
        room = (self.content_size.width or self.app.size.width) - 1
        line, last = Content(""), Content("")
        for key, description in keys:
            part = Content.assemble((key, "$accent"), f" {description}  ")
            if key == "F1":  # help is always in sight, at the end
                last = part
            elif line.cell_length + part.cell_length <= room - len("F1 Help"):
                line += part
        line += last
        if line.markup != self._said:
            self._said = line.markup
            self.update(line, layout=False)

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._said = ""
        self.show()
