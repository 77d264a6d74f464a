"""A product whose access is on a real platform, and lives of its sale there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.account import Account, Connection, ConnectionCheck
from models.events import Event
from models.fulfillment import Run
from models.saved import SavedAccount
from tests.support.shop import small_world, sold
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.runs.fire import Workplace, fire
from wizard.runs.tries import Patience
from wizard.sale.lives import Life
from wizard.sale.sold import Sale
from wizard.settings import Settings
from wizard.store import open_store

PATIENT = Patience(tries=3, one_try=30, first_wait=0.2, longest_wait=2, jitter=0)

Checks = dict[str, ConnectionCheck]


def sold_on(connection: Connection, *, level: str = "gold", checks: Checks | None = None, **product: Any) -> Sale:
    """A product that lets its buyers into this platform."""
    access = {
        "kind": "integrated_membership",
        "integrated_membership": {"connection": connection.slug, "level": level},
    }
    found = sold("", access=access, **product)
    return found.model_copy(
        update={"account": SavedAccount(account=Account(connections=(connection,)), checks=checks or {})}
    )


async def lived(connection: Connection, what: Event | Life, folder: Path, **product: Any) -> Run:
    """Carry out an event or a life on the platform; mails and pages are the sandbox's."""
    app = small_world()
    try:
        return await fire(
            sold_on(connection, **product),
            what,
            at=Workplace(folder, password_of=lambda run: f"Wz-{run}-k7qm2xpa9rtd", allow_private=True),
            backend=lambda around: SandboxBackend(around, app),
            patience=PATIENT,
        )
    finally:
        app.state.world.close()


def furnished(folder: Path, connection: Connection, *, level: str = "gold") -> Path:
    """Records with such a product, `on-the-platform`."""
    with open_store(Settings(data_dir=folder)) as store:
        store.add(connection)
        store.create("On the platform", "test", sold_on(connection, level=level).answers, slug="on-the-platform")
    return folder
