"""A membership on another platform, which lets buyers in by a connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from models.access import AccessKind
from models.account import Account, Connection
from models.fulfillment import GrantAccess, RevokeAccess
from models.product import Product
from models.references import References
from wizard.sale.options.option import ACCESS, Delivery, Option, until
from wizard.sale.sold import NotReady, Sale

FIELD = f"{ACCESS}.integrated_membership"


class Integrated(Option):
    """See `Option`."""

    kind = AccessKind.INTEGRATED_MEMBERSHIP

    def ready(self, sold: Sale, now: datetime) -> Delivery:
        """See `Option`."""
        chosen = sold.answers.post_sale.access.integrated_membership
        connection = next((c for c in sold.account.account.connections if c.slug == chosen.connection), None)
        if connection is None:
            gone = f"The connection “{chosen.connection}” is gone: choose another one."
            raise NotReady(f"{FIELD}.connection", gone if chosen.connection else "Choose a connection.")
        if why := sold.account.unreadable.get(connection.slug):
            raise NotReady(f"{FIELD}.connection", f"“{connection.name}” cannot be asked. {why}")
        if not chosen.level:
            raise NotReady(f"{FIELD}.level", f"Say which level on “{connection.name}” buyers get.")
        common = {
            "target": connection.slug,
            "levels": (chosen.level,),
            "via": "connection",
            "name": connection.name,
            "platform": connection.kind.value,
        }
        return Delivery(
            self,
            connection.slug,
            GrantAccess.model_validate(common | {"create_login": False, "until": until(sold, now)}),
            RevokeAccess.model_validate(common),
        )

    def targets(self, product: Product) -> Mapping[str, str | None]:
        """See `Option`."""
        return {"connection": product.post_sale.access.integrated_membership.connection}

    def received(self, product: Product, references: References) -> str:
        """See `Option`."""
        chosen = product.post_sale.access.integrated_membership
        connection = next((c for c in references.account.connections if c.slug == chosen.connection), None)
        return f"entry to {connection.name}: {chosen.level or 'no level yet'}" if connection else ""


def connection_of(product: Product, account: Account) -> Connection | None:
    """The connection that lets buyers in, if that is the chosen option and it is there."""
    slug = granted_on(product)
    return next((each for each in account.connections if each.slug == slug), None)


def granted_on(product: Product) -> str | None:
    """The slug of the connection that lets buyers in, there or not; None where another option is chosen."""
    access = product.post_sale.access
    return access.integrated_membership.connection if access.kind is Integrated.kind else None
