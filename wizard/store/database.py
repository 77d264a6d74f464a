"""Opening a database and working in it: one transaction at a time, and every failure in a seller's words.

SQLite (WAL) is the embedded default. A commit is durable against a crash of the process; `synchronous=NORMAL` may lose
the last commits, and never more, when the machine itself loses power.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError, ProgrammingError

from models import records
from models.product import Product
from wizard.store import schema
from wizard.store.errors import (
    Corrupt,
    DiskFull,
    Locked,
    MigrationFailed,
    NotCreatable,
    NotText,
    ReadOnly,
    StoreError,
    Unreachable,
)
from wizard.store.keys import Keys
from wizard.store.private import close_to_others, make_private_file, make_private_folder

FILE = "wizard.db"
"""The embedded database, inside the data folder."""


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction: what the functions of this package work in."""

    connection: Connection
    seller: int
    """The id of the seller whose records they are."""
    form: type[Product]
    """The model that answers are read into."""
    keys: Keys
    """What secrets are sealed with."""
    loose: list[str] = field(default_factory=list)
    """The SHA-256 of bytes in the library that came or lost a row: looked at again when the transaction is over."""


class Database:
    """An open database."""

    def __init__(self, engine: Engine, name: str, keys: Keys) -> None:
        self._engine = engine
        self._name = name
        self.keys = keys
        """What secrets are sealed with."""
        self.was_open: list[Path] = []
        """What others on this machine could read until it was opened now."""
        # SQLite waits for other processes by polling; our own threads need not.
        self._writer = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @classmethod
    def open(cls, folder: Path, address: str | None, patience: float, keys: Keys) -> Self:
        """Open the database at this address, or the embedded one in the folder; create or migrate it where needed.

        `patience` is how many seconds to wait for another process that is writing. Raises `Unavailable`.
        """
        make_private_folder(folder)
        was_open = close_to_others(folder)
        url = _url(folder, address)
        if url.get_backend_name() == "sqlite":
            engine, name = _sqlite(url, patience), str(url.database)
        else:
            engine, name = _postgresql(url, patience), f"the database {url.database} on {url.host}"
        database = cls(engine, name, keys)
        database.was_open = was_open
        try:
            with database.translated():
                schema.bring_up_to_date(engine, folder, keys)
        except DBAPIError as error:
            database.close()
            raise MigrationFailed(
                f"{name} could not be brought up to date and stays as it was: {error.orig}. "
                "Go on with the version that wrote it, and tell whoever maintains the wizard."
            ) from error
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file, and no server's."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection that nobody else is given, without transactions: what it holds is held until it is closed."""
        with self.translated():
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()
        with closing(connection):
            yield connection

    @contextmanager
    def transaction(self, writing: bool, outlives_power_cut: bool = False) -> Iterator[Connection]:
        """A transaction that is committed as a whole or not at all. Raises `Unavailable`."""
        alone = self._writer if writing else nullcontext()
        with alone, self.translated(), self._engine.connect() as connection:
            connection.execution_options(writing=writing, outlives_power_cut=outlives_power_cut)
            if outlives_power_cut:
                connection.detach()  # what SQLite is told for this once is not told to the next user of the connection
            with connection.begin():
                yield connection

    def seller_id(self, slug: str) -> int:
        """The id of a seller, who is entered when new."""
        seller = records.table_of(records.Seller)
        by_slug = select(seller.c.id).where(seller.c.slug == slug)
        with self.transaction(writing=False) as connection:
            found: int | None = connection.execute(by_slug).scalar()
        if found is None:
            with self.transaction(writing=True) as connection:
                # Another process may enter the same seller at this moment.
                row = {"slug": slug, "name": slug, "created_at": datetime.now(UTC)}
                connection.execute(_insert_if_new(connection, seller, row))
                found = connection.execute(by_slug).scalar_one()
        return found

    @contextmanager
    def work(self, seller: int, form: type[Product], writing: bool) -> Iterator[Work]:
        """A transaction among one seller's records. Writers of the same seller wait for each other."""
        with self.transaction(writing) as connection:
            if writing and connection.dialect.name != "sqlite":
                mine = records.table_of(records.Seller).c.id == seller
                connection.execute(select(records.table_of(records.Seller).c.id).where(mine).with_for_update())
            yield Work(connection, seller, form, self.keys)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A transaction among everybody's records while nobody else writes. It is on disk when it is over."""
        with self.transaction(writing=True, outlives_power_cut=True) as connection:
            if connection.dialect.name != "sqlite":
                seller = records.table_of(records.Seller)
                connection.execute(select(seller.c.id).order_by(seller.c.id).with_for_update())
            yield connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """What the driver raises becomes an error that a seller understands; mistakes of ours stay what they are."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            meant = _in_words(error, self._name, str(self._engine.url.password or ""))
            if meant is None:
                raise
            raise meant from error
        except UnicodeEncodeError as error:
            raise NotText from error


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _url(folder: Path, address: str | None) -> URL:
    if address is None:
        return URL.create("sqlite", database=str(folder / FILE))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise Unreachable(UNREADABLE) from None
    if url.get_backend_name() == "sqlite" and (url.host or url.database in (None, "", ":memory:")):
        # Without a file everything would be gone when the wizard is closed.
        raise Unreachable("Check WIZARD_DATABASE_URL: SQLite's is written sqlite:////the/whole/path/wizard.db.")
    if "@" in f"{url.host}{url.database}" and url.get_backend_name() != "sqlite":
        # Where a password goes on is anybody's guess, so no part of the address is repeated, here or later.
        raise Unreachable(UNREADABLE)
    return url


UNREADABLE = (
    "The address of the database cannot be read. Check WIZARD_DATABASE_URL: it is written "
    "postgresql://user:password@host:5432/database, the port is a number, and in a user or password @ is written %40, "
    ": is %3A and / is %2F."
)


def _sqlite(url: URL, patience: float) -> Engine:
    if url.database and not url.query:
        make_private_file(Path(url.database))
        _refuse_remains(Path(url.database))
    engine = create_engine(
        url,
        # Waiting is SQLite's, transactions are ours: the driver's own would begin a write as a read.
        connect_args={"timeout": patience, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            _use_wal(connection, patience)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("outlives_power_cut", False):
            connection.exec_driver_sql("PRAGMA synchronous = FULL")
        # A transaction that will write says so at once: raised from a read, it could only fail.
        writing = options.get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _use_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Set the journal, once in a database's life. SQLite does not wait for others here, so we do."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) == sqlite3.SQLITE_READONLY:
                return  # One that can only be read keeps the journal it has, and stays readable.
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _refuse_remains(path: Path) -> None:
    """Refuse a file that is empty and was not made just now: it may be what is left of the seller's products.

    Another process may be making one at this moment, which takes it no minute.
    """
    found = path.stat()
    if path.is_file() and found.st_size == 0 and time.time() - found.st_mtime > 60:
        raise Corrupt(
            f"{path} is empty: it may be what a full disk or a broken copy left of your products. Put a copy from the "
            "folder `backups` in its place; or remove it, and the wizard starts anew."
        )


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary error code; the extended ones have it in their low byte."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _postgresql(url: URL, patience: float) -> Engine:
    try:
        return create_engine(
            url,
            # A connection that the server dropped while the seller was thinking is noticed and replaced.
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": max(2, round(patience)),
                "options": f"-c lock_timeout={round(patience * 1000)} {url.query.get('options', '')}".strip(),
            },
        )
    except ModuleNotFoundError:
        raise Unreachable(
            "PostgreSQL needs one more package: pip install 'product-wizard[postgres]', or unset WIZARD_DATABASE_URL."
        ) from None


def _insert_if_new(connection: Connection, table: Any, row: dict[str, Any]) -> Any:
    if connection.dialect.name == "sqlite":
        return insert(table).prefix_with("OR IGNORE").values(row)
    from sqlalchemy.dialects.postgresql import insert as insert_or

    return insert_or(table).values(row).on_conflict_do_nothing()


# --- what went wrong ------------------------------------------------------------------------------------------------


def _in_words(error: DBAPIError | sqlite3.Error, name: str, password: str) -> StoreError | None:
    # What fails while a connection is being set up comes from the driver as it is.
    driver = error if isinstance(error, sqlite3.Error) else error.orig
    if isinstance(driver, sqlite3.Error) or isinstance(error, sqlite3.Error):
        return _sqlite_in_words(cast(sqlite3.Error, driver), name)
    state = str(getattr(driver, "sqlstate", None) or "")
    if isinstance(error, DataError) and not state:
        return NotText()
    if isinstance(error, ProgrammingError) and not state:
        # Before anything was asked: the driver does not know what stands behind the “?” of the address.
        return Unreachable(UNREADABLE)
    if state in ("55P03", "40P01", "40001"):
        return Locked(f"Somebody else is changing {name} right now. Try again in a moment; nothing was changed.")
    if state == "25006":
        return ReadOnly(f"{name} is read-only for us. Ask whoever runs it for the right to write.")
    if state == "53100":
        return DiskFull(f"There is no room left in {name}. Nothing was changed.")
    cut_off = isinstance(error, OperationalError) and not state
    if state.startswith(("08", "28", "3D", "53", "57")) or error.connection_invalidated or cut_off:
        reason = str(driver).strip().splitlines()[0] if str(driver).strip() else "no answer"
        reason = reason.replace(password, "•••") if password else reason
        return Unreachable(f"{name} cannot be used: {reason}. Check WIZARD_DATABASE_URL and that it runs.")
    return None


def _sqlite_in_words(error: sqlite3.Error, name: str) -> StoreError | None:
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Locked(
                f"Another program holds {name}. Close it, or wait until it has finished, and try again; "
                "nothing was changed."
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return ReadOnly(f"{name} can only be read. Check its permissions and those of its folder.")
        case sqlite3.SQLITE_FULL:
            return DiskFull(f"There is no room left for {name}. Free some space and try again; nothing was changed.")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Corrupt(
                f"{name} is damaged or not a database of the wizard. Move it away and put a copy from the folder "
                "`backups` in its place, or start anew with WIZARD_DATA_DIR."
            )
        case sqlite3.SQLITE_CANTOPEN:
            return NotCreatable(f"{name} cannot be opened. Check its permissions and those of its folder.")
        case sqlite3.SQLITE_IOERR:
            return DiskFull(f"{name} cannot be written: the disk is full, or fails. Nothing was changed.")
    return None
