"""Where a test-fire goes, before it goes: the real places that it reaches, and what it does there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from models.account import Connection, ConnectionKind
from models.automations import Then
from models.product import Product
from models.saved import SavedAccount
from wizard.delivery.registry import NoSuchBackend, manifest_of
from wizard.sale.options.integrated import connection_of
from wizard.settings import Settings

NOWHERE = "Sandbox: nothing leaves this machine."
DRILL = "Sandbox: a drill plays every place, and nothing leaves this machine."

DONE_THERE = {
    ConnectionKind.WORDPRESS: "a test user is made there, and removed at the end",
    ConnectionKind.GHOST: "a test member is made there, and removed at the end",
}
"""What is done at a real platform; any other is told in messages."""

TOLD = "it is told to let a test buyer in, and at the end to shut them out"


@dataclass(frozen=True, slots=True)
class Destination:
    """A real place that a test-fire reaches."""

    place: str
    """What it is and where: `WordPress at members.example.com`."""
    done: str
    """What is done there."""


def destinations(product: Product, account: SavedAccount, settings: Settings) -> tuple[Destination, ...]:
    """The real places that a test-fire of a product reaches with these settings; none where the sandbox plays all.

    A drill reaches none of them.
    """
    return tuple(_destinations(product, account, settings))


def in_words(found: tuple[Destination, ...], *, is_drill: bool = False) -> str:
    """Where it goes, in a line for each place."""
    if is_drill or not found:
        return DRILL if is_drill and found else NOWHERE
    return "\n".join(f"{each.place}: {each.done}." for each in found)


def _destinations(product: Product, account: SavedAccount, settings: Settings) -> Iterator[Destination]:
    try:
        manifest = manifest_of(settings.backend)
    except NoSuchBackend:  # which is said when it is fired
        return
    if settings.backend != "sandbox":  # what another's does by itself, nobody here knows
        values = settings.backends.get(settings.backend, {})
        yield Destination(f"{manifest.label.partition(':')[0]}{_at(values)}", "every delivery is asked of it")
    connection = connection_of(product, account.account)
    if connection and connection.kind is not ConnectionKind.SANDBOX:
        done = DONE_THERE.get(connection.kind, TOLD)
        yield Destination(f"{connection.kind.label}{_at(_addresses(connection))}", done)
    if settings.smtp_url is not None:
        host = _host(settings.smtp_url.get_secret_value())
        yield Destination(f"Mail server {host}", "the mails go to the test buyer's address")
    for rule in product.automations.rules if manifest.is_real else ():
        if rule.then is Then.CALL_WEBHOOK and "//" in rule.target:
            yield Destination(f"Webhook{_at({'': rule.target})}", "it is called when its rule applies")


def _addresses(connection: Connection) -> Mapping[str, Any]:
    # The page that is read comes after the address that is spoken to.
    names = ("url", "integration_url", "notification_url", "login_url")
    return {name: getattr(connection, name, None) for name in names}


def _at(values: Mapping[str, Any]) -> str:
    """Where the first address among these values leads; empty where there is none."""
    written = (value for value in values.values() if isinstance(value, str) and "://" in value)
    return f" at {host}" if (host := next(filter(None, map(_host, written)), "")) else ""


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # half an address, such as https://[x
        return ""
