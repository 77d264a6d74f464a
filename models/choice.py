"""A fixed choice of a seller's. Light on purpose: a command line that offers one imports nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """A fixed choice: its stable value, the label a seller reads, a hint that tells it apart, and more when asked."""

    label: str
    hint: str
    more: str

    def __new__(cls, value: str, label: str = "", hint: str = "", more: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label or value.replace("_", " ").capitalize()
        member.hint = hint
        member.more = more
        return member
