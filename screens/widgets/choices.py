"""The controls with which something is chosen: yes or no, one of a few, several, one of the seller's things, rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Select, Static
from textual.widgets._select import SelectOverlay

from models.ask import Suggestion
from screens.theme import MUTED
from screens.widgets.controls import DialogRequested, Given, Item, Onward, Told
from screens.widgets.lines import Lines
from wizard.flow import Question

A_WORD = 1.0
"""Seconds within which letters are taken for one word."""

TALL = 36
"""The rows from which a terminal has some to spare."""


def item_line(mark: str, item: Item, width: int) -> Content:
    """One entry of a list: a mark, the label, and the hint in a column of its own."""
    return Content.assemble(f"{mark} {item.label:<{width}}", (f"  {item.hint}" if item.hint else "", MUTED))


class Toggle(Static, can_focus=True):
    """Yes or no, on one line: space turns it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "turn", "On/off", id="toggle.turn", tooltip="Turn it on or off"),
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
    """One of a few, all in sight, each with what tells it apart.

    One line each where the hints fit beside the labels, else two. Where it is all that a page is about (`is_chief`) and
    the terminal is tall, each stands apart and says what it is best for. What was answered elsewhere may suggest one of
    them: it bears a mark, and the highlight starts on it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "select", "Choose", show=False, id="menu.choose", tooltip="Take the highlighted one and go on"
        ),
    ]

    def __init__(self, items: Sequence[Item], id: str, is_chief: bool = False) -> None:
        super().__init__(id)
        self.items = list(items)
        self.suggested: Suggestion | None = None
        self._is_chief = is_chief
        self._answer: Any = None
        self._room = (60, False)
        """Columns it has, and whether there are rows to spare. Not known before it was laid out once."""
        self.show_answer(None)

    def show_answer(self, answer: Any) -> None:
        """Show what is stored; the highlight stands on it, or else on what is suggested."""
        self._answer = answer
        fits = self.suggested.choice if self.suggested else None
        start = next((n for wanted in (answer, fits) for n, i in enumerate(self.items) if i.value == wanted), None)
        self.put(
            [self._line(item, item.value == fits) for item in self.items],
            keep=None if self.has_focus else start,
            apart=self.says_all,
        )

    def _line(self, item: Item, fits: bool) -> Content:
        width = max(len(each.label) for each in self.items) + 2
        is_below = width + 4 + max(len(each.hint) for each in self.items) > self._room[0]
        is_chosen = item.value == self._answer
        weight = "bold" if is_chosen or self.says_all else ""
        name = Content.assemble((item.label, weight), (" ✦" if fits else "", "$accent"))
        parts: list[Content | str | tuple[str, str]] = [("◉ ", "$accent") if is_chosen else "○ ", name]
        if item.hint:
            gap = "\n  " if is_below else " " * (width - name.cell_length + 2)
            parts.append((gap + item.hint, MUTED))
        if self.says_all and fits and self.suggested:
            parts.append((f"\n  ✦ suits {self.suggested.because}", "$accent"))
        elif self.says_all and item.more:
            parts.append((f"\n  {item.more}", MUTED))
        return Content.assemble(*parts)

    def on_resize(self) -> None:
        """There is more room for the hints, or less. Coming back to a page there is as much as before."""
        room = self.size.width, self.app.size.height >= TALL
        if room != self._room:
            self._room = room
            # Not in the middle of the layout that told the size: it would not look at the new height any more.
            self.call_after_refresh(lambda: self.show_answer(self._answer))

    @property
    def says_all(self) -> bool:
        """Whether there is room for each one to say for itself what there is to say about it."""
        return self._is_chief and self._room[1]

    @property
    def more(self) -> str:
        """What there is to say about the highlighted one."""
        if self.highlighted is None:
            return ""
        item, fits = self.items[self.highlighted], self.suggested
        suits = f"✦ suits {fits.because}." if fits and item.value == fits.choice else ""
        return " ".join(said for said in (suits, item.more) if said)

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
        Binding("space", "mark", "Take/leave", id="checklist.take", tooltip="Take the highlighted one, or leave it"),
        Binding("shift+up,K", "move(-1)", "Move up", show=False, id="checklist.up", tooltip="Earlier in the order"),
        Binding("shift+down,J", "move(1)", "Move down", show=False, id="checklist.down", tooltip="Later in the order"),
    ]

    def __init__(self, items: Sequence[Item], id: str, ordered: bool = False, empty: str = "") -> None:
        """`empty`: what is said while there is nothing to take."""
        super().__init__(id)
        self.items = list(items)
        self.ordered = ordered
        self._empty = empty
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
        lines = [item_line(self._mark(item.value), item, width) for item in rows]
        self.put(lines or ([Content.styled(self._empty, MUTED)] if self._empty else []))

    def _mark(self, value: Any) -> str:
        if value not in self.taken:
            return "[ ]"
        return f"[{self.taken.index(value) + 1}]" if self.ordered else "[x]"

    @on(OptionList.OptionSelected)
    def _turn(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if not self._rows:
            return
        value = self._rows[event.option_index].value
        known = [item.value for item in self.items]
        taken = [v for v in self.taken if v != value] if value in self.taken else [*self.taken, value]
        if not self.ordered:
            taken.sort(key=lambda v: known.index(v) if v in known else len(known))
        self._give(taken)

    def action_move(self, by: int) -> None:
        """Move the highlighted one in the order."""
        if not self.ordered or not self._rows or self.highlighted is None:
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
    """One of a few on a single line. Enter opens it. Letters, open or not, go to the entry that begins with them; one
    letter again and again goes from entry to entry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "show_overlay", "Choose", id="dropdown.choose", tooltip="Open the list; a letter jumps"),
        Binding("up", "app.focus_previous", "Previous field", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, items: Sequence[Item], id: str) -> None:
        super().__init__(
            [(Content.assemble(i.label, ("  " + i.hint if i.hint else "", MUTED)), i.value) for i in items],
            prompt="choose",
            allow_blank=True,
            compact=True,
            type_to_search=False,
            id=id,
        )
        self.items = list(items)
        self.suggested: Suggestion | None = None
        self._stored: Any = None
        self._typed = ""
        self._typed_at = 0.0
        self._goes_on = False
        """Whether what is being chosen was taken with Enter: the next field gets the focus then."""

    def show_answer(self, answer: Any) -> None:
        """Show what is stored."""
        self._stored = answer
        with self.prevent(Select.Changed):
            self.value = Select.NULL if answer is None else answer

    @property
    def more(self) -> str:
        """What is suggested, while nothing is chosen."""
        fits = self.suggested if self._stored is None else None
        label = next((item.label for item in self.items if fits and item.value == fits.choice), "")
        return f"✦ {label} suits {fits.because}." if fits else ""

    def _setup_variables_for_options(self, options: Iterable[tuple[Any, Any]]) -> None:
        # Nothing chosen is a state of the field and no entry of its list: one that says so would be taken by Enter.
        super()._setup_variables_for_options(options)
        self._options = [each for each in self._options if each[1] is not Select.NULL]

    def _watch_prompt(self, prompt: str) -> None:
        """The list has no line for the prompt."""

    def action_show_overlay(self) -> None:
        """Open the list at what is chosen, else at what is suggested, else at its first entry."""
        super().action_show_overlay()
        overlay = self.query_one(SelectOverlay)
        if self._stored is None:
            fits = self.suggested.choice if self.suggested else None
            overlay.highlighted = next((n for n, item in enumerate(self.items) if item.value == fits), 0)

    def on_key(self, event: events.Key) -> None:
        """Letters jump: in the open list they move the highlight, in the closed field they choose."""
        letter = event.character if event.is_printable else None
        if not letter or letter == " ":
            return
        event.stop()
        is_more = event.time - self._typed_at < A_WORD
        self._typed, self._typed_at = (self._typed if is_more else "") + letter.lower(), event.time
        overlay = self.query_one(SelectOverlay)
        values = [item.value for item in self.items]
        at = overlay.highlighted if self.expanded else (values.index(self._stored) if self._stored in values else None)
        if (to := self._meant(at)) is None:
            return
        if self.expanded:
            overlay.highlighted = to
        elif values[to] != self._stored:
            self.value = values[to]

    def _meant(self, at: int | None) -> int | None:
        """The entry that begins with what was typed; else the next one from here that begins with its last letter."""
        if len(self._typed) > 1 and (found := self._beginning_with(self._typed)):
            return found[0]
        if len(set(self._typed)) > 1 and self._beginning_with(self._typed[:2]):
            return None  # a slip in the middle of a word: what it led to so far stays
        self._typed = self._typed[-1]
        starting = self._beginning_with(self._typed)
        return next((n for n in starting if at is None or n > at), starting[0] if starting else None)

    def _beginning_with(self, text: str) -> list[int]:
        return [n for n, item in enumerate(self.items) if item.label.lower().startswith(text)]

    @on(Select.Changed)
    def _choose(self, event: Select.Changed) -> None:
        event.stop()
        answer = None if event.value is Select.NULL else event.value
        if answer != self._stored:
            self._stored = answer
            self.post_message(Given(self, answer, enter=self._goes_on))
        self._goes_on = False

    @on(SelectOverlay.UpdateSelection)
    def _taken(self, event: SelectOverlay.UpdateSelection) -> None:
        """Enter in the list takes an entry and goes on, also when it is the one that is stored."""
        self._goes_on = self.items[event.option_index].value != self._stored
        if not self._goes_on:
            self.post_message(Onward(self))


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
        text = (
            self.name_of.get(answer, f"{answer} (gone)") if answer else f"none yet: Enter chooses or creates a {noun}"
        )
        self.update(Content.assemble((text, "" if answer else MUTED), ("  ▾", MUTED)))

    def action_choose(self) -> None:
        """Open the list."""
        self.post_message(DialogRequested(self, "choose"))

    def action_new(self) -> None:
        """Create a new one."""
        self.post_message(DialogRequested(self, "add"))

    def on_click(self) -> None:
        """A click opens the list."""
        self.action_choose()


class Rows(Lines):
    """A list of small forms, one line each: add, change, move and remove them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="rows.open", tooltip="Open the highlighted one, or add one"),
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
            self.post_message(DialogRequested(self, "edit", event.option_index))
        else:
            self.post_message(DialogRequested(self, "add"))

    def action_want(self, what: str) -> None:
        """Ask for what was pressed, about the highlighted row."""
        if what == "add":
            self.post_message(DialogRequested(self, "add"))
        elif self.highlighted is not None and self.highlighted < self.count:
            self.post_message(DialogRequested(self, what, self.highlighted))

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "insert":
            event.stop()
            self.action_want("add")
