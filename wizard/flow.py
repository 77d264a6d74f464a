"""The one declaration of the flow, read from the models: steps, their modules, their questions.

Every front end renders these: the terminal app a form, `--plain` a prompt, documents their keys. A question's id is its
path from the product, such as `pricing.prices.amount`; a path with numbers in it, such as `pricing.prices.0.amount`,
names the answer of one row.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from models import ask
from models.ask import Answers, Ask
from models.choice import Choice
from models.product import Product
from wizard.problems import Misfits, problems_of

Mark = TypeVar("Mark", Ask, ask.ModuleHeading, ask.StepHeading)


@dataclass(frozen=True, slots=True)
class Question:
    """One question: where its answer lives, how it is asked, what it takes."""

    id: str
    """The path of the answer from the model the form is about, without row numbers."""
    ask: Ask
    default: Any
    choices: tuple[Choice, ...]
    """The fixed choices, for the kinds `choice` and `choices`."""
    form: tuple[Question, ...]
    """The questions of a group, or of one row."""
    row: type[Answers] | None
    """For rows: the model of one row."""
    optional: bool
    """Whether None is an answer."""

    @property
    def name(self) -> str:
        """The last part of the id: the field's own name."""
        return self.id.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Module:
    """Questions that belong together, on one page."""

    id: str
    label: str
    short: str
    help: str
    questions: tuple[Question, ...]
    group: str | None
    """The path of the model that all its questions belong to, when it has one of its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the wizard. The last one, Review & go live, asks nothing and has no modules."""

    id: str
    label: str
    short: str
    modules: tuple[Module, ...]


def _parts(annotation: Any) -> Iterator[Any]:
    """Every type inside an annotation, outermost first."""
    yield annotation
    if get_origin(annotation) in (Union, types.UnionType, tuple, list) or hasattr(annotation, "__metadata__"):
        for inner in get_args(annotation):
            yield from _parts(inner)


def _classes(field: FieldInfo, base: type) -> list[type]:
    return [part for part in _parts(field.annotation) if isinstance(part, type) and issubclass(part, base)]


def _question(name: str, field: FieldInfo, prefix: str, declared: Ask) -> Question:
    path = f"{prefix}{name}"
    forms = _classes(field, Answers) if declared.kind in ("rows", "group") else []
    choices = _classes(field, Choice)
    return Question(
        id=path,
        ask=declared,
        default=field.get_default(call_default_factory=True, validated_data={}),
        choices=tuple(choices[0]) if choices and declared.kind in ("choice", "choices") else (),  # type: ignore[arg-type]
        form=questions_of(forms[0], f"{path}.") if forms else (),
        row=forms[0] if forms else None,
        optional=type(None) in _parts(field.annotation),
    )


def _mark(field: FieldInfo, kind: type[Mark]) -> Mark | None:
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


@cache
def questions_of(model: type[Answers], prefix: str = "") -> tuple[Question, ...]:
    """The questions of any model, in the order of its fields: a row's, a connection's, …"""
    return tuple(
        _question(name, field, prefix, declared)
        for name, field in model.model_fields.items()
        if (declared := _mark(field, Ask)) is not None
    )


def _modules(step_id: str, model: type[Answers]) -> Iterator[Module]:
    heading: tuple[ask.ModuleHeading, str | None] | None = None
    questions: list[Question] = []
    for name, field in model.model_fields.items():
        mark, declared = _mark(field, ask.ModuleHeading), _mark(field, Ask)
        if mark is not None:
            if heading is not None:
                yield _module(step_id, *heading, questions)
            heading, questions = (mark, None if declared else f"{step_id}.{name}"), []
        if declared is not None:
            questions.append(_question(name, field, f"{step_id}.", declared))
        else:
            [inner] = _classes(field, Answers)
            questions.extend(questions_of(inner, f"{step_id}.{name}."))
    if heading is not None:
        yield _module(step_id, *heading, questions)


def _module(step_id: str, mark: ask.ModuleHeading, group: str | None, questions: list[Question]) -> Module:
    return Module(f"{step_id}.{mark.id}", mark.label, mark.short or mark.label, mark.help, tuple(questions), group)


@cache
def steps(product: type[Product] = Product) -> tuple[Step, ...]:
    """The steps in the wizard's order, with Review & go live at the end."""
    found = []
    for name, field in product.model_fields.items():
        mark = _mark(field, ask.StepHeading)
        [model] = _classes(field, Answers)
        assert mark is not None, f"{name} has no Step heading"
        found.append(Step(name, mark.label, mark.short, tuple(_modules(name, model))))
    return (*found, Step("review", "Review & go live", "Review", ()))


def modules() -> Iterator[Module]:
    """Every module of every step, in order."""
    for step in steps():
        yield from step.modules


def all_questions(questions: tuple[Question, ...] | None = None) -> Iterator[Question]:
    """Every question, those of groups and rows after the question that holds them."""
    for question in questions if questions is not None else (q for m in modules() for q in m.questions):
        yield question
        yield from all_questions(question.form)


def single_questions(questions: tuple[Question, ...]) -> Iterator[Question]:
    """The questions that have one answer each: those inside groups too, those of rows not."""
    for question in questions:
        if question.ask.kind == "group":
            yield from single_questions(question.form)
        else:
            yield question


@cache
def by_id() -> dict[str, Question]:
    """Every question of the product by its id."""
    return {question.id: question for question in all_questions()}


@cache
def essential_questions() -> tuple[Question, ...]:
    """The questions without whose answer nothing is stored."""
    return tuple(question for question in all_questions() if question.ask.essential)


@cache
def dependent_questions() -> tuple[Question, ...]:
    """The questions whose answer depends on others, and may no longer fit them."""
    return tuple(question for question in all_questions() if question.ask.conflicts is not ask.no_conflict)


def id_of(path: str) -> str:
    """The id of the question that a path answers: the path without its row numbers."""
    return ".".join(part for part in path.split(".") if not part.isdecimal())


def question_at(path: str) -> Question:
    """The question that a path answers. Raises KeyError when there is none."""
    return by_id()[id_of(path)]


def module_of(path: str) -> Module:
    """The module that a path belongs to. Raises KeyError when there is none."""
    wanted = id_of(path)
    for module in modules():
        if any(question.id == wanted for question in all_questions(module.questions)) or module.id == wanted:
            return module
    raise KeyError(path)


def step_of(module: Module) -> Step:
    """The step that a module belongs to."""
    return next(step for step in steps() if module in step.modules)


def value_at(scope: Any, path: str) -> Any:
    """The answer at a path below a model; None when a part of the way is not there."""
    for part in path.split("."):
        if scope is None:
            return None
        if part.isdecimal():
            scope = scope[int(part)] if int(part) < len(scope) else None
        else:
            scope = getattr(scope, part)
    return scope


def with_value(scope: Any, path: str, value: Any, below: str = "") -> Any:
    """A copy of a model with one answer changed, and every rule on the way checked again.

    A number in the path picks a row. Raises `wizard.problems.Misfits` with the full path of each problem: a rule that
    is broken may be about another answer than the one that changed. `below` is the path of `scope` itself.
    """
    head, _, rest = path.partition(".")
    here = f"{below}.{head}" if below else head
    if head.isdecimal():
        rows = list(scope)
        rows[int(head)] = with_value(rows[int(head)], rest, value, here) if rest else value
        return tuple(rows)
    if rest:
        inner = getattr(scope, head)
        if inner is None:
            [kind] = _classes(type(scope).model_fields[head], Answers)
            inner = kind()
        value = with_value(inner, rest, value, here)
    fields = {name: getattr(scope, name) for name in type(scope).model_fields}
    try:
        return type(scope).model_validate({**fields, head: value})
    except ValidationError as error:
        raise Misfits(problems_of(error, below)) from None


def is_asked(scope: Any, path: str) -> bool:
    """Whether the question at a path below a model is asked now: its own rule and those of all that hold it say so."""
    for part in path.split("."):
        if part.isdecimal():
            scope = scope[int(part)] if int(part) < len(scope) else None
        elif scope is not None:
            declared = _mark(type(scope).model_fields[part], Ask)
            if declared is not None and not declared.when(scope):
                return False
            scope = getattr(scope, part)
    return True


def as_plain(value: Any) -> Any:
    """An answer as plain JSON values, as documents and the history write it. Secrets come out masked."""
    return TypeAdapter(type(value)).dump_python(value, mode="json") if value is not None else None
