"""Real membership platforms, one module for each, and where each class stands. Nothing of them is imported before it is
asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from models.account import Connection, ConnectionKind
from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
from wizard.fulfillment.backend import Check, Context, Surroundings

LEVEL = "post_sale.access.integrated_membership.level"
"""The question that a role, a tier or a level is the answer to."""

CLASSES: Mapping[ConnectionKind, str] = {
    ConnectionKind.WORDPRESS: "wordpress:WordPress",
    ConnectionKind.GHOST: "ghost:Ghost",
    ConnectionKind.WEBHOOK: "webhook:SignedRequests",
    ConnectionKind.DAP: "webhook:SignedRequests",
    ConnectionKind.S2MEMBER: "webhook:SignedRequests",
}
"""Where the class of each platform stands, as module and name. A sandbox is no real platform: its backend plays it."""


class Platform(Protocol):
    """A connection to a platform, for one run: a backend's methods, for access alone."""

    async def check(self) -> Check:
        """Say whether the connection works, by a real request that changes nothing. Raises BackendError."""

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """Let the buyer in or shut them out. See `Backend`."""

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """Try the proof page as the buyer. See `Backend`."""

    async def clean_up(self, context: Context) -> str:
        """Remove what this run created and nothing else. See `Backend`."""


def platform_for(connection: Connection, surroundings: Surroundings) -> Platform | None:
    """The platform that a connection leads to; None for a sandbox."""
    if (place := CLASSES.get(connection.kind)) is None:
        return None
    module, _, name = place.partition(":")
    return cast("Platform", getattr(import_module(f"{__name__}.{module}"), name)(connection, surroundings))
