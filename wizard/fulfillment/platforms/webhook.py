"""Any platform that takes a signed request: Standard Webhooks (https://www.standardwebhooks.com), and Kartra's windows
for Digital Access Pass and s2Member as presets of it.

A platform may answer with JSON that holds a `sign_in_url`: an address that signs the buyer in, on a host that the
seller named. Then a test-fire opens it, and the proof page after it, as the buyer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook as Signer

from models.account import Connection
from models.fulfillment import Evidence, GrantAccess, Receipt, RevokeAccess
from models.text import is_web_address
from wizard.fulfillment.backend import ActionRequired, Check, Context, Rejected, Surroundings
from wizard.fulfillment.backends.browser import Browser
from wizard.fulfillment.platforms.api import Api, Reply
from wizard.fulfillment.platforms.proof import on_its_word, visit

SIGN_IN = "sign_in_url"

SECRET = re.compile(r"(whsec_)?[A-Za-z0-9+/]+={0,2}")

GONE = 410
"""The receiver wants no more requests (Standard Webhooks)."""


class Webhook:
    """A platform that is told what happened."""

    def __init__(self, connection: Connection, surroundings: Surroundings) -> None:
        """See `Platform`."""
        self._connection = connection
        self._around = surroundings
        self._api = Api(surroundings.client(), connection.name)
        self._buyer: Browser | None = None
        """The buyer's browser once they have signed in: a sign-in link may be good for one time only."""

    async def check(self) -> Check:
        """See `Platform`. Sends a signed request of the type `ping`."""
        key = f"check-{self._connection.slug}-{int(datetime.now(UTC).timestamp())}"
        reply = await self._tell("ping", {}, key)
        return Check(True, f"“{self._connection.name}” answered {reply.status} to a signed request of the type “ping”.")

    async def perform(self, action: GrantAccess | RevokeAccess, context: Context) -> Receipt:
        """See `Platform`. The request's `webhook-id` is the idempotency key."""
        context.secrets.learn(*self._secret.split())
        granted = isinstance(action, GrantAccess)
        event = self._connection.grant_event if granted else self._connection.revoke_event
        data = {
            "email": context.buyer.email,
            "name": context.buyer.name,
            "level": next((level for level in action.levels if level), ""),
            "product": context.product,
            "run": context.run,
            "simulation": True,
            **({"until": action.until.isoformat()} if isinstance(action, GrantAccess) and action.until else {}),
            **self._fields,
        }
        reply = await self._tell(event, data, context.key)
        values = {}
        if link := self._sign_in_url(reply):
            context.secrets.learn(
                link, *(value for found in parse_qs(urlsplit(link).query).values() for value in found)
            )
            values[SIGN_IN] = link
        detail = f"“{self._connection.name}” took “{event}” with {reply.status}."
        return self._api.with_exchanges(Receipt(reference=context.key, detail=detail, values=values))

    async def verify(self, action: GrantAccess | RevokeAccess, receipt: Receipt, context: Context) -> Evidence:
        """See `Platform`. After a revoke the buyer is still signed in from before, unless there is a new link."""
        said = f"“{self._connection.name}” says that it took the request."
        told = isinstance(action, GrantAccess)
        if self._connection.proof_url is None:
            return on_its_word(self._connection, told, said)
        link = receipt.values.get(SIGN_IN) or ("" if self._buyer else context.values.get(SIGN_IN, ""))
        if not link and self._buyer is None:
            no_link = (
                f"Its reply holds no {SIGN_IN}, so nobody can read the proof page as the buyer: let it answer with one."
            )
            return on_its_word(self._connection, told, said, missing=no_link)
        people = visit(self._connection, self._around, context, buyer=self._buyer)
        if link:
            inside = await people.buyer.open(link)
            if inside.status >= 400:
                refused = f"{people.who} could not sign in by the platform's link: {inside.says}"
                return people.evidence(False, refused, inside.status)
        self._buyer = people.buyer
        return await people.read(action, "signed in by the platform's link")

    async def clean_up(self, context: Context) -> str:
        """See `Platform`."""
        return (
            f"“{self._connection.name}” keeps what it made for {context.buyer.email}: a webhook can grant and revoke, "
            "but not ask for a removal."
        )

    async def _tell(self, event: str, data: Mapping[str, object], key: str) -> Reply:
        # The real time, and in UTC: a receiver refuses what a simulated clock dates, and the library signs any other
        # time zone's clock as if it were UTC.
        now = datetime.now(UTC)
        body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": data})
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(key, now, body) for signer in self._signers),
        }
        reply = await self._api.send("POST", self._address, headers=headers, body=body, fine=(GONE,))
        if reply.status == GONE:
            raise ActionRequired(
                f"“{self._connection.name}” is switched off: its address answered 410, gone. Switch it on, or correct "
                "the address."
            )
        return reply

    def _sign_in_url(self, reply: Reply) -> str:
        """Where the buyer signs in, if the reply says so. Raises Rejected when it says something else."""
        found = reply.json
        link = found.get(SIGN_IN) if isinstance(found, dict) else None
        if link is None:
            return ""
        try:
            return is_web_address(str(link))
        except ValueError as error:
            raise Rejected(
                f"“{self._connection.name}” answered with a {SIGN_IN} that is no address: {error}."
            ) from None

    @cached_property
    def _signers(self) -> list[Signer]:
        """One for each secret: while a key is changed, a request is signed with the old one and the new one."""
        secrets = self._secret.split()
        # The library leaves out what is not base64, and would sign with the rest.
        if secrets and all(SECRET.fullmatch(secret) for secret in secrets):
            with suppress(ValueError):
                return [Signer(secret) for secret in secrets]
        raise ActionRequired(
            f"The signing secret of “{self._connection.name}” is none: it is whsec_ and then base64, or several of "
            "them with spaces between."
        )

    @property
    def _address(self) -> str:
        return self._connection.url or ""

    @property
    def _secret(self) -> str:
        return _plain(self._connection.secret)

    @property
    def _fields(self) -> dict[str, object]:
        return {}


class _Window(Webhook):
    """One of Kartra's windows: its key is any text, and signs as it is."""

    address: ClassVar[str]
    """The field of the connection in which the address stands."""
    key: ClassVar[str]
    """The field of its key."""
    more: ClassVar[tuple[str, ...]]
    """The other fields of the window, which go along with each request."""

    @cached_property
    def _signers(self) -> list[Signer]:
        if not self._secret:
            raise ActionRequired(f"Write the key of “{self._connection.name}” into the connection.")
        return [Signer(self._secret.encode())]

    @property
    def _address(self) -> str:
        return getattr(self._connection, self.address) or ""

    @property
    def _secret(self) -> str:
        return _plain(getattr(self._connection, self.key))

    @property
    def _fields(self) -> dict[str, object]:
        window = {name: getattr(self._connection, name) for name in self.more}
        return {"membership_name": self._connection.name, **window}


class Dap(_Window):
    """Kartra's window for Digital Access Pass."""

    address, key, more = "notification_url", "secret_key", ("login_url", "product_or_level")


class S2Member(_Window):
    """Kartra's window for s2Member: one connection for each level."""

    address, key, more = "integration_url", "api_key", ("login_url", "level_id")


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
