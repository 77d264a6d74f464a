"""Rules about the sale itself: complete answers, money, addresses, switches, bump offers."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from models.access import AccessKind
from models.account import Owned
from models.automations import Then
from models.characters import quoted, visible
from models.checkout import Express, Gateway
from models.events import Verdict
from models.post_sale import ThankYouMode
from models.pricing import amounts_of, is_repeated
from models.product import Mode
from models.text import is_web_address
from wizard import flow, progress
from wizard.preflight.inspected import ACCESS, Found, Inspected, rule
from wizard.sale.lives import label_of
from wizard.sale.options import targets
from wizard.wording import row_of


def _said_elsewhere(inspected: Inspected) -> set[str]:
    """The paths that have a rule of their own."""
    answers, slug = inspected.answers, inspected.product.slug
    paths = {f"{ACCESS}.kind"} | {f"{ACCESS}.{answers.post_sale.access.kind}.{name}" for name in targets(answers)}
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
                row = row_of(problem.path)
                message = f"{row}: {problem.message}" if row else problem.message
                yield "error", problem.path, f"{module.label} is incomplete: {message}."
    for problem in progress.conflicts(inspected.answers, inspected.around):
        if problem.path not in elsewhere:
            label = flow.module_of(problem.path).label
            yield "error", problem.path, f"{label} needs review: {problem.message}."


@rule(6)
def somebody_takes_the_money(inspected: Inspected) -> Found:
    """A price above 0 needs a gateway that takes money."""
    amounts = [amount for price in inspected.answers.pricing.prices for _, amount in amounts_of(price)]
    real = set(inspected.answers.checkout.gateways) - {Gateway.TEST_CARD}
    if inspected.answers.checkout.gateways and not real and any(amount.strip("0.") for amount in amounts):
        yield "error", "checkout.gateways", "Only the test card is there, and it takes no money: add a real gateway."
    elif real and Gateway.TEST_CARD in inspected.answers.checkout.gateways:
        told = "Buyers are offered the test card too, and it takes no money"
        yield "warning", "checkout.gateways", f"{told}: take it off."


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


@rule(10)
def orders_are_real(inspected: Inspected) -> Found:
    """Published in Demo."""
    if inspected.product.published and inspected.product.mode is Mode.DEMO:
        yield "warning", "review", "It is published in Demo, so orders are tests: go live, or take it down again."


@rule(11)
def addresses_are_public(inspected: Inspected) -> Found:
    """An address that is none, that is not https, or that points at this machine."""
    for path, address in _addresses(inspected):
        try:
            parts = urlsplit(is_web_address(address))
        except ValueError as error:
            yield "error", path, f"The address “{quoted(address, 60)}” is none: {error}."
            continue
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
        if found.then is Then.CALL_WEBHOOK and found.target:
            yield f"automations.rules.{number}.target", found.target
    for name, slug in targets(answers).items():
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
    """Nobody has bought with these answers in a test-fire; or the last who tried did not get what is sold."""
    last = inspected.last_try
    if last is None:
        yield "warning", "review", "Nobody has tried these answers as a buyer yet: test-fire a purchase."
    elif last.verdict is not Verdict.PASSED:
        at = last.started_at.astimezone(inspected.now.tzinfo)
        tried = f"{label_of(last)} was tried on {at.day} {at:%b %Y at %H:%M}"
        if last.verdict in (None, Verdict.INTERRUPTED):
            yield "warning", "review", f"{tried} and did not come to its end: go on with it, or test-fire again."
        else:
            ended = "failed" if last.verdict is Verdict.FAILED else "needs you"
            why = visible(last.reason, "").rstrip(".") or "no reason was written down"
            yield "error", "review", f"{tried} and {ended}: {why}. Put that right, then test-fire again."


@rule(15)
def bumps_can_be_bought(inspected: Inspected) -> Found:
    """A bump on itself, or on an unpublished product."""
    for number, slug in enumerate(inspected.answers.checkout.bumps):
        path = f"checkout.bumps.{number}"
        if slug == inspected.product.slug:
            yield "error", path, "The product is offered on top of itself: take it off its own bump offers."
        elif slug in inspected.others and not inspected.others[slug].published:
            yield "warning", path, f"{inspected.others[slug].name} is not published, so nobody can add it: publish it."
