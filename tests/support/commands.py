"""The reference of the command line, written from the commands themselves: `make docs` keeps `docs/commands.md` so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from wizard.cli.program import program

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

HEAD = """# Commands

Every command of `wizard`, as its own `--help` says it. This page is made by `make docs`; what is written here by hand
is lost.
"""


def sections(command: Any, words: tuple[str, ...], parent: Any = None) -> Iterator[str]:
    """The help of a command under its name, then that of its own commands."""
    context = command.context_class(command, info_name=words[-1], parent=parent, terminal_width=100)
    yield f"{'#' * (len(words) + 1)} {' '.join(words)}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from sections(inner, (*words, name), context)


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *sections(typer.main.get_command(program), ("wizard",))])


if __name__ == "__main__":
    os.environ["COLUMNS"] = "100"
    PAGE.write_text(page(), encoding="utf-8")
