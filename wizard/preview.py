"""What a buyer gets, as pages and mails, from the answers given so far: also from answers that are not complete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from models import money
from models.access import AccessKind, Reason, duration
from models.account import Account, Bookable
from models.automations import Then, When
from models.fulfillment import Buyer
from models.post_sale import Afterwards, Notification, ThankYouMode
from models.pricing import Cancellation, is_repeated
from models.product import Mode, Product
from models.references import References
from wizard import charges, mails

BUYER = Buyer()


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing the buyer sees: a page, or a mail."""

    kind: Literal["page", "mail"]
    title: str
    text: str


def linked(product: Product, account: Account) -> Bookable | None:
    """The calendar or webinar that the product is linked to, if the seller still has it."""
    link = product.post_sale.access.linked
    if link is None:
        return None
    things: tuple[Bookable, ...] = account.calendars if link[0] == "calendar" else account.webinars
    return next((thing for thing in things if thing.slug == link[1]), None)


def sights(product: Product, account: Account, mode: Mode, today: dt.date) -> Iterator[Sight]:
    """The checkout, what is shown after paying, and the mails, in the order a buyer meets them."""
    values = mails.sample_values(product, account, BUYER, today)
    yield Sight("page", "Checkout", _checkout(product, mode, today))
    yield Sight("page", "After paying", thank_you(product, account))
    for name in wanted_mails(product, account):
        template: Notification = getattr(product.post_sale.notifications, name)
        if not template.enabled:
            yield Sight("mail", template.subject, "(switched off: this mail is not sent)")
            continue
        if lacking := mails.missing(name, template):
            yield Sight("mail", template.subject, f"(not sent: it lacks {mails.in_braces(lacking)})")
            continue
        if strange := mails.left_over(product, name):
            yield Sight("mail", template.subject, f"(not sent: {strange[0].message})")
            continue
        try:
            mail = mails.render(template, values)
        except mails.NotOneLine as error:
            yield Sight("mail", template.subject, f"({error})")
            continue
        yield Sight("mail", mail.subject, mail.body.strip())


def _checkout(product: Product, mode: Mode, today: dt.date) -> str:
    lines = [product.general.buyers_name or "(no name yet)"]
    if mode is Mode.DEMO:
        lines.append("A test order: no payment is taken.")
    for price in product.pricing.prices:
        try:
            charge = charges.in_words(price, product.pricing.currency, today)
        except ValueError:
            charge = "(price not complete)"
        lines.append(f"○ {price.label}: {charge}" if price.label else f"○ {charge}")
    lines += ["(no price yet)"] if not product.pricing.prices else []
    fields = [f"{field.label or field.id or '(no label)'} ____" for field in product.checkout.custom_fields]
    gateways = ", ".join(gateway.label for gateway in product.checkout.gateways)
    return "\n".join([*lines, *fields, f"Pay with {gateways}" if gateways else "(nothing to pay with)"])


def thank_you(product: Product, account: Account) -> str:
    """What stands on the page after paying: a linked calendar's or webinar's confirmation replaces the product's."""
    thing = linked(product, account)
    if thing is not None:
        return thing.shown or "(the confirmation is empty)"
    page = product.post_sale.thank_you
    if page.mode is ThankYouMode.URL:
        return page.url or "(no address yet)"
    return page.message or "(the page is empty)"


def wanted_mails(product: Product, account: Account) -> list[str]:
    """The names of the notifications that a purchase sends, in their order."""
    access = product.post_sale.access
    chosen = access.hosted_membership
    is_hosted = access.kind is AccessKind.HOSTED_MEMBERSHIP
    protected = {membership.slug for membership in account.memberships if membership.password_protected}
    granted = {
        rule.target.partition("/")[0].strip()
        for rule in product.automations.rules
        if rule.when is When.BUYS and rule.then is Then.GRANT_MEMBERSHIP
    }
    names = []
    if (is_hosted and (chosen.send_login_details or chosen.membership in protected)) or granted & protected:
        names.append("membership_welcome")
    if access.kind is AccessKind.DOWNLOADABLE_FILE:
        names.append("download_link_to_buyer")
    return [*names, "order_confirmation"]


def consequence(module_id: str, product: Product, around: References, today: dt.date) -> str:
    """What the answers of a module lead to, in a line or two below its form; empty where the form says it all."""
    match module_id:
        case "post_sale.access":
            return _access(product, around)
        case "post_sale.thank_you":
            thing = linked(product, around.account)
            if thing is not None:
                return f"Not shown: buyers are registered for {thing.name}, and its confirmation is shown instead."
        case "pricing.product_pricing":
            return _next_charges(product, today)
    return ""


def _next_charges(product: Product, today: dt.date) -> str:
    lines = []
    for number, price in enumerate(product.pricing.prices, start=1):
        if not is_repeated(price):
            continue
        try:
            dates = [
                f"{money.in_words(charge.amount, product.pricing.currency)} {money.day_in_words(charge.day)}"
                for charge, _ in zip(charges.schedule(price, today), range(3), strict=False)
            ]
        except ValueError:
            continue
        lines.append(f"Price {number}   {', '.join(dates)}{' …' if len(dates) == 3 else ''}")
    return "\n".join(lines)


def _access(product: Product, around: References) -> str:
    what = received(product, around)
    if not what:
        return ""
    access, policy = product.post_sale.access, product.post_sale.policy
    if access.kind is AccessKind.NO_ACCESS_PAGE:
        thing = linked(product, around.account)
        lines = [f"Buyers get   {what}"]
        if thing is not None:
            lines.append(f"They read    {thing.shown}")
        elif access.no_access_page.reason is Reason.PHYSICAL and not product.checkout.custom_fields:
            lines.append("You need     their address: ask for it with a custom field at checkout")
        return "\n".join(lines)
    prices = [price for price in product.pricing.prices if is_repeated(price)]
    instant = any(price.cancellation is Cancellation.INSTANT for price in prices)
    refund = "after a refund" if policy.on_refund is Afterwards.REVOKE else ""
    cancel = ("at once on cancel" if instant else "with the paid period on cancel") if prices else ""
    ends = " and ".join(reason for reason in (cancel, refund) if reason)
    return f"Buyers get   {what}\n" + (f"Access ends  {ends}" if ends else "Access ends  never: it stays for good")


def received(product: Product, around: References) -> str:
    """What a buyer gets after paying, in the seller's words; empty while it is not chosen yet."""
    access, account = product.post_sale.access, around.account
    match access.kind:
        case AccessKind.HOSTED_MEMBERSHIP:
            membership = around.membership(access.hosted_membership.membership)
            if membership is None:
                return ""
            levels = " and ".join(access.hosted_membership.levels) or "no level yet"
            if membership.password_protected:
                return f"a login mail at once, then {membership.name}: {levels}"
            return f"{membership.name}: {levels}, open to anyone with the address"
        case AccessKind.INTEGRATED_MEMBERSHIP:
            chosen = access.integrated_membership
            connection = next((c for c in account.connections if c.slug == chosen.connection), None)
            return f"entry to {connection.name}: {chosen.level or 'no level yet'}" if connection else ""
        case AccessKind.DOWNLOADABLE_FILE:
            answers = access.downloadable_file
            if answers.file is None:
                return ""
            often = f"{answers.download_limit} downloads" if answers.download_limit else "any number of downloads"
            return f"a mail at once with a link: {often}, for {duration(answers.link_lifetime)}"
        case AccessKind.NO_ACCESS_PAGE:
            thing, reason = linked(product, account), access.no_access_page.reason
            if thing is not None:
                return f"a place in {thing.name}"
            return f"{product.general.buyers_name}: {reason.hint}" if reason else ""
    return ""
