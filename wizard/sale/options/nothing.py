"""No access page: goods, services and tickets, and the calendars and webinars on which buyers are registered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from models.access import AccessKind, Reason
from models.account import Account, Bookable
from models.fulfillment import Action, CancelRegistration, KeepAccess, RegisterAttendee
from models.product import Product
from models.references import References
from wizard.sale.options.option import ACCESS, Delivery, Option
from wizard.sale.sold import Held, NotReady, Sale

FIELD = f"{ACCESS}.no_access_page"


class Nothing(Option):
    """See `Option`."""

    kind = AccessKind.NO_ACCESS_PAGE
    is_held = False

    def ready(self, sold: Sale, now: datetime) -> Delivery:
        """See `Option`."""
        linked = booked(sold)
        if linked is None:
            return Delivery(self, sold.product.slug, None, None)
        kind, bookable = linked
        return Delivery(
            self,
            bookable.slug,
            RegisterAttendee(target=bookable.slug, kind=kind, name=bookable.name),
            CancelRegistration(target=bookable.slug, kind=kind, name=bookable.name),
        )

    def begin(self, delivery: Delivery, held: Held, now: datetime) -> list[Action]:
        """A seat, where something is linked and the buyer has none."""
        if delivery.gives is None:
            return [KeepAccess(target=delivery.target, reason="the product has no access page")]
        return [delivery.keep("already registered")] if held.registered else [delivery.gives]

    def targets(self, product: Product) -> Mapping[str, str | None]:
        """See `Option`."""
        chosen = product.post_sale.access.no_access_page
        if chosen.reason is Reason.CALENDAR:
            return {"calendar": chosen.calendar}
        return {"webinar": chosen.webinar} if chosen.reason is Reason.WEBINAR else {}

    def received(self, product: Product, references: References) -> str:
        """See `Option`."""
        thing, reason = linked(product, references.account), product.post_sale.access.no_access_page.reason
        if thing is not None:
            return f"a place in {thing.name}"
        return f"{product.general.buyers_name}: {reason.hint}" if reason else ""

    def consequence(self, product: Product, references: References) -> str:
        """What buyers get and read, and what the seller needs of them."""
        what = self.received(product, references)
        if not what:
            return ""
        lines = [f"Buyers get   {what}"]
        thing = linked(product, references.account)
        if thing is not None:
            lines.append(f"They read    {thing.shown}")
        elif product.post_sale.access.no_access_page.reason is Reason.PHYSICAL and not product.checkout.custom_fields:
            lines.append("You need     their address: ask for it with a custom field at checkout")
        return "\n".join(lines)


def linked(product: Product, account: Account) -> Bookable | None:
    """The calendar or webinar that the product is linked to, if the seller still has it."""
    link = product.post_sale.access.linked
    if link is None:
        return None
    things: tuple[Bookable, ...] = account.calendars if link[0] == "calendar" else account.webinars
    return next((thing for thing in things if thing.slug == link[1]), None)


def booked(sold: Sale) -> tuple[Literal["calendar", "webinar"], Bookable] | None:
    """The linked calendar or webinar, if the option wants one. Raises NotReady when it is not chosen or gone."""
    access = sold.answers.post_sale.access
    if access.kind is not AccessKind.NO_ACCESS_PAGE:
        return None
    chosen = access.no_access_page
    if chosen.reason is None:
        raise NotReady(f"{FIELD}.reason", "Choose what is sold: goods, a service, an event, a calendar or a webinar.")
    if chosen.reason == "calendar":
        return "calendar", _bookable(chosen.calendar, sold.account.account.calendars, f"{FIELD}.calendar")
    if chosen.reason == "webinar":
        return "webinar", _bookable(chosen.webinar, sold.account.account.webinars, f"{FIELD}.webinar")
    return None


def _bookable(slug: str | None, among: tuple[Bookable, ...], field: str) -> Bookable:
    kind = field.rpartition(".")[2]
    for bookable in among:
        if bookable.slug == slug:
            return bookable
    raise NotReady(field, f"The {kind} “{slug}” is gone: choose another." if slug else f"Choose the linked {kind}.")
