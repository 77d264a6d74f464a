"""What each event in a sale's life leads to (`docs/spec.md` 4): one function per event, and one place for all.

Every event has an answer for every access option, even "keep" with its reason; what a price has no place for is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from models.automations import When
from models.events import Event
from models.fulfillment import Action, GrantAccess, IssueDownloadLink, NoteOnBuyer
from models.money import day_in_words
from models.post_sale import Afterwards
from models.pricing import Cancellation, PricePoint, is_in_installments, is_repeated
from wizard.sale.alongside import charged, granting_rules, mail, page, rules, subscription_over
from wizard.sale.options import Delivery
from wizard.sale.options.download import link_ends
from wizard.sale.sold import Held, Sale

DAYS_BETWEEN_TRIES = 3
"""A failed payment is tried again on day 3, 6 and 9."""

TRIES = 4
"""After the last try the subscription is cancelled."""


@dataclass(frozen=True, slots=True)
class Case:
    """What an event meets: a product at a price, its access made ready, what the buyer holds, and the time."""

    sold: Sale
    access: Delivery
    held: Held
    now: datetime

    @property
    def price(self) -> PricePoint:
        """The price that was bought at."""
        return self.sold.answers.pricing.prices[self.sold.price - 1]


def answer(event: Event, case: Case) -> Iterator[Action]:
    """What an event leads to, in the order in which it is to be done. An event that is not planned here does not pass
    mypy: left to a default, it would take the buyer's access away or do nothing. Raises NotReady."""
    match event:
        case Event.PURCHASE:
            return purchase(case)
        case Event.RENEWAL:
            return renewal(case)
        case Event.PAYMENT_FAILED:
            return payment_failed(case)
        case Event.SUBSCRIPTION_CANCELED:
            return subscription_canceled(case)
        case Event.CANCELLATION_WITHDRAWN:
            return cancellation_withdrawn(case)
        case Event.PERIOD_ENDED:
            return period_ended(case)
        case Event.REFUND:
            return refund(case)
        case Event.PARTIAL_REFUND:
            return partial_refund(case)
        case Event.CHARGEBACK:
            return chargeback(case)
        case Event.TRIAL_ENDED:
            return trial_ended(case)
        case Event.INSTALLMENTS_COMPLETED:
            return installments_completed(case)
        case Event.ACCESS_EXPIRED:
            return access_expired(case)
        case _:
            assert_never(event)


def purchase(case: Case) -> Iterator[Action]:
    """Access, its login or link by mail, the order's mail, what is noted on the buyer, and the page after paying."""
    sold, access, now = case.sold, case.access, case.now
    values = charged(sold, now)
    if case.held.canceled_early and case.price.cancellation is Cancellation.INSTANT:
        yield from access.end("cancelled before the purchase arrived: nothing may be held")
        yield page(sold)
        return
    granted = [*access.begin(case.held, now), *granting_rules(sold)]
    yield from granted
    with_login = [action for action in granted if isinstance(action, GrantAccess) and action.create_login]
    if with_login and not case.held.login:
        names = {"membership_name": with_login[0].name}
        yield from mail(sold, "membership_welcome", only_with="login_password", values=names)
    if isinstance(gives := access.gives, IssueDownloadLink):
        # As it is asked for: a backend that answers with more knows better.
        ends = link_ends(gives, now).astimezone(UTC)
        expires = f"{day_in_words(ends.date())}, {ends:%H:%M} UTC"
        known = {"file_name": gives.filename, "link_expires": expires}
        yield from mail(sold, "download_link_to_buyer", only_with="download_link", values=known)
    yield from mail(sold, "order_confirmation", values=values)
    noted = sold.answers.automations
    yield from (NoteOnBuyer(action="assign_tag", target=name) for name in noted.tags)
    yield from (NoteOnBuyer(action="subscribe_list", target=name) for name in noted.lists)
    yield from (NoteOnBuyer(action="subscribe_sequence", target=name) for name in noted.sequences)
    yield from (action for action in rules(sold, When.BUYS) if not isinstance(action, GrantAccess))
    yield page(sold)


def renewal(case: Case) -> Iterator[Action]:
    """The next period is paid."""
    once = not is_repeated(case.price)
    yield case.access.keep("a one-time price is not renewed" if once else "the next period is paid")


def payment_failed(case: Case) -> Iterator[Action]:
    """Access stays while the days of grace last; the subscription ends with them, or with the last try."""
    sold, access, held = case.sold, case.access, case.held
    number = held.failed_payments + 1
    day = held.days_failing(case.now, otherwise=held.failed_payments * DAYS_BETWEEN_TRIES)
    grace = sold.policy.grace_days
    over = day >= grace
    if not access.option.is_held:
        yield access.keep("a failed payment takes nothing away here")
    elif not over:
        left = f"try {number} of {TRIES}" if number < TRIES else "the last try"
        yield access.keep(f"{left}, day {day}: access ends on day {grace}")
    else:
        yield from access.lapse()
    if number >= TRIES or (over and access.option.is_held):
        yield from subscription_over(sold)
    elif access.option.warns_of_failed_payments:
        yield from mail(sold, "payment_failed")


def trial_ended(case: Case) -> Iterator[Action]:
    """The first full charge is due: it is paid, or it is the first payment that fails."""
    if case.held.trial_paid:
        yield case.access.keep("the first full charge is paid")
    else:
        yield from payment_failed(case)


def subscription_canceled(case: Case) -> Iterator[Action]:
    """Access ends at once or with the period, as the price says."""
    sold = case.sold
    if not is_repeated(case.price):
        yield case.access.keep("a one-time price has no subscription to cancel")
    elif case.price.cancellation is Cancellation.INSTANT:
        yield from case.access.end("cancelled, and your price ends access at once")
        yield from subscription_over(sold)
    else:
        yield case.access.keep("paid until the end of the period; access ends then")
        yield from rules(sold, When.REQUESTS_CANCELLATION)
        yield from mail(sold, "cancellation_pending")


def cancellation_withdrawn(case: Case) -> Iterator[Action]:
    """The buyer stays after all: the subscription goes on as if nothing had been asked."""
    if not is_repeated(case.price):
        yield case.access.keep("a one-time price has no subscription to cancel")
    elif not case.held.cancellation_pending:
        yield case.access.keep("no cancellation is waiting that could be taken back")
    else:
        yield case.access.keep("the cancellation is taken back, and the subscription goes on")
        yield from rules(case.sold, When.CANCELS_CANCELLATION_REQUEST)


def period_ended(case: Case) -> Iterator[Action]:
    """The period that was paid for is over: access ends where a cancellation waits for it."""
    if not is_repeated(case.price):
        yield case.access.keep("a one-time price has no subscription to cancel")
    elif not case.held.cancellation_pending:
        yield case.access.keep("no cancellation is waiting for the end of the period")
    else:
        yield from case.access.end("the paid period is over")
        yield from subscription_over(case.sold)


def refund(case: Case) -> Iterator[Action]:
    """Access ends unless the policy keeps it; a seat that was booked is always given back."""
    sold, access = case.sold, case.access
    if not access.option.is_held or sold.policy.on_refund is Afterwards.REVOKE:
        yield from access.end("refunded")
    else:
        yield access.keep("your access policy keeps it after a refund")
    yield from rules(sold, When.REFUNDS)
    yield from mail(sold, "refund_full")


def partial_refund(case: Case) -> Iterator[Action]:
    """Access stays unless the policy ends it; a seat that was booked stays."""
    sold, access = case.sold, case.access
    if access.option.is_held and sold.policy.on_partial_refund is Afterwards.REVOKE:
        yield from access.end("partly refunded")
    else:
        yield access.keep("a partial refund does not end access")
    yield from rules(sold, When.PARTIALLY_REFUNDS)
    yield from mail(sold, "refund_partial")


def chargeback(case: Case) -> Iterator[Action]:
    """Access ends whatever the policy says: nothing was paid."""
    yield from case.access.end("the bank took the money back")


def installments_completed(case: Case) -> Iterator[Action]:
    """The last payment is made, and access stays."""
    paid = is_in_installments(case.price)
    yield case.access.keep("everything is paid" if paid else "this price is not paid in installments")


def access_expired(case: Case) -> Iterator[Action]:
    """The time that the seller set is over."""
    if not case.access.option.is_held:
        yield case.access.keep("there is no access that could expire")
    else:
        yield from case.access.end("the time is over")
