"""Dialogues with fields: a form over one model, and the name of a new product."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from models.ask import Answers, Suggestion
from models.general import General
from screens.dialog import Dialog, Question
from screens.widgets.bars import KeyLine
from screens.widgets.controls import Item, LineControl, TextControl
from screens.widgets.field import Field
from screens.widgets.form import Answered, Asking, Ended, Form, Source, Writing
from wizard import flow
from wizard.editing.draft import Draft
from wizard.problems import Misfits, Problem

Model = TypeVar("Model", bound=Answers)


NAMELESS = "a product needs a name"


class Foot(VerticalScroll):
    """What is said below a form. Tab gets into it only where it is longer than its place: then the arrows move it."""

    def allow_focus(self) -> bool:
        """Whether there is more than can be seen."""
        return super().allow_focus() and self.max_scroll_y > 0


class FormDialog(Dialog, Generic[Model]):
    """A form over one model: a price point, a membership, …

    `accept` stores the finished model and returns what the dialogue gives back. What it raises as `Misfits` is shown
    at the fields (paths below `below`), anything else at the foot; in both cases the dialogue stays open and nothing
    written in it is lost. `said` puts a sentence about the draft at the foot, as it is written.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+o", "save", "Save", id="dialog.save", tooltip="Save and go back"),
        Binding(
            "escape", "cancel", "Cancel", id="dialog.cancel", tooltip="Close it; asks first if it holds anything new"
        ),
    ]

    def __init__(
        self,
        title: str,
        model: Model,
        source: Source,
        accept: Callable[[Model], Awaitable[Any]],
        *,
        below: str = "",
        said: Callable[[Model], str] | None = None,
    ) -> None:
        super().__init__()
        self.heading = title
        self.draft = Draft(model)
        self._before = model
        self.below = below
        self._accept = accept
        self._said = said
        self._refused: set[str] = set()
        self.form = Form(flow.questions_of(type(model)), "", model, source, tight=True)

    def compose(self) -> ComposeResult:
        """The form, a sentence about it, and the two buttons."""
        with Vertical(classes="box"):
            yield Static(Content(self.heading), classes="heading")
            with VerticalScroll(can_focus=False):
                yield self.form
            with Foot():
                yield Static("", id="said", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Save", variant="primary", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        """Start in the first field."""
        self.form.focus_first()
        self._say()

    def _say(self, trouble: str = "") -> None:
        line = self.query_one("#said", Static)
        line.set_class(bool(trouble), "-error")
        try:
            said = trouble or (self._said(self.draft.whole()) if self._said else "")
        except ValueError:
            said = ""
        line.update(Content(f"✗ {said}" if trouble else said))

    @on(Answered)
    def _answered(self, event: Answered) -> None:
        event.stop()
        try:
            self.draft.give(event.path, event.answer)
        except Misfits as misfits:
            self._refused.add(event.path)
            self.form.show_problems(self._shown_problems(misfits.problems))
            self.form.refuse(event.path, misfits.problems[0].message)
            return
        self._refused.discard(event.path)
        self.form.taken(event.path)
        self.form.show(self.draft.model)
        self.form.show_problems(self._shown_problems())
        self._say()
        if event.enter:
            self.form.go_on(event.path)

    def _shown_problems(self, more: Sequence[Problem] = ()) -> list[Problem]:
        kept = [Problem(f.path, f.error) for f in self.form.every_field() if f.error and f.path in self._refused]
        return [*more, *kept, *(p for p in self.draft.problems() if not p.lacking)]

    @on(Writing)
    def _writing(self, event: Writing) -> None:
        event.stop()
        trial = Draft(self.draft.model)
        field = self.form.field_at(event.path)
        try:
            trial.give(event.path, event.answer)
        except Misfits as misfits:
            # Only a field that was wrong before says so with every key; another one waits until it is left.
            if field is not None and field.error:
                field.show_error(misfits.problems[0].message)
            return
        self._refused.discard(event.path)
        if field is not None and field.error:
            field.show_error(None)
        kept, self.draft = self.draft, trial
        self._say()
        self.draft = kept

    @on(Ended)
    def _ended(self, event: Ended) -> None:
        event.stop()
        self.query_one("#save", Button).focus()

    @on(Asking)
    @work(exclusive=True, group="dialogue")
    async def _asking(self, event: Asking) -> None:
        """A file is wanted from a folder: the only dialogue that a dialogue opens."""
        event.stop()
        field = self.form.field_at(event.path)
        if event.question.ask.kind == "path" and field is not None and isinstance(field.control, LineControl):
            from screens.folder import pick_file

            path = await pick_file(self.wizard, field.control.value)
            if path is not None:
                field.control.value = path
                field.control.action_end()
            field.control.focus()

    @on(Button.Pressed, "#save")
    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Check the whole, store it, and close."""
        self._take_what_is_written()
        problems = self.draft.problems()
        self.form.show(self.draft.model)
        if problems or self._refused:
            self.form.show_problems([*self._shown_problems(), *problems])
            self.form.focus_first()
            return
        try:
            result = await self._accept(self.draft.whole())
        except Misfits as misfits:
            cut = len(self.below) + 1 if self.below else 0
            self.form.show_problems([Problem(p.path[cut:], p.message) for p in misfits.problems])
            self._say("; ".join(p.message for p in misfits.problems))
        except Exception as error:  # whatever storing raised must be read here, with the form still open
            path = getattr(error, "field", None) or ""
            field_there = self.form.field_at(path[len(self.below) + 1 :] if self.below else path)
            if field_there is not None:
                field_there.show_error(str(error))
                field_there.control.focus()
            else:
                self._say(str(error))
        else:
            self.dismiss(result)

    def _take_what_is_written(self) -> None:
        """The field that still has the focus has given nothing yet. What is not asked any more is of no account."""
        self._refused &= {field.path for field in self.form.every_field() if field.display}
        for field, written in self._written():
            try:
                self.draft.give(field.path, written)
                self._refused.discard(field.path)
                self.form.taken(field.path)
            except Misfits as misfits:
                self.form.refuse(field.path, misfits.problems[0].message)
                self._refused.add(field.path)

    @property
    def _is_changed(self) -> bool:
        """Whether something was answered or written that closing would lose."""
        return self.draft.model != self._before or any(self._written())

    def _written(self) -> Iterator[tuple[Field, Any]]:
        """What is written and not given yet, in the fields that are asked."""
        for field in self.form.every_field():
            if field.display and isinstance(field.control, LineControl | TextControl) and field.control.is_dirty:
                yield field, field.control.written

    async def may_leave(self, key: str) -> bool:
        """Ask before what was written here is lost. `key` is the one that would close it."""
        if not self._is_changed:
            return True
        told = f"What you wrote in “{self.heading}” is not saved. No goes back to it: there, ctrl+s saves it."
        return bool(await self.app.push_screen_wait(Question("Leave without saving?", told)))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        """Close it without an answer; what was written is not lost without a question."""
        if self._is_changed:
            self.run_worker(self._close_if_sure(), exclusive=True, group="leave")
        else:
            self.dismiss(None)

    async def _close_if_sure(self) -> None:
        if await self.may_leave("Esc"):
            self.dismiss(None)


class NameDialog(Dialog):
    """Asks for the name of a new product, creates it, and gives back its slug."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "create", "Create", priority=True, id="name.create", tooltip="Create it and go to its pages"),
    ]

    def compose(self) -> ComposeResult:
        """One field."""
        question = next(q for q in flow.questions_of(General) if q.name == "name")
        with Vertical(classes="box -small"):
            yield Static(Content("A new product"), classes="heading")
            yield Form([question], "", General(), PlainSource(), tight=True)
            yield Static("", id="said", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Start writing; the wizard's code is read meanwhile, so that it opens at once."""
        self.query_one(Form).focus_first()
        self.run_worker(partial(import_module, "screens.product"), thread=True, exit_on_error=False)

    @work(exclusive=True, group="save")
    async def action_create(self) -> None:
        """Create the product, or say what is wrong with its name."""
        field = self.query_one(Form).field_at("name")
        assert field is not None
        assert isinstance(field.control, LineControl)
        try:
            general = flow.with_value(General(), "name", field.control.written)
        except Misfits as misfits:
            field.show_error(misfits.problems[0].message)
            return
        if general.name is None:
            field.show_error(NAMELESS)
            return
        try:
            saved = await self.wizard.desk.do(self.wizard.shelf.create, general.name, "seller")
        except Exception as error:
            field.show_error(str(error))
            return
        self.dismiss(saved.slug)


class PlainSource:
    """For forms whose questions are not about the seller's things."""

    host = ""

    def items(self, question: flow.Question, path: str) -> list[Item]:
        """None."""
        return []

    def names(self, question: flow.Question) -> dict[str, str]:
        """None."""
        return {}

    def fixed(self, path: str) -> str:
        """Nothing."""
        return ""

    def suggested(self, question: flow.Question) -> Suggestion | None:
        """Nothing."""
        return None

    def line(self, question: flow.Question, row: Any, number: int) -> Content:
        """The row in words."""
        from wizard.wording import group_in_words

        return Content(group_in_words(question, row))
