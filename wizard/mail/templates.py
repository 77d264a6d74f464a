"""The mails to the buyer: which variables each needs and may use, and how a template becomes a mail."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from models.account import Account
from models.characters import visible
from models.fulfillment import Buyer
from models.post_sale import VARIABLE, Notification, Notifications, ThankYouMode
from models.product import Product
from wizard import charges
from wizard.mail import hypertext
from wizard.problems import Problem

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
"""The variables without which a mail is of no use to the buyer, by notification (`docs/spec.md` 5.3)."""

MORE: dict[str, frozenset[str]] = {
    "order_confirmation": frozenset({"charge", "instructions"}),
    "membership_welcome": frozenset({"membership_name"}),
    "membership_password_resend": frozenset({"membership_name"}),
    "download_link_to_buyer": frozenset({"link_expires", "file_name"}),
}


ELSEWHERE = {
    **dict.fromkeys(("name", "firstname", "fname", "fullname", "lastname", "customername", "username"), "buyer_name"),
    **dict.fromkeys(("email", "emailaddress", "customeremail", "useremail"), "buyer_email"),
    **dict.fromkeys(("product", "producttitle", "itemname"), "product_name"),
    **dict.fromkeys(("support", "supportaddress"), "support_email"),
    **dict.fromkeys(("login", "loginurl", "loginlink"), "login_page"),
    **dict.fromkeys(("password", "userpassword"), "login_password"),
    **dict.fromkeys(("membership", "coursename"), "membership_name"),
    **dict.fromkeys(("link", "url", "download", "downloadurl"), "download_link"),
    **dict.fromkeys(("file", "filetitle"), "file_name"),
    **dict.fromkeys(("expires", "expirydate", "expirationdate"), "link_expires"),
    **dict.fromkeys(("price", "amount", "total"), "charge"),
}
"""What our variables are called in other systems, in small letters and without what parts their words."""

LOOKS_LIKE_A_VARIABLE = re.compile(
    r"""
      \$? \{+ ([^{}\n]{1,60}) \}+
    | (?<![\w%]) %{1,2} ([A-Z][A-Z_]+[A-Z]) %{1,2} (?![\w%])
    | \[\[ ([^\[\]\n]{1,60}) \]\]
    | << ([^<>\n]{1,60}) >>
    | \*\| ([^|\n]{1,60}) \|\*
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""How this and other systems write a variable."""

A_NAME = re.compile(r"[^\W\d][\w.-]*")
"""What is a variable's name wherever it stands so; other words only where they mean a variable of ours."""

OURS_IN_BRACKETS = re.compile(r"(?<!\[)\[([a-z]+_[a-z]+)\](?![(\]])|(?<!<)<([a-z]+_[a-z]+)>(?!>)", re.IGNORECASE)
"""Single brackets stand round many words: they are looked at for the very names of our variables alone."""


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


@dataclass(frozen=True, slots=True)
class Unfilled:
    """Something in a template that stands for a value and that nothing fills: buyers would read it as it is written."""

    question: Literal["subject", "body"]
    written: str
    meant: str
    """The variable that was probably meant, without braces; empty where nobody can tell."""

    def __str__(self) -> str:
        way = f"write {{{self.meant}}}" if self.meant else "take it out"
        return f"buyers would read {self.written} as it stands; {way}"


def unfilled(notification: str, template: Notification) -> list[Unfilled]:
    """What stands in a template for a value and is no variable of this mail, in the order in which it stands there.

    Near misses are found too: other systems write `{{name}}`, `%NAME%` or `[[name]]`.
    """
    return list(_unfilled(notification, template.subject, template.body))


@lru_cache(maxsize=256)
def _unfilled(notification: str, subject: str, body: str) -> tuple[Unfilled, ...]:
    """Remembered, since most products leave most mails as they are: a document may hold thousands of them."""
    may = usable(notification)
    return tuple(
        Unfilled("subject" if is_subject else "body", written, meant)
        for is_subject, text in ((True, subject), (False, body))
        for written, meant in dict(_lookalikes(text, may)).items()
    )


def _lookalikes(text: str, may: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What looks like a variable and is none, as it is written, and what was meant."""
    for look in LOOKS_LIKE_A_VARIABLE.finditer(text):
        name = next(group for group in look.groups() if group is not None).strip()
        written = look[0]
        if opened := len(written) - len(written.lstrip("${")):
            # What closes more than was opened closes something else: {see {charge}}.
            written = written.rstrip("}") + "}" * min(opened, len(written) - len(written.rstrip("}")))
        if written[1:-1] in may and VARIABLE.fullmatch(written):
            continue
        if (meant := _meant(name, may)) or A_NAME.fullmatch(name):
            yield written, meant
    for look in OURS_IN_BRACKETS.finditer(text):
        if (name := look[0][1:-1].lower()) in may:
            yield look[0], name


def taken_literally(text: str) -> list[str]:
    """What stands in a text for a value, where nothing is filled in: on a page, or in what is itself a value."""
    return list(dict(_lookalikes(text, frozenset())))


def left_over_after_paying(product: Product, confirmation: str = "") -> list[Problem]:
    """What buyers would read as no value on the page after paying, where nothing is filled in. `confirmation`: what a
    linked calendar or webinar says there in place of the product."""
    thanks, linked = product.post_sale.thank_you, product.post_sale.access.linked
    if linked:
        return [
            _literal(f"post_sale.access.no_access_page.{linked[0]}", each) for each in taken_literally(confirmation)
        ]
    is_ours = thanks.mode is ThankYouMode.HOSTED
    return [_literal("post_sale.thank_you.message", each) for each in taken_literally(thanks.message) if is_ours]


def _literal(path: str, written: str) -> Problem:
    return Problem(path, f"buyers would read {written} as it stands, since nothing is filled in there; take it out")


def left_over(product: Product, notification: str) -> list[Problem]:
    """What buyers would read in a mail of a product as no value at all, each at its question; nothing where the mail
    is switched off."""
    template: Notification = getattr(product.post_sale.notifications, notification)
    if not template.enabled:
        return []
    at = f"post_sale.notifications.{notification}"
    found = [Problem(f"{at}.{each.question}", str(each)) for each in unfilled(notification, template)]
    if not product.general.support_email and "support_email" in template.variables:
        told = "buyers would read nothing for {support_email}; write your support address under General, or take it out"
        found.append(Problem(f"{at}.{'body' if '{support_email}' in template.body else 'subject'}", told))
    if "instructions" in template.variables & MORE.get(notification, frozenset()):
        # They are put into the mail as they are.
        told_there = taken_literally(_instructions(product))
        found += [_literal("post_sale.access.no_access_page.instructions", each) for each in told_there]
    return found


def all_left_over(product: Product) -> Iterator[Problem]:
    """What buyers would read as no value at all, in any mail of a product and on its page after paying."""
    for name in Notifications.model_fields:
        yield from left_over(product, name)
    yield from left_over_after_paying(product)


def _meant(name: str, may: frozenset[str]) -> str:
    """Which variable of the mail somebody meant who wrote another name; empty where nobody can tell."""
    # `contact.first_name | default: "you"`, as other systems write it.
    bare = re.sub(r"[\W_]", "", name.partition("|")[0].rpartition(".")[2].casefold())
    known = {variable.replace("_", ""): variable for variable in sorted(may)}
    if bare in known:
        return known[bare]
    if ELSEWHERE.get(bare) in may:
        return ELSEWHERE[bare]
    close = difflib.get_close_matches(bare, known, n=1, cutoff=0.8)
    return known[close[0]] if close else ""


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
        "instructions": _instructions(product),
    }


def _instructions(product: Product) -> str:
    access = product.post_sale.access
    return access.no_access_page.instructions if access.kind == "no_access_page" else ""
