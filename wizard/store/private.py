"""Files and folders that only their owner may read, and what the system says when they cannot be made.

Light on purpose: no database library comes with it.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
from pathlib import Path

from wizard.store.errors import DiskFull, NotCreatable, ReadOnly, StoreError

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may read. Raises `NotCreatable`, `DiskFull`."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise failed_to_write(error, folder) from error


def make_private_file(path: Path) -> None:
    """Make a database's file for nobody else, and close one that others could read, with what SQLite keeps beside it:
    that gets the permissions of the database. Raises `NotCreatable`, `DiskFull`."""
    if not path.exists():
        try:
            path.touch(mode=PRIVATE_FILE)
        except OSError as error:
            raise failed_to_write(error, path) from error
    for each in (path, *path.parent.glob(f"{glob.escape(path.name)}-*")):
        _close(each)


def close_to_others(folder: Path) -> list[Path]:
    """Close everything of ours in a data folder that others on this machine could read; give back what was open.

    Nothing is touched in a folder without a database of ours: others have folders called `files` too. The folder itself
    is closed where it is none that everybody shares, such as /tmp.
    """
    if not any((folder / name).exists() for name in DATABASES):
        return []
    ours = [path for name in OURS for path in folder.glob(name) if not path.is_symlink()]
    found = [path for path in ours for each in ((path, *path.rglob("*")) if path.is_dir() else (path,)) if _close(each)]
    if ours and not folder.is_symlink() and not folder.stat().st_mode & stat.S_ISVTX and _close(folder):
        return [folder]
    return list(dict.fromkeys(found))


DATABASES = ("wizard.db", "sandbox.sqlite")

OURS = (*(f"{name}*" for name in DATABASES), "sandbox-files", "files", "backups", "claims")
"""What the wizard makes in a data folder. Keys that others can read are refused instead (see `wizard.store.keys`)."""


def _close(path: Path) -> bool:
    """Take from others what they may do with a file or folder of ours; say whether they could read it."""
    try:
        found = path.lstat()
        open_to = found.st_mode & 0o077
        if not open_to or found.st_uid != os.geteuid() or not (stat.S_ISREG(found.st_mode) or path.is_dir()):
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~0o077)
    except OSError:
        return False  # it is gone, or the disk knows no permissions
    return bool(open_to & 0o044)


def write_private_file(path: Path, content: bytes) -> None:
    """Put a file in its place whole or not at all, and on disk before this returns. Raises OSError.

    One writer at a time: what it is written to first has one name, so that a killed writer leaves no heap behind.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(unfinished, "xb", opener=opened_privately) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    sync_folder(path.parent)


def opened_privately(path: str, flags: int) -> int:
    """Open a file for nobody else: an opener for `open`."""
    return os.open(path, flags, PRIVATE_FILE)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def failed_to_write(error: OSError, path: Path) -> StoreError:
    """What the system says about a path, with a way out."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(f"There is no room left for {path}. Free some space and try again; nothing was changed.")
    if error.errno == errno.EROFS:
        return ReadOnly(f"{path} is on a disk that is read-only. Set another data folder with WIZARD_DATA_DIR.")
    reason = error.strerror or str(error)
    return NotCreatable(f"{path} cannot be made: {reason}. Set another data folder with WIZARD_DATA_DIR.")
