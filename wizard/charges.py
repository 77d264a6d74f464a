"""What a buyer will be charged and when: as a series of dated amounts, and in words.

Every date is counted from the anchor, the day of the first full payment, and never from the payment before: 31 January
plus one month is 28 February, and plus two months is 31 March.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from models import money
from models.pricing import Period, PricePoint, PriceType


@dataclass(frozen=True, slots=True)
class DatedCharge:
    """One payment: its day, and the amount as a decimal string in the price's currency."""

    day: date
    amount: str


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def periods_later(day: date, period: Period, number: int, cycle: Period | None = None, rounds: int = 0) -> date:
    """The day that many periods, and that many rounds of a cycle, later: counted in one go."""
    months = period.months * number + (cycle.months * rounds if cycle else 0)
    days = period.days * number + (cycle.days * rounds if cycle else 0)
    return months_later(day, months) + timedelta(days=days)


def schedule(price: PricePoint, start: date) -> Iterator[DatedCharge]:
    """Yield the charges of a purchase on `start` in their order; without an end where the price has none.

    Raises ValueError at the first charge when the price is not complete.
    """
    amount, period = _complete(price)
    if price.initial_payment is not None:
        yield DatedCharge(start, price.initial_payment.amount)
    yield from (DatedCharge(day, amount) for day in _days(price, _anchor(price, start), period))


def in_words(price: PricePoint, currency: str, start: date) -> str:
    """Say what a purchase on `start` costs: "$0.00 today, then $29.00 monthly from 7 Dec 2026".

    Raises ValueError, with a sentence for the seller, when the price is not complete.
    """
    amount, period = _complete(price)
    anchor = _anchor(price, start)
    each = money.in_words(amount, currency)
    trial = price.initial_payment
    today = f"{money.in_words(trial.amount, currency)} today, then " if trial else ""
    if period is None:
        return f"{today}{each} on {money.day_in_words(anchor)}" if trial else f"{each} today"
    often = period.label.lower()
    if price.type is PriceType.RECURRING:
        if trial:
            return f"{today}{each} {often} from {money.day_in_words(anchor)}"
        return f"{each} today, then {each} {often} from {money.day_in_words(periods_later(anchor, period, 1))}"
    payments = price.payments or 0
    first = f" from {money.day_in_words(anchor)}" if trial else ""
    last = money.day_in_words(periods_later(anchor, period, payments - 1))
    words = f"{today}{each} {often}{first}, {payments} payments, the last on {last}"
    if price.cycle is None or price.type is PriceType.INSTALLMENTS:
        return words
    again = money.day_in_words(periods_later(anchor, price.cycle, 1))
    return f"{words}, and again {price.cycle.label.lower()} from {again}"


def _complete(price: PricePoint) -> tuple[str, Period | None]:
    if price.amount is None:
        raise ValueError("the price has no amount yet")
    if price.type is PriceType.ONE_TIME:
        return price.amount, None
    if price.period is None:
        raise ValueError("say how often the price is charged")
    if price.type is not PriceType.RECURRING and price.payments is None:
        raise ValueError("say how many payments there are")
    if price.type is PriceType.RECURRING_INSTALLMENTS and price.cycle is None:
        raise ValueError("say when the series of payments starts again")
    return price.amount, price.period


def _anchor(price: PricePoint, start: date) -> date:
    return start + timedelta(days=price.initial_payment.days) if price.initial_payment else start


def _days(price: PricePoint, anchor: date, period: Period | None) -> Iterator[date]:
    if period is None:
        yield anchor
    elif price.type is PriceType.RECURRING:
        yield from (periods_later(anchor, period, number) for number in count())
    else:
        for rounds in count() if price.type is PriceType.RECURRING_INSTALLMENTS else (0,):
            for number in range(price.payments or 0):
                yield periods_later(anchor, period, number, price.cycle, rounds)
