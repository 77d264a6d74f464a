"""The script of a run: moments, and the steps of each, planned as a whole before anything is sent.

A single event is the shortest script; a life of a sale is a longer one. Whoever writes it keeps track of what the
buyer holds after each moment, since the next one hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import assert_never

from models.events import Event
from models.fulfillment import (
    Action,
    CancelRegistration,
    Charge,
    CleanUp,
    GrantAccess,
    IssueDownloadLink,
    Moment,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
    RunStep,
)
from models.pricing import Cancellation
from wizard import charges
from wizard.sale.options import delivery
from wizard.sale.options.download import link_ends
from wizard.sale.plan import plan
from wizard.sale.sold import Held, Sale

NOTHING = Held(is_out=True)
"""What somebody holds who has not bought."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a run is to do."""

    moments: tuple[Moment, ...]
    steps: tuple[RunStep, ...]

    def with_clean_up(self, product: str, *, only_platforms: bool) -> Script:
        """The same, and then what was made where others see it is removed: a test must leave no member behind."""
        title = "Clean up on the platform" if only_platforms else "Clean up"
        moment = Moment(title=title, at=self.moments[-1].at)
        action = CleanUp(target=product, only_platforms=only_platforms)
        step = RunStep(position=len(self.steps) + 1, action=action, moment=len(self.moments) + 1)
        return Script((*self.moments, moment), (*self.steps, step))


class Writer:
    """Writes the script of a run, moment by moment. It plans and sends nothing."""

    def __init__(self, sold: Sale, start: datetime, held: Held = NOTHING) -> None:
        self._sold = sold
        self.at = start
        """The simulated time of the next moment."""
        self.held = held
        self._moments: list[Moment] = []
        self._steps: list[RunStep] = []
        self._bought_on, self._paid = start.date(), 0
        """The day of the last purchase, and how many of its payments were made."""

    @property
    def script(self) -> Script:
        """What was written so far."""
        return Script(tuple(self._moments), tuple(self._steps))

    def later(self, after: timedelta) -> None:
        """Let time pass."""
        self.at += after

    def happens(self, event: Event, title: str = "", *, is_paid: bool = True) -> int:
        """Write down an event and what it leads to; give back the number of its moment. `is_paid` says whether the
        charge went through where the event itself does not.

        Raises `NotReady`.
        """
        held = self.held.model_copy(update={"trial_paid": is_paid})
        actions = plan(self._sold, event, held, self.at)
        self.held = after(held, self._sold, event, actions, self.at)
        return self.does(title or event.label, actions, event, self._charge(event, is_paid))

    def does(
        self, title: str, actions: Sequence[Action], event: Event | None = None, charge: Charge | None = None
    ) -> int:
        """Write down a moment with these actions; give back its number."""
        self._moments.append(Moment(title=title, at=self.at, event=event, charge=charge))
        number, first = len(self._moments), len(self._steps) + 1
        for position, action in enumerate(actions, start=first):
            self._steps.append(RunStep(position=position, action=action, moment=number))
        return number

    def repeats(self, title: str, moment: int) -> int:
        """Write down that everything of a moment is asked for once more, with the same keys."""
        before = [step for step in self._steps if step.moment == moment]
        number = self.does(title, [step.action for step in before])
        first = len(self._steps) - len(before)
        for at, step in enumerate(before, start=first):
            self._steps[at] = self._steps[at].model_copy(update={"repeats": step.position})
        return number

    def _charge(self, event: Event, is_paid: bool) -> Charge | None:
        """The payment that an event is about."""
        if event is Event.PURCHASE:
            self._bought_on, self._paid = self.at.date(), 0
        is_paid = is_paid and event is not Event.PAYMENT_FAILED
        if event in (Event.PURCHASE, Event.RENEWAL, Event.TRIAL_ENDED, Event.PAYMENT_FAILED):
            number = self._paid + 1
            self._paid += is_paid
        elif event in (Event.REFUND, Event.CHARGEBACK):
            number = self._paid
        else:
            return None
        pricing = self._sold.answers.pricing
        price = pricing.prices[self._sold.price - 1]
        due = islice(charges.schedule(price, self._bought_on), max(number - 1, 0), None)
        try:
            amount = next(due).amount
        except (StopIteration, ValueError):  # no payment is left, or the price does not say what is charged
            return None
        is_trial = number == 1 and price.initial_payment is not None
        return Charge(number=number, amount=amount, currency=pricing.currency, is_trial=is_trial, is_paid=is_paid)


def steps_of(*moments: Sequence[Action]) -> tuple[RunStep, ...]:
    """The steps of a run in which these actions follow each other, moment by moment."""
    actions = [(number, action) for number, moment in enumerate(moments, start=1) for action in moment]
    return tuple(
        RunStep(position=position, action=action, moment=number)
        for position, (number, action) in enumerate(actions, start=1)
    )


def after(held: Held, sold: Sale, event: Event, actions: Sequence[Action], now: datetime) -> Held:
    """What the buyer holds of the product once an event has led to these actions. What rules give elsewhere is no part
    of it."""
    held = _paid_or_not(held, sold, event, now)
    target = delivery(sold, now).target
    for action in actions:
        if action.target != target:
            continue
        match action:
            case GrantAccess():
                levels = held.levels | set(action.levels if action.via == "hosted" else ())
                changed = {"levels": levels, "login": held.login or action.create_login, "ends_at": action.until}
                held = held.model_copy(update={**changed, "is_out": False})
            case IssueDownloadLink():
                held = held.model_copy(update={"is_out": False, "ends_at": link_ends(action, now)})
            case RegisterAttendee():
                held = held.model_copy(update={"is_out": False, "registered": True})
            case RevokeAccess():
                left = held.levels - set(action.levels)
                held = held.model_copy(update={"levels": left, "is_out": not left})
            case RevokeDownloadLink() | CancelRegistration():
                held = held.model_copy(update={"registered": False, "is_out": True})
    return held


def _paid_or_not(held: Held, sold: Sale, event: Event, now: datetime) -> Held:
    """What is held as far as payments and cancellations go."""
    match event:
        case Event.PURCHASE:
            return held.model_copy(update={"bought_at": now})
        case Event.RENEWAL:
            return held.model_copy(update={"failed_payments": 0, "failing_since": None})
        case Event.TRIAL_ENDED if held.trial_paid:
            return held
        case Event.PAYMENT_FAILED | Event.TRIAL_ENDED:
            since = held.failing_since or now
            return held.model_copy(update={"failed_payments": held.failed_payments + 1, "failing_since": since})
        case Event.SUBSCRIPTION_CANCELED:
            waits = sold.answers.pricing.prices[sold.price - 1].cancellation is Cancellation.PERIOD_END
            return held.model_copy(update={"cancellation_pending": waits, "canceled_early": held.bought_at is None})
        case Event.CANCELLATION_WITHDRAWN:
            return held.model_copy(update={"cancellation_pending": False, "canceled_early": False})
        case Event.PERIOD_ENDED:
            return held.model_copy(update={"cancellation_pending": False})
        case (
            Event.REFUND | Event.PARTIAL_REFUND | Event.CHARGEBACK | Event.INSTALLMENTS_COMPLETED | Event.ACCESS_EXPIRED
        ):
            return held
        case _:
            assert_never(event)
