"""Plain values into YAML 1.2 that reads like written by hand: short groups on one line, texts as blocks."""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from models.characters import harmful

WIDTH = 120
"""The longest line that a group is written on."""

_PLAIN = re.compile(r"[A-Za-z@/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*|https?://[A-Za-z0-9_./@+-]+")
"""Text that needs no quotes anywhere."""
_NOT_TEXT = re.compile(r"(true|false|null|yes|no|on|off|y|n)", re.IGNORECASE)
"""Words that YAML 1.2, or readers of YAML 1.1, take for something else than text."""


def write(document: dict[str, Any]) -> str:
    """Write a document. The same values always give the same text, and no character of it acts on a terminal."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 1_000_000  # a line is broken where we say so, and nowhere else
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(_laid_out(document, 0), stream)
    # Quotes are around every text that has such characters, so the escape is read as what it stands for.
    return "".join(f"\\U{ord(c):08x}" if harmful(c, "\n") else c for c in stream.getvalue())


def _laid_out(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict | list):
        short = depth > 1 and (isinstance(value, list) or depth > 2) and _fits(value, depth)
        return _collection(value, short, depth)
    return value


def _collection(value: dict[str, Any] | list[Any], short: bool, depth: int) -> Any:
    if isinstance(value, dict):
        mapping = CommentedMap({key: _laid_out(inner, depth + 1) for key, inner in value.items()})
        if short or not value:
            mapping.fa.set_flow_style()
        return mapping
    sequence = CommentedSeq([_laid_out(inner, depth + 1) for inner in value])
    if short or not value:
        sequence.fa.set_flow_style()
    return sequence


def _fits(value: Any, depth: int) -> bool:
    """Whether a value reads well on one line: short, and without texts of several lines or lists of groups."""
    words = repr(value).replace("'", "")
    return len(words) + 2 * depth <= WIDTH and "\\n" not in words and not _has_rows(value)


def _has_rows(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(inner, dict | list) for inner in value)
    return isinstance(value, dict) and any(_has_rows(inner) for inner in value.values())


def _text(text: str) -> Any:
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text):
        return text
    lines = text.split("\n")
    tidy = all(line == line.strip() and not any(map(harmful, line)) for line in lines)
    if len(lines) > 1 and tidy and lines[0] and lines[-1]:
        return LiteralScalarString(text)
    return DoubleQuotedScalarString(text)
