"""Lines in and out: what is said and read when the wizard asks line by line."""

from __future__ import annotations

import getpass
import re
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import TextIO

from models.characters import visible

BACK, LEAVE, HELP, NOTHING = "<", ":q", "?", "-"
"""What a seller may type instead of an answer: go back, leave, explain, and give no answer at all."""


NOT_TEXT = "  ! This is not UTF-8. Set your terminal to UTF-8, or convert what you send: iconv -f latin1 -t utf-8"

_UNDECODED = re.compile("[\udc80-\udcff]")
"""How Python hands over a byte that is no text (PEP 383)."""


class Back(Exception):
    """The seller wants the question before this one."""


class Leave(Exception):
    """The seller is done for now. Everything accepted is saved already; the message names what was not, if anything."""


def number_in(text: str, most: int) -> int | None:
    """The number from 1 to `most` that was typed; None for anything else, however long it is."""
    typed = text.strip().lstrip("0")
    if not typed.isascii() or not typed.isdecimal() or len(typed) > len(str(most)):
        return None
    return number if (number := int(typed)) <= most else None


@dataclass(slots=True)
class Console:
    """Where lines are read from and written to. Foreign text is made harmless on its way out."""

    source: TextIO
    target: TextIO

    def say(self, text: str = "") -> None:
        """Write a line, or several."""
        self.target.write(self._wrapped(visible(text)) + "\n")

    def _wrapped(self, text: str) -> str:
        """The text broken between words where a terminal would break in a word; left alone where nobody looks."""
        if not self.target.isatty():
            return text
        width = shutil.get_terminal_size().columns
        broken = []
        for line in text.split("\n"):
            indent = " " * (len(line) - len(line.lstrip()) + 2)
            fits = len(line) < width
            broken.append(line if fits else textwrap.fill(line, width - 1, subsequent_indent=indent))
        return "\n".join(broken)

    def read(self, prompt: str, help: str = "", secret: bool = False) -> str:
        """Read one line. `?` writes the help and asks again. Raises Back and Leave."""
        while True:
            text = self._line(f"{self._wrapped(visible(prompt, ''))} ", secret)
            match text.strip():
                case "?":
                    self.say(f"  {help or 'There is no more to say about this.'}")
                case "<":
                    raise Back
                case ":q":
                    raise Leave
                case _:
                    return text

    def read_text(self, prompt: str, help: str) -> str:
        """Read several lines, up to one with nothing but a dot. An empty first line is no text."""
        first = self.read(prompt, help)
        if not first.strip() or first.strip() == NOTHING:
            return first
        lines = [first]
        while (line := self._line("  … ", secret=False)).strip() != ".":
            lines.append(line)
        return "\n".join(lines)

    def _line(self, prompt: str, secret: bool) -> str:
        self.target.write(prompt)
        self.target.flush()
        if secret and self.source is sys.stdin and self.source.isatty():
            try:
                return getpass.getpass("")
            except EOFError:
                raise Leave from None
        line = self.source.readline()
        if not line:
            self.say()
            raise Leave
        if _UNDECODED.search(line):
            self.say(NOT_TEXT)
            return self._line(prompt, secret)
        return line.rstrip("\r\n")
