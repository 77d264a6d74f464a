"""What is wrong with a document: which file, which line, which key, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.characters import visible
from wizard.failure import Failure

SHOWN = 20
"""How many mistakes are written out; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. `line` is counted from 1; `path` is the key's, as in `products.0.pricing.currency`."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{visible(self.file, '')}:{self.line}"
        return f"{where}: {visible(self.path, '')}: {self.message}" if self.path else f"{where}: {self.message}"


class DocumentError(Failure, ValueError):
    """Documents that were not applied, with everything that is wrong with them. Nothing was changed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = [str(mistake) for mistake in self.mistakes[:SHOWN]]
        if len(self.mistakes) > SHOWN:
            lines.append(f"… and {len(self.mistakes) - SHOWN} more")
        super().__init__("\n".join(lines))
