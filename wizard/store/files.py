"""The file library: a copy of every file that buyers download, kept in the data folder under its SHA-256.

Bytes come before the row that names them and go after it, so a row never stands without its bytes, whenever the
process ends.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Literal

from sqlalchemy import select

from models import records
from models.account import File, StoredFile
from models.columns import UNKEEPABLE
from wizard.store import account
from wizard.store.database import Work
from wizard.store.errors import FileRefused, NotFound, SlugTaken, StoreError
from wizard.store.private import failed_to_write, make_private_folder, opened_privately, sync_folder
from wizard.store.products import slug_is_taken

FileState = Literal["ready", "missing", "empty", "changed"]
Writing = Callable[[], AbstractContextManager[Work]]

FILE = records.table_of(records.LibraryFile)
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copy:
    """Bytes that have been copied into the library's folder and do not have their name yet."""

    path: Path
    filename: str
    size: int
    sha256: str

    def columns(self) -> dict[str, object]:
        """What the row says of them."""
        media_type = mimetypes.guess_type(self.filename)[0] or "application/octet-stream"
        about = {"filename": self.filename, "size": self.size, "sha256": self.sha256, "media_type": media_type}
        return about | {"added_at": datetime.now(UTC)}

    def take_name(self, work: Work, library: Path) -> None:
        """Put the bytes where the library looks for them. Called with the writer's turn, so nobody removes them."""
        work.loose.append(self.sha256)
        place = place_of(library, self.sha256)
        make_private_folder(place.parent)
        # Also over a copy that is there already: it may have been damaged.
        os.replace(self.path, place)
        sync_folder(place.parent)


def place_of(library: Path, sha256: str) -> Path:
    """Where bytes are kept."""
    return library / sha256[:2] / sha256


# --- adding ---------------------------------------------------------------------------------------------------------


def add(writing: Writing, library: Path, thing: File, *, unique: bool) -> File:
    """Copy a file into the library. With `unique`, a taken slug gets a number."""
    copy = _copy(library, Path(thing.path))
    try:
        with writing() as work:
            if not unique and slug_is_taken(work, FILE, thing.slug):
                raise SlugTaken("file", thing.slug)
            added = account.add(work, thing, copy.columns())
            copy.take_name(work, library)
            return added
    except OSError as error:
        raise failed_to_write(error, library) from error
    finally:
        copy.path.unlink(missing_ok=True)


def put(writing: Writing, library: Path, thing: File, old_slug: str | None) -> File:
    """Create or update a file; bytes are copied when `path` is another than before, or new."""
    with writing() as work:
        try:
            before = account.row_of(work, "file", old_slug or thing.slug)
        except NotFound:
            if old_slug is not None:
                raise
            before = None
        if before is not None and thing.path in (before["path"], ""):
            return account.put(work, thing.model_copy(update={"path": before["path"]}), old_slug)
    copy = _copy(library, Path(thing.path))
    try:
        with writing() as work:
            stored = account.put(work, thing, old_slug, copy.columns())
            copy.take_name(work, library)
            if before is not None:
                work.loose.append(before["sha256"])
    except OSError as error:
        raise failed_to_write(error, library) from error
    finally:
        copy.path.unlink(missing_ok=True)
    return stored


def _copy(library: Path, source: Path) -> Copy:
    """Copy a file's bytes beside the others, on disk and not yet named. Raises `FileRefused`, `Unavailable`."""
    source = source.expanduser()
    if UNKEEPABLE.search(str(source)):
        raise FileRefused(source, "name")
    try:
        mode = source.stat().st_mode
        if stat.S_ISDIR(mode):
            raise FileRefused(source, "directory")
        if not stat.S_ISREG(mode):
            raise FileRefused(source, "special")  # and never opened: a pipe would wait for its other end
        original = source.open("rb")
    except FileNotFoundError:
        raise FileRefused(source, "missing") from None
    except (OSError, ValueError):
        raise FileRefused(source, "unreadable") from None
    make_private_folder(library)
    unfinished = library / f".{secrets.token_hex(8)}"
    try:
        with original, open(unfinished, "xb", opener=opened_privately) as copy:
            size, sha256 = _pour(original, copy, source)
            copy.flush()
            os.fsync(copy.fileno())
        if size == 0:
            raise FileRefused(source, "empty")
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise failed_to_write(error, library) from error
    except StoreError:
        unfinished.unlink(missing_ok=True)
        raise
    return Copy(unfinished, source.name, size, sha256)


def _pour(original: BinaryIO, copy: BinaryIO, source: Path) -> tuple[int, str]:
    size, digest, announced = 0, hashlib.sha256(), os.fstat(original.fileno()).st_size
    while True:
        try:
            chunk = original.read(CHUNK)
        except OSError:
            raise FileRefused(source, "unreadable") from None
        if not chunk:
            return size, digest.hexdigest()
        size += len(chunk)
        if size > announced:
            raise FileRefused(source, "growing")
        digest.update(chunk)
        copy.write(chunk)


# --- removing -------------------------------------------------------------------------------------------------------


def remove(work: Work, slug: str) -> None:
    """Remove a file that no product uses."""
    work.loose.append(account.row_of(work, "file", slug)["sha256"])
    account.remove(work, "file", slug)


def sweep(work: Work, library: Path, loose: Iterable[str]) -> None:
    """Remove those of these bytes that no row names: of files that went, or that came with a change that failed.

    In a transaction of its own after the one that let go of them, whether that one was committed or not, and with the
    writer's turn: so nobody adds the same bytes between the question and the removal.
    """
    for sha256 in set(loose):
        if work.connection.execute(select(FILE.c.id).where(FILE.c.sha256 == sha256)).first() is None:
            place_of(library, sha256).unlink(missing_ok=True)


# --- looking --------------------------------------------------------------------------------------------------------


def stored(work: Work, slug: str) -> StoredFile:
    """What the library knows of a file. Raises `NotFound`."""
    return account.stored_file(account.row_of(work, "file", slug))


def locate(work: Work, library: Path, slug: str) -> Path:
    """Where a file's bytes are. Raises `FileRefused` when they are gone or of another size."""
    kept = stored(work, slug)
    place = place_of(library, kept.sha256)
    if not place.is_file():
        raise FileRefused(Path(kept.filename), "missing")
    if place.stat().st_size != kept.size:
        raise FileRefused(Path(kept.filename), "changed")
    return place


def state(library: Path, kept: StoredFile) -> FileState:
    """Whether the bytes are still what was added."""
    place = place_of(library, kept.sha256)
    try:
        found = place.stat()
        if found.st_size == 0:
            return "empty"
        same = found.st_size == kept.size and _sha256(place, found.st_size, found.st_mtime_ns) == kept.sha256
    except OSError:
        return "missing"
    return "ready" if same else "changed"


@lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _changed_ns: int) -> str:
    """The sum of a file's bytes, computed again only when its size or its time of change is another."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
