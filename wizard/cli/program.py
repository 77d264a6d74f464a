"""Every command but the app itself: options and arguments, errors as one sentence, and the exit status."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from typer.exceptions import TyperException

from wizard.cli import (
    INTERRUPTED,
    checks,
    documents,
    firing,
    history,
    is_terminal,
    keys,
    open_app,
    products,
    serving,
)
from wizard.cli.output import say, say_json, warn
from wizard.cli.place import Place, Wrong, place_of
from wizard.failure import OUTSIDE, WRONG, Failure
from wizard.invocation import command

program = typer.Typer(
    name="wizard",
    rich_markup_mode=None,  # what sellers write is shown as it is, never obeyed
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (products, documents, firing, history, checks, serving, keys):
    program.registered_commands.extend(group.commands.registered_commands)
    program.registered_groups.extend(group.commands.registered_groups)


@program.callback(invoke_without_command=True, epilog="Example: wizard --theme textual-light")
def wizard(
    context: typer.Context,
    plain: bool = typer.Option(False, "--plain", help="Ask line by line, for screen readers and scripts."),
    theme: str | None = typer.Option(None, help="The colours of the app."),
    data_dir: str | None = typer.Option(None, help="Where products and files are kept."),
    shows_version: bool = typer.Option(False, "--version", help="Say which version this is."),
) -> int:
    """Configure what you sell, and prove that buyers receive it.

    Without a command, the app opens.
    """
    context.obj = Place(data_dir)
    if shows_version:
        from importlib.metadata import version

        say(f"wizard {version('product-wizard')}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return 0
    if not plain and is_terminal():
        return open_app(data_dir, theme)
    if not plain:
        warn("This is not a terminal that the app can be painted on, so it asks line by line, as with --plain.")
    from wizard.plain import run as ask

    if sys.stdin is None:
        raise Wrong("Standard input is closed, so there is nobody to ask.")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # what is not text is told from text, and not the end
    place = place_of(context)
    with place.store() as store:
        ask(store, sys.stdin, sys.stdout, host=place.settings.host_name, settings=place.settings)
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run a command. Whatever goes wrong becomes one clear message, and a status.

    The message stands on standard error; with `--json` it is the one JSON document on standard output.
    """
    try:
        words = list(itertools.takewhile(lambda word: word != "--", arguments))
        if "--help" in words:
            say(_help_of(words[: words.index("--help")]))
            return 0
        done = program(list(arguments), prog_name="wizard", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        known = failure_of(error)
        if known is None:
            raise
        message, status = known
        if "--json" in arguments:
            mistakes = [asdict(mistake) for mistake in getattr(error, "mistakes", ())]
            listed = {"mistakes": mistakes} if mistakes else {}
            say_json({"error": {"message": message, "status": status, **listed}})
        else:
            warn(message)
        return status
    return done if isinstance(done, int) else 0


def _help_of(words: Sequence[str]) -> str:
    """The help of the command that is named among the words before `--help`. None of the others is read: to check them,
    typer imports pydantic, which takes longer than all the rest."""
    named: Any = typer.main.get_command(program)
    context = named.context_class(named, info_name="wizard")
    for word in words:
        if (inner := getattr(named, "commands", {}).get(word)) is not None:
            named, context = inner, inner.context_class(inner, info_name=word, parent=context)
    return str(named.get_help(context))


def _words_of(context: Any) -> list[str]:
    """The words of the command that was called wrongly."""
    words: list[str] = []
    while context is not None and context.parent is not None:
        words.insert(0, context.info_name)
        context = context.parent
    return words


def failure_of(error: Exception) -> tuple[str, int] | None:
    """What to say about an error, and the exit status; None for a mistake of ours."""
    match error:
        case TyperException():
            told = error.format_message().replace(": Value error, ", ": ").rstrip(".")
            return f"{told}. See: {command(*_words_of(getattr(error, 'ctx', None)), '--help')}", WRONG
        case Failure():
            return error.told, error.status
        case OSError():
            name = f"{error.filename}: " if error.filename else ""
            reason = error.strerror or error
            return f"{name}{reason}. Check the path, its permissions and the room on the disk.", OUTSIDE
    return None
