"""What changed, when, and by whom: rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, SecretStr
from sqlalchemy import Connection, RowMapping, insert, select

from models import records
from models.ask import Ask
from models.product import Product
from models.saved import Change, HistoryEntry
from wizard.store.database import Work

MASK = "•••"

ENTRY = records.table_of(records.HistoryEntry)


def entries(work: Work, product: int, limit: int, before: int | None) -> tuple[HistoryEntry, ...]:
    """The newest entries first, of revisions below `before`."""
    query = select(ENTRY).where(ENTRY.c.product_id == product)
    if before is not None:
        query = query.where(ENTRY.c.revision < before)
    query = query.order_by(ENTRY.c.revision.desc(), ENTRY.c.position.desc()).limit(limit)
    return tuple(_entry(row) for row in work.connection.execute(query).mappings())


def entries_since(work: Work, product: int, revision: int) -> tuple[HistoryEntry, ...]:
    """The entries of later revisions, the oldest first."""
    query = select(ENTRY).where(ENTRY.c.product_id == product, ENTRY.c.revision > revision)
    query = query.order_by(ENTRY.c.revision, ENTRY.c.position)
    return tuple(_entry(row) for row in work.connection.execute(query).mappings())


def write(
    connection: Connection,
    revision: int,
    at: datetime,
    who: str,
    changes: Mapping[int, Sequence[Change]],
    form: type[Product],
) -> None:
    """Add the changes that led to a revision of each product, by its key, secrets masked."""
    rows = [
        {
            "product_id": product,
            "revision": revision,
            "position": position,
            "at": at,
            "who": who,
            "path": change.path,
            "old": masked(form, change.path, change.old),
            "new": masked(form, change.path, change.new),
        }
        for product, made in changes.items()
        for position, change in enumerate(made, start=1)
    ]
    if rows:
        connection.execute(insert(ENTRY), rows)


def differences(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """The answers that differ between two plain values, by path. A list is one answer."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif old != new:
        yield Change(path=path, old=old, new=new)


def masked(form: type[Product], path: str, value: Any) -> Any:
    """A plain value without the secrets in it. `path` says where in the product it stands."""
    if value is None or value == "":
        return value
    if isinstance(value, SecretStr):
        return MASK
    # Rows are the same question whatever their number.
    question = ".".join(part for part in path.split(".") if not part.isdigit())
    if any(question == secret or question.startswith(f"{secret}.") for secret in secret_questions(form)):
        return MASK
    if isinstance(value, dict):
        return {name: masked(form, f"{path}.{name}", item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(form, path, item) for item in value]
    return value


@cache
def secret_questions(form: type[BaseModel]) -> frozenset[str]:
    """The paths of the answers that are secrets."""
    return frozenset(_secrets_in(form, ""))


def _secrets_in(model: type[BaseModel], above: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{above}.{name}" if above else name
        inside = list(_types_in(field.annotation))
        if SecretStr in inside or any(isinstance(note, Ask) and note.kind == "secret" for note in field.metadata):
            yield path
        for part in inside:
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _secrets_in(part, path)


def _types_in(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _types_in(part)


def _entry(row: RowMapping) -> HistoryEntry:
    return HistoryEntry.model_validate({name: row[name] for name in HistoryEntry.model_fields})
