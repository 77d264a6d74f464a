"""Files and folders that only their owner may read, and what the system says when they cannot be made.

Light on purpose: no database library comes with it.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from wizard.store.errors import DiskFull, NotCreatable, ReadOnly, StoreError

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may read. Raises `NotCreatable`, `DiskFull`."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise failed_to_write(error, folder) from error


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
