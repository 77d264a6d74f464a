"""The mails to the buyer: which variables each needs and may use, and how a template becomes a mail."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from models.account import Account
from models.characters import visible
from models.fulfillment import Buyer
from models.post_sale import VARIABLE, Notification
from models.product import Product
from wizard import charges, hypertext

EVERYWHERE = frozenset({"buyer_name", "buyer_email", "product_name", "support_email"})
"""The variables that every mail may use."""

LOGIN = frozenset({"login_page", "login_email", "login_password"})

NEEDS: dict[str, frozenset[str]] = {
    "order_confirmation": frozenset(),
    "membership_welcome": LOGIN,
    "membership_password_resend": LOGIN,
    "download_link_to_buyer": frozenset({"download_link"}),
    "payment_failed": frozenset(),
    "cancellation_pending": frozenset(),
    "cancellation_confirmed": frozenset(),
    "refund_full": frozenset(),
    "refund_partial": frozenset(),
}
"""The variables without which a mail is of no use to the buyer, by notification (`spec` 5.3)."""

MORE: dict[str, frozenset[str]] = {
    "order_confirmation": frozenset({"charge", "instructions"}),
    "membership_welcome": frozenset({"membership_name"}),
    "membership_password_resend": frozenset({"membership_name"}),
    "download_link_to_buyer": frozenset({"link_expires", "file_name"}),
}


class NotOneLine(ValueError):
    """A subject or an address with a line break in it, through which somebody could write headers of their own."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the buyer reads it: a subject of one line, and a text, plain or as a page with links."""

    subject: str
    body: str

    @property
    def html(self) -> str:
        """The same text as HTML. Nothing in it acts but links to http and https addresses."""
        return hypertext.html_page(self.subject, self.body)


def usable(notification: str) -> frozenset[str]:
    """The variables that a notification may use. Raises KeyError for a name that is none."""
    return EVERYWHERE | NEEDS[notification] | MORE.get(notification, frozenset())


def missing(notification: str, template: Notification) -> set[str]:
    """The variables that the template would have to use and does not."""
    return set(NEEDS[notification]) - template.variables


def unknown(notification: str, template: Notification) -> set[str]:
    """The variables in a template that nothing will fill: buyers would read them as they are written."""
    return template.variables - usable(notification)


def in_braces(variables: set[str]) -> str:
    """Variables as a seller writes them, in order, for a sentence."""
    return ", ".join(f"{{{name}}}" for name in sorted(variables))


def fill(text: str, values: dict[str, str]) -> str:
    """Put values in place of `{variables}`, in one pass: a value that looks like a variable stays as it is."""
    return VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def one_line(text: str, what: str) -> str:
    """Refuse a line break in a subject or address, in any of the ways Unicode knows. Raises NotOneLine."""
    if len(f"{text}.".splitlines()) > 1:
        raise NotOneLine(f"{what} has a line break in it; write it on one line")
    return text


def render(template: Notification, values: dict[str, str]) -> Mail:
    """Fill a template. Unknown variables stay visible as written; control characters are shown by their codes.

    Raises NotOneLine when a value would break the subject into several lines.
    """
    subject = one_line(fill(template.subject, values), "the subject of the mail")
    body = fill(template.body, values).replace("\r\n", "\n")
    return Mail(visible(subject, ""), visible(body, "\n\t").strip() + "\n")


def sample_values(product: Product, account: Account, buyer: Buyer, today: dt.date, price: int = 1) -> dict[str, str]:
    """The values of every variable as this buyer would read them, with made-up secrets, for a preview."""
    access = product.post_sale.access
    hosted = next((m for m in account.memberships if m.slug == access.hosted_membership.membership), None)
    file = next((f for f in account.files if f.slug == access.downloadable_file.file), None)
    ends = today + dt.timedelta(seconds=access.downloadable_file.link_lifetime)
    return known_values(product, price, today) | {
        "buyer_name": buyer.name,
        "buyer_email": buyer.email,
        "membership_name": hosted.name if hosted else "your membership",
        "login_page": (hosted and hosted.login_page) or "https://members.example.com/login",
        "login_email": buyer.email,
        "login_password": "sunny-otter-42-lake",
        "download_link": "https://downloads.example.com/d/9x2k",
        "link_expires": f"{ends.day} {ends:%b} {ends.year}",
        "file_name": file.name if file else "your file",
    }


def known_values(product: Product, price: int, today: dt.date) -> dict[str, str]:
    """The values that are known before anything is delivered. A price that is not complete leaves `{charge}` empty."""
    try:
        charge = charges.in_words(product.pricing.prices[price - 1], product.pricing.currency, today)
    except (IndexError, ValueError):
        charge = ""
    return {
        "product_name": product.general.buyers_name,
        "support_email": product.general.support_email or "",
        "charge": charge,
        "instructions": product.post_sale.access.no_access_page.instructions
        if product.post_sale.access.kind == "no_access_page"
        else "",
    }
