"""A product's life: created, saved, switched, copied, deleted and brought back. Each function is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, count
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update

from models import records
from models.product import Mode, Product
from models.saved import Change, HistoryEntry, KnownProduct, NewProduct, SavedProduct
from models.text import SLUG, slug_of
from wizard.store import history, rows
from wizard.store.database import Work
from wizard.store.errors import InUse, NameTaken, NotFound, SlugTaken, Stale, StoreError
from wizard.store.image import Image, answers_of, image_of, settled
from wizard.store.names import is_same_name, name_key, numbered_slugs
from wizard.store.names import sorted_by as sorted_by

PRODUCT = records.table_of(records.Product)
BUMP = records.table_of(records.Bump)

Row = Mapping[str, Any]


# --- reading --------------------------------------------------------------------------------------------------------


def load(work: Work, slug: str) -> SavedProduct:
    """The product as it stands."""
    row = row_of(work, slug)
    return _saved(row, answers_of(rows.read(work.connection, row), work.form, slug))


def load_all(work: Work, slugs: Collection[str]) -> dict[str, SavedProduct]:
    """Those of these products that there are, by slug."""
    found: dict[str, SavedProduct] = {}
    for some in _batches(slugs):
        query = select(PRODUCT).where(PRODUCT.c.seller_id == work.seller, PRODUCT.c.slug.in_(some))
        own = [dict(row) for row in work.connection.execute(query.where(PRODUCT.c.is_deleted.is_(False))).mappings()]
        for image in rows.read_all(work.connection, own):
            slug = image.product["slug"]
            found[slug] = _saved(image.product, answers_of(image, work.form, slug))
    return found


def _batches(slugs: Collection[str]) -> Iterator[list[str]]:
    """So many at a time as any database takes in one question."""
    listed = list(slugs)
    yield from (listed[at : at + 500] for at in range(0, len(listed), 500))


def known(work: Work) -> tuple[KnownProduct, ...]:
    """Every product of the seller's, deleted ones too."""
    query = select(PRODUCT.c.slug, PRODUCT.c.name, PRODUCT.c.is_deleted).where(PRODUCT.c.seller_id == work.seller)
    return tuple(KnownProduct(*row) for row in work.connection.execute(query))


def history_of(work: Work, slug: str, limit: int, before: int | None) -> tuple[HistoryEntry, ...]:
    """What changed in a product, the newest first; a deleted one has its history still."""
    return history.entries(work, row_of(work, slug, deleted=None)["id"], limit, before)


def row_of(work: Work, slug: str, deleted: bool | None = False) -> Row:
    """A product's own row. `deleted` is None where it does not matter. Raises `NotFound`."""
    query = select(PRODUCT).where(PRODUCT.c.seller_id == work.seller, PRODUCT.c.slug == slug)
    row = work.connection.execute(query).mappings().one_or_none()
    if row is None or deleted not in (None, row["is_deleted"]):
        raise NotFound("product", slug)
    return row  # type: ignore[return-value]


def _saved(row: Row, answers: Product) -> SavedProduct:
    return SavedProduct(
        slug=row["slug"],
        answers=answers,
        mode=Mode(row["mode"]),
        published=row["published"],
        revision=row["revision"],
        updated_at=row["updated_at"],
        place=row["place"],
    )


# --- writing --------------------------------------------------------------------------------------------------------


def create(
    work: Work, name: str, who: str, answers: Product | None, slug: str | None, complete: bool, place: str = ""
) -> SavedProduct:
    """Create a product at revision 1. Without a slug, one is made from its name and numbered until it is free."""
    answers = _named(answers or _blank(work), name)
    if slug is None:
        proposals = numbered_slugs(slug_of(answers.general.name or ""))
        slug = next(free for free in proposals if not slug_is_taken(work, PRODUCT, free))
    [created] = create_all(work, [NewProduct(slug, answers, complete)], who, place)
    return created


def create_all(work: Work, wanted: Sequence[NewProduct], who: str, place: str = "") -> list[SavedProduct]:
    """Create products at revision 1, in a few questions however many they are."""
    settled_answers = [settled(new.answers) for new in wanted]
    _refuse_taken(work, [new.slug for new in wanted], [answers.general.name or "" for answers in settled_answers])
    now = datetime.now(UTC)
    switches = {"mode": Mode.DEMO.value, "published": False, "revision": 1, "place": place, "seller_id": work.seller}
    times = {"created_at": now, "updated_at": now, "deleted_at": None, "is_deleted": False}
    images = []
    for new, answers in zip(wanted, settled_answers, strict=True):
        image = image_of(answers)
        named = {"slug": new.slug, "sorted_by": sorted_by(answers.general.name or ""), "complete": new.complete}
        images.append(replace(image, product={**named, **switches, **times, **image.product}))
    work.connection.execute(insert(PRODUCT), [image.product for image in images])
    keys = _keys_of(work, [new.slug for new in wanted])
    rows.add_all(work, dict(zip(keys, images, strict=True)))
    blank = work.form().model_dump(mode="json")
    changes = {
        key: list(history.differences(blank, answers.model_dump(mode="json")))
        for key, answers in zip(keys, settled_answers, strict=True)
    }
    history.write(work.connection, 1, now, who, changes, work.form)
    return [_saved(image.product, answers) for image, answers in zip(images, settled_answers, strict=True)]


def _keys_of(work: Work, slugs: Sequence[str]) -> list[int]:
    """The keys of products, in the same order."""
    found: dict[str, int] = {}
    for some in _batches(slugs):
        query = select(PRODUCT.c.slug, PRODUCT.c.id).where(PRODUCT.c.seller_id == work.seller, PRODUCT.c.slug.in_(some))
        found |= dict(work.connection.execute(query).all())
    return [found[slug] for slug in slugs]


def _refuse_taken(work: Work, slugs: Sequence[str], names: Sequence[str]) -> None:
    """Refuse names and slugs that a product has, or that two of these share."""
    for slug in slugs:
        if not SLUG.fullmatch(slug):
            raise StoreError(f"{slug!r} is not a slug: lower-case letters, digits and hyphens, 63 at most.", "slug")
    mine = PRODUCT.c.seller_id == work.seller
    taken, bearers = set(), set()
    for some in _batches({sorted_by(name) for name in names}):
        query = select(PRODUCT.c.name).where(mine, PRODUCT.c.is_deleted.is_(False), PRODUCT.c.sorted_by.in_(some))
        bearers |= {name_key(name) for name in work.connection.execute(query).scalars() if name is not None}
    for some in _batches(slugs):
        taken |= set(work.connection.execute(select(PRODUCT.c.slug).where(mine, PRODUCT.c.slug.in_(some))).scalars())
    for name, slug in zip(names, slugs, strict=True):
        if name_key(name) in bearers:
            raise NameTaken(name)
        if slug in taken:
            raise SlugTaken("product", slug)
        bearers.add(name_key(name))
        taken.add(slug)


def _blank(work: Work) -> Product:
    """Where a seller starts: with the currency of the product that was made last."""
    latest = select(PRODUCT.c.currency).where(PRODUCT.c.seller_id == work.seller).order_by(PRODUCT.c.id.desc())
    currency = work.connection.execute(latest.limit(1)).scalar_one_or_none()
    blank = work.form()
    if currency is None or currency == blank.pricing.currency:
        return blank
    return blank.model_copy(update={"pricing": blank.pricing.model_copy(update={"currency": currency})})


def save(
    work: Work, slug: str, base_revision: int, answers: Product, changes: Sequence[Change], who: str, complete: bool
) -> SavedProduct:
    """Store new answers, one revision further."""
    row = row_of(work, slug)
    old = rows.read(work.connection, row)
    _refuse_stale(work, row, old, base_revision)
    answers = settled(answers)
    new = image_of(answers)
    name = new.product["name"]
    if name != row["name"] and name is not None and _name_is_taken(work, name, but_by=row["id"]):
        raise NameTaken(name)
    values = {column: value for column, value in new.product.items() if row[column] != value}
    values |= {"complete": complete, "sorted_by": sorted_by(name or slug)}
    rows.write(work, row["id"], slug, old, new)
    return _saved(_advance(work, row, values, who, changes), answers)


def switch(
    work: Work, slug: str, base_revision: int, who: str, mode: Mode | None, published: bool | None
) -> SavedProduct:
    """Turn the switches that are given and differ."""
    row = row_of(work, slug)
    image = rows.read(work.connection, row)
    _refuse_stale(work, row, image, base_revision)
    wanted = {"mode": mode.value if mode else None, "published": published}
    values = {name: value for name, value in wanted.items() if value is not None and value != row[name]}
    changes = [Change(path=name, old=row[name], new=value) for name, value in values.items()]
    after = _advance(work, row, values, who, changes) if changes else row
    return _saved(after, answers_of(image, work.form, slug))


def remember_place(work: Work, slug: str, question: str) -> None:
    """Note where the seller is: no revision, no history."""
    this = PRODUCT.c.id == row_of(work, slug)["id"]
    work.connection.execute(update(PRODUCT).where(this).values(place=question))


def duplicate(work: Work, slug: str, who: str) -> SavedProduct:
    """Copy the answers into a new product."""
    row = row_of(work, slug)
    answers = answers_of(rows.read(work.connection, row), work.form, slug)
    name = _free_name(work, f"{row['name'] or slug} (copy)")
    return create(work, name, who, answers, None, row["complete"])


def delete(work: Work, slug: str, who: str) -> None:
    """Take a product off the list, with a way back."""
    row = row_of(work, slug)
    if offered_by := _offered_by(work, row["id"], deleted=False):
        raise InUse(f"The product {slug}", offered_by)
    values = {"deleted_at": datetime.now(UTC), "is_deleted": True}
    _advance(work, row, values, who, [Change(path="deleted", old=False, new=True)])


def restore(work: Work, slug: str, who: str) -> SavedProduct:
    """Bring a deleted product back, unpublished, under a name that is free."""
    row = row_of(work, slug, deleted=True)
    values: dict[str, Any] = {"deleted_at": None, "is_deleted": False, "published": False}
    changes = [Change(path="deleted", old=True, new=False)]
    if row["published"]:
        changes.append(Change(path="published", old=True, new=False))
    if row["name"] is not None and _name_is_taken(work, row["name"]):
        name = _free_name(work, row["name"])
        values |= {"name": name, "sorted_by": sorted_by(name)}
        changes.append(Change(path="general.name", old=row["name"], new=name))
    after = _advance(work, row, values, who, changes)
    return _saved(after, answers_of(rows.read(work.connection, after), work.form, slug))


def purge(work: Work, slug: str) -> None:
    """Remove a deleted product with everything that hangs on it."""
    row = row_of(work, slug, deleted=True)
    if offered_by := _offered_by(work, row["id"], deleted=None):
        raise InUse(f"The product {slug}", offered_by)
    work.connection.execute(delete_from(PRODUCT).where(PRODUCT.c.id == row["id"]))


def _refuse_stale(work: Work, row: Row, image: Image, base_revision: int) -> None:
    if row["revision"] != base_revision:
        stored = _saved(row, answers_of(image, work.form, row["slug"]))
        raise Stale(stored, history.entries_since(work, row["id"], base_revision))


def _advance(work: Work, row: Row, values: Mapping[str, Any], who: str, changes: Sequence[Change]) -> Row:
    """Write a product's own row, one revision further, and what changed."""
    now = datetime.now(UTC)
    values = {**values, "revision": row["revision"] + 1, "updated_at": now}
    work.connection.execute(update(PRODUCT).where(PRODUCT.c.id == row["id"]).values(values))
    history.write(work.connection, values["revision"], now, who, {row["id"]: changes}, work.form)
    return {**row, **values}


# --- names ----------------------------------------------------------------------------------------------------------


def _named(answers: Product, name: str) -> Product:
    general = type(answers.general)
    try:
        named = general.model_validate({**dict(answers.general), "name": name})
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise StoreError(f"This name cannot be used: {message}.", "general.name") from error
    return answers.model_copy(update={"general": named})


def _name_is_taken(work: Work, name: str, but_by: int | None = None) -> bool:
    """Whether a product has this name, other than the one of this id.

    The database's own index refuses less: names that are alike to the letter. Which letters are alike without regard
    to case every database decides for itself, and writers of one seller wait for each other, so it is asked here.
    """
    alike = PRODUCT.c.seller_id == work.seller, PRODUCT.c.is_deleted.is_(False), PRODUCT.c.sorted_by == sorted_by(name)
    query = select(PRODUCT.c.id, PRODUCT.c.name).where(*alike, PRODUCT.c.name.is_not(None))
    return any(key != but_by and is_same_name(name, other) for key, other in work.connection.execute(query))


def _free_name(work: Work, name: str) -> str:
    """The name, or with a number behind it, within the 120 characters of a name."""
    endings = chain([""], (f" {number}" for number in count(2)))
    proposals = (name[: 120 - len(ending)].rstrip() + ending for ending in endings)
    return next(proposal for proposal in proposals if not _name_is_taken(work, proposal))


def slug_is_taken(work: Work, table: Any, slug: str) -> bool:
    """Whether the seller has a row of this slug, deleted products included."""
    query = select(table.c.id).where(table.c.seller_id == work.seller, table.c.slug == slug)
    return work.connection.execute(query).first() is not None


def _offered_by(work: Work, product: int, deleted: bool | None) -> list[str]:
    query = select(PRODUCT.c.slug).join(BUMP, BUMP.c.product_id == PRODUCT.c.id).where(BUMP.c.offered_id == product)
    if deleted is not None:
        query = query.where(PRODUCT.c.is_deleted.is_(deleted))
    return list(work.connection.execute(query.order_by(PRODUCT.c.slug)).scalars())
