"""An address of the seller's that takes signed requests: Standard Webhooks (https://www.standardwebhooks.com).

It may answer with JSON that holds what only it knows: where the buyer logs in or downloads, an address that signs the
buyer in (`sign_in_url`), a page that members alone can read (`proof_url`). Each is opened as the buyer, on hosts that
the seller named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

from pydantic import TypeAdapter, ValidationError
from standardwebhooks.webhooks import Webhook as Signer

from models.fulfillment import Action, Evidence, Receipt
from models.text import Line, WebAddress
from wizard.fulfillment.backend import ActionRequired, Check, Context, Rejected, Surroundings
from wizard.fulfillment.backends.browser import Browser
from wizard.fulfillment.outcome import hoped_for
from wizard.fulfillment.platforms.api import Api, Reply
from wizard.fulfillment.platforms.proof import on_its_word, visit

SIGN_IN, PROOF = "sign_in_url", "proof_url"

ADDRESSES: Sequence[str] = (SIGN_IN, PROOF, "login_page", "download_link")
LINES: Sequence[str] = ("login_email", "login_password", "link_expires")
"""What a reply may hold, by name. Anything else in it is left alone."""

KINDS: Mapping[str, TypeAdapter[str]] = {
    **dict.fromkeys(ADDRESSES, TypeAdapter(WebAddress)),
    **dict.fromkeys(LINES, TypeAdapter(Line)),
}

SECRET = re.compile(r"(whsec_)?[A-Za-z0-9+/]+={0,2}")

GONE = 410
"""The receiver wants no more requests (Standard Webhooks)."""


TOKEN = 16
"""Characters from which on the end of an address is taken for a token."""


@dataclass(frozen=True)
class Endpoint:
    """One address at work, with what a run has to reach it."""

    around: Surroundings
    name: str
    """What the seller calls it."""
    written: str
    """Where its settings stand, as part of a sentence."""
    address: str
    secret: str
    """What signs: one or more secrets of Standard Webhooks, with spaces between."""
    is_any_text: bool = False
    """Whether the secret is any text, and signs as it is."""
    proof_url: str | None = None
    """The proof page that the seller wrote down."""
    buyers: dict[str, Browser] = field(default_factory=dict)
    """The browsers of those who have signed in, by address: a link that signs in may be good for one time only."""

    async def check(self, key: str) -> Check:
        """Send a request of the type `ping`."""
        reply = await self._tell(self._api(self.address), self.address, "ping", {}, key)
        return Check(True, f"“{self.name}” answered {reply.status} to a signed request of the type “ping”.")

    async def tell(self, event: str, data: Mapping[str, object], context: Context, *, to: str = "") -> Receipt:
        """Send a request of the type `event`, to the address or to another; give back what was answered. Its
        `webhook-id` is the idempotency key."""
        context.secrets.learn(*self.secret.split())
        api = self._api(to or self.address)
        reply = await self._tell(api, to or self.address, event, data, context.key)
        values = {} if to else self._answers(reply)
        for name in {*values} & {SIGN_IN, "download_link"}:
            context.secrets.learn(values[name], *_tokens(values[name]))
        detail = f"“{api.name}” took “{event}” with {reply.status}."
        return api.with_exchanges(Receipt(reference=context.key, detail=detail, values=values))

    async def see(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """Sign the buyer in by the link, and read the proof page. After a revoke the buyer is still signed in from
        before, unless there is a new link."""
        told, said = hoped_for(action), f"“{self.name}” says that it took the request."
        pages = (self.proof_url or receipt.values.get(PROOF) or context.values.get(PROOF, "")).split()
        if not pages:
            return on_its_word(self.written, told, said)
        buyer = self.buyers.get(context.buyer.email)
        link = receipt.values.get(SIGN_IN) or ("" if buyer else context.values.get(SIGN_IN, ""))
        if not link and buyer is None:
            no_link = (
                f"Its reply holds no {SIGN_IN}, so nobody can read the proof page as the buyer: let it answer with one."
            )
            return on_its_word(self.written, told, said, missing=no_link)
        people = visit(pages[0], self.written, self.around, context, buyer=buyer)
        if link:
            inside = await people.buyer.open(link)
            if inside.status >= 400:
                refused = f"{people.who} could not sign in by the link that “{self.name}” gave: {inside.says}"
                return people.evidence(False, refused, inside.status)
        self.buyers[context.buyer.email] = people.buyer
        read = []
        for page in pages:
            read.append(await replace(people, url=page).read(action, f"signed in by the link that “{self.name}” gave"))
            if read[-1].allowed is not told:
                return read[-1]
        return read[-1].model_copy(update={"detail": " ".join(evidence.detail for evidence in read)})

    async def _tell(self, api: Api, to: str, event: str, data: Mapping[str, object], key: str) -> Reply:
        # The real time, and in UTC: a receiver refuses what a simulated clock dates, and the library signs any other
        # time zone's clock as if it were UTC.
        now = datetime.now(UTC)
        body = json.dumps({"type": event, "timestamp": now.isoformat(), "data": data})
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(key, now, body) for signer in self._signers),
        }
        reply = await api.send("POST", to, headers=headers, body=body, fine=(GONE,))
        if reply.status == GONE:
            raise ActionRequired(
                f"“{api.name}” is switched off: its address answered 410, gone. Switch it on, or correct the address."
            )
        return reply

    def _api(self, to: str) -> Api:
        return Api(self.around.client(), self.name if to == self.address else urlsplit(to).netloc)

    def _answers(self, reply: Reply) -> dict[str, str]:
        """What the reply holds for the buyer. Raises Rejected where it is not what its name says."""
        found = reply.json
        values = {}
        for name in KINDS if isinstance(found, dict) else ():
            if found.get(name) is None:
                continue
            pages = found[name] if name == PROOF and isinstance(found[name], list) else [found[name]]
            try:
                values[name] = " ".join(KINDS[name].validate_python(page, strict=True) for page in pages)
            except ValidationError as error:
                why = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
                raise Rejected(f"“{self.name}” answered with a {name} that cannot be used: {why}.") from None
        return values

    @cached_property
    def _signers(self) -> list[Signer]:
        """One for each secret: while a key is changed, a request is signed with the old one and the new one."""
        if self.is_any_text:
            if not self.secret:
                raise ActionRequired(f"Write the key of “{self.name}” into {self.written}.")
            return [Signer(self.secret.encode())]
        secrets = self.secret.split()
        # The library leaves out what is not base64, and would sign with the rest.
        if secrets and all(SECRET.fullmatch(secret) for secret in secrets):
            with suppress(ValueError):
                return [Signer(secret) for secret in secrets]
        raise ActionRequired(
            f"The signing secret of “{self.name}” is none: it is whsec_ and then base64, or several of them with "
            "spaces between."
        )


def _tokens(link: str) -> list[str]:
    """What in a link makes whoever bears it somebody."""
    parts = urlsplit(link)
    end = parts.path.rpartition("/")[2]
    return [
        *(value for found in parse_qs(parts.query).values() for value in found),
        *([end] if len(end) >= TOKEN else []),
    ]
