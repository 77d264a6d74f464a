"""Reading and writing the rows of a product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
    return read_all(connection, [product])[0]


def read_all(connection: Connection, products: Sequence[Mapping[str, Any]]) -> list[Image]:
    """The images of products whose own rows have been read, in the same order."""
    keys = [product["id"] for product in products]
    prices, options = _read_prices(connection, keys), _read_options(connection, keys)
    levels, bumps = _read_levels(connection, keys), _read_bumps(connection, keys)
    return [
        Image(
            product,
            tuple(prices[key]),
            dict(options[key]),
            {AccessKind.HOSTED_MEMBERSHIP.value: tuple(levels[key])},
            tuple(bumps[key]),
        )
        for product, key in zip(products, keys, strict=True)
    ]


def _read_prices(connection: Connection, products: list[int]) -> Mapping[int, list[dict[str, Any]]]:
    query = select(PRICE).where(PRICE.c.product_id.in_(products)).order_by(PRICE.c.product_id, PRICE.c.position)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["product_id"]].append(_without(row, "product_id"))
    return found


def _read_bumps(connection: Connection, products: list[int]) -> Mapping[int, list[str]]:
    query = (
        select(BUMP.c.product_id, PRODUCT.c.slug)
        .join(PRODUCT, BUMP.c.offered_id == PRODUCT.c.id)
        .where(BUMP.c.product_id.in_(products))
        .order_by(BUMP.c.product_id, BUMP.c.position)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for product, slug in connection.execute(query):
        found[product].append(slug)
    return found


def _read_options(connection: Connection, products: list[int]) -> Mapping[int, dict[str, dict[str, Any]]]:
    joined: Any = OPTION
    columns: list[Any] = [column for column in OPTION.columns if column.name not in REFERENCES]
    for name, (_, table) in REFERENCES.items():
        joined = joined.outerjoin(table, OPTION.c[name] == table.c.id)
        columns.append(table.c.slug.label(name))
    query = select(*columns).select_from(joined).where(OPTION.c.product_id.in_(products))
    found: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in connection.execute(query).mappings():
        found[row["product_id"]][row["kind"]] = _without(row, "id", "product_id", "kind")
    return found


def _read_levels(connection: Connection, products: list[int]) -> Mapping[int, list[LevelKey]]:
    query = (
        select(OPTION.c.product_id, MEMBERSHIP.c.slug, LEVEL.c.slug)
        .select_from(OPTION)
        .join(OPENS, OPENS.c.access_option_id == OPTION.c.id)
        .join(LEVEL, LEVEL.c.id == OPENS.c.level_id)
        .join(MEMBERSHIP, MEMBERSHIP.c.id == LEVEL.c.membership_id)
        .where(OPTION.c.product_id.in_(products))
        .order_by(OPTION.c.product_id, OPENS.c.position)
    )
    found: dict[int, list[LevelKey]] = defaultdict(list)
    for product, membership, level in connection.execute(query):
        found[product].append((membership, level))
    return found


def _without(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


# --- writing --------------------------------------------------------------------------------------------------------


def add_all(work: Work, products: Mapping[int, Image]) -> None:
    """Write the rows below the own rows of new products, by their keys. Raises `UnknownReference`, `RefersToItself`."""
    prices = [{"product_id": key, **price} for key, image in products.items() for price in image.prices]
    _insert(work.connection, PRICE, prices)
    options = [
        {"product_id": key, "kind": kind, **_with_keys(work, kind, option)}
        for key, image in products.items()
        for kind, option in image.options.items()
    ]
    _insert(work.connection, OPTION, options)
    for key, image in products.items():
        for kind, levels in image.levels.items():
            if levels:
                _write_levels(work, key, kind, levels)
        if image.bumps:
            _write_bumps(work, key, image.product["slug"], (), image.bumps)


def write(work: Work, product: int, slug: str, old: Image, new: Image) -> None:
    """Make the rows below a product's own what the new image says. Raises `UnknownReference`, `RefersToItself`."""
    connection = work.connection
    if old.prices != new.prices:
        connection.execute(delete(PRICE).where(PRICE.c.product_id == product))
        _insert(connection, PRICE, [{"product_id": product, **price} for price in new.prices])
    for kind, option in new.options.items():
        if old.options.get(kind) != option:
            _write_option(work, product, kind, option, is_new=kind not in old.options)
    for kind, levels in new.levels.items():
        if old.levels.get(kind) != levels:
            _write_levels(work, product, kind, levels)
    if old.bumps != new.bumps:
        _write_bumps(work, product, slug, old.bumps, new.bumps)


def _with_keys(work: Work, kind: str, option: Mapping[str, Any]) -> dict[str, Any]:
    """An option's values with the keys of what it refers to, in place of the slugs."""
    values = dict(option)
    for column, (name, table) in REFERENCES.items():
        if values[column] is not None:
            values[column] = _key_of(work, table, values[column], name, f"{ACCESS}.{kind}.{name}")
    return values


def _write_option(work: Work, product: int, kind: str, option: Mapping[str, Any], is_new: bool) -> None:
    values = _with_keys(work, kind, option)
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
