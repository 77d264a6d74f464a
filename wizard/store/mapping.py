"""Answers into the columns of a row and back, for every table alike.

A record's columns say which answer they hold (`models.records`). What has no column of its own goes into the nearest
JSON column above it, so a new question is stored without a word about it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from models import records
from models.money import from_minor_units, minor_units

Plain = dict[str, Any]
"""Answers as plain JSON values, by the names of their fields."""

Path = tuple[str, ...]


@cache
def _columns(record: type[records.Record]) -> tuple[tuple[Path, str, bool], ...]:
    """The columns that hold answers, the deepest first: the answer's path, the column's name, whether an amount."""
    found = []
    for column in records.table_of(record).columns:
        if (path := column.info.get("answer")) is not None:
            found.append((tuple(path.split(".")) if path else (), column.name, "is_amount" in column.info))
    return tuple(sorted(found, key=lambda column: -len(column[0])))


def split(record: type[records.Record], plain: Plain, currency: str = "") -> Plain:
    """Take plain answers apart into the values of a row's columns. `plain` is used up."""
    values: Plain = {}
    for path, column, is_amount in _columns(record):
        value = _take(plain, path)
        if is_amount and value is not None:
            units = minor_units(value, currency)
            # `29` and `29.00` are the same amount; how it was written is kept beside it.
            if from_minor_units(units, currency) != value:
                _put(plain, path, value)
            value = units
        values[column] = value
    return values


def join(record: type[records.Record], values: Mapping[str, Any], currency: str = "") -> Plain:
    """Put the values of a row's columns together again into plain answers."""
    plain: Plain = {}
    for path, column, is_amount in reversed(_columns(record)):
        value = values[column]
        if is_amount and value is not None:
            written = _look(plain, path)
            same = written is not None and minor_units(written, currency) == value
            value = written if same else from_minor_units(value, currency)
        if path:
            _put(plain, path, _own(value))
        else:
            plain |= _own(value)
    return plain


def _own(value: Any) -> Any:
    # What is put into a group must not end up in the row that it came from.
    return {key: _own(item) for key, item in value.items()} if isinstance(value, dict) else value


def _take(plain: Plain, path: Path) -> Any:
    if not path:
        return plain
    group = _group(plain, path)
    return group.pop(path[-1], None) if group is not None else None


def _look(plain: Plain, path: Path) -> Any:
    group = _group(plain, path)
    return group.get(path[-1]) if group is not None else None


def _put(plain: Plain, path: Path, value: Any) -> None:
    """Put a value back, unless the group that it belongs to was not answered at all."""
    group = _group(plain, path)
    if group is not None:
        group[path[-1]] = value


def _group(plain: Plain, path: Path) -> Plain | None:
    group: Any = plain
    for name in path[:-1]:
        group = group.get(name)
        if group is None:
            return None
    return group  # type: ignore[no-any-return]
