"""Commands about what carries out deliveries: the installed backends and the seller's connections."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from wizard.cli.output import say, say_json, table
from wizard.cli.place import JSON, Wrong, place_of, tell_broken
from wizard.invocation import command

if TYPE_CHECKING:
    from models.account import Connection, ConnectionCheck

commands = typer.Typer()
connections = typer.Typer(rich_markup_mode=None)
commands.add_typer(connections, name="connections", epilog="Example: wizard connections check my-blog")


@commands.command(epilog="Example: wizard backends")
def backends(context: typer.Context, json_wanted: bool = JSON) -> int:
    """List the installed backends and whether each works. Status 1 when one that is set up does not."""
    import asyncio

    from wizard.cli.backends import checked
    from wizard.delivery import registry

    place = place_of(context)
    found = [asyncio.run(checked(installed, place)) for installed in registry.installed()]
    if json_wanted:
        say_json({"backends": found})
    else:
        for one in found:
            stands = "works" if one["ok"] else "does not work" if one["set_up"] else "is not set up"
            say(f"{one['backend']} ({one['package']}) – {stands}: {one['detail']}")
            if one["leaves_out"]:
                say(f"   leaves out: {', '.join(name.replace('_', ' ') for name in one['leaves_out'])}")
    return 0 if all(one["ok"] or not one["set_up"] for one in found) else 1


@connections.callback(invoke_without_command=True)
def listed(context: typer.Context, json_wanted: bool = JSON) -> int:
    """List your connections to platforms, and what their last checks said."""
    if context.invoked_subcommand is not None:
        return 0
    with place_of(context).store() as store:
        saved = store.account()
    tell_broken(saved)
    found = saved.account.connections
    if json_wanted:
        rows = [_listed(each, saved.checks.get(each.slug)) for each in found]
        say_json({"connections": rows})
    elif not found:
        say(f"You have no connections yet. They are made in the app, or with `{command('apply', 'FILE')}`.")
    else:
        table([("CONNECTION", "NAME", "KIND", "LAST CHECK (UTC)"), *(
            (each.slug, each.name, each.kind.value, _last(saved.checks.get(each.slug))) for each in found
        )])  # fmt: skip
    return 0


def _listed(connection: Connection, check: ConnectionCheck | None) -> dict[str, Any]:
    about = {"connection": connection.slug, "name": connection.name, "kind": connection.kind.value}
    return {**about, "check": {**check.model_dump(mode="json"), "works": check.works} if check else None}


def _last(check: ConnectionCheck | None) -> str:
    return f"{'works' if check.works else 'does not work'}, {check.at:%Y-%m-%d %H:%M}" if check else "never checked"


@connections.command("check", epilog="Example: wizard connections check my-blog")
def check(
    context: typer.Context,
    name: str = typer.Argument(metavar="NAME", help="The connection's slug."),
    json_wanted: bool = JSON,
) -> int:
    """Check whether a connection works, and remember the result. Status 1 when it does not."""
    from wizard.delivery.connections import check_and_remember

    place, now = place_of(context), datetime.now(UTC)
    with place.store() as store:
        try:
            checked = check_and_remember(store, place.settings, name, now)
        except KeyError:
            known = ", ".join(connection.slug for connection in store.account().account.connections)
            listed = f"You have {known}." if known else "You have none yet."
            raise Wrong(f"There is no connection {name!r}. {listed}") from None
    if json_wanted:
        say_json({"connection": name, "ok": checked.ok, "detail": checked.detail, "at": now.isoformat()})
    else:
        say(f"{name} {'works' if checked.ok else 'does not work'}: {checked.detail}")
    return 0 if checked.ok else 1
