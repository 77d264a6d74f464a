"""What is wrong with an answer: where, and what would be right, in a seller's words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `path` is the question's id with row numbers, `message` one sentence."""

    path: str
    message: str
    lacking: bool = False
    """Whether there is no answer yet, rather than a wrong one."""


class Misfits(ValueError):
    """An answer that was not accepted, with everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in self.problems))


def _count(noun: str, number: int) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _too_short(least: int) -> str:
    return "this cannot be empty" if least == 1 else f"at least {least} characters"


_SENTENCES: dict[str, Callable[[dict[str, Any], Any], str]] = {
    "string_too_long": lambda c, v: _length("at most", c["max_length"], len(v), v),
    "string_too_short": lambda c, v: _too_short(c["min_length"]),
    "string_type": lambda c, v: "this must be text" + _quotes_hint(v),
    "string_pattern_mismatch": lambda c, v: "only letters, digits, _ and -, 60 at most",
    "int_parsing": lambda c, v: "write a whole number, such as 12",
    "int_type": lambda c, v: "write a whole number, such as 12",
    "int_from_float": lambda c, v: "write a whole number, without decimals",
    "bool_parsing": lambda c, v: "write true or false",
    "bool_type": lambda c, v: "write true or false",
    "greater_than_equal": lambda c, v: f"at least {c['ge']:,}",
    "less_than_equal": lambda c, v: f"at most {c['le']:,}",
    "enum": lambda c, v: _one_of(c["expected"], v),
    "literal_error": lambda c, v: _one_of(c["expected"], v),
    "missing": lambda c, v: "this is missing",
    "extra_forbidden": lambda c, v: "there is no such key",
    "too_long": lambda c, v: _length("at most", c["max_length"], c["actual_length"], v),
    "too_short": lambda c, v: _too_short(c["min_length"]) if isinstance(v, str) else f"at least {c['min_length']}",
    "tuple_type": lambda c, v: "this must be a list",
    "list_type": lambda c, v: "this must be a list",
    "model_type": lambda c, v: "this must be a group of keys",
    "model_attributes_type": lambda c, v: "this must be a group of keys",
    "dict_type": lambda c, v: "this must be a group of keys",
    "value_error": lambda c, v: str(c["error"]),
}


def _length(most: str, limit: int, actual: int, value: Any) -> str:
    noun = "character" if isinstance(value, str) else "entry" if limit == 1 else "entries"
    return f"{most} {_count(noun, limit) if isinstance(value, str) else f'{limit} {noun}'}; this has {actual:,}"


def _quotes_hint(value: Any) -> str:
    return f'; put it in quotes: "{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _one_of(expected: str, value: Any) -> str:
    names = [name.strip("' ") for name in expected.replace(" or ", ", ").split(",")]
    close = difflib.get_close_matches(str(value), names, n=1)
    return f"did you mean {close[0]}?" if close else "one of " + ", ".join(names)


def message_of(error: ErrorDetails) -> str:
    """The sentence for one of pydantic's errors."""
    sentence = _SENTENCES.get(error["type"])
    return sentence(error.get("ctx", {}), error["input"]) if sentence else error["msg"]


def problems_of(error: ValidationError, below: str = "") -> list[Problem]:
    """Pydantic's errors as problems. `below` is the path of the model that was checked."""
    found = []
    for detail in error.errors(include_url=False):
        context: dict[str, Any] = detail.get("ctx") or {}
        parts = [below, *(str(part) for part in detail["loc"])]
        if detail["type"] == "misfit" and context["field"]:
            parts.append(context["field"])
        found.append(Problem(".".join(part for part in parts if part), message_of(detail)))
    return found
