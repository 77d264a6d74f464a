"""Keys of chance, many at once and without waiting, on the real app in a real terminal.

`make test` presses 3,000; where every service has to be there (`.ci/run`) it is 20,000 at both sizes.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from screens.lasting import REPORT
from tests.walker import Walked, walked
from wizard.sample import fill
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store

IS_THOROUGH = os.environ.get("WIZARD_REQUIRE_SERVICES") == "1"
MANY = 20_000 if IS_THOROUGH else 3_000
SIZES = [(80, 24), (120, 40)] if IS_THOROUGH else [(80, 24)]
GROWTH = 60
"""MB of memory that so many keys may add."""
MORE_FILES = 16
"""File descriptors that may be open in the end beyond those of the start: connections to the database, and a run."""


@pytest.fixture
def folder(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the sample, and a home without files: keys of chance pick them, too."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with open_store(Settings()) as store:
        fill(store)
    return data_dir


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_keys_of_chance_break_nothing_lose_nothing_and_leave_nothing_behind(
    folder: Path, size: tuple[int, int]
) -> None:
    done: Walked = walked(seed=size[0], many=MANY, size=size)
    assert b"Traceback" not in done.painted
    report = folder / REPORT
    assert not report.exists(), report.read_text()
    with open_store(Settings()) as store:
        rows = store.products(limit=10_000).rows
        assert rows, "there are no products any more"
        for row in rows:
            assert Session(store, row.slug).saved.slug == row.slug
    assert done.last.resident - done.first.resident <= GROWTH, done
    assert done.last.files - done.first.files <= MORE_FILES, done
