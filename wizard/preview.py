"""What a buyer gets, as pages and mails, from the answers given so far: also from answers that are not complete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from models.account import Account
from models.automations import Then, When
from models.fulfillment import Buyer
from models.post_sale import Notification, ThankYouMode
from models.product import Mode, Product
from wizard import charges
from wizard.mail import templates
from wizard.sale.options import chosen
from wizard.sale.options.nothing import linked

BUYER = Buyer()


@dataclass(frozen=True, slots=True)
class Sight:
    """One thing the buyer sees: a page, or a mail."""

    kind: Literal["page", "mail"]
    title: str
    text: str


def sights(product: Product, account: Account, mode: Mode, today: dt.date) -> Iterator[Sight]:
    """The checkout, what is shown after paying, and the mails, in the order a buyer meets them."""
    values = templates.sample_values(product, account, BUYER, today)
    yield Sight("page", "Checkout", _checkout(product, mode, today))
    yield Sight("page", "After paying", thank_you(product, account))
    for name in wanted_mails(product, account):
        template: Notification = getattr(product.post_sale.notifications, name)
        if not template.enabled:
            yield Sight("mail", template.subject, "(switched off: this mail is not sent)")
            continue
        if lacking := templates.missing(name, template):
            yield Sight("mail", template.subject, f"(not sent: it lacks {templates.in_braces(lacking)})")
            continue
        if strange := templates.left_over(product, name):
            yield Sight("mail", template.subject, f"(not sent: {strange[0].message})")
            continue
        try:
            mail = templates.render(template, values)
        except templates.NotOneLine as error:
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
    option = chosen(product)
    names = list(option.mails(product, account)) if option else []
    protected = {membership.slug for membership in account.memberships if membership.password_protected}
    granted = {
        rule.target.partition("/")[0].strip()
        for rule in product.automations.rules
        if rule.when is When.BUYS and rule.then is Then.GRANT_MEMBERSHIP
    }
    if granted & protected and "membership_welcome" not in names:
        names.insert(0, "membership_welcome")
    return [*names, "order_confirmation"]
