"""Checking a connection: whether the seller's account on another platform answers and lets us in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.account import Connection, ConnectionKind
from wizard.delivery.backend import Check, Surroundings
from wizard.delivery.errors import BackendError, not_usable
from wizard.delivery.secrecy import Secrets
from wizard.sale.options.integrated import granted_on

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
        reach, levels = settings.allow_private_hosts, levels_given(store, slug)
        check = asyncio.run(
            check_connection(connection, data_dir=settings.data_dir, allow_private=reach, levels=tuple(levels))
        )
    store.record_check(slug, check.ok, check.detail, now, check.levels)
    wrong = [
        f"{levels[level]} gives “{level}”: {problem}" for level, problem in (check.levels or {}).items() if problem
    ]
    return Check(check.ok and not wrong, " ".join((check.detail, *wrong)), check.levels)


def levels_given(store: Store, slug: str) -> dict[str, str]:
    """The levels that products give on a connection, each with the products that do."""
    given: dict[str, list[str]] = {}
    for product in store.used_by("connection", slug):
        answers = store.load(product).answers
        if granted_on(answers) == slug:
            given.setdefault(answers.post_sale.access.integrated_membership.level, []).append(product)
    return {level: " and ".join(products) for level, products in given.items() if level}


async def check_connection(
    connection: Connection, *, data_dir: Path, allow_private: bool = False, levels: Sequence[str] = ()
) -> Check:
    """Ask the platform for everything that a run will need, change nothing, and say in a sentence what came back.
    Raises nothing.

    `allow_private`: the setting `allow_private_hosts`. `levels`: those that products give there.
    """
    secrets = Secrets()
    secrets.learn_fields(connection)
    check = await _checked(connection, data_dir, allow_private, levels, secrets)
    found = check.levels
    masked = None if found is None else {level: secrets.mask(problem) for level, problem in found.items()}
    return Check(check.ok, secrets.mask(check.detail), masked)


async def _checked(
    connection: Connection, data_dir: Path, allow_private: bool, levels: Sequence[str], secrets: Secrets
) -> Check:
    from wizard.delivery.outgoing import hosts_of, outgoing

    try:
        async with outgoing(hosts_of(connection), allow_private=allow_private) as way_out:
            surroundings = Surroundings(
                data_dir=data_dir, client=way_out.client, browser=way_out.browser, secrets=secrets
            )
            if connection.kind is ConnectionKind.SANDBOX:
                from wizard.delivery.backends.sandbox import SandboxBackend

                return await SandboxBackend(surroundings).check_connection(connection)
            from wizard.delivery.platforms import platform_for

            return await platform_for(connection, surroundings).check(levels)
    except BackendError as error:
        return Check(False, str(error))
    except Exception as error:  # whatever came back, it is an answer too
        return Check(False, str(not_usable(error)))
