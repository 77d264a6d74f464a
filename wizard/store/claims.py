"""Claims on runs: whoever carries out or resumes a run holds one, so that nobody does the same at the same time.

A claim ends with the process that holds it, however that ends: the system lets go of the lock, and nothing has to wait
or to clean up. Beside the embedded database it is a lock on a file in the data folder, on PostgreSQL an advisory lock
of a session (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). A pooler between us and the
server must give each client a session of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from wizard.store.database import Database
from wizard.store.private import PRIVATE_FILE, failed_to_write, make_private_folder

if TYPE_CHECKING:
    from filelock import BaseFileLock

FOLDER = "claims"
"""The folder of the locks, inside the data folder. A lock that is held has a file there; one that is not may."""

GLANCE = 0.05
"""Seconds that whoever claims a run may have to wait, since somebody who only looks holds the lock for a moment."""

KEY = "hashtextextended(current_schema() || ' wizard run ' || :run, 0)"
"""The number of a run's lock: locks belong to a database, and each of its schemas may hold an installation."""

TAKE = text(f"SELECT pg_try_advisory_lock({KEY})")
LET_GO = text(f"SELECT pg_advisory_unlock({KEY})")
IS_HELD = text(
    # A number of 64 bits is shown in two halves (https://www.postgresql.org/docs/current/view-pg-locks.html).
    f"SELECT EXISTS (SELECT 1 FROM pg_locks, (SELECT {KEY} AS key) AS wanted WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND objsubid = 1 "
    "AND classid::bigint = (key >> 32 & 4294967295) AND objid::bigint = (key & 4294967295))"
)


def claim(database: Database, folder: Path, run: str) -> AbstractContextManager[bool]:
    """Hold a run while the body lasts. Gives False, at once, when somebody else holds it. Raises `Unavailable`."""
    return _in_folder(folder / FOLDER, run) if database.is_embedded else _in_session(database, run)


def is_claimed(database: Database, folder: Path, run: str) -> bool:
    """Whether somebody holds a run. Raises `Unavailable`."""
    if not database.is_embedded:
        with database.transaction(writing=False) as connection:
            return bool(connection.execute(IS_HELD, {"run": run}).scalar_one())
    path = _path(folder / FOLDER, run)
    if not path.exists():
        return False
    lock = _lock(path)
    if is_free := _take(lock, timeout=0):
        lock.release()
    return not is_free


@contextmanager
def _in_folder(folder: Path, run: str) -> Iterator[bool]:
    make_private_folder(folder)
    lock = _lock(_path(folder, run))
    if not _take(lock, GLANCE):
        yield False
        return
    try:
        yield True
    finally:
        # Gone before it is let go: whoever has opened it by then finds that it has no name any more, and looks again.
        with suppress(OSError):
            _path(folder, run).unlink()
        lock.release()


@contextmanager
def _in_session(database: Database, run: str) -> Iterator[bool]:
    with database.session() as connection:
        with database.translated():
            is_taken = bool(connection.execute(TAKE, {"run": run}).scalar_one())
        try:
            yield is_taken
        finally:
            # Said aloud, because the server notices the end of a session a moment later. A session that broke has
            # let go already.
            if is_taken:
                with suppress(DBAPIError):
                    connection.execute(LET_GO, {"run": run})


def _path(folder: Path, run: str) -> Path:
    return folder / f"{quote(run, safe='')}.lock"


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    # A run may be let go by another thread than the one that claimed it.
    return FileLock(path, mode=PRIVATE_FILE, thread_local=False)


def _take(lock: BaseFileLock, timeout: float) -> bool:
    from filelock import Timeout

    try:
        lock.acquire(timeout=timeout, poll_interval=GLANCE / 10)
    except Timeout:
        return False
    except OSError as error:
        raise failed_to_write(error, Path(lock.lock_file)) from error
    return True
