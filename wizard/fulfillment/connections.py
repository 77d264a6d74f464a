"""Checking a connection: whether the seller's account on another platform answers and lets us in."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.account import Connection, ConnectionKind
from wizard.fulfillment.backend import BackendError, Check, Surroundings
from wizard.fulfillment.secrecy import Secrets

if TYPE_CHECKING:
    from wizard.settings import Settings
    from wizard.store import Store


def check_and_remember(store: Store, settings: Settings, slug: str, now: datetime) -> Check:
    """Check one of the seller's connections and keep what came of it. Waits for the network: call it in a thread.

    Raises KeyError for a connection that there is not, and the store's errors.
    """
    saved = store.account()
    connection = {each.slug: each for each in saved.account.connections}[slug]
    if slug in saved.unreadable:
        check = Check(False, saved.unreadable[slug])
    else:
        reach = settings.allow_private_hosts
        check = asyncio.run(check_connection(connection, data_dir=settings.data_dir, allow_private=reach))
    store.record_check(slug, check.ok, check.detail, now)
    return check


async def check_connection(connection: Connection, *, data_dir: Path, allow_private: bool = False) -> Check:
    """Make a real request that changes nothing, and say in a sentence what came back. Raises nothing.

    `allow_private`: the setting `allow_private_hosts`.
    """
    check = await _checked(connection, data_dir, allow_private)
    # A platform may repeat in its answer what it was sent.
    secrets = Secrets()
    secrets.learn_fields(connection)
    return Check(check.ok, secrets.mask(check.detail))


async def _checked(connection: Connection, data_dir: Path, allow_private: bool) -> Check:
    from wizard.fulfillment.outgoing import hosts_of, outgoing

    try:
        async with outgoing(hosts_of(connection), allow_private=allow_private) as way_out:
            surroundings = Surroundings(data_dir=data_dir, client=way_out.client, browser=way_out.browser)
            if connection.kind is ConnectionKind.SANDBOX:
                from wizard.fulfillment.backends.sandbox import SandboxBackend

                return await SandboxBackend(surroundings).check_connection(connection)
            from wizard.fulfillment.platforms import platform_for

            return await platform_for(connection, surroundings).check()
    except BackendError as error:
        return Check(False, str(error))
    except OSError as error:
        return Check(False, f"The sandbox's folder {data_dir} cannot be used: {error.strerror or error}.")
