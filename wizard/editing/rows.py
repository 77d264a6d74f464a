"""Lists of small forms, such as price points and rules: how they are changed, and what one of them says."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

from models.pricing import PricePoint
from wizard import charges
from wizard.flow import Question
from wizard.wording import row_in_words

Row = TypeVar("Row")


def with_row(rows: tuple[Row, ...], at: int, row: Row) -> tuple[Row, ...]:
    """The rows with this one in its place; behind the last one, it is a new one. Counted from 0."""
    return (*rows[:at], row, *rows[at + 1 :])


def without(rows: tuple[Row, ...], at: int) -> tuple[Row, ...]:
    """The rows without that one."""
    return (*rows[:at], *rows[at + 1 :])


def moved(rows: tuple[Row, ...], at: int, by: int) -> tuple[tuple[Row, ...], int]:
    """The rows with that one moved so far, as far as there is room; and where it stands then."""
    to = max(0, min(len(rows) - 1, at + by))
    rest = without(rows, at)
    return (*rest[:to], rows[at], *rest[to:]), to


def told(question: Question, row: Any, host: str = "Kartra") -> str:
    """A row as a sentence or a list of its answers, where nothing more is known of it."""
    return row_in_words(question, row, host)


def charge_of(row: Any, currency: str, today: dt.date) -> str:
    """What a purchase today costs, in words, where a row is a price. Raises ValueError with what it lacks."""
    return charges.in_words(row, currency, today) if is_price(row) else ""


def is_price(row: Any) -> bool:
    """Whether a row says what buyers are charged."""
    return isinstance(row, PricePoint)


def name_of(row: PricePoint) -> str:
    """What a price is called among others."""
    return row.label or row.type.label
