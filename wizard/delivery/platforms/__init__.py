"""The platforms that a seller can connect: one module each, loaded when a connection of its kind is used."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from models.account import ConnectionKind
from wizard.delivery.errors import Rejected

if TYPE_CHECKING:
    from models.account import Connection
    from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
    from wizard.delivery.backend import Check, Context, Surroundings

CLASSES = {
    ConnectionKind.WORDPRESS: "wordpress:WordPress",
    ConnectionKind.GHOST: "ghost:Ghost",
    ConnectionKind.WEBHOOK: "webhook:Webhook",
    ConnectionKind.DAP: "webhook:Dap",
    ConnectionKind.S2MEMBER: "webhook:S2Member",
}
"""Where the class of a kind is. The sandbox has none: its own backend plays that platform."""

CONNECTION = "post_sale.access.integrated_membership.connection"
LEVEL = "post_sale.access.integrated_membership.level"
"""The questions that a platform's refusal can be about."""


class Platform(Protocol):
    """A connection at work: what a backend does (see `wizard.delivery.backend`), for access on one platform."""

    async def check(self, levels: Sequence[str] = ()) -> Check:
        """Ask for everything that a run will need, and change nothing: also for these levels, which products give.
        Raises BackendError."""

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """Let the buyer in or shut them out. Raises BackendError."""

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """Read the proof page as the buyer and as a stranger. Raises BackendError."""

    async def clean_up(self, context: Context) -> str:
        """Remove what this run created; say in a sentence what was left. Raises BackendError."""


def platform_for(connection: Connection, surroundings: Surroundings) -> Platform:
    """The connection's platform. Raises Rejected for a kind that is none outside of this machine."""
    place = CLASSES.get(connection.kind)
    if place is None:
        raise Rejected(f"“{connection.name}” is played by the sandbox: choose the backend “sandbox”.", CONNECTION)
    module, _, name = place.partition(":")
    made: Platform = getattr(import_module(f"{__name__}.{module}"), name)(connection, surroundings)
    return made
