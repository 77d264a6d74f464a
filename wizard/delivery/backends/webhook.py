"""The backend `webhook`: tells the seller's own endpoint of every action by a signed request, and then uses what its
replies give, as the buyer (see `wizard.delivery.platforms.endpoint`).

What no buyer can look at, such as a tag, is the endpoint's own word. The address of a rule "call a webhook" is called
itself.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from models.characters import visible
from models.fulfillment import (
    Action,
    CallWebhook,
    CancelRegistration,
    CleanUp,
    Evidence,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    Receipt,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
    ShowPage,
    TryLink,
)
from wizard.delivery.backend import Check, Context, Surroundings
from wizard.delivery.backends import WEBHOOK, WebhookSettings
from wizard.delivery.buyer.links import LinkInHand, seen
from wizard.delivery.errors import ActionRequired, Rejected
from wizard.delivery.platforms.answers import is_bare
from wizard.delivery.platforms.endpoint import LINK, Endpoint, happened_at, thing_of, told_of
from wizard.sale.expectation import hoped_for

GIVES = (GrantAccess, RegisterAttendee, IssueDownloadLink)
"""What gives the buyer something."""

PLANS = {"action", "values", "only_with", "only_platforms"}
"""What an action holds for the wizard alone."""


class WebhookBackend:
    """Delivers through the seller's endpoint."""

    manifest = WEBHOOK

    def __init__(self, surroundings: Surroundings) -> None:
        """See `Surroundings`."""
        settings = WebhookSettings.model_validate(surroundings.settings)
        self._around = surroundings
        self._endpoint = Endpoint(
            surroundings,
            name="Your endpoint",
            written="[backends.webhook]",
            address=settings.url,
            secret=settings.secret.get_secret_value(),
            proof_url=settings.proof_url,
        )

    async def check(self) -> Check:
        """See `Backend`."""
        return await self._endpoint.check()

    async def perform(self, action: Action, context: Context) -> Receipt:
        """See `Backend`. The type of a request is the action's name, and its data what the action says."""
        if action.action not in self.manifest.can:
            raise Rejected(f"Your endpoint is not told of “{action.action}”: it is of a newer version.")
        about = {
            "buyer": context.buyer.model_dump(),
            "product": context.product,
            "run": context.run,
            "at": happened_at(context).isoformat(),
            "simulation": True,
            **told_of(context),
        }
        data = {**action.model_dump(mode="json", exclude=PLANS, exclude_none=True), **about}
        to = action.target if isinstance(action, CallWebhook) else ""
        gives = thing_of(action) if isinstance(action, GIVES) else ""
        receipt = await self._endpoint.tell(action.action, data, context, gives=gives, to=to)
        if isinstance(action, IssueDownloadLink) and LINK not in receipt.values:
            raise ActionRequired(f"Your endpoint answered without a {LINK}: let it answer with one.")
        # Only what gives something says how the buyer comes to it: nothing later is to stand in for that.
        return (
            receipt
            if gives
            else receipt.model_copy(
                update={"values": {}, "proof": {name: text for name, text in receipt.values.items() if name == LINK}}
            )
        )

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        """See `Backend`."""
        match action:
            case GrantAccess() | RevokeAccess() | RegisterAttendee() | CancelRegistration():
                return await self._endpoint.see(action, receipt, context)
            case IssueDownloadLink() | RevokeDownloadLink() | TryLink():
                return await self._with_link(action, receipt, context)
            case KeepAccess(kept=None):
                return Evidence(allowed=True, proven_by="nobody", detail=f"Nothing to do: {action.reason}.")
            case KeepAccess(kept=IssueDownloadLink()):
                return await self._with_link(action, receipt, context)
            case KeepAccess():
                evidence = await self._endpoint.see(action, receipt, context)
                return evidence.model_copy(update={"detail": f"Kept: {action.reason}. {evidence.detail}"})
            case ShowPage(url=str(url)):
                return await self._sent_to(url, context)
        word = self._endpoint.word_of(receipt) if is_bare(receipt) else f"{receipt.detail} That is its own word."
        return Evidence(allowed=hoped_for(action), proven_by="platform", detail=word)

    async def _with_link(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        link = self._endpoint.given_for(thing_of(action), context).get(LINK, "")
        who, called = visible(context.buyer.name, ""), "the link that your endpoint gave"
        if isinstance(action, TryLink) and action.how == "expired":
            link, called = receipt.proof.get(LINK, ""), "an expired link that your endpoint gave"
            if not link:
                raise ActionRequired(
                    f"Nobody can wait for a link to expire: let the reply to “try_link” with “how”: “expired” hold a "
                    f"{LINK} that has run out."
                )
        if not link:
            return seen(False, f"{who} has no link.")
        browser = self._around.new_browser()
        remedy = "Put the file that you chose where your endpoint takes it from."
        hand = LinkInHand(link, browser, who, called, remedy, self._around.account.files.get(action.target))
        match action:
            case IssueDownloadLink() if context.earlier is not None and action.download_limit == 1:
                evidence = seen(True, f"{who} has the same link as before. It may be used once, and has been.")
            case IssueDownloadLink():
                evidence = await hand.downloads(action)
            case TryLink():
                evidence = await hand.tried(action, {}, was_stopped=context.was_stopped)
            case KeepAccess(kept=IssueDownloadLink() as kept):
                evidence = await hand.is_kept(kept, action.reason)
            case _:
                evidence = await hand.is_stopped()
        return evidence.model_copy(update={"exchanges": tuple(browser.exchanges)})

    async def _sent_to(self, url: str, context: Context) -> Evidence:
        """Open the seller's own Thank You page, or a calendar's or webinar's."""
        browser = self._around.new_browser()
        page = await browser.open(url)
        said = f"{visible(context.buyer.name, '')} is sent to {url}, which answers {page.status}"
        facts = {"page": url, "status": str(page.status)}
        if page.location is not None:
            said += f" and sends on to {urlsplit(page.location).netloc}: that page was not opened"
            return Evidence(allowed=True, proven_by="platform", detail=visible(f"{said}.", ""), facts=facts)
        return seen(page.status < 400, f"{said}.", facts).model_copy(update={"exchanges": tuple(browser.exchanges)})

    async def clean_up(self, context: Context) -> str:
        """See `Backend`. The request names the run, and the endpoint removes what it made for it."""
        # An id of its own: whoever asks for it may hold the key of another request.
        own = replace(context, key=f"{context.run}-clean-up")
        receipt = await self.perform(CleanUp(target=context.product), own)
        return f"Your endpoint was asked to remove what this run made. {receipt.detail}"
