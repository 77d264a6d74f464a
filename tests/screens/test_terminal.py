"""The app under a real pseudo-terminal: starting, hanging up, resizing, bytes, and being killed at any moment."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.support.terminal import ROOT, Terminal, terminal
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store

LETTER_BYTES = 150
TAB_BYTES = 1_000
STEP_BYTES = 2_000
KILLS = 100


def started(opened: Terminal, name: str = "Yoga") -> None:
    """Create a product and wait in its first field."""
    opened.sees("No products yet")
    opened.press("n")
    opened.sees("A new product")
    for letter in name:
        opened.send(letter.encode())
    opened.press("enter")
    opened.sees("What do you sell?")
    opened.settle()


def official_name(slug: str = "yoga") -> str | None:
    """What is stored, as another process finds it."""
    with open_store(Settings()) as store:
        return store.load(slug).answers.general.official_name


def test_nothing_heavy_is_imported_before_the_first_frame_stands() -> None:
    probe = """
import sys
import screens.app
from wizard import cli
HEAVY = (
    "sqlalchemy", "sqlmodel", "alembic", "httpx", "starlette", "asyncssh", "pydantic", "babel", "typer", "cryptography",
    "filelock",
)
class Probe(screens.app.WizardApp):
    def run(self, **how):
        super().run(headless=True)
    def open_records(self):
        text = "\\n".join(strip.text for strip in self.screen._compositor.render_strips())
        assert "search by name" in text, text
        print("HEAVY", sorted(name for name in sys.modules if name in HEAVY))
        self.exit()
screens.app.WizardApp = Probe
cli.is_terminal = lambda: True
cli.main([])
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr


def test_a_wrong_setting_ends_the_app_and_is_said_in_the_terminal() -> None:
    with terminal(env={"WIZARD_DATABASE_URL": "[/nope]://x"}) as opened:
        assert opened.end() == 2
        assert "WIZARD_DATABASE_URL: write postgresql://" in opened.text, opened.text


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_a_hang_up_stores_what_is_being_written_and_ends_cleanly(number: signal.Signals, status: int) -> None:
    with terminal() as opened:
        started(opened)
        opened.press("tab")
        for letter in "Half a name":
            opened.press(letter, 0.05)
        opened.signal(number)
        assert opened.end() == status
    assert official_name() == "Half a name"


def test_a_terminal_that_is_closed_ends_the_app_and_stores_what_was_being_written() -> None:
    with terminal() as opened:
        started(opened)
        opened.press("tab")
        for letter in "Half a name":
            opened.press(letter, 0.05)
        opened.hang_up()
        assert opened.end() == 129
    assert official_name() == "Half a name"


def test_quitting_leaves_the_terminal_as_it_was() -> None:
    with terminal() as opened:
        opened.sees("No products yet")
        opened.press("q")
        assert opened.end() == 0


def test_the_terminals_own_cursor_follows_the_highlight_so_that_screen_readers_do() -> None:
    with open_store(Settings()) as store:
        for name in ("Apples", "Bread", "Cheese"):
            store.create(name, "test")
    with terminal() as opened:
        opened.sees("Cheese")
        opened.settle()
        for key, name in (("down", "Bread"), ("down", "Cheese"), ("up", "Bread")):
            opened.press(key)
            assert name in opened.screen.display[opened.screen.cursor.y], opened.text


def test_any_size_can_be_had_and_a_small_one_gets_a_notice() -> None:
    sizes = [(120, 40), (20, 5), (80, 24), (1, 1), (60, 16), (59, 16), (200, 60), (80, 24)]
    with terminal() as opened:
        started(opened)
        for columns, rows in sizes:
            opened.resize(columns, rows)
            opened.settle(0.4)
            assert not opened.closed, (columns, rows)
            if (columns, rows) == (59, 16):
                assert "60 columns" in opened.text, opened.text
        opened.sees("What do you sell?")


def test_few_bytes_go_over_the_line() -> None:
    with terminal() as opened:
        started(opened)
        letters = [opened.press(letter)[1] for letter in "abcdef"]
        tabs = [opened.press("tab", 0.4)[1] for _ in range(3)]
        for _ in range(2):
            opened.press("ctrl+f", 0.5)
        steps = [opened.press(key, 0.5)[1] for key in ("ctrl+b", "ctrl+f", "ctrl+b", "ctrl+f")]
        opened.settle(1.0)
        idle = opened.settle(2.0)
    assert max(letters) <= LETTER_BYTES, letters
    assert max(tabs) <= TAB_BYTES, tabs
    assert max(steps) <= STEP_BYTES, steps
    assert idle == 0


def edit_for_ever(first: int, acknowledged: Connection) -> None:
    """Answer the same question again and again, and say so each time it was accepted."""
    session = Session(open_store(Settings()), "yoga")
    for number in itertools.count(first):
        session.answer("general.official_name", f"Name {number}")
        acknowledged.send(number)


def test_killed_at_any_moment_only_the_field_being_typed_is_lost() -> None:
    """A hundred kills at moments of chance: every answer that was accepted is there afterwards."""
    with open_store(Settings()) as store:
        store.create("Yoga", "test")
    # A server that has imported everything makes each editor by a fork.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["wizard.session", "wizard.store.store", "wizard.settings"])
    moments = random.Random(4)
    said = 0
    for _ in range(KILLS):
        ours, theirs = server.Pipe(duplex=False)
        editor = server.Process(target=edit_for_ever, args=(said + 1, theirs))
        editor.start()
        theirs.close()
        said = ours.recv()
        time.sleep(moments.random() * 0.02)
        editor.kill()
        editor.join()
        with suppress(EOFError):
            while True:
                said = ours.recv()
        with open_store(Settings()) as store:
            saved = store.load("yoga")
        stored = int((saved.answers.general.official_name or "Name 0").removeprefix("Name "))
        # One more may have been stored than was said: it was killed between the two.
        assert said <= stored <= said + 1
        assert saved.revision == stored + 1
        said = stored


def test_killed_while_typing_everything_given_before_is_there(tmp_path: Path) -> None:
    with terminal() as opened:
        started(opened)
        opened.press("tab")
        for letter in "Given":
            opened.press(letter, 0.05)
        opened.press("enter", 0.5)
        for letter in "never accepted":
            opened.send(letter.encode())
        opened.process.kill()
        opened.process.wait()
    assert official_name() == "Given"
