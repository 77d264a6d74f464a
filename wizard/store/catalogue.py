"""The list of products: paged by key and searched as the seller types.

One narrow index holds all that is filtered, sorted and counted, so 100,000 products are searched without reading
their rows, and a page costs the same wherever in the list it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, func, literal, select, tuple_

from models import records
from models.product import Mode
from models.saved import ProductPage, ProductRow
from wizard.store.database import Work
from wizard.store.names import sorted_by

PRODUCT = records.table_of(records.Product)

COUNTED = 10_000
"""How far matches are counted. Beyond, a seller wants a better search and not a better number."""


def page(work: Work, search: str, after: str | None, before: str | None, limit: int, deleted: bool) -> ProductPage:
    """One page, in the order of names."""
    matching = _matching(work, search, deleted)
    shown = matching.with_only_columns(
        PRODUCT.c.slug,
        PRODUCT.c.name,
        PRODUCT.c.sorted_by,
        PRODUCT.c.mode,
        PRODUCT.c.published,
        PRODUCT.c.access_kind,
        PRODUCT.c.complete,
        PRODUCT.c.revision,
        PRODUCT.c.updated_at,
    )
    in_order = PRODUCT.c.sorted_by, PRODUCT.c.slug
    backwards = PRODUCT.c.sorted_by.desc(), PRODUCT.c.slug.desc()
    # One row more than shown tells whether the list goes on, without another search.
    if before is not None:
        found = _rows(work, shown.where(_is_before(before)).order_by(*backwards).limit(limit + 1))
        rows, goes_back = list(reversed(found[:limit])), len(found) > limit
        goes_on = bool(rows and _rows(work, matching.where(_is_after(_cursor(rows[-1]))).order_by(*in_order).limit(1)))
    else:
        forwards = shown.where(_is_after(after)) if after is not None else shown
        found = _rows(work, forwards.order_by(*in_order).limit(limit + 1))
        rows, goes_on = list(found[:limit]), len(found) > limit
        goes_back = bool(
            after is not None
            and rows
            and _rows(work, matching.where(_is_before(_cursor(rows[0]))).order_by(*backwards).limit(1))
        )
    return ProductPage(
        rows=tuple(_row(row) for row in rows),
        before=_cursor(rows[0]) if goes_back else None,
        after=_cursor(rows[-1]) if goes_on else None,
        total=_count(work, matching),
    )


LONGEST_SEARCH = 200
"""Characters of a search that are looked for."""


def _matching(work: Work, search: str, deleted: bool) -> Select[Any]:
    query = select(literal(1)).where(PRODUCT.c.seller_id == work.seller, PRODUCT.c.is_deleted.is_(deleted))
    # Longer than any name is found nowhere, and SQLite takes no pattern of any length.
    wanted = sorted_by(" ".join(search[:LONGEST_SEARCH].split()))
    if wanted:
        in_name = PRODUCT.c.sorted_by.contains(wanted, autoescape=True)
        query = query.where(in_name | PRODUCT.c.slug.contains(wanted, autoescape=True))
    return query


def _count(work: Work, matching: Select[Any]) -> int:
    counted = select(func.count()).select_from(matching.limit(COUNTED).subquery())
    return work.connection.execute(counted).scalar_one()


def _rows(work: Work, query: Select[Any]) -> Sequence[RowMapping]:
    return work.connection.execute(query).mappings().all()


def _cursor(row: Any) -> str:
    """Where a row stands in the list, whether or not the product is still there later."""
    return f"{row['slug']} {row['sorted_by']}"


def _is_after(cursor: str) -> Any:
    slug, _, name = cursor.partition(" ")
    return tuple_(PRODUCT.c.sorted_by, PRODUCT.c.slug) > tuple_(literal(name), literal(slug))


def _is_before(cursor: str) -> Any:
    slug, _, name = cursor.partition(" ")
    return tuple_(PRODUCT.c.sorted_by, PRODUCT.c.slug) < tuple_(literal(name), literal(slug))


def _row(row: Any) -> ProductRow:
    return ProductRow(
        slug=row["slug"],
        name=row["name"] or row["slug"],
        mode=Mode(row["mode"]),
        published=row["published"],
        access=row["access_kind"],
        complete=row["complete"],
        revision=row["revision"],
        updated_at=row["updated_at"],
    )
