"""An `apply` that is stopped at each of its statements in turn: by the end of its process, or by a disk that is full.

Run as a program, in a process without threads, since it forks: `python -m tests.support.stopped FOLDER DOCUMENT WAY`.
FOLDER is a data folder with records in it, and every go works in a copy. It prints one JSON object a line: how the go
ended, what was said, which of the two the tables then are, `before` or `after`, and how the library fits them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from wizard.cli.program import run

CHANGING = ("INSERT", "UPDATE", "DELETE")


def dump(folder: Path) -> list[str]:
    """Everything that stands in the tables, without the moments."""
    with closing(sqlite3.connect(folder / "wizard.db")) as database:
        moments = ("created_at", "updated_at", "added_at", "at")
        found = []
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = database.execute(f"SELECT * FROM {table}")
            kept = [at for at, (name, *_) in enumerate(rows.description) if name not in moments]
            found += [f"{table}: {[row[at] for at in kept]}" for row in rows]
    return sorted(found)


def library(folder: Path) -> tuple[int, int]:
    """How many files of the library no row names, and how many that one names are missing."""
    with closing(sqlite3.connect(folder / "wizard.db")) as database:
        named = {sha256 for (sha256,) in database.execute("SELECT sha256 FROM library_file")}
    there = {path.name for path in (folder / "files").rglob("*") if path.is_file()}
    return len(there - named), len(named - there)


def kill_at(statement: int) -> None:
    """Kill this process before its so manieth statement that changes something."""
    left = statement

    def count(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        nonlocal left
        left -= sql.startswith(CHANGING)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)


def fill_disk_at(size: int) -> None:
    """Let no file grow beyond so many kilobytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size * 1024, size * 1024))


def applied(folder: Path, document: Path, way: str, number: int) -> None:
    """Apply, in this process, and be stopped."""
    os.environ["WIZARD_DATA_DIR"] = str(folder)
    for stream in (1, 2):
        os.dup2(os.open(folder.with_suffix(".said"), os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    if way == "kill":
        kill_at(number)
    elif number:
        fill_disk_at(number)
    os._exit(run(["apply", str(document)]))


def went(folder: Path, document: Path, way: str, number: int) -> int:
    """How a process of its own ended with it: its status, or minus the signal."""
    child = os.fork()
    if child == 0:
        applied(folder, document, way, number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path, document: Path, way: str, place: Path) -> None:
    """Stop it earlier and later, until it is not stopped any more."""
    whole = shutil.copytree(folder, place / "whole")
    assert went(whole, document, "none", 0) == 0, (place / "whole.said").read_text()
    outcomes = {json.dumps(dump(folder)): "before", json.dumps(dump(whole)): "after"}
    step = 1 if way == "kill" else 16
    for number in range(step, 10_000, step):
        own = shutil.copytree(folder, place / str(number))
        ended = went(own, document, way, number)
        said = own.with_suffix(".said").read_text()
        found = outcomes.get(json.dumps(dump(own)), "something else")
        loose, missing = library(own)
        about = {"ended": ended, "said": said, "found": found, "loose": loose, "missing": missing}
        print(json.dumps(about), flush=True)
        if ended == 0:
            return


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(place))
