"""A model that is being filled in: each answer is checked as it is given, the whole when it is saved."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from models.ask import Answers
from wizard import flow, progress
from wizard.problems import Misfits, Problem, problems_of

Model = TypeVar("Model", bound=Answers)


class Draft(Generic[Model]):
    """A model under way. It may lack what is required, and hold answers that do not fit each other yet. It is stored by
    whoever asked for it."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def scope(self, path: str) -> Any:
        """See `Answering`."""
        above = path.rpartition(".")[0]
        return flow.value_at(self.model, above) if above else self.model

    def value(self, path: str) -> Any:
        """See `Answering`."""
        return flow.value_at(self.model, path)

    def fixed(self, path: str) -> str:
        """See `Answering`. Nothing of a draft is."""
        return ""

    def answer(self, path: str, value: Any) -> tuple[str, ...]:
        """See `Answering`. An answer that does not fit the others is refused at once."""
        self.model = flow.with_value(self.model, path, value)
        return ()

    def give(self, path: str, answer: Any) -> None:
        """Take an answer that may not fit the others yet. Raises `Misfits` when it breaks a rule of its own; then the
        draft stays as it was."""
        head, _, rest = path.partition(".")
        if rest:
            value = flow.with_value(getattr(self.model, head), rest, answer, head)
        else:
            field = type(self.model).model_fields[head]
            kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            try:
                value = TypeAdapter(kind).validate_python(answer)
            except ValidationError as error:
                raise Misfits(problems_of(error, head)) from None
        fields = {name: getattr(self.model, name) for name in type(self.model).model_fields}
        self.model = type(self.model).model_construct(**{**fields, head: value})

    def problems(self) -> list[Problem]:
        """Everything that keeps it from being saved: what is missing, and what does not fit."""
        found = list(progress.missing(self.model, flow.questions_of(type(self.model))))
        try:
            self.whole()
        except Misfits as misfits:
            known = {problem.path for problem in found}
            found += [problem for problem in misfits.problems if problem.path not in known]
        return found

    def whole(self) -> Model:
        """The model with all its rules checked. Raises `Misfits`."""
        fields = {name: getattr(self.model, name) for name in type(self.model).model_fields}
        try:
            return type(self.model).model_validate(fields)
        except ValidationError as error:
            raise Misfits(problems_of(error)) from None
