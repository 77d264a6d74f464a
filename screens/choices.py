"""The controls with which something is chosen: yes or no, one of a few, several, one of the seller's things, rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Select, Static

from screens.controls import Given, Item, Onward, Told, Wanted
from screens.lines import Lines
from screens.theme import MUTED
from wizard.flow import Question


def item_line(mark: str, item: Item, width: int, below: bool = False) -> Content:
    """One entry of a list: a mark, the label, and the hint in a column of its own or, where it is narrow, below."""
    hint = (f"\n  {item.hint}" if below else f"  {item.hint}") if item.hint else ""
    return Content.assemble(f"{mark} {item.label:<{width}}", (hint, MUTED))


class Toggle(Static, can_focus=True):
    """Yes or no, on one line: space turns it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "Turn", id="toggle.turn", tooltip="Turn it on or off"),
        Binding("enter", "go_on", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.on = False
        self.fixed = ""
        """Why it is on and cannot be turned; empty when it can."""
        self.show_answer(False)

    def show_answer(self, answer: Any) -> None:
        """Show what is stored."""
        self.on = bool(answer)
        mark = "[x] yes" if self.on or self.fixed else "[ ] no"
        self.update(Content.assemble(mark, (f"  {self.fixed}", MUTED)))

    def action_turn(self) -> None:
        """Turn it, and give the answer."""
        if self.fixed:
            return
        self.show_answer(not self.on)
        self.post_message(Given(self, self.on))

    def action_go_on(self) -> None:
        """Go on to the next field."""
        self.post_message(Onward(self))

    def on_click(self) -> None:
        """A click turns it."""
        self.action_turn()


class Menu(Lines):
    """One of a few, all in sight, each with what tells it apart."""

    def __init__(self, items: Sequence[Item], id: str) -> None:
        super().__init__(id)
        self.items = list(items)
        self._answer: Any = None
        self._room = 60
        """Columns it has. Not known before it was laid out once."""
        self.show_answer(None)

    def show_answer(self, answer: Any) -> None:
        """Show what is stored; the highlight stands on it."""
        self._answer = answer
        width = max(len(item.label) for item in self.items)
        below = width + 4 + max(len(item.hint) for item in self.items) > self._room
        lines = [item_line("◉" if item.value == answer else "○", item, width, below) for item in self.items]
        chosen = next((n for n, item in enumerate(self.items) if item.value == answer), None)
        self.put(lines, keep=None if self.has_focus else chosen)

    def on_resize(self) -> None:
        """There is more room for the hints, or less. Coming back to a page there is as much as before."""
        if self.size.width != self._room:
            self._room = self.size.width
            # Not in the middle of the layout that told the size: it would not look at the new height any more.
            self.call_after_refresh(lambda: self.show_answer(self._answer))

    @property
    def more(self) -> str:
        """What there is to say about the highlighted one."""
        return self.items[self.highlighted].more if self.highlighted is not None else ""

    @on(OptionList.OptionHighlighted)
    def _tell(self) -> None:
        self.post_message(Told(self))

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        value = self.items[event.option_index].value
        if value == self._answer:
            self.post_message(Onward(self))
        else:
            self.show_answer(value)
            self.post_message(Given(self, value, enter=not self.is_marking))


class Checklist(Lines):
    """Any of a few. With an order, each one that is taken bears its number, and can be moved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up,K", "move(-1)", "Move up", show=False, id="checklist.up", tooltip="Earlier in the order"),
        Binding("shift+down,J", "move(1)", "Move down", show=False, id="checklist.down", tooltip="Later in the order"),
    ]

    def __init__(self, items: Sequence[Item], id: str, ordered: bool = False) -> None:
        super().__init__(id)
        self.items = list(items)
        self.ordered = ordered
        self.taken: list[Any] = []
        self.show_answer(())

    def show_items(self, items: Sequence[Item]) -> None:
        """Show other things to choose from."""
        if list(items) != self.items:
            self.items = list(items)
            self.show_answer(self.taken)

    def show_answer(self, answer: Any) -> None:
        """Show what is stored. What is stored and no longer on offer is shown too, and can be taken off."""
        self.taken = list(answer or ())
        known = [item.value for item in self.items]
        rows = self.items + [Item(v, str(v), "no longer on offer") for v in self.taken if v not in known]
        self._rows = rows
        width = max((len(item.label) for item in rows), default=0)
        self.put([item_line(self._mark(item.value), item, width) for item in rows])

    def _mark(self, value: Any) -> str:
        if value not in self.taken:
            return "[ ]"
        return f"[{self.taken.index(value) + 1}]" if self.ordered else "[x]"

    @on(OptionList.OptionSelected)
    def _turn(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        value = self._rows[event.option_index].value
        known = [item.value for item in self.items]
        taken = [v for v in self.taken if v != value] if value in self.taken else [*self.taken, value]
        if not self.ordered:
            taken.sort(key=lambda v: known.index(v) if v in known else len(known))
        self._give(taken)

    def action_move(self, by: int) -> None:
        """Move the highlighted one in the order."""
        if not self.ordered or self.highlighted is None:
            return
        value = self._rows[self.highlighted].value
        if value in self.taken:
            at = self.taken.index(value)
            to = max(0, min(len(self.taken) - 1, at + by))
            taken = [v for v in self.taken if v != value]
            self._give([*taken[:to], value, *taken[to:]])

    def _give(self, taken: list[Any]) -> None:
        self.show_answer(taken)
        self.post_message(Given(self, tuple(taken)))


class Dropdown(Select[Any]):
    """One of a few on a single line, opened with Enter; typing finds an entry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Previous field", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, items: Sequence[Item], id: str, optional: bool) -> None:
        super().__init__(
            [(Content.assemble(i.label, ("  " + i.hint if i.hint else "", MUTED)), i.value) for i in items],
            prompt="choose",
            allow_blank=True,
            compact=True,
            id=id,
        )
        self._stored: Any = None

    def show_answer(self, answer: Any) -> None:
        """Show what is stored."""
        self._stored = answer
        with self.prevent(Select.Changed):
            self.value = Select.NULL if answer is None else answer

    @on(Select.Changed)
    def _choose(self, event: Select.Changed) -> None:
        event.stop()
        answer = None if event.value is Select.NULL else event.value
        if answer != self._stored:
            self._stored = answer
            self.post_message(Given(self, answer, enter=True))


class Reference(Static, can_focus=True):
    """One thing of the seller's, by name. Enter opens the list to choose from, create, change and remove."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Choose", id="reference.choose", tooltip="Choose, create, change or remove"),
        Binding("ctrl+n", "new", "New", id="reference.new", tooltip="Create a new one"),
        Binding("up", "app.focus_previous", "Previous field", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, question: Question, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.question = question
        self.name_of: dict[str, str] = {}
        self.show_answer(None)

    def show_answer(self, answer: Any) -> None:
        """Show the name of what is stored."""
        self.answer = answer
        noun = self.question.ask.subject
        text = self.name_of.get(answer, f"{answer} (gone)") if answer else f"choose a {noun}, or ctrl+n for a new one"
        self.update(Content.assemble((text, "" if answer else MUTED), ("  ▾", MUTED)))

    def action_choose(self) -> None:
        """Open the list."""
        self.post_message(Wanted(self, "choose"))

    def action_new(self) -> None:
        """Create a new one."""
        self.post_message(Wanted(self, "add"))

    def on_click(self) -> None:
        """A click opens the list."""
        self.action_choose()


class Rows(Lines):
    """A list of small forms, one line each: add, change, move and remove them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "want('add')", "Add", id="rows.add", tooltip="Add one"),
        Binding("delete,x", "want('remove')", "Remove", id="rows.remove", tooltip="Remove the highlighted one"),
        Binding("shift+up,K", "want('up')", "Move up", show=False, id="rows.up", tooltip="Earlier in the order"),
        Binding("shift+down,J", "want('down')", "Move down", show=False, id="rows.down", tooltip="Later in the order"),
    ]

    def __init__(self, question: Question, id: str) -> None:
        super().__init__(id)
        self.question = question
        self.count = 0

    def show_lines(self, lines: Sequence[Content]) -> None:
        """Show one line a row, and at the end the way to add one."""
        self.count = len(lines)
        add = Content.assemble((f"+ add a {self.question.ask.row_name or 'line'}", MUTED))
        self.put([*lines, add])

    @on(OptionList.OptionSelected)
    def _open(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < self.count:
            self.post_message(Wanted(self, "edit", event.option_index))
        else:
            self.post_message(Wanted(self, "add"))

    def action_want(self, what: str) -> None:
        """Ask for what was pressed, about the highlighted row."""
        if what == "add":
            self.post_message(Wanted(self, "add"))
        elif self.highlighted is not None and self.highlighted < self.count:
            self.post_message(Wanted(self, what, self.highlighted))

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "insert":
            event.stop()
            self.action_want("add")
