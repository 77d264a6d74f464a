"""The command `wizard`. Without a command it opens the app; nothing is imported that its first frame does not need."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from wizard.failure import OUTSIDE

INTERRUPTED = 130
"""The exit status after Ctrl+C, as shells expect it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give back its exit status (`docs/spec.md` 7)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if sys.stdout is None:
            if sys.stderr is not None:
                sys.stderr.write("Standard output is closed, so nothing can be told. Nothing was done.\n")
            return OUTSIDE
        options = app_options(given)
        if options is not None and is_terminal():
            return open_app(options.get("data-dir"), options.get("theme"))
        from wizard.cli.program import run

        return run(given)
    except KeyboardInterrupt:
        return INTERRUPTED


def app_options(arguments: Sequence[str]) -> dict[str, str] | None:
    """The options of the app; None when a command is asked for, or anything else that the app does not know."""
    found: dict[str, str] = {}
    waiting = ""
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        if waiting:
            found[waiting], waiting = argument, ""
        elif argument.startswith("--") and name in ("theme", "data-dir"):
            if equals:
                found[name] = value
            else:
                waiting = name
        else:
            return None
    return None if waiting else found


def is_terminal() -> bool:
    """Whether the app can be painted: both ends are a terminal, and one that can place its cursor."""
    return (
        sys.stdin is not None
        and sys.stdin.isatty()
        and sys.stdout.isatty()
        and os.environ.get("TERM", "") not in ("", "dumb")
    )


def open_app(data_dir: str | None, theme: str | None) -> int:
    """Open the app. Textual reads its environment when it is imported, so that is set first."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    # All that is imported stays until the end, and the collector would look at it again and again: for a sixth of the
    # time to the first page of products (measured). The app switches it on when that page stands.
    gc.disable()
    from screens.app import run

    return run(data_dir, theme)
