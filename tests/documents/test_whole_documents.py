"""A document is applied whole or not at all, in a time that grows with its length, and only from a file that ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.support.stopped import CHANGING
from wizard.cli import main
from wizard.documents import apply
from wizard.settings import Settings
from wizard.store import FileRefused
from wizard.store.store import Store

ROOT = Path(__file__).parents[2]

FIRST = """
wizard: 1
account:
  memberships: [{slug: club, name: Club, levels: [silver, gold]}]
  files: [{slug: workbook, name: Workbook, path: workbook.pdf}]
products:
  - {slug: mat, general: {name: Mat}}
  - slug: book
    general: {name: Book}
    post_sale: {access: {kind: downloadable_file, file: workbook}}
"""

THEN = """
wizard: 1
account:
  memberships: [{slug: club, name: The Club, levels: [gold, platinum]}]
  files: [{slug: workbook, name: Workbook, path: workbook.pdf}]
  calendars: [{slug: calls, name: Calls, confirmation: See you.}]
products:
  - {slug: mat, general: {name: Cork mat}, checkout: {bumps: [course]}}
  - slug: course
    general: {name: Course}
    checkout: {bumps: [book]}
    post_sale: {access: {kind: hosted_membership, membership: club, levels: [platinum]}}
  - {slug: call, general: {name: Call}, post_sale: {access: {kind: no_access_page, reason: calendar, calendar: calls}}}
"""


@pytest.fixture
def documents(tmp_path: Path, data_dir: Path) -> Path:
    """A data folder in which the first document is applied, and the folder of the one that is to be stopped."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "workbook.pdf").write_bytes(b"the first edition")
    (folder / "first.yaml").write_text(FIRST)
    assert main(["apply", str(folder / "first.yaml")]) == 0
    (folder / "workbook.pdf").write_bytes(b"another edition")
    (folder / "then.yaml").write_text(THEN)
    return folder


def stopped(documents: Path, data_dir: Path, way: str) -> list[dict[str, Any]]:
    arguments = [sys.executable, "-m", "tests.support.stopped", str(data_dir), str(documents / "then.yaml"), way]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_that_is_killed_leaves_everything_as_it_was(documents: Path, data_dir: Path) -> None:
    *killed, last = stopped(documents, data_dir, "kill")

    assert last == {"ended": 0, "said": last["said"], "found": "after", "loose": 0, "missing": 0}
    assert len(killed) > 10
    # Bytes that came before the kill may lie in the library still: no row names them.
    assert {(each["ended"], each["found"], each["missing"]) for each in killed} == {(-9, "before", 0)}


def test_one_that_fills_the_disk_leaves_everything_as_it_was_and_says_so(documents: Path, data_dir: Path) -> None:
    *full, last = stopped(documents, data_dir, "disk")

    assert last["found"] == "after"
    assert full
    assert {(each["ended"], each["found"], each["loose"], each["missing"]) for each in full} == {(3, "before", 0, 0)}
    for each in full:
        assert "nothing was changed" in each["said"].lower(), each["said"]


@pytest.mark.parametrize("products", [40, 400])
def test_the_database_is_asked_as_often_for_many_products_as_for_few(
    sqlite_settings: Settings, tmp_path: Path, products: int
) -> None:
    rows = "".join(f"  - {{slug: p{n}, general: {{name: P {n}}}}}\n" for n in range(products))
    (tmp_path / "many.yaml").write_text(f"wizard: 1\nproducts:\n{rows}")
    statements: list[str] = []

    with Store.open(sqlite_settings) as store:
        note = lambda _connection, _cursor, sql, *_: statements.append(sql)  # noqa: E731
        event.listen(Engine, "before_cursor_execute", note)
        try:
            created = apply([tmp_path / "many.yaml"], store)
            again = apply([tmp_path / "many.yaml"], store)
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    assert [change.change for change in created + again] == ["created"] * products + ["unchanged"] * products
    assert sum(sql.startswith(CHANGING) for sql in statements) < 10
    assert len(statements) < 60


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to a device"])
def test_what_has_no_end_is_no_document(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / "document.yaml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/zero")
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to("/dev/zero")

    assert main(["apply", str(path)]) == 2
    said = capsys.readouterr().err
    assert ("this is a folder" if kind == "folder" else "this is a pipe or a device") in said


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_has_no_end_does_not_come_into_the_library(sqlite_settings: Settings, tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero")
    if kind == "pipe":
        path = tmp_path / "pipe.pdf"
        os.mkfifo(path)

    with Store.open(sqlite_settings) as store, pytest.raises(FileRefused, match="is a device or a pipe"):
        store.add_file(path, "Endless")


def test_a_file_that_grows_while_it_is_copied_is_refused(sqlite_settings: Settings, tmp_path: Path) -> None:
    # A file of the kernel's says that it has no bytes, and has some: as one that somebody is writing to.
    with Store.open(sqlite_settings) as store, pytest.raises(FileRefused, match="being written to"):
        store.add_file(Path("/proc/self/status"), "Status")
