"""A walker that presses keys of chance on the real app in a real terminal, many at once and without waiting."""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.terminal import Terminal, key_bytes, terminal

STRETCH = 500
"""Keys between two looks at the app: does it still answer, what does it hold."""

MOST_AT_ONCE = 24
"""The most keys in one write."""

STAYS = """
import screens.app
class Stays(screens.app.WizardApp):
    async def action_quit(self):
        self.say("It stays.")
screens.app.WizardApp = Stays
from wizard.cli import main
raise SystemExit(main([]))
"""
"""The app as it is, but that it cannot be left: keys of chance find the way out sooner or later."""

MOVES = ["enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "pageup", "pagedown", "home", "end"]
EDITS = ["backspace", "delete", "space", "insert"]
FUNCTIONS = [f"f{number}" for number in range(1, 11)]
CONTROLS = [f"ctrl+{letter}" for letter in "abcdefgklnopqrtuvwxyz"]
"""Without h, i, j and m, which no terminal can tell from other keys, and s, which may stop its output."""
LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789/.@ "]
PASTES = ["a text", "12.50", "one\ntwo\nthree", "[/nope]", "", "https://shop.example/thanks", "\u6f22\u5b57 e\u0301"]


def walk(seed: int, many: int) -> Iterator[bytes]:
    """So many keys of chance, as a terminal sends them, some of them several in one write."""
    chance = random.Random(seed)
    left = many
    while left:
        burst = min(left, chance.choice([1, 1, 2, 3, 5, 8, MOST_AT_ONCE]))
        left -= burst
        yield b"".join(_key(chance) for _ in range(burst))


def _key(chance: random.Random) -> bytes:
    kind: list[str] = chance.choices([MOVES, LETTERS, EDITS, FUNCTIONS, CONTROLS, PASTES], [40, 25, 10, 8, 12, 2])[0]
    key: str = chance.choice(kind)
    if kind is PASTES:
        return b"\x1b[200~" + key.encode() + b"\x1b[201~"
    return key_bytes(key)


@dataclass
class Held:
    """What a process holds of the machine."""

    resident: float
    """MB of memory."""
    files: int
    """Open file descriptors."""

    @classmethod
    def of(cls, process: int) -> Held:
        """What it holds now."""
        status = Path(f"/proc/{process}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        return cls(int(kilobytes) / 1024, len(os.listdir(f"/proc/{process}/fd")))


def pour(opened: Terminal, data: bytes) -> bytes:
    """Write all of it as fast as the terminal takes it, and give back what was painted meanwhile."""
    painted = b""
    while data:
        readable, writable, _ = select.select([opened.fd], [opened.fd], [], 20.0)
        assert readable or writable, "the terminal takes no more keys"
        if readable:
            try:
                painted += os.read(opened.fd, 1 << 20)
            except OSError:
                opened.closed = True
                return painted
        if writable:
            data = data[os.write(opened.fd, data[:1024]) :]
    return painted


def answers(opened: Terminal, within: float = 90.0) -> None:
    """Go back to the list of products, where known keys lead to known places."""
    columns, rows = opened.screen.columns, opened.screen.lines
    opened.resize(columns, rows + 1)  # everything is painted anew, so that what was not read is not missed
    opened.settle(0.2)
    opened.resize(columns, rows)
    end = time.perf_counter() + within
    while not (
        _shows(opened, _way_back(opened), "search by name") and _shows(opened, "f1", "test-fires of all products")
    ):
        assert not opened.closed, f"the app ended\n{opened.text}"
        assert time.perf_counter() < end, f"the list never came back\n{opened.text}"
    opened.press("escape")
    opened.sees("search by name")


def _way_back(opened: Terminal) -> str:
    """Esc, but to the question whether what is written may go: there it means no."""
    return "y" if "Leave without saving?" in opened.text else "escape"


def _shows(opened: Terminal, key: str, text: str) -> bool:
    opened.press(key, 0.3)  # keys that came before may still be obeyed
    return text in opened.text


@dataclass
class Walked:
    """How a walk went."""

    first: Held
    last: Held
    painted: bytes
    seconds: float


def walked(seed: int, many: int, size: tuple[int, int], env: Mapping[str, str] | None = None) -> Walked:
    """Press so many keys, and see every now and then whether the app still answers."""
    began = time.perf_counter()
    with terminal(sys.executable, "-c", STAYS, size=size, env=env) as opened:
        opened.sees("Yoga Masterclass")
        opened.settle()
        first = Held.of(opened.process.pid)
        painted = b""
        for at in range(0, many, STRETCH):
            for burst in walk(seed * 1_000_003 + at, min(STRETCH, many - at)):
                painted = (painted + pour(opened, burst))[-200_000:]
                assert not opened.closed, painted[-20_000:].decode(errors="replace")
            answers(opened)
        last = Held.of(opened.process.pid)
        opened.signal(signal.SIGTERM)
        assert opened.end() == 143, opened.text
    return Walked(first, last, painted, time.perf_counter() - began)
