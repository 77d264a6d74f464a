"""A form made from questions: a page of the wizard, and every dialogue, is one of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.message import Message
from textual.widget import Widget

from models.ask import Answers, Suggestion
from screens.widgets.choices import Checklist, Dropdown, Menu, Reference, Rows, Toggle
from screens.widgets.controls import (
    DialogRequested,
    Drafted,
    Given,
    Item,
    LineControl,
    Onward,
    PathControl,
    TextControl,
)
from screens.widgets.field import Field, field_of, widget_id
from wizard import flow
from wizard.flow import Question
from wizard.problems import Problem
from wizard.wording import label_of, row_of

Result = TypeVar("Result")

MENU_MOST = 6
"""The most choices that are all shown at once; more of them open as a drop-down."""


class Source(Protocol):
    """What a form needs to know beyond the answers themselves."""

    host: str

    def items(self, question: Question, path: str) -> list[Item]:
        """What there is to choose from, for questions about the seller's things."""

    def names(self, question: Question) -> dict[str, str]:
        """The seller's things of the question's subject: slug to name."""

    def line(self, question: Question, row: Any, number: int) -> Content:
        """One row of a list, on one line."""

    def fixed(self, path: str) -> str:
        """Why the switch at a path is on and cannot be turned; empty when it can."""

    def suggested(self, question: Question) -> Suggestion | None:
        """The choice that what was answered elsewhere suggests, if there is one."""


@dataclass
class Answered(Message):
    """An answer was given to a question of a form."""

    form: Form
    path: str
    answer: Any
    enter: bool = False
    """Whether the next field gets the focus once the answer is accepted."""


@dataclass
class Writing(Message):
    """An answer is being written and may not be right yet."""

    form: Form
    path: str
    answer: Any


@dataclass
class Asking(Message):
    """A dialogue is wanted for the question at `path`: see `DialogRequested`."""

    form: Form
    path: str
    question: Question
    what: str
    row: int | None


@dataclass
class Ended(Message):
    """Enter was pressed in the last field."""

    form: Form


class Form(Vertical):
    """The questions of a module or a dialogue. It shows those that are asked now, and passes on what is given."""

    def __init__(
        self, questions: Sequence[Question], below: str, scope: Answers, source: Source, *, tight: bool = False
    ) -> None:
        super().__init__(classes="-tight" if tight else "")
        self.questions = questions
        self.below = below
        """The path of the model that the questions belong to; the form's paths start with it."""
        self.source = source
        self.tight = tight
        self.scope: Any = scope
        self.fields: dict[str, Field] = {}
        self._switches: dict[str, Field] = {}
        self._make(questions, below, top=True)

    def compose(self) -> ComposeResult:
        """The fields in the order of the questions."""
        yield from self._in_order

    def on_mount(self) -> None:
        """Show the answers."""
        self.show(self.scope)

    # making fields

    def _make(self, questions: Iterable[Question], below: str, top: bool) -> None:
        self._in_order: list[Field] = [] if top else self._in_order
        for number, question in enumerate(questions):
            path = f"{below}.{question.name}" if below else question.name
            if question.ask.kind == "group":
                if question.optional:
                    switch = Toggle(widget_id(path))
                    self._add(self._switches, Field(question, path, switch))
                self._make(question.form, path, top=False)
            else:
                bare = top and number == 0 and self._is_menu(question, top)
                self._add(self.fields, Field(question, path, self._control(question, path, top, bare), bare=bare))

    def _add(self, group: dict[str, Field], field: Field) -> None:
        group[field.path] = field
        self._in_order.append(field)

    def _is_menu(self, question: Question, top: bool) -> bool:
        return (
            question.ask.kind == "choice"
            and not self.tight
            and top
            and len(question.choices) <= MENU_MOST
            and any(choice.hint for choice in question.choices)
        )

    def _control(self, question: Question, path: str, top: bool, is_chief: bool) -> Widget:
        id = widget_id(path)
        items = [Item(c, label_of(c, self.source.host), c.hint, c.more) for c in question.choices]
        match question.ask.kind:
            case "choice" if self._is_menu(question, top):
                return Menu(items, id, is_chief=is_chief)
            case "choice":
                return Dropdown(items, id)
            case "choices":
                return Checklist(items, id, ordered=True)
            case "references" if question.ask.subject == "level":
                return Checklist([], id, empty="choose a membership first")
            case "references" | "rows":
                return Rows(question, id)
            case "reference":
                return Reference(question, id)
            case "switch":
                return Toggle(id)
            case "text":
                return TextControl(question, id)
            case "path":
                return PathControl(question, id)
        return LineControl(question, id)

    # showing answers

    def show(self, scope: Any) -> None:
        """Show the answers of a model, and those questions that are asked now."""
        self.scope = scope
        for path, switch in self._switches.items():
            below = self._relative(path)
            switch.display = flow.is_asked(scope, below)
            switch.control.show_answer(flow.value_at(scope, below) is not None)  # type: ignore[attr-defined]
        for path, field in self.fields.items():
            below = self._relative(path)
            asked = flow.is_asked(scope, below) and self._is_there(below)
            if not asked and field.has_focus_within:
                self.call_after_refresh(self._focus_after, field)  # never nowhere, where keys would be lost
            field.display = asked
            if asked:
                field.show_needed(field.question.ask.required(self._holder(below)))
                self._show_one(field, flow.value_at(scope, below))

    def _focus_after(self, gone: Field) -> None:
        later = self._in_order[self._in_order.index(gone) :]
        shown = next((field for field in (*later, *reversed(self._in_order)) if field.display), None)
        if shown is not None and self.screen.focused is None:
            shown.control.focus()

    def _holder(self, below: str) -> Any:
        parent = below.rpartition(".")[0]
        return flow.value_at(self.scope, parent) if parent else self.scope

    def _is_there(self, below: str) -> bool:
        return self._holder(below) is not None

    def _show_one(self, field: Field, answer: Any) -> None:
        control = field.control
        if field.is_refused or (isinstance(control, LineControl | TextControl) and control.given is not None):
            return
        if isinstance(control, Reference):
            control.name_of = self.source.names(field.question)
        elif isinstance(control, Checklist) and field.question.ask.kind == "references":
            control.show_items(self.source.items(field.question, field.path))
        elif isinstance(control, Toggle):
            control.fixed = self.source.fixed(field.path)
        elif isinstance(control, Menu | Dropdown):
            control.suggested = self.source.suggested(field.question)
        if isinstance(control, Rows):
            control.show_lines([self.source.line(field.question, row, number) for number, row in enumerate(answer)])
        else:
            control.show_answer(answer)  # type: ignore[attr-defined]
        field.show_unit(answer is not None)

    def _relative(self, path: str) -> str:
        return path.removeprefix(f"{self.below}.") if self.below else path

    def show_problems(self, problems: Iterable[Problem]) -> None:
        """Show each problem at its field, and take away the errors that are gone."""
        found: dict[str, str] = {}
        for problem in problems:
            field = self.field_at(problem.path)
            if field is not None:
                row = row_of(problem.path) if isinstance(field.control, Rows) and self.below else ""
                found.setdefault(field.path, f"{row}: {problem.message}" if row else problem.message)
        for field in self.every_field():
            if field.error != found.get(field.path):
                field.show_error(found.get(field.path))

    def refuse(self, path: str, message: str) -> Field | None:
        """Say at its field that an answer was not stored. What was written stays; a choice falls back to what is."""
        field = self.field_at(path)
        if field is not None:
            field.show_error(message)
            if isinstance(field.control, LineControl | TextControl):
                field.is_refused, field.control.given = True, None
            else:
                self._show_one(field, flow.value_at(self.scope, self._relative(field.path)))
        return field

    def taken(self, path: str) -> None:
        """An answer was stored: its field may show it."""
        field = self.field_at(path)
        if field is not None:
            field.is_refused = False
            if isinstance(field.control, LineControl | TextControl):
                field.control.given = None

    def forget(self, path: str) -> None:
        """Let go of what was written and not stored: the field shows the stored answer again."""
        self.taken(path)
        field = self.field_at(path)
        if field is not None:
            field.show_error(None)
            if isinstance(field.control, LineControl | TextControl):
                field.control.forget()

    # finding fields

    def every_field(self) -> Iterator[Field]:
        """The fields in their order, shown or not."""
        yield from self._in_order

    def field_at(self, path: str) -> Field | None:
        """The field that asks for the answer at a path, or for the list or group that holds it."""
        while path:
            if path in self.fields:
                return self.fields[path]
            if path in self._switches:
                return self._switches[path]
            path = path.rpartition(".")[0]
        return None

    def focus_path(self, path: str) -> bool:
        """Put the focus on the field of a path; False when it is not asked here now."""
        field = self.field_at(path)
        if field is None or not field.display:
            return False
        number = path.removeprefix(f"{field.path}.").partition(".")[0]
        if isinstance(field.control, Rows) and number.isdecimal() and int(number) < field.control.count:
            field.control.highlighted = int(number)
        field.control.focus()
        return True

    def focus_first(self) -> None:
        """Put the focus on the first field that has an error or no answer, else on the first."""
        shown = [field for field in self.every_field() if field.display]
        wanted = next((field for field in shown if field.error), shown[0] if shown else None)
        if wanted is not None:
            wanted.control.focus()

    def focus_needed(self) -> None:
        """As `focus_first`, but before the first one comes the first that must be answered and is not."""
        shown = [field for field in self.every_field() if field.display]
        empty = (None, "", ())
        wanted = next((f for f in shown if f.is_needed and self._answer_of(f) in empty), None)
        if wanted is None or any(field.error for field in shown):
            self.focus_first()
        else:
            wanted.control.focus()

    def _answer_of(self, field: Field) -> Any:
        return flow.value_at(self.scope, self._relative(field.path))

    def give_all(self) -> None:
        """Hand over what is being written: the page is about to be left."""
        for field in self.every_field():
            if field.display and isinstance(field.control, LineControl | TextControl):
                field.control.give()

    # passing on

    def _field_of(self, control: Widget) -> Field:
        field = field_of(control)
        if field is None:
            raise NoMatches(f"{control!r} is in no field")
        return field

    @on(Given)
    def _given(self, event: Given) -> None:
        event.stop()
        field = self._field_of(event.origin)
        answer = event.answer
        if field.path in self._switches:
            answer = {} if event.answer else None
        self.post_message(Answered(self, field.path, answer, event.enter))

    @on(Drafted)
    def _drafted(self, event: Drafted) -> None:
        event.stop()
        field = self._field_of(event.origin)
        field.show_unit(bool(event.answer))
        self.post_message(Writing(self, field.path, event.answer))

    @on(DialogRequested)
    def _wanted(self, event: DialogRequested) -> None:
        event.stop()
        field = self._field_of(event.origin)
        self.post_message(Asking(self, field.path, field.question, event.what, event.row))

    @on(Onward)
    def _onward(self, event: Onward) -> None:
        event.stop()
        self.go_on(self._field_of(event.origin).path)

    def go_on(self, path: str) -> None:
        """Put the focus on the field after that of a path; after the last one the form has ended."""
        field = self.field_at(path)
        shown = [field for field in self.every_field() if field.display]
        at = shown.index(field) if field in shown else -1
        if at + 1 < len(shown):
            shown[at + 1].control.focus()
        else:
            self.post_message(Ended(self))
