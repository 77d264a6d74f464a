"""One way to ask for each kind of answer, line by line; which questions there are is the flow's to say."""

from __future__ import annotations

import datetime as dt
from typing import Any

from models.ask import Answers
from models.characters import quoted
from wizard import wording
from wizard.editing import rows as rows_of
from wizard.editing.answering import Answering
from wizard.editing.cabinet import NotThere
from wizard.flow import Question
from wizard.plain.lines import NOTHING, Back, Console, number_in
from wizard.plain.things import Things
from wizard.problems import Misfits
from wizard.progress import is_unanswered, missing
from wizard.session import ChangedElsewhere
from wizard.store.errors import StoreError

NEW = ("n", "a")
"""What makes a new row: n, as for a product or a thing; a, as scripts of earlier versions have it."""


class Asker:
    """Asks the questions of a form, one after the other and back again."""

    def __init__(self, lines: Console, form: Answering, things: Things, host: str, today: dt.date) -> None:
        self._today = today
        self._lines = lines
        self._form = form
        self._things = things
        self._host = host

    def ask_all(self, questions: tuple[Question, ...], below: str) -> None:
        """Ask every question that is asked now. A skipped one is skipped in both directions. Raises Back, Leave."""
        at, direction = 0, 1
        while at < len(questions):
            if at < 0:
                raise Back
            question = questions[at]
            path = f"{below}.{question.name}" if below else question.name
            if question.ask.when(self._form.scope(path)):
                try:
                    self.ask(question, path)
                    direction = 1
                except Back:
                    direction = -1
            at += direction

    def ask(self, question: Question, path: str) -> None:
        """Ask one question until its answer is accepted or the old one is kept. Raises Back, Leave."""
        match question.ask.kind:
            case "group":
                self._ask_group(question, path)
            case "rows":
                self._ask_rows(question, path)
            case _:
                while not self._accepted(question, path):
                    pass

    def give(self, path: str, value: Any) -> bool:
        """Give an answer; when it is refused, say why. Whether it was accepted."""
        try:
            notes = self._form.answer(path, value)
        except Misfits as misfits:
            for problem in misfits.problems:
                where = "" if problem.path == path else f"{problem.path}: "
                self._lines.say(f"  ! {where}{problem.message}")
            return False
        except ChangedElsewhere:
            raise
        except StoreError as error:
            self._lines.say(f"  ! {error}")
            return False
        for note in notes:
            self._lines.say(f"  {note}")
        return True

    # --- single answers ---------------------------------------------------------------------------------------------

    def _accepted(self, question: Question, path: str) -> bool:
        kind, current = question.ask.kind, self._form.value(path)
        fixed = self._form.fixed(path)
        if kind in ("choice", "choices"):
            self._list_choices(question)
        elif kind in ("reference", "references"):
            self._things.show(question, self._form.scope(path))
        text = self._read(question, current, fixed)
        if fixed:
            return True
        if not text.strip():
            if is_unanswered(current) and question.ask.required(self._form.scope(path)):
                self._lines.say("  This is needed later; you can come back to it.")
            return True
        try:
            value = self._value(question, path, text.strip() if kind != "text" else text)
        except NotThere as error:
            self._lines.say(f"  ! {error}")
            return False
        return self.give(path, value)

    def _read(self, question: Question, current: Any, fixed: str) -> str:
        kind, help = question.ask.kind, self._help(question)
        if fixed:
            return self._lines.read(f"{question.ask.label} [yes: {fixed}] (Enter goes on):", help)
        shown = wording.in_words(question, current, self._host)
        if kind == "text":
            return self._lines.read_text(f"{question.ask.label} (several lines, the last one a dot) [{shown}]:", help)
        hint = {"switch": " (y or n)", "choices": " (numbers, in order)", "references": " (one or more)"}.get(kind, "")
        return self._lines.read(f"{question.ask.label}{hint} [{shown}]:", help, secret=kind == "secret")

    def _help(self, question: Question) -> str:
        example = f" For example: {question.ask.placeholder}." if question.ask.placeholder else ""
        empties = f" {NOTHING} empties it." if question.optional or question.default in ("", ()) else ""
        return f"{question.ask.help}{example}{empties} Enter keeps what stands in brackets."

    def _value(self, question: Question, path: str, text: str) -> Any:
        """What a line means as an answer. The rules are the model's. Raises NotThere, Back, Leave."""
        kind = question.ask.kind
        if text.strip() == NOTHING:
            return None if question.optional else () if question.default == () else ""
        if kind == "switch":
            return {"y": True, "yes": True, "n": False, "no": False}.get(text.lower(), text)
        if kind == "choice":
            return self._choice(question, text)
        if kind == "choices":
            return tuple(self._choice(question, part) for part in text.replace(",", " ").split())
        if kind in ("reference", "references"):
            return self._things.chosen(question, self._form.scope(path), text)
        return wording.from_text(question, text)

    def _list_choices(self, question: Question) -> None:
        for number, choice in enumerate(question.choices, start=1):
            hint = f" – {choice.hint}" if choice.hint else ""
            self._lines.say(f"  {number} {wording.label_of(choice, self._host)}{hint}")

    def _choice(self, question: Question, text: str) -> str:
        if number := number_in(text, len(question.choices)):
            return question.choices[number - 1].value
        for choice in question.choices:
            if text.lower() in (choice.value, wording.label_of(choice, self._host).lower()):
                return choice.value
        return text

    # --- groups and rows --------------------------------------------------------------------------------------------

    def _ask_group(self, question: Question, path: str) -> None:
        current = self._form.value(path)
        is_needed = is_unanswered(current) and question.ask.required(self._form.scope(path))
        lacks = isinstance(current, Answers) and next(missing(current, question.form), None) is not None
        if not is_needed and not lacks and not self._wants_change(question, path, current):
            return
        if question.ask.help:
            self._lines.say(f"{question.ask.label}: {question.ask.help}")
        if current is None and question.row is not None and not self.give(path, question.row()):
            return
        self.ask_all(question.form, path)

    def _wants_change(self, question: Question, path: str, current: Any) -> bool:
        shown = wording.in_words(question, current, self._host)
        if isinstance(current, Answers):
            always_on = {inner.name for inner in question.form if self._form.fixed(f"{path}.{inner.name}")}
            shown = wording.group_in_words(question, current, self._host, always_on)
        shown = shown if len(shown) < 90 else "set"
        removes = f", {NOTHING} to remove it" if question.optional and current is not None else ""
        text = self._lines.read(f"{question.ask.label} [{shown}] (y to change{removes}):", self._help(question)).strip()
        if text == NOTHING and question.optional:
            self.give(path, None)
            return False
        return text.lower() in ("y", "yes")

    def _ask_rows(self, question: Question, path: str) -> None:
        name = question.ask.row_name or "entry"
        while True:
            rows = self._form.value(path)
            for number, row in enumerate(rows, start=1):
                self._lines.say(f"  {number} {self._row_in_words(question, row)}")
            ways = "n for a new one" + (", a number to change, d and a number to remove" if rows else "")
            text = self._lines.read(
                f"{question.ask.label} ({ways}, Enter goes on):", f"{question.ask.help} Each one is a {name}."
            ).strip()
            if not text:
                return
            try:
                self._act_on_rows(question, path, rows, text)
            except Back:
                continue

    def _row_in_words(self, question: Question, row: Any) -> str:
        if not rows_of.is_price(row):
            return wording.group_in_words(question, row, self._host)
        try:
            charged = rows_of.charge_of(row, self._form.value("pricing.currency"), self._today)
        except ValueError as error:
            charged = f"not complete: {error}"
        return f"{rows_of.name_of(row)}: {charged}"

    def _act_on_rows(self, question: Question, path: str, rows: tuple[Any, ...], text: str) -> None:
        word, _, rest = text.lower().partition(" ")
        number = number_in(rest if word == "d" else word, len(rows))
        if word in NEW and question.row is not None:
            if self.give(path, rows_of.with_row(rows, len(rows), question.row())):
                self.ask_all(question.form, f"{path}.{len(rows)}")
        elif number is None:
            self._lines.say(f"  ! there is no {quoted(text, 60)}: write n, a number, or d and a number")
        elif word == "d":
            self.give(path, rows_of.without(rows, number - 1))
        else:
            self.ask_all(question.form, f"{path}.{number - 1}")
