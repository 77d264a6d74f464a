"""Answers as a seller writes and reads them, for every front end that shows text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from models.access import duration
from models.ask import Answers
from models.choice import Choice
from wizard.flow import Question, question_at


def label_of(choice: Choice, host: str = "Kartra") -> str:
    """The label of a choice, with the host's brand where it names the host."""
    return choice.label.replace("{host}", host)


def as_text(question: Question, answer: Any) -> str:
    """An answer as the text that would give it again; for the kinds that are written as text."""
    if answer is None:
        return ""
    match question.ask.kind:
        case "words":
            return ", ".join(answer)
        case "duration":
            return duration(answer)
        case "secret":
            return ""
    return str(answer)


def from_text(question: Question, text: str) -> Any:
    """The answer that a text gives; rules are checked by the model, which is handed what was written."""
    match question.ask.kind:
        case "words":
            return tuple(word.strip() for word in text.split(",") if word.strip())
        case "text":
            return text
    return text if text.strip() or not question.optional else None


def in_words(question: Question, answer: Any, host: str = "Kartra") -> str:
    """An answer as a person says it, on one line: for lists, reviews and prompts."""
    if answer is None or answer == "" or answer == ():
        return question.ask.placeholder if question.optional and question.ask.kind == "number" else "not answered"
    match question.ask.kind:
        case "switch":
            return "yes" if answer else "no"
        case "choice":
            return label_of(answer, host)
        case "choices":
            return ", ".join(label_of(choice, host) for choice in answer)
        case "references":
            return ", ".join(answer)
        case "rows":
            return f"{len(answer)} {question.ask.row_name}{'' if len(answer) == 1 else 's'}"
        case "group":
            return group_in_words(question, answer, host)
        case "secret":
            return "set"
    text = as_text(question, answer)
    first = text.partition("\n")[0]
    unit = f" {question.ask.unit}" if question.ask.unit and question.ask.unit != "%" else question.ask.unit
    return (first + " …" if first != text else text) + unit


def row_in_words(question: Question, row: Answers, host: str = "Kartra") -> str:
    """A row of a list by its answers alone: the list's heading says what they are."""
    if question.ask.told is not None:
        return question.ask.told(row)
    said = []
    for inner in question.form:
        value = getattr(row, inner.name)
        if not inner.ask.when(row) or value in (None, "", ()):
            continue
        if inner.ask.kind == "switch":
            said += [inner.ask.label.lower()] * bool(value)
        else:
            said.append(in_words(inner, value, host))
    return ", ".join(said)


def group_in_words(question: Question, answer: Answers, host: str = "Kartra", always_on: Collection[str] = ()) -> str:
    """The answers of a group or a row, those that are asked, with their labels. Some switches may be on whatever they
    are answered."""
    asked = [(q, True if q.name in always_on else getattr(answer, q.name)) for q in question.form if q.ask.when(answer)]
    return ", ".join(f"{q.ask.label.lower()} {in_words(q, value, host)}" for q, value in asked)


def row_of(path: str) -> str:
    """The row that a path is in, as a seller says it: `price point 2`. Empty for an answer that is in none."""
    parts = path.split(".")
    numbers = [at for at, part in enumerate(parts) if part.isdecimal()]
    if not numbers:
        return ""
    name = question_at(".".join(parts[: numbers[0]])).ask.row_name
    return f"{name} {int(parts[numbers[0]]) + 1}"


def place_of(path: str) -> str:
    """A path as a seller would say it: the label of its question, with its row."""
    try:
        label = question_at(path).ask.label
    except KeyError:
        return path
    row = row_of(path)
    if not row:
        return label
    return row if path.rpartition(".")[2].isdecimal() else f"{label} of {row}"
