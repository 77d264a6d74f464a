"""Every command but the app itself: options and arguments, errors as one sentence, and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from wizard.cli import INTERRUPTED, checks, documents, firing, history, is_terminal, keys, open_app, products, serving
from wizard.cli.output import warn
from wizard.cli.place import Place, Wrong, place_of
from wizard.documents import DocumentError, FileInTheWay
from wizard.fulfillment.backend import BackendError
from wizard.fulfillment.fire import BusyRun, LeftOut, NotReady, OverRun, RealAddress
from wizard.fulfillment.registry import NoSuchBackend
from wizard.invocation import command
from wizard.sandbox import CannotServe
from wizard.session import ChangedElsewhere
from wizard.settings import BadSettings
from wizard.store.errors import FileRefused, StoreError, Unavailable

REFUSED, WRONG, OUTSIDE = 1, 2, 3
"""Exit statuses: done and the answer is no; the command or a document is wrong; something outside failed."""

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
) -> int:
    """Configure what you sell, and prove that buyers receive it.

    Without a command, the app opens.
    """
    context.obj = Place(data_dir)
    if context.invoked_subcommand is not None:
        return 0
    if not plain and is_terminal():
        return open_app(data_dir, theme)
    if not plain:
        warn("This is not a terminal that the app can be painted on, so it asks line by line, as with --plain.")
    from wizard.plain import run as ask

    place = place_of(context)
    with place.store() as store:
        ask(store, sys.stdin, sys.stdout, host=place.settings.host_name)
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run a command. Whatever goes wrong becomes one clear message on standard error and a status."""
    try:
        done = program(list(arguments), prog_name="wizard", standalone_mode=False)
    except TyperException as error:
        warn(f"{error.format_message()} See: {command('--help')}")
        return WRONG
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (DocumentError, FileInTheWay, Wrong, BadSettings, NoSuchBackend, LeftOut, RealAddress) as error:
        warn(str(error))
        return WRONG
    except NotReady as error:
        warn(f"{error.field}: {error}")
        return REFUSED
    except (BusyRun, OverRun) as error:
        warn(str(error))
        return REFUSED
    except ChangedElsewhere as error:
        warn(f"Nothing was overwritten: {error}. Run the command again to take both.")
        return REFUSED
    except (Unavailable, FileRefused, BackendError, CannotServe) as error:
        warn(str(error))
        return OUTSIDE
    except StoreError as error:
        warn(str(error))
        return WRONG
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        warn(f"{name}{error.strerror or error}. Check the path, its permissions and the room on the disk.")
        return OUTSIDE
    return done if isinstance(done, int) else 0
