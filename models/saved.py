"""What the store hands out and takes in: saved products, rows of lists, changes and history."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import AwareDatetime

from models.account import Account, ConnectionCheck, StoredFile
from models.ask import Answers
from models.events import Event, Verdict
from models.product import Mode, Product


class SavedProduct(Answers):
    """A product as it stands in the database."""

    slug: str
    answers: Product
    mode: Mode = Mode.DEMO
    published: bool = False
    revision: int = 1
    """Raised by every change. A writer names the revision it started from."""
    updated_at: AwareDatetime
    place: str = ""
    """The question the seller was at last, by id."""


class NewProduct(NamedTuple):
    """A product that is to be created: its answers have a name."""

    slug: str
    answers: Product
    complete: bool


class KnownProduct(NamedTuple):
    """A slug that is taken, and by which product."""

    slug: str
    name: str | None
    is_deleted: bool


class ProductRow(Answers):
    """One line of the product list."""

    slug: str
    name: str
    mode: Mode
    published: bool
    access: str | None
    """The kind of the chosen access option."""
    complete: bool
    revision: int
    updated_at: AwareDatetime


class ProductPage(Answers):
    """A page of the product list, in the order of names. The cursors are None at the ends."""

    rows: tuple[ProductRow, ...]
    before: str | None
    after: str | None
    total: int
    """How many products match, counted up to 10,000."""


class Change(Answers):
    """One answer that changed: the question's path, and the plain JSON values before and after."""

    path: str
    old: Any = None
    new: Any = None


class HistoryEntry(Change):
    """A change as it was recorded."""

    revision: int
    at: AwareDatetime
    who: str


class RunRow(Answers):
    """One line of the list of runs."""

    id: str
    product: str
    name: str = ""
    """What the product is called."""
    revision: int
    event: Event
    life: str = ""
    """The name of the life; empty for a single event."""
    fault: str = ""
    """The fault of a drill."""
    backend: str
    verdict: Verdict | None
    reason: str
    started_at: AwareDatetime
    is_running: bool = False
    """Whether somebody is carrying it out now. Without a verdict and not running, it was left midway."""

    @property
    def can_go_on(self) -> bool:
        """Whether it was stopped midway and nobody goes on with it."""
        return self.verdict in (None, Verdict.INTERRUPTED) and not self.is_running


class SavedAccount(Answers):
    """The seller's things with what the store knows about them."""

    account: Account
    checks: dict[str, ConnectionCheck] = {}
    """The last check of each connection, by slug."""
    files: dict[str, StoredFile] = {}
    """What the library knows of each file, by slug."""
    unreadable: dict[str, str] = {}
    """The connections whose secret cannot be read, by slug, and why: it is missing from them."""
    broken: dict[str, str] = {}
    """The things that are stored and that no rule of this version allows, as `membership club`, and what to do: they
    are missing from the account."""
