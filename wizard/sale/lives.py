"""Named lives of a sale: scenarios under a simulated clock, and the proof.

Each is a short function that writes a script. When charges fall due is the price's own schedule, the same that the
checkout shows; nothing here decides what an event leads to, which is `plan`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from models.events import Event
from models.fulfillment import Action, CleanUp, IssueDownloadLink, Run, TryLink
from models.pricing import Cancellation, PricePoint, is_in_installments, is_repeated
from models.saved import RunRow
from wizard import charges
from wizard.sale.events import DAYS_BETWEEN_TRIES, TRIES
from wizard.sale.options import delivery
from wizard.sale.options.download import link_ends
from wizard.sale.script import Script, Writer
from wizard.sale.sold import Held, NotReady, Sale

PROVE = "prove"

LATE = timedelta(minutes=2)
"""How long after its end a link is tried: it may have been made a little later than planned."""

RENEWALS = 3
"""How many renewals a scenario goes through before what it is about."""

LARGEST_USED_UP = 50_000_000
"""Bytes that are downloaded at the most to use up a link. Above that its limit is not tried."""

MOST_DOWNLOADS = 50
"""As above, in downloads."""


class NotThisLife(NotReady):
    """The product cannot live this life: its price or its policy has no place for it."""


@dataclass(frozen=True, slots=True)
class Life:
    """A life of a sale, by its name."""

    name: str
    label: str
    about: str
    """One sentence: what happens in it."""
    write: Callable[[Sale, Writer], None]

    def script(self, sold: Sale, start: datetime) -> Script:
        """Its script for a product that is bought at this time. Raises `NotReady`; `NotThisLife` where it has no place
        in the product."""
        writer = Writer(sold, start)
        self.write(sold, writer)
        return writer.script


LIVES: dict[str, Life] = {}
"""Every scenario by its name, in the order in which they are listed."""


def life(label: str) -> Callable[[Callable[[Sale, Writer], None]], Life]:
    """Make a scenario of a function: its name, and its docstring as the sentence about it."""

    def named(write: Callable[[Sale, Writer], None]) -> Life:
        made = Life(write.__name__, label, write.__doc__ or "", write)
        LIVES[made.name] = made
        return made

    return named


def why_not(scenario: Life, sold: Sale, now: datetime) -> str:
    """Why a product cannot live this life; empty when it can."""
    try:
        scenario.script(sold, now)
    except NotReady as error:
        return str(error)
    return ""


# --- the price's calendar -------------------------------------------------------------------------------------------


def _price(sold: Sale) -> PricePoint:
    prices = sold.answers.pricing.prices
    if not 1 <= sold.price <= len(prices):
        raise NotReady("pricing.prices", f"There is no price number {sold.price}; there are {len(prices)}.")
    return prices[sold.price - 1]


def _path(sold: Sale) -> str:
    return f"pricing.prices.{sold.price - 1}"


def _repeated(sold: Sale) -> PricePoint:
    price = _complete(sold, _price(sold))
    if not is_repeated(price):
        raise NotThisLife(f"{_path(sold)}.type", "This price is paid once: nothing is renewed or cancelled.")
    return price


def _charge_days(price: PricePoint, start: datetime) -> Iterator[datetime]:
    """When each charge falls due, from the purchase on: at the time of day of the purchase."""
    moment = time(start.hour, start.minute, start.second, tzinfo=start.tzinfo or UTC)
    for charge in charges.schedule(price, start.date()):
        yield max(start, datetime.combine(charge.day, moment))


def _complete(sold: Sale, price: PricePoint) -> PricePoint:
    """The price, if it says what is charged and when. Raises `NotReady`."""
    try:
        next(iter(charges.schedule(price, date(2020, 1, 1))))
    except ValueError as error:
        raise NotReady(_path(sold), f"Complete the price: {error}.") from None
    return price


def _renewals(sold: Sale, writer: Writer, number: int) -> datetime:
    """Buy, and go through so many renewals; give back when the next charge is due."""
    price = _repeated(sold)
    days = _charge_days(price, writer.at)
    next(days)
    writer.happens(Event.PURCHASE)
    for done in range(number):
        writer.at = next(days, writer.at + timedelta(days=30))
        if done == 0 and price.initial_payment is not None:
            writer.happens(Event.TRIAL_ENDED, "Trial ended, the first full charge is paid")
        else:
            writer.happens(Event.RENEWAL, f"Renewal {done + (price.initial_payment is None)}")
    return next(days, writer.at + timedelta(days=30))


def _fails_until_the_end(writer: Writer, first: int) -> None:
    """The payment fails again and again, from try number `first` to the last one."""
    for number in range(first, TRIES + 1):
        day = (number - 1) * DAYS_BETWEEN_TRIES
        if number > 1:
            writer.later(timedelta(days=DAYS_BETWEEN_TRIES))
        writer.happens(Event.PAYMENT_FAILED, f"Payment failed, try {number} of {TRIES} (day {day})")


# --- the scenarios --------------------------------------------------------------------------------------------------


@life("One-time purchase")
def one_time_purchase(sold: Sale, writer: Writer) -> None:
    """Somebody buys, and comes back a month later."""
    if is_repeated(_price(sold)):
        raise NotThisLife(f"{_path(sold)}.type", "This price is paid more than once.")
    writer.happens(Event.PURCHASE)
    writer.later(timedelta(days=30))
    writer.happens(Event.SUBSCRIPTION_CANCELED, "A month later, a cancellation that there is nothing for")


@life("Trial that converts")
def trial_converts(sold: Sale, writer: Writer) -> None:
    """The trial ends, the first full charge is paid, and a renewal follows."""
    _needs_trial(sold)
    _renewals(sold, writer, 2)


@life("Trial that fails")
def trial_fails(sold: Sale, writer: Writer) -> None:
    """The charge at the end of the trial fails, and so does every later try."""
    price = _needs_trial(sold)
    days = _charge_days(price, writer.at)
    next(days)
    writer.happens(Event.PURCHASE)
    writer.at = next(days)
    writer.happens(Event.TRIAL_ENDED, f"Trial ended, the charge failed: try 1 of {TRIES} (day 0)", is_paid=False)
    _fails_until_the_end(writer, 2)


def _needs_trial(sold: Sale) -> PricePoint:
    price = _repeated(sold)
    if price.initial_payment is None:
        raise NotThisLife(f"{_path(sold)}.initial_payment", "This price has no trial.")
    return price


@life("Renewals, then cancelled")
def renewals_then_cancel(sold: Sale, writer: Writer) -> None:
    """Three charges after the first, a cancellation, and the end of the period that was paid for."""
    if _repeated(sold).cancellation is not Cancellation.PERIOD_END:
        raise NotThisLife(f"{_path(sold)}.cancellation", "This price ends access at once when it is cancelled.")
    due = _renewals(sold, writer, RENEWALS)
    writer.at += (due - writer.at) / 2
    writer.happens(Event.SUBSCRIPTION_CANCELED)
    writer.at = due
    writer.happens(Event.PERIOD_ENDED)


@life("Cancelled at once")
def instant_cancel(sold: Sale, writer: Writer) -> None:
    """A cancellation that ends access on the spot."""
    if _repeated(sold).cancellation is not Cancellation.INSTANT:
        raise NotThisLife(f"{_path(sold)}.cancellation", "This price lets access last until the paid period is over.")
    writer.happens(Event.PURCHASE)
    writer.later(timedelta(days=2))
    writer.happens(Event.SUBSCRIPTION_CANCELED)


@life("Four failed payments")
def failed_payments(sold: Sale, writer: Writer) -> None:
    """A renewal fails, on day 0, 3, 6 and 9."""
    writer.at = _renewals(sold, writer, 0)
    _fails_until_the_end(writer, 1)


@life("Installments completed")
def installments_completed(sold: Sale, writer: Writer) -> None:
    """The last payment is made, and access stays."""
    price = _repeated(sold)
    if not is_in_installments(price):
        raise NotThisLife(f"{_path(sold)}.type", "This price has no fixed number of payments.")
    last = _renewals(sold, writer, min(RENEWALS, (price.payments or 2) - 1))
    writer.at = last
    writer.happens(Event.INSTALLMENTS_COMPLETED)


@life("Refunds")
def refunds(sold: Sale, writer: Writer) -> None:
    """First a part is given back, then all of it."""
    writer.happens(Event.PURCHASE)
    writer.later(timedelta(hours=2))
    writer.happens(Event.PARTIAL_REFUND)
    writer.later(timedelta(hours=2))
    writer.happens(Event.REFUND)


@life("Chargeback")
def chargeback(sold: Sale, writer: Writer) -> None:
    """The bank takes the money back."""
    writer.happens(Event.PURCHASE)
    writer.later(timedelta(days=20))
    writer.happens(Event.CHARGEBACK)


@life("Access expires")
def expiry(sold: Sale, writer: Writer) -> None:
    """The days that you set for access are over."""
    writer.happens(Event.PURCHASE)
    granted = [step.action for step in writer.script.steps]
    ends = [getattr(action, "until", None) or getattr(action, "access_until", None) for action in granted]
    last = next((moment for moment in ends if moment is not None), None)
    if last is None:
        raise NotThisLife("post_sale.policy.expires_after_days", "Nothing expires: no number of days is set.")
    writer.at = last
    writer.happens(Event.ACCESS_EXPIRED)


@life("The same buyer again")
def same_buyer_again(sold: Sale, writer: Writer) -> None:
    """A buyer buys a second time: no second account, no second seat."""
    writer.happens(Event.PURCHASE)
    writer.later(timedelta(hours=1))
    writer.happens(Event.PURCHASE, "The same buyer buys again")


@life("Delivered twice")
def delivered_twice(sold: Sale, writer: Writer) -> None:
    """The same event arrives twice: nothing happens twice."""
    bought = writer.happens(Event.PURCHASE)
    writer.repeats("The same purchase arrives again", bought)


@life("Out of order")
def out_of_order(sold: Sale, writer: Writer) -> None:
    """A cancellation arrives before its purchase."""
    price = _repeated(sold)
    writer.happens(Event.SUBSCRIPTION_CANCELED, "A cancellation arrives, and nothing was bought yet")
    writer.later(timedelta(minutes=1))
    writer.happens(Event.PURCHASE, "The purchase that it belongs to arrives")
    if price.cancellation is Cancellation.PERIOD_END:
        days = _charge_days(price, writer.at)
        next(days)
        writer.at = next(days, writer.at + timedelta(days=30))
        writer.happens(Event.PERIOD_ENDED)


# --- the proof ------------------------------------------------------------------------------------------------------


def _write_proof(sold: Sale, writer: Writer) -> None:
    """Bought, used, bought again, taken away, turned away, taken away again, cleaned up."""
    bought = writer.happens(Event.PURCHASE)
    writer.repeats("The same purchase arrives again", bought)
    option = delivery(sold, writer.at)
    if isinstance(option.gives, IssueDownloadLink):
        _try_links(option.gives, writer)
        writer.happens(Event.PURCHASE, "Bought again: a new link")
    if option.takes is not None:
        taken = writer.does("Access is taken away", [option.takes])
        writer.repeats("Taken away once more", taken)
    writer.does("Clean up", [CleanUp(target=sold.product.slug)])


def _try_links(link: IssueDownloadLink, writer: Writer) -> None:
    """The ways in which a link must be refused."""

    def tried(title: str, how: TryLink) -> None:
        actions: list[Action] = [how]
        writer.does(title, actions)

    tried("A link that was tampered with", TryLink(target=link.target, how="tampered"))
    limit = link.download_limit
    if limit is not None and limit <= MOST_DOWNLOADS and limit * link.size <= LARGEST_USED_UP:
        # The purchase was used once, and its repetition once more.
        left = max(0, limit - 2)
        tried("One download more than allowed", TryLink(target=link.target, how="used_up", downloads=left))
    bought_at, writer.at = writer.at, link_ends(link, writer.at) + LATE
    tried("A link that has expired", TryLink(target=link.target, how="expired"))
    writer.at = bought_at


PROOF = Life(PROVE, "Proof", _write_proof.__doc__ or "", _write_proof)
"""What `--prove` carries out (`docs/spec.md` 5.1)."""


def life_named(name: str) -> Life:
    """A life by its name. Raises KeyError."""
    return PROOF if name == PROVE else LIVES[name]


def script_of(sold: Sale, what: Event | Life, now: datetime, held: Held | None = None) -> Script:
    """The script of an event or a life that begins now; of a purchase before the event where the buyer has nothing that
    it could be about. `held`: what the buyer holds right before the event. Raises NotReady."""
    if isinstance(what, Life):
        return what.script(sold, now)
    writer = Writer(sold, now)
    if what is Event.PURCHASE:
        writer.held = held or writer.held
        writer.happens(what)
        return writer.script
    writer.happens(Event.PURCHASE)
    # A period that ends, ends after a cancellation: else nothing would end. The same goes for taking one back.
    waiting = {"cancellation_pending": what in (Event.PERIOD_ENDED, Event.CANCELLATION_WITHDRAWN)}
    writer.held = held or writer.held.model_copy(update=waiting)
    writer.happens(what, is_paid=writer.held.trial_paid)
    return writer.script


def label_of(run: Run | RunRow) -> str:
    """What a run is about, as a seller says it."""
    try:
        label = life_named(run.life).label if run.life else run.event.label
    except KeyError:  # a life of another version
        label = run.life
    return f"{label}, drill: {run.fault.replace('_', ' ')}" if run.fault else label
