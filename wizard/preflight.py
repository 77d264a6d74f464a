"""What stands between a product and its buyers: the rules of `spec` 6, each a small function.

The rules are pure: they see an `Inspected` and nothing else. `inspect` gathers one from the store.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from models.access import AccessKind, Reason
from models.account import Connection, ConnectionKind, Owned
from models.ask import Answers
from models.automations import Then
from models.checkout import Express, Gateway
from models.post_sale import ThankYou, ThankYouMode
from models.pricing import amounts_of, is_repeated
from models.product import Mode, Product
from models.saved import SavedAccount, SavedProduct
from wizard import flow, mails, progress
from wizard.progress import Around, OtherProduct
from wizard.store.errors import NotFound

if TYPE_CHECKING:
    from wizard.store import Store

STALE_AFTER = timedelta(hours=24)
"""How long the check of a connection counts."""

ACCESS = "post_sale.access"

Level = Literal["error", "warning"]


class Finding(Answers):
    """What a rule found: Live is refused while one of level `error` stands."""

    rule: str
    level: Level
    field: str
    """The question to go to, by its path."""
    message: str
    """A sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """Everything the rules look at."""

    product: SavedProduct
    account: SavedAccount
    now: datetime
    file_states: Mapping[str, str] = field(default_factory=dict)
    """Of the file that buyers get: `ready`, `missing`, `empty` or `changed`, by slug."""
    is_proven: bool = False
    """Whether these answers have passed a test-fire of `purchase`."""
    others: Mapping[str, OtherProduct] = field(default_factory=dict)
    """The products offered as bumps, by slug."""
    levels_elsewhere: Mapping[str, str] = field(default_factory=dict)
    """The level that every other product takes on the same connection, by the product's slug."""

    @property
    def answers(self) -> Product:
        """The answers that are looked at."""
        return self.product.answers

    @property
    def around(self) -> Around:
        """What the answers refer to."""
        return Around(self.product.slug, self.account.account, self.others)

    @property
    def connection(self) -> Connection | None:
        """The connection that grants access, if that is the chosen option and it is there."""
        access = self.answers.post_sale.access
        if access.kind is not AccessKind.INTEGRATED_MEMBERSHIP:
            return None
        slug = access.integrated_membership.connection
        return next((c for c in self.account.account.connections if c.slug == slug), None)


Found = Iterator[tuple[Level, str, str]]
"""What a rule yields: level, field and message."""
Rule = Callable[[Inspected], Found]
RULES: dict[str, Rule] = {}


def rule(number: int) -> Callable[[Rule], Rule]:
    """Give a rule its id."""

    def numbered(function: Rule) -> Rule:
        RULES[f"PF-{number:02}"] = function
        return function

    return numbered


def check(inspected: Inspected) -> list[Finding]:
    """Every finding about a product, rule by rule."""
    return [
        Finding(rule=name, level=level, field=path, message=message)
        for name, look in RULES.items()
        for level, path, message in look(inspected)
    ]


def may_go_live(findings: list[Finding]) -> bool:
    """Whether no error stands."""
    return not any(finding.level == "error" for finding in findings)


def inspect(store: Store, slug: str, now: datetime) -> Inspected:
    """Gather what the rules look at. Raises the store's NotFound."""
    product, account = store.load(slug), store.account()
    access = product.answers.post_sale.access
    states: dict[str, str] = {}
    chosen = access.downloadable_file.file
    if access.kind is AccessKind.DOWNLOADABLE_FILE and chosen and any(f.slug == chosen for f in account.account.files):
        states[chosen] = store.file_state(chosen)
    elsewhere: dict[str, str] = {}
    connection = access.integrated_membership.connection
    if access.kind is AccessKind.INTEGRATED_MEMBERSHIP and connection:
        for other in store.used_by("connection", connection):
            found = _load(store, other) if other != slug else None
            if found and found.answers.post_sale.access.kind is AccessKind.INTEGRATED_MEMBERSHIP:
                elsewhere[other] = found.answers.post_sale.access.integrated_membership.level
    return Inspected(
        product,
        account,
        now,
        states,
        store.passed_purchase(slug, product.revision),
        {s: _as_other(found) for s in product.answers.checkout.bumps if s != slug and (found := _load(store, s))},
        elsewhere,
    )


def _load(store: Store, slug: str) -> SavedProduct | None:
    try:
        return store.load(slug)
    except NotFound:
        return None


def _as_other(product: SavedProduct) -> OtherProduct:
    return OtherProduct(
        product.answers.general.name or product.slug, product.answers.pricing.currency, product.published
    )


# --- the rules ------------------------------------------------------------------------------------------------------


def _targets(answers: Product) -> dict[str, str | None]:
    """What the chosen option delivers, by the name of its question."""
    access = answers.post_sale.access
    match access.kind:
        case AccessKind.HOSTED_MEMBERSHIP:
            return {"membership": access.hosted_membership.membership}
        case AccessKind.INTEGRATED_MEMBERSHIP:
            return {"connection": access.integrated_membership.connection}
        case AccessKind.DOWNLOADABLE_FILE:
            return {"file": access.downloadable_file.file}
        case AccessKind.NO_ACCESS_PAGE if access.no_access_page.reason is Reason.CALENDAR:
            return {"calendar": access.no_access_page.calendar}
        case AccessKind.NO_ACCESS_PAGE if access.no_access_page.reason is Reason.WEBINAR:
            return {"webinar": access.no_access_page.webinar}
    return {}


def _said_elsewhere(inspected: Inspected) -> set[str]:
    """The paths that have a rule of their own."""
    answers, slug = inspected.answers, inspected.product.slug
    paths = {f"{ACCESS}.kind"} | {f"{ACCESS}.{answers.post_sale.access.kind}.{name}" for name in _targets(answers)}
    if answers.checkout.custom_fields:
        paths.add("checkout.express")
    return paths | {f"checkout.bumps.{number}" for number, s in enumerate(answers.checkout.bumps) if s == slug}


@rule(1)
def modules_are_complete(inspected: Inspected) -> Found:
    """A required module is incomplete."""
    elsewhere = _said_elsewhere(inspected)
    for module in flow.modules():
        for problem in progress.missing_in(inspected.answers, module):
            if problem.path not in elsewhere:
                yield "error", problem.path, f"{module.label} is incomplete: {problem.message}."
    for problem in progress.conflicts(inspected.answers, inspected.around):
        if problem.path not in elsewhere:
            label = flow.module_of(problem.path).label
            yield "error", problem.path, f"{label} needs review: {problem.message}."


@rule(2)
def access_leads_somewhere(inspected: Inspected) -> Found:
    """No access option, or its target is gone."""
    access = inspected.answers.post_sale.access
    if access.kind is None:
        yield "error", f"{ACCESS}.kind", "Choose how buyers receive what they bought."
    for name, slug in _targets(inspected.answers).items():
        path = f"{ACCESS}.{access.kind}.{name}"
        if slug is None and name not in ("calendar", "webinar"):
            yield "error", path, f"Choose the {name} that buyers get."
        elif slug is not None and not inspected.around.has(name, slug):
            yield "error", path, f"The {name} {slug} is gone: choose another one."


@rule(3)
def connection_works(inspected: Inspected) -> Found:
    """The connection's last check failed or is older than 24 hours."""
    connection = inspected.connection
    if connection is None:
        return
    path = f"{ACCESS}.integrated_membership.connection"
    last = inspected.account.checks.get(connection.slug)
    if last is None:
        yield "error", path, f"{connection.name} was never checked: check the connection."
    elif not last.ok:
        why = f" ({last.detail.rstrip('.')})" if last.detail else ""
        yield "error", path, f"The last check of {connection.name} failed{why}: put it right and check it again."
    elif inspected.now - last.at > STALE_AFTER:
        hours = int((inspected.now - last.at) / timedelta(hours=1))
        yield "error", path, f"The last check of {connection.name} is {hours} hours old: check it again."


@rule(4)
def file_is_as_it_was(inspected: Inspected) -> Found:
    """The file is missing, empty or changed since it was added."""
    told = {
        "missing": "is no longer in the library",
        "empty": "is empty",
        "changed": "is not what it was when you added it",
    }
    for slug, state in inspected.file_states.items():
        if state in told:
            name = next((f.name for f in inspected.account.account.files if f.slug == slug), slug)
            yield "error", f"{ACCESS}.downloadable_file.file", f"{name} {told[state]}: add the file again."


@rule(5)
def buyers_get_their_mail(inspected: Inspected) -> Found:
    """A required notification is off, or lacks a variable."""
    access, templates = inspected.answers.post_sale.access, inspected.answers.post_sale.notifications
    used: dict[str, bool] = {}
    if access.kind is AccessKind.HOSTED_MEMBERSHIP:
        membership = inspected.around.membership(access.hosted_membership.membership)
        is_protected = membership is not None and membership.password_protected
        used["membership_welcome"] = is_protected or access.hosted_membership.send_login_details
        used["membership_password_resend"] = False
    elif access.kind is AccessKind.DOWNLOADABLE_FILE:
        used["download_link_to_buyer"] = True
    for name, is_required in used.items():
        template = getattr(templates, name)
        question = flow.question_at(f"post_sale.notifications.{name}")
        if is_required and not template.enabled:
            way = "turn it on, or buyers cannot get in" if "welcome" in name else "turn it on, or buyers get no link"
            yield "error", f"{question.id}.enabled", f"{question.ask.label} is off: {way}."
        elif lacking := mails.missing(name, template) if template.enabled else set():
            variables = " and ".join(f"{{{variable}}}" for variable in sorted(lacking))
            yield "error", f"{question.id}.body", f"{question.ask.label} lacks {variables}: put it into the message."


@rule(6)
def somebody_takes_the_money(inspected: Inspected) -> Found:
    """A price above 0 needs a gateway that takes money."""
    amounts = [amount for price in inspected.answers.pricing.prices for _, amount in amounts_of(price)]
    real = set(inspected.answers.checkout.gateways) - {Gateway.TEST_CARD}
    if not real and any(amount.strip("0.") for amount in amounts):
        yield "error", "checkout.gateways", "Only the test card is there, and it takes no money: add a real gateway."


@rule(7)
def access_ends_with_the_payments(inspected: Inspected) -> Found:
    """A recurring price, with access that nothing ever revokes; a rule that grants without one that revokes."""
    rules, is_recurring = inspected.answers.automations.rules, any(map(is_repeated, inspected.answers.pricing.prices))
    revoked = {rule.target for rule in rules if rule.then is Then.REVOKE_MEMBERSHIP}
    for number, granting in enumerate(rules):
        if granting.then is Then.GRANT_MEMBERSHIP and granting.target not in revoked:
            outlived = "the subscription" if is_recurring else "a refund"
            told = f"A rule grants {granting.target} and none revokes it, so it outlives {outlived}"
            yield "warning", f"automations.rules.{number}", f"{told}: add one that does."
    access = inspected.answers.post_sale.access
    if is_recurring and access.kind is AccessKind.HOSTED_MEMBERSHIP:
        membership = inspected.around.membership(access.hosted_membership.membership)
        if membership is not None and not membership.password_protected:
            told = f"{membership.name} has no password, so whoever knows its address reads on without paying"
            yield "warning", f"{ACCESS}.hosted_membership.membership", f"{told}: protect it with a password."


@rule(8)
def thank_you_page_is_seen(inspected: Inspected) -> Found:
    """A Thank You page is set, and a linked calendar or webinar takes its place."""
    linked, page = inspected.answers.post_sale.access.linked, inspected.answers.post_sale.thank_you
    if linked and page != ThankYou():
        kind, slug = linked
        told = f"Buyers see the confirmation of the {kind} {slug} instead"
        yield "warning", "post_sale.thank_you.mode", f"{told}: say there what they should know."


@rule(9)
def something_is_linked(inspected: Inspected) -> Found:
    """The reason is a calendar or webinar, and none is linked."""
    for name, slug in _targets(inspected.answers).items():
        if name in ("calendar", "webinar") and slug is None:
            yield "error", f"{ACCESS}.no_access_page.{name}", f"Choose the {name} that buyers are registered with."


@rule(10)
def orders_are_real(inspected: Inspected) -> Found:
    """Published in Demo."""
    if inspected.product.published and inspected.product.mode is Mode.DEMO:
        yield "warning", "review", "It is published in Demo, so orders are tests: go live, or take it down again."


@rule(11)
def addresses_are_public(inspected: Inspected) -> Found:
    """An address that is not https, or that points at this machine."""
    for path, address in _addresses(inspected):
        parts = urlsplit(address)
        if is_this_machine(parts.hostname or ""):
            yield "warning", path, f"The address {address} is this machine's, where no buyer gets: write a public one."
        elif parts.scheme != "https":
            yield "warning", path, f"The address {address} is not encrypted: write https:// instead."


def is_this_machine(host: str) -> bool:
    """Whether a host name or address, in whichever notation, means the machine that asks."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            # Also 127.1 and 2130706433, as a browser reads them; no name is looked up.
            found = ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _addresses(inspected: Inspected) -> Iterator[tuple[str, str]]:
    """The addresses that buyers or platforms will open, each with the question to go to."""
    answers = inspected.answers
    page, access = answers.post_sale.thank_you, answers.post_sale.access
    if answers.checkout.terms_url:
        yield "checkout.terms_url", answers.checkout.terms_url
    if page.mode is ThankYouMode.URL and page.url:
        yield "post_sale.thank_you.url", page.url
    for number, landing in enumerate(answers.affiliates.landing_pages):
        if answers.affiliates.on_sale and landing.url:
            yield f"affiliates.landing_pages.{number}.url", landing.url
    for number, found in enumerate(answers.automations.rules):
        if found.then is Then.CALL_WEBHOOK and "//" in found.target:
            yield f"automations.rules.{number}.target", found.target
    for name, slug in _targets(answers).items():
        things: tuple[Owned, ...] = getattr(inspected.account.account, f"{name}s")
        thing = next((thing for thing in things if thing.slug == slug), None)
        for question in flow.questions_of(type(thing)) if thing else ():
            value = getattr(thing, question.name)
            if question.ask.when(thing) and isinstance(value, str) and value.startswith(("http://", "https://")):
                yield f"{ACCESS}.{access.kind}.{name}", value


@rule(12)
def express_leaves_no_room(inspected: Inspected) -> Found:
    """Express checkout with custom fields."""
    checkout = inspected.answers.checkout
    if checkout.express is not Express.OFF and checkout.custom_fields:
        told = "Express checkout skips the form that asks your custom fields"
        yield "error", "checkout.express", f"{told}: turn it off, or remove the fields."


@rule(13)
def purchase_is_proven(inspected: Inspected) -> Found:
    """This revision has no passed test-fire of `purchase`."""
    if not inspected.is_proven:
        yield "warning", "review", "Nobody has tried these answers as a buyer yet: test-fire a purchase."


@rule(14)
def links_last_long_enough(inspected: Inspected) -> Found:
    """A download limit of 1, or a lifetime under an hour."""
    access = inspected.answers.post_sale.access
    if access.kind is AccessKind.DOWNLOADABLE_FILE:
        at, answers = f"{ACCESS}.downloadable_file", access.downloadable_file
        if answers.download_limit == 1:
            told = "One download is used up by a connection that breaks off"
            yield "warning", f"{at}.download_limit", f"{told}: allow at least 2."
        if answers.link_lifetime < 3600:
            told = "A link that works less than an hour is often dead when the mail is read"
            yield "warning", f"{at}.link_lifetime", f"{told}: let it live for 1h or more."


@rule(15)
def bumps_can_be_bought(inspected: Inspected) -> Found:
    """A bump on itself, or on an unpublished product."""
    for number, slug in enumerate(inspected.answers.checkout.bumps):
        path = f"checkout.bumps.{number}"
        if slug == inspected.product.slug:
            yield "error", path, "The product is offered on top of itself: take it off its own bump offers."
        elif slug in inspected.others and not inspected.others[slug].published:
            yield "warning", path, f"{inspected.others[slug].name} is not published, so nobody can add it: publish it."


@rule(16)
def s2member_has_one_level(inspected: Inspected) -> Found:
    """One s2Member connection for several levels."""
    connection = inspected.connection
    if connection is None or connection.kind is not ConnectionKind.S2MEMBER:
        return
    level = inspected.answers.post_sale.access.integrated_membership.level
    several = sorted({level, *inspected.levels_elsewhere.values()} - {""})
    if len(several) > 1:
        told = f"{connection.name} is used for the levels {', '.join(several)}, and an s2Member connection opens one"
        yield "error", f"{ACCESS}.integrated_membership.level", f"{told}: make a connection for each level."
