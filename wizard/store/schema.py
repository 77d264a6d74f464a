"""Bringing a database to the schema of this version, after a backup copy of an embedded one.

Alembic takes long to import, so it is only asked when there is something to do: a database that already stands at
`NEWEST` is opened without it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from wizard.store.errors import Corrupt, NewerDatabase
from wizard.store.keys import Keys

NEWEST = "0004"
"""The migration that this version's records are written for."""

PLAIN = "0001"
"""The last migration under which secrets stood in the database as they are."""

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK = 7_210_460_311
"""The number under which two processes that start at once on PostgreSQL wait for each other."""


def bring_up_to_date(engine: Engine, folder: Path, keys: Keys) -> None:
    """Apply the migrations that the database lacks. Raises `NewerDatabase`, `Corrupt`, `KeysUnusable`."""
    with engine.connect() as connection:
        if stored_revision(connection) == NEWEST:
            return
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK})
        # Asked again now that nobody else can write: another process may have been quicker.
        stored = stored_revision(connection)
        if stored == NEWEST:
            return
        if stored is not None:
            back_up(connection, folder, stored)
        migrate(connection, keys)
    if stored == PLAIN and engine.dialect.name == "sqlite":
        _sweep(engine)


def stored_revision(connection: Connection) -> str | None:
    """The migration that the database stands at; None for a new one.

    Raises `NewerDatabase` for a migration that this version does not know, `Corrupt` for somebody else's tables.
    """
    has_table = partial(connection.dialect.has_table, connection)
    if not has_table("alembic_version"):
        if has_table("product"):
            raise Corrupt(
                "This database has tables of its own that are not the wizard's. Set another one with "
                "WIZARD_DATABASE_URL or WIZARD_DATA_DIR."
            )
        return None
    stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stored is None:
        return None
    if stored not in known_revisions():
        raise NewerDatabase(
            f"This database was written by a newer version of the wizard (schema {stored}, known here up to {NEWEST}). "
            "Update the wizard, or set another data folder with WIZARD_DATA_DIR."
        )
    return str(stored)


def known_revisions() -> set[str]:
    """The migrations that this version brings, by the beginning of their files' names."""
    return {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def migrate(connection: Connection, keys: Keys, to: str = "head") -> None:
    """Apply the missing migrations inside the caller's transaction. `keys` seal what stood there as it is."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "keys": keys})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, to)


def back_up(connection: Connection, folder: Path, revision: str) -> Path | None:
    """Copy an embedded database into the folder `backups`, whole or not at all. A server's is its keeper's affair.

    A copy of a time when secrets were not sealed is made without them: they would lie there for all to read. Whoever
    goes back to that copy and the version that wrote it, writes them again.
    """
    if connection.dialect.name != "sqlite" or not (source := _file_of(connection)):
        return None
    backups = folder / "backups"
    backups.mkdir(mode=0o700, exist_ok=True)
    name = f"wizard-{revision}-{datetime.now(UTC):%Y%m%dT%H%M%S}.db"
    unfinished = backups / f".{name}.{os.getpid()}"
    unfinished.touch(mode=0o600)
    try:
        # A connection of its own: the copy is of what was committed before this migration began.
        with sqlite3.connect(source) as original, sqlite3.connect(unfinished) as copy:
            original.backup(copy)
            if revision == PLAIN:
                copy.execute("UPDATE connection SET secrets = ?", (b"{}",))
        if revision == PLAIN:
            copy.execute("VACUUM")
        copy.close()
        original.close()
        os.replace(unfinished, backups / name)
    finally:
        unfinished.unlink(missing_ok=True)
    return backups / name


def _sweep(engine: Engine) -> None:
    """Leave nothing of what a migration overwrote in unused pages and in the journal.

    While another process reads, less can be swept; what is left goes when SQLite reuses it.
    """
    swept = engine.raw_connection()
    try:
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            with suppress(sqlite3.OperationalError):
                swept.cursor().execute(statement).close()
    finally:
        swept.close()


def _file_of(connection: Connection) -> str | None:
    database = connection.engine.url.database
    return None if not database or database == ":memory:" else database
