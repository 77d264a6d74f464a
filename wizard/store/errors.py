"""What can go wrong with the records, in a seller's words and always with a way out.

Light on purpose: whoever only wants to catch an error imports no database library.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wizard.failure import OUTSIDE, REFUSED, Failure

if TYPE_CHECKING:
    from models.saved import HistoryEntry, SavedProduct


class StoreError(Failure):
    """Something the store could not do; nothing was changed. `field` is the question it is about, if there is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return self.message


# --- the database itself --------------------------------------------------------------------------------------------


class Unavailable(StoreError):
    """The database or its disk cannot be used now: nothing the seller answered is to blame."""

    status = OUTSIDE


class Locked(Unavailable):
    """Another process holds the database longer than we were willing to wait."""


class ReadOnly(Unavailable):
    """The database can be read and not written."""


class DiskFull(Unavailable):
    """There is no room left to write."""


class NewerDatabase(Unavailable):
    """The database was written by a newer version of the wizard."""


class MigrationFailed(Unavailable):
    """The database is of an older version and could not be brought up to date."""


class Corrupt(Unavailable):
    """The database is not one, or what it holds cannot be read."""


class NotCreatable(Unavailable):
    """The data folder or a file in it cannot be made."""


class Unreachable(Unavailable):
    """The database server does not answer, or refuses us."""


class KeysUnusable(Unavailable):
    """The keys that seal secrets cannot be read or written."""


class NoKeyFits(KeysUnusable):
    """A secret was sealed with a key that is not at hand."""


# --- what is asked of it --------------------------------------------------------------------------------------------


class NotText(StoreError):
    """A text has null characters or halves of surrogate pairs, which no database can keep."""

    def __init__(self) -> None:
        super().__init__("A text has characters that cannot be kept, such as null. Take them out and try again.")


class NotFound(StoreError, KeyError):
    """There is no such thing."""

    def __init__(self, kind: str, slug: str) -> None:
        super().__init__(f"There is no {kind} {slug!r}. It may have been removed or renamed meanwhile.")
        self.kind = kind
        self.slug = slug


class NameTaken(StoreError):
    """Another product already has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another product is already called {name!r}. Choose another name.", "general.name")
        self.name = name


class SlugTaken(StoreError):
    """Another thing of this kind already has this slug."""

    def __init__(self, kind: str, slug: str) -> None:
        super().__init__(f"There already is a {kind} {slug!r}. Choose another name.", "slug")
        self.kind = kind
        self.slug = slug


class RunExists(StoreError, ValueError):
    """A run of this id is recorded already."""

    def __init__(self, run: str) -> None:
        super().__init__(f"There already is a run {run}. Its record is kept as it is.")


class UnknownReference(StoreError):
    """An answer names something that does not exist. `field` is the path of that answer."""

    def __init__(self, field: str, kind: str, slug: str) -> None:
        super().__init__(f"There is no {kind} {slug!r}. Choose another one, or create it first.", field)
        self.kind = kind
        self.slug = slug


class RefersToItself(StoreError):
    """A product offers itself as a bump."""

    def __init__(self, field: str) -> None:
        super().__init__("A product cannot be offered on top of itself. Choose another product.", field)


class InUse(StoreError):
    """Products still use it, so it stays. `products` are their slugs, deleted ones included."""

    def __init__(self, what: str, products: Sequence[str], deleted: Sequence[str] = ()) -> None:
        named = [slug if slug not in deleted else f"{slug} (deleted)" for slug in products]
        listed = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
        super().__init__(f"{what} is used by {listed}. Choose something else there first.")
        self.products = tuple(products)


class Stale(StoreError):
    """Somebody else changed the product meanwhile. It carries what is stored now and what changed since.

    Nothing was overwritten: show `entries`, let the seller take either side, and save again with
    `saved.revision` as the base.
    """

    status = REFUSED

    def __init__(self, saved: SavedProduct, entries: Sequence[HistoryEntry]) -> None:
        who = " and ".join(sorted({entry.who for entry in entries})) or "Somebody else"
        super().__init__(f"{who} changed this product meanwhile. Nothing was overwritten: choose what to keep.")
        self.saved = saved
        self.entries = tuple(entries)

    @property
    def told(self) -> str:
        """See `Failure`."""
        who = " and ".join(sorted({entry.who for entry in self.entries})) or "Somebody else"
        return f"{who} changed {self.saved.slug} in this moment. Nothing was changed: run this again."


FileProblem = Literal["missing", "empty", "directory", "special", "unreadable", "growing", "changed", "name"]


class FileRefused(StoreError):
    """A file that cannot be added to the library, or no longer be taken out of it."""

    status = OUTSIDE

    def __init__(self, path: Path, problem: FileProblem) -> None:
        says = {
            "missing": "There is no file {name!r}. Check the path; it may have been moved.",
            "empty": "{name!r} is empty. Choose a file with contents.",
            "directory": "{name!r} is a folder. Choose one file, or make a ZIP of the folder.",
            "special": "{name!r} is a device or a pipe. Choose a file.",
            "growing": "{name!r} is being written to at this moment. Wait until it is whole and add it again.",
            "unreadable": "{name!r} cannot be read. Check its permissions.",
            "name": "{name!r} has a name that is not text (UTF-8). Rename it and add it again.",
            "changed": "{name!r} is no longer what was added. Add the file again.",
        }
        super().__init__(says[problem].format(name=str(path)), "path")
        self.path = path
        self.problem: FileProblem = problem
