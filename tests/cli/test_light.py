"""A command is there at once, because it imports what it needs and no more: what was won is held here, name by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from wizard.cli.program import program
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store

ANYTHING = {"pydantic", "sqlalchemy", "sqlmodel", "httpx", "textual", "asyncio", "ssl", "rich"}
"""What a help needs nothing of."""

NOT_FOR_READING = {"alembic", "httpx", "textual", "starlette", "psycopg", "jinja2", "cryptography", "ruamel"}
"""What a command that only reads needs nothing of, on SQLite."""


def heads_after(script: str, *arguments: str) -> tuple[str, set[str]]:
    """What a process says, and the top-level modules that it has imported when it ends."""
    told = "\nprint(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    command = [sys.executable, "-c", f"import sys; from wizard.cli import main\n{script}{told}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, set(done.stderr.split())


def every_command() -> list[str]:
    """Every command and command of a group, as it is typed; the program itself is the empty one."""
    commands = typer.main.get_command(program).commands  # type: ignore[attr-defined]
    inner = [f"{name} {word}" for name, command in commands.items() for word in getattr(command, "commands", ())]
    return ["", *commands, *inner]


def test_help_imports_neither_models_nor_a_database_whatever_the_command() -> None:
    # In one process: what any of them imports is found.
    said, imported = heads_after(f"for words in {every_command()!r}: assert main([*words.split(), '--help']) == 0")

    assert len(every_command()) > 20
    assert "Usage: wizard connections check" in said
    assert ANYTHING & imported == set()


@pytest.mark.parametrize(
    "arguments",
    [("products",), ("show", "yoga-masterclass"), ("check", "coaching-hour"), ("runs",), ("connections",)],
    ids=" ".join,
)
def test_a_listing_imports_no_migration_no_network_and_no_dialect_but_its_own(
    arguments: tuple[str, ...], data_dir: Path
) -> None:
    with open_store(Settings(data_dir=data_dir)) as store:
        fill(store)

    said, imported = heads_after("main(sys.argv[1:])", *arguments)

    assert said
    assert NOT_FOR_READING & imported == set()
