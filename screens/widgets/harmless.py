"""What keeps a text from acting on the terminal that shows it.

Textual paints a text as it is, escape sequences and all, and neither `Content` nor `markup=False` changes that. So
every line passes here last, whoever wrote it and whatever painted it. What a seller is still writing is painted with a
mark for each character that the models will refuse, so that it can be seen and taken out.
"""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from models.characters import BIDI_CONTROLS, INVISIBLE, harmful

REPLACED = "\ufffd"
"""What stands for a character that must not be painted."""

HARMFUL = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{''.join(sorted(BIDI_CONTROLS | INVISIBLE))}]")
"""The same characters as `models.text.harmful` finds, all at once: every painted line is searched for them."""


def marked(text: str, allowed: str = "") -> str:
    """The text with a mark of one cell for each harmful character: ␛ for an escape. Positions stay the same."""
    if not HARMFUL.search(text):
        return text
    return "".join(_mark(c) if harmful(c, allowed) else c for c in text)


def _mark(character: str) -> str:
    return chr(0x2400 + ord(character)) if ord(character) < 0x20 else REPLACED


class Harmless(LineFilter):
    """Takes out of every painted line what would act on the terminal. No cell moves."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells, without control, direction and invisible characters."""
        return [self._harmless(segment) for segment in segments]

    def _harmless(self, segment: Segment) -> Segment:
        text, style, control = segment
        if control or (text.isascii() and text.isprintable()) or not HARMFUL.search(text):
            return segment
        return Segment(HARMFUL.sub(lambda found: REPLACED * cell_len(found.group()), text), style)
