"""Keys of chance, many at once and without waiting, on the real app in a real terminal; and kills among them.

It presses 2,000 at each size, or as many as WIZARD_TEST_KEYS says: 20,000 take some ten minutes, and are pressed
before a release.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from screens.widgets.lasting import REPORT
from tests.support.terminal import key_bytes, terminal
from tests.support.walker import Walked, walked
from wizard.sample import fill
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store

MANY = int(os.environ.get("WIZARD_TEST_KEYS", "2000"))
SIZES = [(80, 24), (120, 40)]
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
    with open_store(Settings()) as store:
        sample = {product.slug for product in store.known_products()}
    done: Walked = walked(seed=size[0], many=MANY, size=size)
    assert b"Traceback" not in done.painted
    report = folder / REPORT
    assert not report.exists(), report.read_text()
    with open_store(Settings()) as store:
        # Keys of chance delete products, too, and once in a while all of them: each can be brought back.
        for row in store.products(limit=10_000, deleted=True).rows:
            store.restore(row.slug, "test")
        there = {row.slug for row in store.products(limit=10_000).rows}
        assert sample
        assert sample <= there
        for slug in there:
            assert Session(store, slug).saved.slug == slug
    assert done.last.resident - done.first.resident <= GROWTH, done
    assert done.last.files - done.first.files <= MORE_FILES, done


KILLED_AFTER = [0.0, 0.004, 0.01, 0.03, 0.08, 0.2]
"""Seconds between the last key and the kill."""


@pytest.mark.parametrize("after", KILLED_AFTER)
def test_killed_right_behind_an_enter_only_the_answer_being_written_is_lost(after: float) -> None:
    """An answer is stored before the key behind its Enter is obeyed: whatever follows it on screen proves it."""
    with open_store(Settings()) as store:
        store.create("Yoga", "test")
    with terminal() as opened:
        opened.sees("Yoga")
        opened.send(b"\r")
        opened.sees("What do you sell?")
        opened.settle()
        opened.send(b"\t")
        for number in range(8):  # a longer answer each time; Enter goes on to the next field, from which it is back
            opened.send(f"{number}\r".encode() + key_bytes("shift+tab"))
        time.sleep(after)
        opened.process.kill()
        opened.process.wait()
        opened.settle()
        shown = next(line for line in opened.screen.display if "Official name" in line)
    with open_store(Settings()) as store:
        stored = store.load("yoga").answers.general.official_name or ""
    written = "".join(letter for letter in shown if letter.isdecimal())
    assert stored.startswith(written[:-1]), (shown, stored)
