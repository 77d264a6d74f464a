"""Help: what the focused field is about, and every key that works here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeGuard, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from screens.dialog import Dialog
from screens.widgets.bars import KeyLine, spelled
from screens.widgets.field import Field
from screens.widgets.lines import hanging
from wizard.flow import Question
from wizard.wording import label_of

if TYPE_CHECKING:
    from screens.host import Host

GENERAL = (
    "Enter takes the answer and goes on to the next field, and from the last one to the next page; on a field with ▾ "
    "it opens the list, in a text it makes a new line. Tab and Shift+Tab go from field to field and change nothing.",
    "On a page everything you answer is saved at once; a dialogue is saved with ctrl+s.",
    "In a list: up and down move, Enter opens or takes, space marks.",
)

MARKS = (
    ("✓", "complete"),
    ("!", "something is missing"),
    ("?", "needs review"),
    ("·", "empty"),
    ("*", "must be answered"),
    ("✦", "suits what you answered before"),
)


class Rows(Static):
    """Lines of a head and a text: what does not fit goes on below where the text began."""

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        super().__init__(markup=False)
        self._rows = [(Content(head), Content(text)) for head, text in rows]

    def on_resize(self) -> None:
        """There is more room, or less."""
        width = self.content_size.width or 60
        self.update(Content("\n").join(hanging(head, text, width) for head, text in self._rows))


class HelpScreen(Dialog):
    """Explains one field, and lists keys with what they do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark", "leave", "Close", id="help.leave", tooltip="Close the help"),
    ]

    def __init__(self, question: Question | None, keys: list[tuple[str, str, str]], host: str, about: str = "") -> None:
        """`about`: what the focused control is for, where it is no field of a form."""
        super().__init__()
        self.question, self.keys = question, keys
        self.host, self.about = host, about

    @classmethod
    def of(cls, screen: Screen[Any]) -> HelpScreen:
        """The help for what has the focus on a screen."""
        focused = screen.focused
        field = next((a for a in focused.ancestors_with_self if isinstance(a, Field)), None) if focused else None
        keys = []
        for _node, binding, enabled, tooltip in screen.active_bindings.values():
            if binding.description and (binding.show or binding.id) and enabled is not False:
                keys.append((spelled(binding.key_display or binding.key), binding.description, str(tooltip or "")))
        host = cast("Host", screen.app).settings.host_name
        told = (str(each.tooltip) for each in (focused.ancestors_with_self if focused else ()) if _has_tooltip(each))
        return cls(field.question if field else None, list(dict.fromkeys(keys)), host, next(told, ""))

    def compose(self) -> ComposeResult:
        """The field first, then the keys."""
        with Vertical(classes="box"), VerticalScroll(id="help"):
            if self.question is not None:
                yield Static(Content(self.question.ask.label), classes="heading")
                yield Static(Content(self._about(self.question)))
            elif self.about:
                yield Static(Content(f"{self.about}\n"))
            yield Static(Content("Keys that work here"), classes="heading")
            wide = max((len(key) for key, *_ in self.keys), default=0)
            yield Rows((f"{key:<{wide}}  {does:<13} ", told) for key, does, told in self.keys)
            yield Static(Content("".join(f"\n{paragraph}\n" for paragraph in GENERAL)))
            yield Static(Content("Marks"), classes="heading")
            yield Rows((f"{mark}  ", told) for mark, told in MARKS)
        yield KeyLine()

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one("#help").focus()

    def _about(self, question: Question) -> str:
        lines = [question.ask.help]
        for choice in question.choices:
            lines += [f"  {label_of(choice, self.host)}"] + [
                f"      {told}" for told in (choice.hint, choice.more) if told
            ]
        # What is asked now is of the option that was chosen, whose name is no key of a document.
        path = re.sub(r"^(post_sale\.access)\.[a-z_]+\.", r"\1.", question.id)
        return "\n".join([*lines, f"In documents: {path}", ""])


def _has_tooltip(node: DOMNode) -> TypeGuard[Widget]:
    return isinstance(node, Widget) and node.tooltip is not None
