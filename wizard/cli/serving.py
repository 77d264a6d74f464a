"""The command that opens the buyer's side to a browser."""

from __future__ import annotations

import os

import typer

from wizard.cli.output import say, say_json
from wizard.cli.place import JSON, place_of
from wizard.sandbox import PORT

commands = typer.Typer()

NEWEST = 200
"""How many of the records' runs are looked at to say what those of the sandbox were."""


@commands.command(epilog="Example: wizard sandbox --port 8100")
def sandbox(
    context: typer.Context,
    port: int = typer.Option(PORT, min=0, max=65535, help="Where it listens; 0 takes any port that is free."),
    json_wanted: bool = JSON,
) -> int:
    """Show the buyer's side in a browser on this machine: mailbox, logins, gated pages. Ctrl+C ends it."""
    from wizard.runs.drill import ended
    from wizard.sale.lives import label_of
    from wizard.sandbox.serving import serve
    from wizard.sandbox.world import ToldOfRun
    from wizard.store.errors import StoreError

    place = place_of(context)
    folder = place.settings.data_dir

    def ready(address: str) -> None:
        if json_wanted:
            say_json({"address": address, "data_dir": str(folder)})
            return
        say(f"The buyer's side: {address}")
        say("Open it in a browser on this machine; nobody else can. Ctrl+C ends it.")
        if os.environ.get("SSH_CONNECTION"):
            at = address.rpartition(":")[2]
            say("You are here by SSH: on your own machine, run the next line, and open the address in a browser there.")
            say(f"  ssh -L {at}:127.0.0.1:{at} {own_name()}")

    with place.store() as store:

        def told() -> dict[str, ToldOfRun]:
            try:
                rows = store.runs(limit=NEWEST)
            except StoreError:  # the buyer's side stays open, without what the records say
                return {}
            return {row.id: ToldOfRun(label_of(row), row.product, ended(row)) for row in rows}

        serve(folder, port, ready, told)
    return 0


def own_name() -> str:
    """Whose account this is and at which address it was reached, for a command that comes in by the same way."""
    import getpass
    import socket

    reached = os.environ.get("SSH_CONNECTION", "").split()
    host = reached[2] if len(reached) == 4 else socket.gethostname()
    return f"{getpass.getuser()}@{host}"
