"""What commands write: text that obeys nothing, and JSON that is one document and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from models.characters import visible


def say(text: str = "") -> None:
    """Write a line on standard output; foreign text in it is made harmless."""
    _write(sys.stdout, visible(text))


def warn(text: str) -> None:
    """Write a line on standard error."""
    _write(sys.stderr, visible(text))


def say_json(document: Any) -> None:
    """Write one JSON document. Everything beyond ASCII is escaped, so that nothing in it acts on a terminal."""
    _write(sys.stdout, json.dumps(document, indent=2))


def say_as_is(text: str) -> None:
    """Write text that is checked already, such as a document, without a line break of our own."""
    _write(sys.stdout, text, end="")


def table(rows: Sequence[Sequence[str]]) -> None:
    """Write rows in columns as wide as they need."""
    safe = [[visible(cell, "") for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in safe) for at in range(len(safe[0]))] if safe else []
    for row in safe:
        _write(sys.stdout, "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _write(stream: TextIO, text: str, end: str = "\n") -> None:
    try:
        try:
            stream.write(text + end)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + end)
        stream.flush()
    except BrokenPipeError:
        # The reader has seen enough (`wizard products | head`). What is being done goes on, in silence.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
