"""What the columns of the records are made of: moments, foreign text, and which answer a column holds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, Dialect, Text, TypeDecorator
from sqlmodel import Field

from models.choice import Choice


class Utc(TypeDecorator[datetime]):
    """A moment: aware in Python and in UTC, in the database without a zone where it knows none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment that does not say its zone."""
        if value is not None and value.utcoffset() is None:
            raise ValueError("a time without a zone cannot be recorded")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ForeignText(TypeDecorator[str]):
    """Text from elsewhere, such as a platform's reply. What no database can keep stands in it as its code."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace null characters and halves of surrogate pairs."""
        return value and UNKEEPABLE.sub(lambda found: f"‹U+{ord(found[0]):04X}›", value)


UNKEEPABLE = re.compile("[\0\ud800-\udfff]")

BINARY = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points on every database, so that lists and cursors agree."""


def answer(path: str, **field: Any) -> Any:
    """A column that holds the answer at this path. An empty path is the model as a whole."""
    return Field(sa_column_kwargs={"info": {"answer": path}}, **field)


def answers(path: str) -> Any:
    """A JSON column for everything at and below this path that has no column of its own."""
    return answer(path, sa_type=JSON)


def amount(path: str) -> Any:
    """A column that holds the amount at this path in minor units of the row's currency."""
    return Field(default=None, sa_type=BigInteger, sa_column_kwargs={"info": {"answer": path, "is_amount": True}})


def reference(path: str, to: str) -> Any:
    """A column that holds, as a row's id, the slug at this path. What is referred to cannot be removed."""
    return Field(
        default=None,
        foreign_key=f"{to}.id",
        ondelete="RESTRICT",
        index=True,
        sa_column_kwargs={"info": {"answer": path, "refers_to": to}},
    )


def one_of(column: str, choices: type[Choice]) -> CheckConstraint:
    """Only these choices, or nothing."""
    listed = ", ".join(f"'{choice.value}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
