"""An address of the seller's that takes signed requests: Standard Webhooks (https://www.standardwebhooks.com).

It may answer with JSON that holds what only it knows: where the buyer logs in or downloads, an address that signs the
buyer in (`sign_in_url`), a page that members alone can read (`proof_url`). Each is opened as the buyer, on hosts that
the seller named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import AfterValidator, TypeAdapter, ValidationError
from standardwebhooks.webhooks import Webhook as Signer

from models.addresses import same_buyer
from models.fulfillment import (
    Action,
    CancelRegistration,
    Evidence,
    GrantAccess,
    KeepAccess,
    Receipt,
    RegisterAttendee,
    RevokeAccess,
)
from models.signing import keys_of
from models.text import Line, WebAddress
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.buyer.members import SIGN_IN, Members
from wizard.delivery.buyer.proof import on_its_word
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.outgoing import host_of
from wizard.delivery.platforms.answers import answer_of, is_bare
from wizard.delivery.platforms.api import Api, Reply
from wizard.delivery.secrecy import Secrets
from wizard.sale.expectation import hoped_for

PROOF, LINK = "proof_url", "download_link"

ADDRESSES: Sequence[str] = (SIGN_IN, PROOF, "login_page", LINK)
LINES: Sequence[str] = ("login_email", "login_password", "link_expires")
"""What a reply may hold, by name. Anything else in it is left alone."""

MOST_PAGES = 50
"""Proof pages of one reply that are read."""


def _can_be_opened(address: str) -> str:
    """Refuse an address whose host no request can go to: a label that is no name (RFC 5890), a broken IPv6 address."""
    try:
        url = httpx.URL(address)
        if url.host and host_of(url):
            return address
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"this is not a web address: {error}") from None
    raise ValueError("write the whole address, for example https://example.com/page")


KINDS: Mapping[str, TypeAdapter[str]] = {
    **dict.fromkeys(ADDRESSES, TypeAdapter(Annotated[WebAddress, AfterValidator(_can_be_opened)])),
    **dict.fromkeys(LINES, TypeAdapter(Line)),
}

GONE = 410
"""The receiver wants no more requests (Standard Webhooks)."""


TOKEN = 16
"""Characters from which on a part of a link's path is taken for a token."""

ACCESS = "access/"
"""How the name of a thing begins that is access to a membership."""


@dataclass(frozen=True)
class Endpoint:
    """One address at work in one run."""

    around: Surroundings
    name: str
    """What the seller calls it."""
    written: str
    """Where its settings stand, as part of a sentence."""
    address: str
    secret: str = field(repr=False)
    """What signs: one or more secrets of Standard Webhooks, with spaces between."""
    is_any_text: bool = False
    """Whether the secret is any text, and signs as it is."""
    proof_url: str | None = None
    """The proof page that the seller wrote down, for access of which replies name none."""
    given: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    """What replies gave the buyer, by the run and what was given."""

    async def check(self, slug: str = "") -> Check:
        """Send a request of the type `ping`. `slug`: the connection's, where it is one."""
        now = datetime.now(UTC).replace(microsecond=0)
        key = "-".join(filter(None, ("check", slug, str(int(now.timestamp())))))
        known = Secrets()
        known.learn(self.secret, *self.secret.split())
        reply = await self._tell(self._api(self.address), self.address, "ping", {}, key, now)
        answer_of(reply, self.name, known)
        return Check(True, f"“{self.name}” answered {reply.status} to a signed request of the type “ping”.")

    async def tell(
        self, event: str, data: Mapping[str, object], context: Context, *, gives: str = "", to: str = ""
    ) -> Receipt:
        """Send a request of the type `event`, to the address or to another; give back what was answered. Its
        `webhook-id` is the idempotency key. `gives`: the thing that the buyer is given by it (see `thing_of`)."""
        context.secrets.learn(self.secret, *self.secret.split())
        api = self._api(to or self.address)
        reply = await self._tell(api, to or self.address, event, data, context.key, happened_at(context))
        found = answer_of(reply, api.name, context.secrets, is_elsewhere=bool(to))
        values = {} if to else self._values_in(found)
        context.secrets.learn_values(values)
        for name in {*values} & {SIGN_IN, LINK}:
            context.secrets.learn(*_tokens(values[name], context))
        if gives:
            self.given[context.run, gives] = self.given_for(gives, context) | values
        detail = f"“{api.name}” took “{event}” with {reply.status}."
        return api.with_exchanges(Receipt(reference=context.key, detail=detail, values=values))

    def given_for(self, thing: str, context: Context) -> dict[str, str]:
        """What the replies that gave a thing hold for the buyer."""
        return self.given.get((context.run, thing), {})

    async def see(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """Go in as the buyer, as the reply to what gave them access says, and read its proof pages."""
        given = self.given_for(thing_of(action), context)
        pages = given.get(PROOF, "").split()
        if not pages and self.proof_url is not None and thing_of(action).startswith(ACCESS):
            pages = [self.proof_url]
        word = self.word_of(receipt)
        if not pages:
            return on_its_word(self.written, hoped_for(action), word)
        return await self.members.see(action, given, pages, context, word)

    def word_of(self, receipt: Receipt) -> str:
        """What the endpoint itself says, as a sentence."""
        if is_bare(receipt):
            return f"{receipt.detail} Its reply was empty: that counts as a yes, and is its own word alone."
        return f"“{self.name}” says that it took the request."

    async def _tell(
        self, api: Api, to: str, event: str, data: Mapping[str, object], key: str, happened: datetime
    ) -> Reply:
        # The same id is the same bytes on every try: a receiver may compare them, or answer by the id alone.
        body = json.dumps({"type": event, "timestamp": happened.isoformat(), "data": data})
        # It is signed at the real time, and in UTC: a receiver refuses what a simulated clock dates, and the library
        # signs any other time zone's clock as if it were UTC.
        now = datetime.now(UTC)
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
        name = self.name if to == self.address else urlsplit(to).netloc
        return Api(self.around.client(), name, f"the signing secret in {self.written}")

    def _values_in(self, found: Mapping[str, Any]) -> dict[str, str]:
        """What a reply holds for the buyer. Raises Rejected where it is not what its name says."""
        values = {}
        for name in KINDS:
            if found.get(name) in (None, "", []):
                continue
            pages = found[name] if name == PROOF and isinstance(found[name], list) else [found[name]]
            if len(pages) > MOST_PAGES:
                raise Rejected(f"“{self.name}” answered with {len(pages)} proof pages: name {MOST_PAGES} at the most.")
            try:
                values[name] = " ".join(KINDS[name].validate_python(page, strict=True) for page in pages)
            except ValidationError as error:
                why = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
                raise Rejected(f"“{self.name}” answered with a {name} that cannot be used: {why}.") from None
        return values

    @cached_property
    def members(self) -> Members:
        """Those who go in as buyers."""
        return Members(self.around, self.name, self.written)

    @cached_property
    def _signers(self) -> list[Signer]:
        """One for each secret: while a key is changed, a request is signed with the old one and the new one."""
        if self.is_any_text:
            if not self.secret:
                raise ActionRequired(f"Write the key of “{self.name}” into {self.written}.")
            return [Signer(self.secret.encode())]
        try:
            return [Signer(key) for key in keys_of(self.secret)]
        except ValueError as error:
            raise ActionRequired(f"The signing secret of “{self.name}” cannot be used: {error}.") from None


def happened_at(context: Context) -> datetime:
    """When what is told happened, by the plan of the run."""
    return context.occasion.moment.at if context.occasion else context.now()


def told_of(context: Context) -> dict[str, object]:
    """What a request says of the sale that it is about: what tells a trial from a renewal."""
    if context.occasion is None:
        return {}
    known, moment = context.occasion, context.occasion.moment
    charge = moment.charge
    return {
        "occasion": {
            "event": moment.event.value if moment.event else None,
            "title": moment.title,
            "moment": known.number,
            "moments": known.moments,
            "price": known.price,
            "payment": charge.number if charge else None,
            "amount": charge.amount if charge else None,
            "currency": charge.currency if charge else None,
            "is_trial": charge.is_trial if charge else None,
            "is_paid": charge.is_paid if charge else None,
        }
    }


def thing_of(action: Action) -> str:
    """What an action gives, takes or keeps: the same for a grant and its revoke."""
    match action:
        case KeepAccess(kept=kept) if kept is not None:
            return thing_of(kept)
        case GrantAccess() | RevokeAccess():
            return f"{ACCESS}{action.via}/{action.target}"
        case RegisterAttendee() | CancelRegistration():
            return f"{action.kind}/{action.target}"
    return f"file/{action.target}"


def _tokens(link: str, context: Context) -> list[str]:
    """What in a link makes whoever bears it somebody."""
    parts = urlsplit(link)
    in_query = [value for found in parse_qs(parts.query).values() for value in found]
    in_path = [part for part in (*parts.path.split("/"), parts.fragment) if len(part) >= TOKEN]
    buyer = context.buyer
    return [found for found in (*in_query, *in_path) if found != buyer.name and not same_buyer(found, buyer.email)]
