"""Reading and writing the rows of a product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, update

from models import records
from models.access import AccessKind
from wizard.store.database import Work
from wizard.store.errors import RefersToItself, UnknownReference
from wizard.store.image import Image, LevelKey

PRODUCT = records.table_of(records.Product)
PRICE = records.table_of(records.PricePoint)
OPTION = records.table_of(records.AccessOption)
OPENS = records.table_of(records.AccessLevel)
BUMP = records.table_of(records.Bump)
MEMBERSHIP = records.table_of(records.Membership)
LEVEL = records.table_of(records.Level)

REFERENCES: Mapping[str, tuple[str, Table]] = {
    column.name: (column.info["answer"], records.Record.metadata.tables[column.info["refers_to"]])
    for column in OPTION.columns
    if "refers_to" in column.info
}
"""The columns of an access option that refer to something: the answer's name, and the table it is looked up in."""

ACCESS, BUMPS = "post_sale.access", "checkout.bumps"


# --- reading --------------------------------------------------------------------------------------------------------


def read(connection: Connection, product: Mapping[str, Any]) -> Image:
    """The image of a product whose own row has been read."""
    key = product["id"]
    prices = select(PRICE).where(PRICE.c.product_id == key).order_by(PRICE.c.position)
    bumps = (
        select(PRODUCT.c.slug)
        .join(BUMP, BUMP.c.offered_id == PRODUCT.c.id)
        .where(BUMP.c.product_id == key)
        .order_by(BUMP.c.position)
    )
    return Image(
        product,
        tuple(_without(row, "product_id") for row in connection.execute(prices).mappings()),
        _read_options(connection, key),
        {AccessKind.HOSTED_MEMBERSHIP.value: _read_levels(connection, key)},
        tuple(connection.execute(bumps).scalars()),
    )


def _read_options(connection: Connection, product: int) -> dict[str, dict[str, Any]]:
    joined: Any = OPTION
    columns: list[Any] = [column for column in OPTION.columns if column.name not in REFERENCES]
    for name, (_, table) in REFERENCES.items():
        joined = joined.outerjoin(table, OPTION.c[name] == table.c.id)
        columns.append(table.c.slug.label(name))
    found = connection.execute(select(*columns).select_from(joined).where(OPTION.c.product_id == product)).mappings()
    return {row["kind"]: _without(row, "id", "product_id", "kind") for row in found}


def _read_levels(connection: Connection, product: int) -> tuple[LevelKey, ...]:
    query = (
        select(MEMBERSHIP.c.slug, LEVEL.c.slug)
        .select_from(OPTION)
        .join(OPENS, OPENS.c.access_option_id == OPTION.c.id)
        .join(LEVEL, LEVEL.c.id == OPENS.c.level_id)
        .join(MEMBERSHIP, MEMBERSHIP.c.id == LEVEL.c.membership_id)
        .where(OPTION.c.product_id == product)
        .order_by(OPENS.c.position)
    )
    return tuple((membership, level) for membership, level in connection.execute(query))


def _without(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


# --- writing --------------------------------------------------------------------------------------------------------


def write(work: Work, product: int, slug: str, old: Image | None, new: Image) -> None:
    """Make the rows below a product's own what the new image says. Raises `UnknownReference`, `RefersToItself`."""
    connection = work.connection
    if old is None or old.prices != new.prices:
        connection.execute(delete(PRICE).where(PRICE.c.product_id == product))
        _insert(connection, PRICE, [{"product_id": product, **price} for price in new.prices])
    for kind, option in new.options.items():
        if old is None or old.options.get(kind) != option:
            _write_option(work, product, kind, option, is_new=old is None or kind not in old.options)
    for kind, levels in new.levels.items():
        if old is None or old.levels.get(kind) != levels:
            _write_levels(work, product, kind, levels)
    if old is None or old.bumps != new.bumps:
        _write_bumps(work, product, slug, old.bumps if old else (), new.bumps)


def _write_option(work: Work, product: int, kind: str, option: Mapping[str, Any], is_new: bool) -> None:
    values = dict(option)
    for column, (name, table) in REFERENCES.items():
        if values[column] is not None:
            values[column] = _key_of(work, table, values[column], name, f"{ACCESS}.{kind}.{name}")
    if is_new:
        work.connection.execute(insert(OPTION), {"product_id": product, "kind": kind, **values})
    else:
        this = OPTION.c.product_id == product, OPTION.c.kind == kind
        work.connection.execute(update(OPTION).where(*this).values(values))


def _key_of(work: Work, table: Table, slug: str, kind: str, field: str) -> int:
    query = select(table.c.id).where(table.c.seller_id == work.seller, table.c.slug == slug)
    found: int | None = work.connection.execute(query).scalar()
    if found is None:
        raise UnknownReference(field, kind, slug)
    return found


def _write_levels(work: Work, product: int, kind: str, levels: tuple[LevelKey, ...]) -> None:
    this = OPTION.c.product_id == product, OPTION.c.kind == kind
    option = work.connection.execute(select(OPTION.c.id).where(*this)).scalar_one()
    work.connection.execute(delete(OPENS).where(OPENS.c.access_option_id == option))
    known = dict(_known_levels(work, levels))
    rows = []
    for position, key in enumerate(levels, start=1):
        if key not in known:
            raise UnknownReference(f"{ACCESS}.{kind}.levels", "level", "/".join(filter(None, key)))
        rows.append({"access_option_id": option, "position": position, "level_id": known[key]})
    _insert(work.connection, OPENS, rows)


def _known_levels(work: Work, levels: tuple[LevelKey, ...]) -> Iterator[tuple[LevelKey, int]]:
    query = (
        select(MEMBERSHIP.c.slug, LEVEL.c.slug, LEVEL.c.id)
        .join(LEVEL, LEVEL.c.membership_id == MEMBERSHIP.c.id)
        .where(MEMBERSHIP.c.seller_id == work.seller, MEMBERSHIP.c.slug.in_({membership for membership, _ in levels}))
    )
    for membership, level, key in work.connection.execute(query):
        yield (membership, level), key


def _write_bumps(work: Work, product: int, slug: str, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    if slug in new:
        raise RefersToItself(BUMPS)
    work.connection.execute(delete(BUMP).where(BUMP.c.product_id == product))
    # One that was deleted meanwhile may stay where it was, and cannot be chosen anew.
    mine = PRODUCT.c.seller_id == work.seller, PRODUCT.c.slug.in_(new)
    there = PRODUCT.c.is_deleted.is_(False) | PRODUCT.c.slug.in_(old)
    query = select(PRODUCT.c.slug, PRODUCT.c.id).where(*mine, there)
    known = dict(work.connection.execute(query).all())
    rows = []
    for position, offered in enumerate(new, start=1):
        if offered not in known:
            raise UnknownReference(BUMPS, "product", offered)
        rows.append({"product_id": product, "position": position, "offered_id": known[offered]})
    _insert(work.connection, BUMP, rows)


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)
