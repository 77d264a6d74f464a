"""From a file to a checked document: every mistake found, with its line, before anything is done with it."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.ask import Answers
from models.characters import visible
from models.product import Product
from wizard.documents import places, shape
from wizard.documents.answers import with_defaults
from wizard.documents.mistakes import DocumentError, Mistake
from wizard.documents.reading import STANDARD, STANDARD_INPUT, Node, read
from wizard.problems import message_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document that follows the rules of its form. What it refers to is not looked at yet."""

    shown: str
    """The file's name in messages."""
    folder: Path
    """Where its relative paths count from."""
    tree: Node
    form: Any
    """A `shape.document_model`."""

    def mistake(self, path: str, message: str) -> Mistake:
        """A mistake at a key of this document."""
        return Mistake(self.shown, self.tree.line_of(path.split(".")), path, message)


def load(path: Path, product: type[Product] = Product) -> Loaded:
    """Read a document and check its form. Raises DocumentError."""
    shown = STANDARD_INPUT if str(path) == STANDARD else str(path)
    tree = read(path, shown)
    if not isinstance(tree.value, dict):
        raise DocumentError([Mistake(shown, tree.line, "", "a document is a mapping; its first line is: wizard: 1")])
    if "wizard" not in tree.value:
        raise DocumentError([Mistake(shown, 1, "", "the version is missing; write this as the first line: wizard: 1")])
    if isinstance(tree.value["wizard"].value, int) and tree.value["wizard"].value != shape.VERSION:
        # What another version means by its keys is not known, so nothing else is said about them.
        told = f"this program reads documents of version {shape.VERSION}; write wizard: {shape.VERSION}"
        raise DocumentError([Mistake(shown, tree.line_of(["wizard"]), "wizard", told)])
    model = shape.document_model(product)
    plain = tree.plain()
    for number, entry in enumerate(plain["products"] if isinstance(plain.get("products"), list) else ()):
        plain["products"][number] = with_defaults(shape.product_model(product), entry)
    try:
        form = model.model_validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        raise DocumentError(_mistakes(error, tree, shown, model)) from None
    return Loaded(shown, path.parent, tree, form)


def _mistakes(error: ValidationError, tree: Node, shown: str, model: type[Answers]) -> list[Mistake]:
    found = []
    for detail in error.errors(include_url=False):
        path, around = _follow(detail, model)
        told = _sentence(detail, tree.at(path), path, around)
        found.append(Mistake(shown, tree.line_of(path), ".".join(path), told))
    return sorted(found, key=lambda mistake: mistake.line)


def _follow(detail: ErrorDetails, model: type[Answers]) -> tuple[list[str], list[str]]:
    """The document's path of an error, and the keys that may stand where it points."""
    parts: list[str] = []
    around: list[type[Answers]] = [model]
    inside: list[type[Answers]] = [model]
    is_chosen = False
    """Whether the option of an access was passed: it is no key of the document, and one of that name is."""
    for part in (str(part) for part in detail["loc"]):
        fields = [found.model_fields[part] for found in inside if part in found.model_fields]
        if not fields and not part.isdecimal() and parts[-1:] == ["access"] and not is_chosen:
            chosen = [found for found in inside if found.__name__ == f"Access_{part}"]
            if chosen:
                inside, is_chosen = chosen, True
                continue
        parts.append(part)
        if not part.isdecimal():
            around, inside = inside, [found for field in fields for found in shape.models_in(field.annotation)]
    context: dict[str, Any] = detail.get("ctx") or {}
    if detail["type"] == "misfit" and context.get("field"):
        parts.extend(context["field"].split("."))
    return parts, [name for found in around for name in found.model_fields]


def _sentence(detail: ErrorDetails, node: Node, path: list[str], around: list[str]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            key = path[-1]
            close = difflib.get_close_matches(key[:60], around, n=1)
            hint = f"did you mean {close[0]}?" if close else "one of " + ", ".join(dict.fromkeys(around))
            return f"there is no key {visible(key[:60], '')}; {hint}"
        case "string_type" if node.written:
            if path[-1] in shape.SECRETS:
                return places.WRITTEN_OUT
            return f'this must be text; put it in quotes: "{node.written}"'
        case "union_tag_invalid":
            options = list(shape.options_of())
            kind = node.child("kind")
            close = difflib.get_close_matches(str(kind.value if kind else ""), options, n=1)
            return f"kind: did you mean {close[0]}?" if close else "kind: one of " + ", ".join(options)
        case "union_tag_not_found":
            return "this must be a group of keys, the first of which is kind"
        case "missing":
            return "this key is missing"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "this must be a group of keys, indented below this one"
        case "tuple_type" | "list_type":
            return "this must be a list: [one, another], or lines that start with -"
    return message_of(detail)
