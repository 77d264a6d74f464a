"""Commands about the keys that connections' secrets are sealed with. A key itself is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from wizard.cli.output import say, say_json
from wizard.cli.place import JSON, Wrong, place_of

if TYPE_CHECKING:
    from wizard.store.keys import Keys

commands = typer.Typer()
keys = typer.Typer(rich_markup_mode=None)
commands.add_typer(keys, name="keys", epilog="Example: wizard keys")


@keys.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: bool = JSON) -> int:
    """Say where the keys are that seal your connections' secrets, how many, and their fingerprints."""
    if context.invoked_subcommand is not None:
        return 0
    from wizard.store.keys import Keys

    found = Keys.of(place_of(context).settings)
    fingerprints = found.fingerprints()
    if as_json:
        say_json(_as_json(found))
        return 0
    if not fingerprints:
        say(f"There is no key yet. The first secret makes one, in {found.place}.")
        return 0
    say(f"{_counted(len(fingerprints), 'key')} in {found.place}:")
    for number, fingerprint in enumerate(fingerprints):
        say(f"  {fingerprint}  {'seals and opens' if number == 0 else 'opens what was sealed earlier'}")
    if not found.are_given:
        say("Keep a copy of this file apart from the database: without it, every secret must be written again.")
    return 0


@keys.command(epilog="Example: wizard keys rotate")
def rotate(context: typer.Context, as_json: bool = JSON) -> int:
    """Make a new key, seal every secret of this database with it, and drop the old keys.

    Earlier copies of the database, and another database with the same data folder, need the old keys: keep a copy of
    the file for those. With keys from WIZARD_SECRET_KEYS, put the new one in front yourself; this then seals with it.
    Status 1 when a secret could not be read.
    """
    from wizard.store.keys import Keys

    place = place_of(context)
    found = Keys.of(place.settings)
    if found.are_given and len(found.fingerprints()) == 1:
        raise Wrong(
            f"The key stands in {found.place}, which only you can change. Put a new key and a comma in front of it "
            "(`openssl rand -base64 32 | tr +/ -_` makes one) and run this again; after that the old one can go."
        )
    with place.store() as store:
        done = store.rotate_keys()
    if as_json:
        say_json({**_as_json(found), "sealed": done.sealed, "unreadable": list(done.unreadable)})
        return 1 if done.unreadable else 0
    say(f"{_counted(done.sealed, 'secret')} sealed anew with the key {found.fingerprints()[0]}.")
    if found.are_given:
        say(f"Nothing needs the other keys any more: take them out of {found.place}.")
    if done.unreadable:
        say(f"No key opens the secret of {', '.join(done.unreadable)}: write it again. It was left as it is.")
    return 1 if done.unreadable else 0


def _as_json(found: Keys) -> dict[str, object]:
    return {
        "file": None if found.are_given else str(found.path),
        "keys": [{"fingerprint": fingerprint} for fingerprint in found.fingerprints()],
    }


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
