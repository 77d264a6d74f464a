"""The seller's things: memberships, connections, calendars and webinars. Files have a module of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import SecretStr, ValidationError
from sqlalchemy import String, Table, cast, delete, insert, select, update

from models import records
from models.account import (
    Account,
    Calendar,
    Connection,
    ConnectionCheck,
    File,
    Membership,
    Owned,
    StoredFile,
    Webinar,
)
from models.saved import SavedAccount
from wizard.problems import problems_of
from wizard.store.database import Work
from wizard.store.errors import InUse, KeysUnusable, NotFound, SlugTaken
from wizard.store.mapping import join, split
from wizard.store.names import numbered_slugs
from wizard.store.products import PRODUCT, slug_is_taken
from wizard.store.rows import LEVEL, OPENS, OPTION, REFERENCES
from wizard.store.rule_targets import RuleTarget, stored_rule_targets
from wizard.store.sealing import seal, unseal

OwnedKind = Literal["membership", "connection", "file", "calendar", "webinar"]
Thing = TypeVar("Thing", bound=Owned)


class Kept(NamedTuple):
    """How a kind of thing is kept."""

    model: type[Owned]
    record: type[records.Owned]

    @property
    def table(self) -> Table:
        """Its table."""
        return records.table_of(self.record)


KINDS: Mapping[OwnedKind, Kept] = {
    "membership": Kept(Membership, records.Membership),
    "connection": Kept(Connection, records.Connection),
    "file": Kept(File, records.LibraryFile),
    "calendar": Kept(Calendar, records.Calendar),
    "webinar": Kept(Webinar, records.Webinar),
}


def kind_of(thing: Owned) -> OwnedKind:
    """What kind of thing it is."""
    return next(kind for kind, kept in KINDS.items() if isinstance(thing, kept.model))


# --- reading --------------------------------------------------------------------------------------------------------


def read(work: Work) -> SavedAccount:
    """Everything the seller owns."""
    things: dict[str, Sequence[Any]] = {}
    checks: dict[str, ConnectionCheck] = {}
    files: dict[str, StoredFile] = {}
    unreadable: dict[str, str] = {}
    levels = _levels(work)
    for kind, kept in KINDS.items():
        mine = select(kept.table).where(kept.table.c.seller_id == work.seller)
        found = sorted(work.connection.execute(mine).mappings(), key=lambda row: (row["name"].casefold(), row["slug"]))
        things[f"{kind}s"] = [_plain(kept, row, levels.get(row["id"], ())) for row in found]
        if kind == "connection":
            checks = {row["slug"]: check for row in found if (check := _check(row))}
            for row, plain in zip(found, things["connections"], strict=True):
                try:
                    plain |= unseal(row["secrets"], work.keys)
                except KeysUnusable as error:
                    unreadable[row["slug"]] = f"Its secret cannot be read: {error}"
        if kind == "file":
            files = {row["slug"]: stored_file(row) for row in found}
    broken: dict[str, str] = {}
    sound = {
        f"{kind}s": [thing for plain in things[f"{kind}s"] if (thing := _sound(kind, plain, broken))] for kind in KINDS
    }
    # That it cannot be read was found out just now, whatever an earlier check said.
    now = datetime.now(UTC)
    checks |= {slug: ConnectionCheck(ok=False, at=now, detail=why) for slug, why in unreadable.items()}
    account = Account.model_validate(sound)
    return SavedAccount(account=account, checks=checks, files=files, unreadable=unreadable, broken=broken)


def _sound(kind: OwnedKind, plain: dict[str, Any], broken: dict[str, str]) -> Owned | None:
    """A thing as it is stored; None, and noted, where the rules of this version do not allow it."""
    try:
        return KINDS[kind].model.model_validate(plain)
    except ValidationError as error:
        first = problems_of(error)[0]
        broken[f"{kind} {plain['slug']}"] = (
            f"The stored {kind} {plain['slug']!r} breaks a rule of this version and is left out: "
            f"{first.path or 'as a whole'}: {first.message}. Describe it anew in a document, and apply that."
        )
        return None


def _levels(work: Work) -> dict[int, list[str]]:
    membership = KINDS["membership"].table
    query = select(LEVEL.c.membership_id, LEVEL.c.slug).join(membership, membership.c.id == LEVEL.c.membership_id)
    levels: dict[int, list[str]] = {}
    for key, level in work.connection.execute(
        query.where(membership.c.seller_id == work.seller).order_by(LEVEL.c.position)
    ):
        levels.setdefault(key, []).append(level)
    return levels


def _plain(kept: Kept, row: Any, levels: Sequence[str]) -> dict[str, Any]:
    """A thing's answers, without its secrets."""
    plain = join(kept.record, row)
    if kept.model is Membership:
        plain["levels"] = list(levels)
    return plain


def _check(row: Any) -> ConnectionCheck | None:
    if row["checked_at"] is None:
        return None
    told = {"detail": row["check_detail"], "levels": row["check_levels"]}
    return ConnectionCheck(ok=row["check_ok"], at=row["checked_at"], **told)


def stored_file(row: Any) -> StoredFile:
    """What the library knows of a file."""
    return StoredFile.model_validate({name: row[name] for name in StoredFile.model_fields})


def row_of(work: Work, kind: OwnedKind, slug: str) -> Any:
    """A thing's row. Raises `NotFound`."""
    table = KINDS[kind].table
    query = select(table).where(table.c.seller_id == work.seller, table.c.slug == slug)
    row = work.connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(kind, slug)
    return row


# --- writing --------------------------------------------------------------------------------------------------------


def add(work: Work, thing: Thing, extra: Mapping[str, Any] | None = None) -> Thing:
    """Create a thing under a slug that is free. `extra` are columns that hold no answer."""
    table = KINDS[kind_of(thing)].table
    slug = next(free for free in numbered_slugs(thing.slug) if not slug_is_taken(work, table, free))
    return insert_thing(work, thing.model_copy(update={"slug": slug}), extra or {})


def put(work: Work, thing: Thing, old_slug: str | None, extra: Mapping[str, Any] | None = None) -> Thing:
    """Create a thing, or update the one of this slug or of its old one."""
    kind = kind_of(thing)
    table = KINDS[kind].table
    if old_slug is None and not slug_is_taken(work, table, thing.slug):
        return insert_thing(work, thing, extra or {})
    row = row_of(work, kind, old_slug or thing.slug)
    if thing.slug != row["slug"] and slug_is_taken(work, table, thing.slug):
        raise SlugTaken(kind, thing.slug)
    values = {**_values(thing), **(extra or {})}
    if isinstance(thing, Connection):
        values["secrets"] = _sealed_anew(work, thing, row["secrets"])
        if any(row[name] != values[name] for name in ("kind", "settings", "secrets")):
            # What was checked is no longer what is set.
            values |= {"check_ok": None, "checked_at": None, "check_detail": "", "check_levels": None}
    work.connection.execute(update(table).where(table.c.id == row["id"]).values(values))
    if isinstance(thing, Membership):
        _write_levels(work, row["id"], thing)
    return thing


def insert_thing(work: Work, thing: Thing, extra: Mapping[str, Any]) -> Thing:
    """Create a thing under its own slug, known to be free."""
    table = KINDS[kind_of(thing)].table
    values = {"seller_id": work.seller, **_values(thing), **extra}
    if isinstance(thing, Connection):
        values["secrets"] = seal(_secrets_of(thing), work.keys)
    key = work.connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    if isinstance(thing, Membership):
        _write_levels(work, key, thing)
    return thing


def _values(thing: Owned) -> dict[str, Any]:
    """The thing in columns, without its secrets and without what tables of their own hold."""
    plain = thing.model_dump(mode="json", exclude={*_secrets_of(thing), "levels"})
    return split(KINDS[kind_of(thing)].record, plain)


def _secrets_of(thing: Owned) -> dict[str, SecretStr]:
    return {name: value for name, value in thing if isinstance(value, SecretStr)}


def _sealed_anew(work: Work, connection: Connection, stored: bytes) -> bytes:
    """What is stored for its secrets: the same as long as they are the same, though each token is another.

    Secrets that cannot be read stay until others are written: the key may be brought back.
    """
    secrets = _secrets_of(connection)
    try:
        stays = unseal(stored, work.keys) == secrets
    except KeysUnusable:
        stays = not secrets
    return stored if stays else seal(secrets, work.keys)


def _write_levels(work: Work, membership: int, thing: Membership) -> None:
    """Make the levels what the membership says. One that a product opens, or a rule names, cannot go."""
    there = _level_keys(work, membership)
    for slug in there.keys() - set(thing.levels):
        if users := _level_users(work, membership, slug, there[slug]):
            raise _in_use(f"The level {slug} of {thing.name}", users)
        work.connection.execute(delete(LEVEL).where(LEVEL.c.id == there[slug]))
    for position, slug in enumerate(thing.levels, start=1):
        if slug in there:
            work.connection.execute(update(LEVEL).where(LEVEL.c.id == there[slug]).values(position=position))
        else:
            work.connection.execute(insert(LEVEL).values(membership_id=membership, slug=slug, position=position))


def remove(work: Work, kind: OwnedKind, slug: str) -> None:
    """Remove a thing that no product uses."""
    row = row_of(work, kind, slug)
    if users := _users_of(work, kind, row["id"]):
        raise _in_use(f"The {kind} {row['name']}", users)
    table = KINDS[kind].table
    work.connection.execute(delete(table).where(table.c.id == row["id"]))


def record_check(work: Work, slug: str, ok: bool, detail: str, at: datetime, levels: Mapping[str, str] | None) -> None:
    """Note the result of a connection's check."""
    table = KINDS["connection"].table
    key = row_of(work, "connection", slug)["id"]
    told = {"check_detail": detail, "check_levels": None if levels is None else dict(levels)}
    values = {"check_ok": ok, "checked_at": at, **told}
    work.connection.execute(update(table).where(table.c.id == key).values(values))


# --- what uses it ---------------------------------------------------------------------------------------------------


def used_by(work: Work, kind: OwnedKind, slug: str) -> tuple[str, ...]:
    """The slugs of the products that use a thing, deleted ones left out."""
    users = _users_of(work, kind, row_of(work, kind, slug)["id"])
    return tuple(product for product, is_deleted in users if not is_deleted)


User = tuple[str, bool]
"""A product, as (slug, whether it is deleted)."""
Users = list[User]


def _users_of(work: Work, kind: OwnedKind, key: int) -> Users:
    column = next(name for name, (answer, _) in REFERENCES.items() if answer == kind)
    uses = OPTION.c[column] == key
    if kind == "membership":
        levels = select(OPENS.c.access_option_id).join(LEVEL, LEVEL.c.id == OPENS.c.level_id)
        uses = uses | OPTION.c.id.in_(levels.where(LEVEL.c.membership_id == key))
    if kind == "membership":
        return sorted({*_users(work, uses), *(user for user, _ in _ruled(work, key))})
    return _users(work, uses)


def _users(work: Work, uses: Any) -> Users:
    query = select(PRODUCT.c.slug, PRODUCT.c.is_deleted).join(OPTION, OPTION.c.product_id == PRODUCT.c.id).where(uses)
    return [
        (slug, is_deleted) for slug, is_deleted in work.connection.execute(query.distinct().order_by(PRODUCT.c.slug))
    ]


def level_users(work: Work, membership: str) -> dict[str, Users]:
    """Of each level of a membership, the products that open it or name it in a rule; of those that none does, none."""
    key = row_of(work, "membership", membership)["id"]
    found = {slug: _level_users(work, key, slug, level) for slug, level in _level_keys(work, key).items()}
    return {slug: users for slug, users in found.items() if users}


def _level_keys(work: Work, membership: int) -> dict[str, int]:
    mine = select(LEVEL.c.slug, LEVEL.c.id).where(LEVEL.c.membership_id == membership)
    return dict(work.connection.execute(mine).all())


def _level_users(work: Work, membership: int, slug: str, level: int) -> Users:
    opening = select(OPENS.c.access_option_id).where(OPENS.c.level_id == level)
    named = {user for user, target in _ruled(work, membership) if target.level == slug}
    return sorted({*_users(work, OPTION.c.id.in_(opening)), *named})


def _ruled(work: Work, membership: int) -> list[tuple[User, RuleTarget]]:
    """The products whose rules name a membership, each with what the rule says of it.

    The rules are in a JSON column, so that a rule may name what is yet to be created; the search in its text leaves
    few products to be read.
    """
    table = KINDS["membership"].table
    slug = work.connection.execute(select(table.c.slug).where(table.c.id == membership)).scalar_one()
    written = cast(PRODUCT.c.automations, String)
    query = select(PRODUCT.c.slug, PRODUCT.c.is_deleted, PRODUCT.c.automations).where(
        PRODUCT.c.seller_id == work.seller, written.contains("_membership", autoescape=True), written.contains(slug)
    )
    return [
        ((product, is_deleted), target)
        for product, is_deleted, automations in work.connection.execute(query)
        for target in stored_rule_targets(automations)
        if target.membership == slug
    ]


def _in_use(what: str, users: Users) -> InUse:
    return InUse(what, [slug for slug, _ in users], [slug for slug, is_deleted in users if is_deleted])
