"""A connection at work in a test: the platform's class with a run's surroundings, and what a run asks of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from models.account import Connection
from models.fulfillment import Buyer, GrantAccess, RevokeAccess
from tests.support.endpoint import SECRET
from wizard.delivery.backend import Context, Surroundings
from wizard.delivery.outgoing import hosts_of, outgoing
from wizard.delivery.platforms import Platform, platform_for
from wizard.delivery.secrecy import Secrets


@asynccontextmanager
async def at_work(connection: Connection, data_dir: Path, secrets: Secrets | None = None) -> AsyncIterator[Platform]:
    """The connection's platform, as a new process would make it; hosts of this machine are fine. `secrets`: the run's,
    where they matter."""
    async with outgoing(hosts_of(connection), allow_private=True) as way_out:
        surroundings = Surroundings(
            data_dir=data_dir, client=way_out.client, browser=way_out.browser, secrets=secrets or Secrets()
        )
        yield platform_for(connection, surroundings)


def context_of(run: str, email: str = "", *, step: int = 1, **more: Any) -> Context:
    return Context(
        run=run,
        product="yoga-masterclass",
        buyer=Buyer(email=email or f"ada.{run}@example.com"),
        now=lambda: datetime.now(UTC),
        key=f"{run}-{step}",
        password="abcd-efgh-2345-6789",
        **more,
    )


def grant(connection: Connection, level: str = "") -> GrantAccess:
    return GrantAccess(
        target=connection.slug, levels=(level,), via="connection", name=connection.name,
        platform=connection.kind.value, create_login=False,
    )  # fmt: skip


def revoke(connection: Connection, level: str = "") -> RevokeAccess:
    return RevokeAccess(
        target=connection.slug, levels=(level,), via="connection", name=connection.name,
        platform=connection.kind.value,
    )  # fmt: skip


def part(mail: EmailMessage, kind: str) -> str:
    (found,) = [part for part in mail.walk() if part.get_content_type() == kind]
    return str(found.get_content()).replace("\r\n", "\n")


KINDS: dict[str, dict[str, Any]] = {
    "webhook": {"at": "url", "secret": SECRET},
    "dap": {"at": "notification_url", "product_or_level": "Gold", "secret_key": "plain words"},
    "s2member": {"at": "integration_url", "level_id": 3, "api_key": "another key"},
}


def connection(kind: str, url: str) -> Connection:
    described = dict(KINDS[kind])
    at = described.pop("at")
    made = Connection.model_validate({"slug": "own", "name": "My site", "kind": kind, **described})
    # The form of a window asks for https; a receiver on this machine has none.
    return made.model_copy(update={at: url})
