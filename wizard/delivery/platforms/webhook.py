"""Any platform that takes a signed request, and Kartra's windows for Digital Access Pass and s2Member as presets of it
(see `wizard.delivery.platforms.endpoint`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import SecretStr

from models.account import Connection
from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.buyer.proof import written_in
from wizard.delivery.buyer.proof_page import keep_strangers_out
from wizard.delivery.platforms.endpoint import Endpoint, thing_of, told_of


class Webhook:
    """A platform that is told what happened."""

    address: ClassVar[str] = "url"
    """The field of the connection in which the address stands."""
    key: ClassVar[str] = "secret"
    """The field of what signs."""
    is_window: ClassVar[bool] = False
    """Whether it is one of Kartra's windows: its key is any text, and its name and further fields go along."""
    more: ClassVar[tuple[str, ...]] = ()
    """The further fields of a window."""

    def __init__(self, connection: Connection, surroundings: Surroundings) -> None:
        """See `Platform`."""
        self._connection = connection
        secret: SecretStr | None = getattr(connection, self.key)
        self._endpoint = Endpoint(
            surroundings,
            name=connection.name,
            written=written_in(connection),
            address=getattr(connection, self.address) or "",
            secret=secret.get_secret_value() if secret else "",
            is_any_text=self.is_window,
            proof_url=connection.proof_url,
        )

    async def check(self, levels: Sequence[str] = ()) -> Check:
        """See `Platform`. Nobody can ask an endpoint about a level."""
        check = await self._endpoint.check(self._connection.slug)
        if self._connection.proof_url is not None:
            await keep_strangers_out(
                self._connection.proof_url, written_in(self._connection), self._endpoint.around, ()
            )
        return check

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """See `Platform`."""
        granted = isinstance(action, GrantAccess)
        event = self._connection.grant_event if granted else self._connection.revoke_event
        window = {name: getattr(self._connection, name) for name in self.more}
        data = {
            "email": context.buyer.email,
            "name": context.buyer.name,
            "level": next((level for level in action.levels if level), ""),
            "product": context.product,
            "run": context.run,
            "simulation": True,
            **told_of(context),
            **({"until": action.until.isoformat()} if isinstance(action, GrantAccess) and action.until else {}),
            **({"membership_name": self._connection.name, **window} if self.is_window else {}),
        }
        return await self._endpoint.tell(event, data, context, gives=thing_of(action) if granted else "")

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """See `Platform`."""
        return await self._endpoint.see(action, receipt, context)

    async def clean_up(self, context: Context) -> str:
        """See `Platform`."""
        return (
            f"“{self._connection.name}” keeps what it made for {context.buyer.email}: a webhook can grant and revoke, "
            "but not ask for a removal."
        )


class Dap(Webhook):
    """Kartra's window for Digital Access Pass."""

    is_window = True
    address, key, more = "notification_url", "secret_key", ("login_url", "product_or_level")


class S2Member(Webhook):
    """Kartra's window for s2Member: one connection for each level."""

    is_window = True
    address, key, more = "integration_url", "api_key", ("login_url", "level_id")
