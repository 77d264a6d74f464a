"""How a question is declared: once, on the field of the model that holds its answer.

A field says its type and rule; an `Ask` beside it says how a person is asked. The terminal app, the line-by-line
prompts, the documents and their JSON Schema are all rendered from these declarations (see `wizard.flow`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError

from models.choice import Choice

Kind = Literal[
    "line",  # one line of text
    "text",  # several lines of text
    "number",  # a whole number, shown with its unit
    "duration",  # a length of time, in seconds; written as 30m, 24h or 7d
    "amount",  # money: a decimal string in the product's currency
    "switch",  # yes or no
    "choice",  # one of a few
    "choices",  # any of a few, in the order they were taken
    "words",  # a list of short texts, written with commas between them
    "reference",  # one thing of the seller's: a membership, a file, …
    "references",  # several things of the seller's
    "rows",  # a list of small forms: price points, rules, …
    "group",  # a small form inside a form
    "path",  # a file of the seller's machine, written or picked from a folder
    "secret",  # written once, never shown again
]
"""What kind of answer a question takes. Each front end has one way to ask for each kind."""

Subject = Literal["membership", "level", "connection", "file", "calendar", "webinar", "product"]
"""What a reference refers to."""


def misfit(field: str, message: str) -> PydanticCustomError:
    """An answer that does not fit another one of the same model. `field` is its path below that model."""
    return PydanticCustomError("misfit", "{message}", {"field": field, "message": message})


def always(_scope: Any) -> bool:
    """The rule of a question that is asked in every case."""
    return True


def never(_scope: Any) -> bool:
    """The rule of a question that may stay unanswered in every case."""
    return False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The choice that fits what was answered elsewhere, and what it was answered there. It is only ever shown."""

    choice: Choice
    because: str


def nothing(_product: Any) -> Suggestion | None:
    """The rule of a question with nothing to suggest."""
    return None


def no_more(_answer: Any) -> Iterable[tuple[str, str]]:
    """The rule of a question whose answer lacks nothing as a whole."""
    return ()


def no_conflict(_product: Any, _references: Any) -> Iterable[tuple[str, str]]:
    """The rule of a question that depends on no other."""
    return ()


def free(_product: Any, _references: Any) -> str:
    """The rule of a switch that can always be turned."""
    return ""


def nothing_follows(_before: Any, after: Any, _references: Any) -> Any:
    """The rule of a question that changes nothing but its own answer."""
    return after


def no_note(_asked: Any, _stored: Any) -> str:
    """The rule of a question whose answer is stored as it was given."""
    return ""


@dataclass(frozen=True, slots=True)
class Ask:
    """How a person is asked for the answer that a field holds.

    `when` and `required` receive the model that the field belongs to, with the answers given so far, and decide
    whether the question is asked now and whether its module is incomplete without it.
    """

    label: str
    help: str
    kind: Kind = "line"
    required: Callable[[Any], bool] = never
    when: Callable[[Any], bool] = always
    subject: Subject | None = None
    unit: str = ""
    placeholder: str = ""
    row_name: str = ""
    """For rows: what one of them is called, as in "price point"."""
    told: Callable[[Any], str] | None = None
    """For rows: one of them as a sentence, where its answers in a row do not make one."""
    suggested: Callable[[Any], Suggestion | None] = nothing
    """Receives the whole product. A suggestion marks one of the choices and answers nothing."""
    usual: tuple[str, ...] = ()
    """Answers that most sellers give, offered while one is written."""
    essential: str = ""
    """What is said where the answer is taken away: without it nothing is stored."""
    lacks: Callable[[Any], Iterable[tuple[str, str]]] = no_more
    """Receives the answer. What it lacks as a whole, each with its path below the answer."""
    conflicts: Callable[[Any, Any], Iterable[tuple[str, str]]] = no_conflict
    """Receives the product and what it refers to (`models.references`). Why the answer no longer fits what it depends
    on, each with its path below the answer. The answer is kept and shown."""
    fixed: Callable[[Any, Any], str] = free
    """For switches: receives the same. Why it is on and cannot be turned; empty where it can."""
    follows: Callable[[Any, Any, Any], Any] = nothing_follows
    """Receives the product before and after this answer was given, and what it refers to. Gives the product with what
    changes along."""
    note: Callable[[Any, Any], str] = no_note
    """Receives what was asked for and what is stored. What the seller should be told of it, if anything."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        return {**schema, "title": self.label, "description": self.help}


@dataclass(frozen=True, slots=True)
class ModuleHeading:
    """The heading of a module. It stands on the module's first field; the fields after it belong to it too."""

    id: str
    label: str
    help: str = ""
    short: str = ""
    """The label where there is little room; empty where it is short anyway."""


@dataclass(frozen=True, slots=True)
class StepHeading:
    """The heading of a step. It stands on the field of the product that holds the step's answers."""

    label: str
    short: str


class Answers(BaseModel):
    """Answers that belong together. Immutable: a changed answer makes a new object, so a reader never sees half."""

    # A model's rules are built when the first answer is checked, not while the list of products is being opened.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
