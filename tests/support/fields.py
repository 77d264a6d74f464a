"""Every field that takes text, read from the declarations, with answers that make it be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from models.ask import Answers
from models.post_sale import Notification
from models.product import Product
from wizard import flow
from wizard.editing.cabinet import KINDS
from wizard.editing.draft import Draft
from wizard.flow import Question
from wizard.problems import Misfits

WORDS = {"line", "text", "words", "secret", "path"}
"""The kinds of question that take text."""

NUMBERS = {"number", "duration", "amount"}
"""The kinds whose answer is written as text too. None of the hostile texts is one."""

WRITTEN = WORDS | NUMBERS


def turns(scope: Any, questions: Iterable[Question], below: str) -> Iterator[Any]:
    """The same answers with one choice made otherwise: other questions are asked then."""
    for question in questions:
        path = question.id.removeprefix(below)
        values: tuple[object, ...] = question.choices if question.ask.kind == "choice" else ()
        if question.ask.kind == "switch":
            values = (True, False)
        if question.ask.kind == "group" and question.optional:
            values = ({},)
        for value in values:
            draft = Draft(scope)
            try:
                draft.give(path, value)
            except Misfits:
                continue
            yield draft.model
        if question.ask.kind == "group" and flow.value_at(scope, path) is not None:
            yield from turns(scope, question.form, below)


def is_there(scope: Any, path: str) -> bool:
    parent = path.rpartition(".")[0]
    return flow.is_asked(scope, path) and (not parent or flow.value_at(scope, parent) is not None)


def asking(scope: Any, questions: tuple[Question, ...], path: str, below: str = "") -> Any:
    """Answers with which the question at a path is asked, reached from `scope` by as few choices as it takes."""
    reached = [scope]
    for _ in range(3):
        for each in reached:
            if is_there(each, path):
                return each
        reached = [other for each in reached for other in turns(each, questions, below)]
    raise AssertionError(f"{path} is never asked")


def written(questions: Iterable[Question]) -> list[Question]:
    return [question for question in flow.single_questions(tuple(questions)) if question.ask.kind in WRITTEN]


@dataclass
class Sitting:
    """Answers, and the fields that are asked with them."""

    name: str
    scope: Any
    paths: list[str]


def sittings(name: str, scope: Any, questions: tuple[Question, ...], below: str = "") -> list[Sitting]:
    """As few sets of answers as it takes to ask every written question once."""
    found: list[Sitting] = []
    left = [question.id.removeprefix(below) for question in written(questions)]
    while left:
        answers = asking(scope, questions, left[0], below)
        asked = [path for path in left if is_there(answers, path)]
        found.append(Sitting(f"{name} {asked[0]}", answers, asked))
        left = [path for path in left if path not in asked]
    return found


PAGES = [
    (module.id, sitting)
    for module in flow.modules()
    if module.id != "post_sale.notifications"
    for sitting in sittings(module.id, Product(), module.questions)
]
ROWS: dict[str, type[Answers]] = {
    q.id: q.row for q in flow.all_questions() if q.row is not None and q.ask.kind == "rows"
}
FORMS: dict[str, type[Answers]] = {"notification": Notification, **KINDS, **ROWS}
DIALOGUES = [sitting for name, model in FORMS.items() for sitting in sittings(name, model(), flow.questions_of(model))]
