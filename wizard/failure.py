"""Errors that end a command: each says itself what its reader is told, and the status (`docs/spec.md` 7).

Light on purpose: whoever only wants to catch one imports nothing of what raises it.
"""

from __future__ import annotations

from typing import ClassVar

REFUSED, WRONG, OUTSIDE = 1, 2, 3
"""Exit statuses: done and the answer is no; the command or a document is wrong; something outside failed, such as the
database, the network, a disk, a stream."""


class Failure(Exception):
    """An error with a sentence for its reader, which names a way out. Any other that ends a command is our mistake."""

    status: ClassVar[int] = WRONG

    @property
    def told(self) -> str:
        """What the reader of a command is told."""
        return str(self)
