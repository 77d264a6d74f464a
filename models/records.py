"""The records: what stands in which table, and which rows the database itself refuses.

A column says which answer it holds, by the answer's path below the model that its row is about. A JSON column holds
everything below its path that has no column of its own, so a new question needs no column and no change here. Times
are in UTC, amounts in integer minor units beside their currency.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, LargeBinary, MetaData, Table, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from models.access import AccessKind
from models.account import ConnectionKind
from models.columns import BINARY, ForeignText, Utc, amount, answer, answers, one_of, reference
from models.events import Status, Verdict
from models.pricing import Cancellation, Period, PriceType
from models.product import Mode

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""How constraints are named, so that a migration can name them too."""


class Record(SQLModel, registry=registry(metadata=MetaData(naming_convention=CONVENTION))):
    """A row. The tables have a metadata of their own: others' tables, such as the sandbox's, are not among them."""


def table_of(record: type[Record]) -> Table:
    """The table of a record."""
    return cast(Table, record.__table__)  # type: ignore[attr-defined]


class Seller(Record, table=True):
    """Whose products they are. There is one local seller now."""

    __tablename__ = "seller"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(sa_type=BINARY, unique=True)
    name: str
    created_at: datetime = Field(sa_type=Utc)


# --- the product ----------------------------------------------------------------------------------------------------


class Product(Record, table=True):
    """A product: its switches, and the answers that no other table holds."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("seller_id", "slug"),
        # It is as partial on PostgreSQL, where the migration says so: said here, it would import that dialect, which
        # takes a tenth of the time to open the records.
        Index("ix_product_name", "seller_id", "name", unique=True, sqlite_where=text("deleted_at IS NULL")),
        # One index answers the list, the search in it and the count: nothing else of a row is read to filter it.
        Index("ix_product_list", "seller_id", "is_deleted", "sorted_by", "slug"),
        one_of("mode", Mode),
        one_of("access_kind", AccessKind),
        CheckConstraint("revision >= 1", name="revision"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("is_deleted = (deleted_at IS NOT NULL)", name="is_deleted"),
    )

    id: int | None = Field(default=None, primary_key=True)
    seller_id: int = Field(foreign_key="seller.id", ondelete="RESTRICT")
    slug: str = Field(sa_type=BINARY)
    sorted_by: str = Field(sa_type=BINARY)
    """The name without case and accents: what the list is sorted by and searched in."""
    mode: str = Mode.DEMO.value
    published: bool = False
    revision: int = 1
    complete: bool = False
    place: str = ""
    """The question the seller was at last."""
    created_at: datetime = Field(sa_type=Utc)
    updated_at: datetime = Field(sa_type=Utc)
    deleted_at: datetime | None = Field(default=None, sa_type=Utc)
    is_deleted: bool = False

    name: str | None = answer("general.name")
    currency: str = answer("pricing.currency")
    access_kind: str | None = answer("post_sale.access.kind")

    general: dict[str, Any] = answers("general")
    pricing: dict[str, Any] = answers("pricing")
    checkout: dict[str, Any] = answers("checkout")
    access: dict[str, Any] = answers("post_sale.access")
    thank_you: dict[str, Any] = answers("post_sale.thank_you")
    notifications: dict[str, Any] = answers("post_sale.notifications")
    policy: dict[str, Any] = answers("post_sale.policy")
    post_sale: dict[str, Any] = answers("post_sale")
    automations: dict[str, Any] = answers("automations")
    affiliates: dict[str, Any] = answers("affiliates")
    rest: dict[str, Any] = answers("")


class PricePoint(Record, table=True):
    """One way to pay, by its number. Amounts are in minor units: 2900 USD is $29.00."""

    __tablename__ = "price_point"
    __table_args__ = (
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("amount_minor > 0 OR type = 'one_time'", name="only_one_time_is_free"),
        CheckConstraint("payments BETWEEN 2 AND 120", name="payments"),
        CheckConstraint("initial_amount_minor >= 0", name="initial_amount"),
        CheckConstraint("initial_days BETWEEN 1 AND 730", name="initial_days"),
        CheckConstraint("(initial_amount_minor IS NULL) = (initial_days IS NULL)", name="initial_payment"),
        one_of("type", PriceType),
        one_of("period", Period),
        one_of("cycle", Period),
        one_of("cancellation", Cancellation),
    )

    product_id: int = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    currency: str
    type: str = answer("type")
    amount_minor: int | None = amount("amount")
    period: str | None = answer("period")
    payments: int | None = answer("payments")
    cycle: str | None = answer("cycle")
    initial_amount_minor: int | None = amount("initial_payment.amount")
    initial_days: int | None = answer("initial_payment.days")
    cancellation: str = answer("cancellation")
    label: str = answer("label")
    rest: dict[str, Any] = answers("")


class AccessOption(Record, table=True):
    """The answers of one access option of a product. The other options' rows stay when the seller switches."""

    __tablename__ = "access_option"
    __table_args__ = (
        UniqueConstraint("product_id", "kind"),
        one_of("kind", AccessKind),
        CheckConstraint("membership_id IS NULL OR kind = 'hosted_membership'", name="membership"),
        CheckConstraint("connection_id IS NULL OR kind = 'integrated_membership'", name="connection"),
        CheckConstraint("file_id IS NULL OR kind = 'downloadable_file'", name="file"),
        CheckConstraint("calendar_id IS NULL OR kind = 'no_access_page'", name="calendar"),
        CheckConstraint("webinar_id IS NULL OR kind = 'no_access_page'", name="webinar"),
    )

    id: int | None = Field(default=None, primary_key=True)
    product_id: int = Field(foreign_key="product.id", ondelete="CASCADE")
    kind: str
    membership_id: int | None = reference("membership", to="membership")
    connection_id: int | None = reference("connection", to="connection")
    file_id: int | None = reference("file", to="library_file")
    calendar_id: int | None = reference("calendar", to="calendar")
    webinar_id: int | None = reference("webinar", to="webinar")
    rest: dict[str, Any] = answers("")


class AccessLevel(Record, table=True):
    """A level that an access option opens. It may belong to another membership than the chosen one."""

    __tablename__ = "access_level"
    __table_args__ = (UniqueConstraint("access_option_id", "level_id"),)

    access_option_id: int = Field(primary_key=True, foreign_key="access_option.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    level_id: int = Field(foreign_key="level.id", ondelete="RESTRICT", index=True)


class Bump(Record, table=True):
    """A product that another one offers on top."""

    __tablename__ = "bump"
    __table_args__ = (
        UniqueConstraint("product_id", "offered_id"),
        CheckConstraint("product_id <> offered_id", name="not_itself"),
    )

    product_id: int = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    offered_id: int = Field(foreign_key="product.id", ondelete="RESTRICT", index=True)


class HistoryEntry(Record, table=True):
    """A change to a product. Rows are added and never altered (a trigger sees to it)."""

    __tablename__ = "history_entry"

    product_id: int = Field(primary_key=True, foreign_key="product.id", ondelete="CASCADE")
    revision: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Utc)
    who: str
    path: str
    old: Any = Field(default=None, sa_type=JSON)
    new: Any = Field(default=None, sa_type=JSON)


# --- the seller's things --------------------------------------------------------------------------------------------


class Owned(Record):
    """What every thing of the seller's has."""

    id: int | None = Field(default=None, primary_key=True)
    seller_id: int = Field(foreign_key="seller.id", ondelete="RESTRICT")
    slug: str = answer("slug", sa_type=BINARY)
    name: str = answer("name")


class Membership(Owned, table=True):
    """A place with gated content."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("seller_id", "slug"),)

    password_protected: bool = answer("password_protected")
    login_page: str | None = answer("login_page")
    rest: dict[str, Any] = answers("")


class Level(Record, table=True):
    """A level of a membership."""

    __tablename__ = "level"
    __table_args__ = (
        UniqueConstraint("membership_id", "slug"),
        CheckConstraint("position BETWEEN 1 AND 10", name="position"),
    )

    id: int | None = Field(default=None, primary_key=True)
    membership_id: int = Field(foreign_key="membership.id", ondelete="CASCADE")
    position: int
    slug: str = Field(sa_type=BINARY)


class Connection(Owned, table=True):
    """An account on another platform, and how its last check went. Its secrets stand in a column of their own."""

    __tablename__ = "connection"
    __table_args__ = (
        UniqueConstraint("seller_id", "slug"),
        one_of("kind", ConnectionKind),
        CheckConstraint("(check_ok IS NULL) = (checked_at IS NULL)", name="check"),
    )

    kind: str = answer("kind")
    settings: dict[str, Any] = answers("")
    secrets: bytes = Field(sa_type=LargeBinary)
    check_ok: bool | None = None
    checked_at: datetime | None = Field(default=None, sa_type=Utc)
    check_detail: str = Field(default="", sa_type=ForeignText)
    check_levels: dict[str, str] | None = Field(default=None, sa_type=JSON(none_as_null=True))


class LibraryFile(Owned, table=True):
    """A file of the library. Its bytes lie in the data folder, under their SHA-256."""

    __tablename__ = "library_file"
    __table_args__ = (
        UniqueConstraint("seller_id", "slug"),
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        Index("ix_library_file_sha256", "sha256"),
    )

    path: str = answer("path")
    """Where the seller's own file was."""
    filename: str
    size: int = Field(sa_type=BigInteger)
    """Bytes."""
    sha256: str
    media_type: str
    added_at: datetime = Field(sa_type=Utc)
    rest: dict[str, Any] = answers("")


class Calendar(Owned, table=True):
    """A calendar that buyers are registered on."""

    __tablename__ = "calendar"
    __table_args__ = (UniqueConstraint("seller_id", "slug"),)

    rest: dict[str, Any] = answers("")


class Webinar(Owned, table=True):
    """A webinar that buyers are registered for."""

    __tablename__ = "webinar"
    __table_args__ = (UniqueConstraint("seller_id", "slug"),)

    rest: dict[str, Any] = answers("")


# --- the ledger of test-fires ---------------------------------------------------------------------------------------


class Run(Record, table=True):
    """A test-fire. Its id sorts by the time it started."""

    __tablename__ = "run"
    __table_args__ = (
        one_of("verdict", Verdict),
        CheckConstraint("revision >= 1", name="revision"),
        Index("ix_run_seller_id", "seller_id", "id"),
        Index("ix_run_product_id", "product_id", "id"),
    )

    id: str = answer("id", primary_key=True, sa_type=BINARY)
    seller_id: int = Field(foreign_key="seller.id", ondelete="RESTRICT")
    product_id: int = Field(foreign_key="product.id", ondelete="CASCADE")
    revision: int = answer("revision")
    event: str = answer("event")
    backend: str = answer("backend")
    verdict: str | None = answer("verdict")
    reason: str = answer("reason", sa_type=ForeignText)
    started_at: datetime = answer("started_at", sa_type=Utc)
    finished_at: datetime | None = answer("finished_at", sa_type=Utc)
    rest: dict[str, Any] = answers("")


class RunStep(Record, table=True):
    """A step of a test-fire, with its receipt and its evidence, secrets masked."""

    __tablename__ = "run_step"
    __table_args__ = (one_of("status", Status), CheckConstraint("attempts >= 0", name="attempts"))

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", sa_type=BINARY)
    position: int = answer("position", primary_key=True)
    status: str = answer("status")
    attempts: int = answer("attempts")
    ms: float = answer("ms")
    detail: str = answer("detail", sa_type=ForeignText)
    action: dict[str, Any] = answers("action")
    receipt: dict[str, Any] | None = answers("receipt")
    evidence: dict[str, Any] | None = answers("evidence")
    rest: dict[str, Any] = answers("")
