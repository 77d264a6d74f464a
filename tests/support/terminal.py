"""A program under a real pseudo-terminal, with a screen that shows what it painted and a count of the bytes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
KEYS = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "shift+tab": "\x1b[Z",
    "insert": "\x1b[2~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    "space": " ",
}
ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronized output is there
    b"\x1b[?2048$p": b"\x1b[?2048;0$y",  # in-band resize is not
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[6n": b"\x1b[1;1R",
}
"""What a terminal is asked at the start, and what this one answers."""

# Sequences that pyte does not know and would print.
UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\[\?u|\x1bP[^\x1b]*\x1b\\")


def key_bytes(key: str) -> bytes:
    """What a terminal without any extension sends for a key."""
    if key.startswith("ctrl+"):
        return bytes([ord(key[5].upper()) & 0x1F])
    return KEYS.get(key, key).encode()


class Terminal:
    """One program under one pseudo-terminal."""

    def __init__(self, argv: Sequence[str], size: tuple[int, int], env: Mapping[str, str] | None = None) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "CI")}
        clean |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", **(env or {})}
        self.started = self.last = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=clean,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        os.set_blocking(master, False)
        self.fd = master
        self.closed = False

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self, timeout: float) -> int:
        """Take in what comes within `timeout` seconds, and give back how many bytes it was."""
        if self.closed or not select.select([self.fd], [], [], timeout)[0]:
            return 0
        try:
            data = os.read(self.fd, 1 << 20)
        except OSError:  # the other side is gone
            data = b""
        self.closed = not data
        if data:
            self.last = time.perf_counter()
            for question, answer in ANSWERS.items():
                for _ in range(data.count(question)):
                    self.send(answer)
            self._stream.feed(UNKNOWN.sub(b"", data))
        return len(data)

    def send(self, data: bytes) -> None:
        """Type bytes."""
        try:
            os.write(self.fd, data)
        except OSError:
            self.closed = True

    def sees(self, text: str, within: float = 20.0) -> None:
        """Read until a text stands on the screen; fail with the screen when it never does."""
        end = time.perf_counter() + within
        while text not in self.text:
            assert not self.closed, f"the program ended before {text!r} came\n{self.text}"
            assert time.perf_counter() < end, f"never came: {text!r}\n{self.text}"
            self.read(0.1)

    def settle(self, quiet: float = 0.3, within: float = 5.0) -> int:
        """Read until nothing comes for `quiet` seconds, and give back how many bytes it was."""
        end, total = time.perf_counter() + within, 0
        while time.perf_counter() < end and (count := self.read(quiet)):
            total += count
        return total

    def press(self, key: str, quiet: float = 0.15) -> tuple[float, int]:
        """Press one key; give back the milliseconds to the last byte it painted, and the bytes."""
        sent, total = time.perf_counter(), 0
        self.send(key_bytes(key))
        while count := self.read(quiet if total else 1.0):
            total += count
        return (self.last - sent) * 1e3, total

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.process.pid, number)

    def hang_up(self) -> None:
        """Close the terminal under the program, as a window or a dropped line does."""
        os.close(self.fd)
        self.fd, self.closed = os.open(os.devnull, os.O_RDWR), True

    def end(self, within: float = 10.0) -> int:
        """Wait for the program to end, reading what it still says, and give back its exit status."""
        limit = time.perf_counter() + within
        while self.process.poll() is None and time.perf_counter() < limit:
            self.read(0.05)
        return self.process.wait(timeout=1)

    def close(self) -> None:
        """End the program if it still runs, and let go of the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)


@contextmanager
def terminal(*argv: str, size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """A program under a pseudo-terminal; `wizard` when none is named."""
    opened = Terminal(argv or (str(Path(sys.executable).with_name("wizard")),), size, env)
    try:
        yield opened
    finally:
        opened.close()
