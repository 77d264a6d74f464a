"""How far a product has come: what is missing, what needs review, and the state of each module.

All of it is derived from the answers, so there is no state that could be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.ask import Answers
from models.choice import Choice
from models.product import Product
from models.references import References
from wizard import flow
from wizard.flow import Module, Question
from wizard.problems import Problem


class State(Choice):
    """The state of a module or a step. The hint is its mark, readable without colour."""

    EMPTY = "empty", "Empty", "·"
    INCOMPLETE = "incomplete", "Incomplete", "!"
    COMPLETE = "complete", "Complete", "✓"
    NEEDS_REVIEW = "needs_review", "Needs review", "?"


def is_unanswered(value: object) -> bool:
    """Whether a value is no answer yet."""
    return value is None or value == "" or value == () or (isinstance(value, Answers) and value == type(value)())


def needed(question: Question) -> str:
    """What to do about a question that has no answer, in one sentence."""
    match question.ask.kind:
        case "rows":
            return f"add a {question.ask.row_name}"
        case "choice" | "choices" | "reference" | "references":
            return f"choose: {question.ask.label.rstrip('?')}"
    return f"{question.ask.label} is needed"


def missing(scope: object, questions: tuple[Question, ...], below: str = "") -> Iterator[Problem]:
    """The required questions below a model that are asked and not answered yet, with their paths."""
    for question in questions:
        path = f"{below}.{question.name}" if below else question.name
        if not question.ask.when(scope):
            continue
        value = getattr(scope, question.name)
        if is_unanswered(value) and question.ask.required(scope):
            yield Problem(path, needed(question), lacking=True)
        elif question.ask.kind == "group" and value is not None:
            yield from missing(value, question.form, path)
        elif question.ask.kind == "rows":
            for number, row in enumerate(value):
                yield from missing(row, question.form, f"{path}.{number}")
            for at, message in question.ask.lacks(value):
                yield Problem(f"{path}.{at}", message, lacking=True)


def _scope_of(product: Product, module: Module) -> tuple[object, str]:
    path = module.group or flow.step_of(module).id
    return flow.value_at(product, path), path


def missing_in(product: Product, module: Module) -> Iterator[Problem]:
    """What a module still needs."""
    scope, path = _scope_of(product, module)
    yield from missing(scope, module.questions, path)


def conflicts(product: Product, references: References) -> Iterator[Problem]:
    """Answers that no longer fit what they depend on. The old answer is kept and shown."""
    for question in flow.dependent_questions():
        if not flow.is_asked(product, question.id):
            continue
        for below, message in question.ask.conflicts(product, references):
            yield Problem(f"{question.id}.{below}" if below else question.id, message)


def is_touched(product: Product, module: Module) -> bool:
    """Whether any answer of a module differs from its default."""
    scope, _ = _scope_of(product, module)
    return any(getattr(scope, question.name) != question.default for question in module.questions)


@dataclass(frozen=True, slots=True)
class Survey:
    """How far every module has come, looked at in one go."""

    states: Mapping[str, State]
    """The state of every module by its id."""
    blocking: frozenset[str]
    """The modules that keep the product from being complete: something required is missing, or needs review."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing required is missing anywhere and nothing needs review."""
        return not self.blocking

    def of(self, step: flow.Step) -> State:
        """The state of a step: that of its module which most needs attention."""
        found = {self.states[module.id] for module in step.modules}
        if State.NEEDS_REVIEW in found:
            return State.NEEDS_REVIEW
        if any(module.id in self.blocking for module in step.modules):
            return State.INCOMPLETE if found != {State.EMPTY} else State.EMPTY
        return State.COMPLETE if State.COMPLETE in found else State.EMPTY


def survey(product: Product, references: References) -> Survey:
    """Look at every module once."""
    in_conflict = {flow.module_of(problem.path).id for problem in conflicts(product, references)}
    states: dict[str, State] = {}
    blocking = set()
    for module in flow.modules():
        lacks = next(missing_in(product, module), None) is not None
        if lacks or module.id in in_conflict:
            blocking.add(module.id)
        if module.id in in_conflict:
            states[module.id] = State.NEEDS_REVIEW
        elif not is_touched(product, module):
            states[module.id] = State.EMPTY
        else:
            states[module.id] = State.INCOMPLETE if lacks else State.COMPLETE
    return Survey(states, frozenset(blocking))
