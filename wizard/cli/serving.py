"""The command that opens the buyer's side to a browser."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import typer

from wizard.cli.output import say, say_json
from wizard.cli.place import JSON, place_of
from wizard.invocation import forwarding
from wizard.sandbox import PORT

commands = typer.Typer()


@commands.command(epilog="Example: wizard sandbox --port 8100")
def sandbox(
    context: typer.Context,
    port: int = typer.Option(PORT, min=0, max=65535, help="Where it listens; 0 takes any port that is free."),
    json_wanted: bool = JSON,
) -> int:
    """Show the buyer's side in a browser on this machine: mailbox, logins, gated pages. Ctrl+C ends it."""
    from wizard.sandbox.serving import serve

    folder = place_of(context).settings.data_dir

    def ready(address: str) -> None:
        if json_wanted:
            say_json({"address": address, "data_dir": str(folder)})
        else:
            say(f"The buyer's side: {address}")
            say("Open it in a browser on this machine; nobody else can. Ctrl+C ends it.")
            if tunnel := forwarding(urlsplit(address).port or port, os.environ):
                say(f"You are here over SSH. Run this on your own computer, and open the address there: {tunnel}")

    serve(folder, port, ready)
    return 0
