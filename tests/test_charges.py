"""What a buyer is charged: four types of price, trials, and months of different lengths."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.money import day_in_words
from models.pricing import Period, PricePoint, PriceType
from wizard.charges import in_words, months_later, schedule

START = date(2026, 11, 23)
TRIAL = {"amount": "0", "days": 14}


def price(**answers: Any) -> PricePoint:
    return PricePoint.model_validate({"amount": "29.00", **answers})


IN_WORDS = {
    "$29.00 today": {"type": "one_time"},
    "$0.00 today": {"type": "one_time", "amount": "0"},
    "$1.00 today, then $29.00 on 30 Nov 2026": {"type": "one_time", "initial_payment": {"amount": "1", "days": 7}},
    "$29.00 today, then $29.00 monthly from 23 Dec 2026": {"type": "recurring", "period": "monthly"},
    "$0.00 today, then $29.00 monthly from 7 Dec 2026": {
        "type": "recurring",
        "period": "monthly",
        "initial_payment": TRIAL,
    },
    "$99.00 every 2 weeks, 4 payments, the last on 4 Jan 2027": {
        "type": "installments",
        "amount": "99.00",
        "period": "every_2_weeks",
        "payments": 4,
    },
    "$5.00 today, then $99.00 monthly from 7 Dec 2026, 3 payments, the last on 7 Feb 2027": {
        "type": "installments",
        "amount": "99.00",
        "period": "monthly",
        "payments": 3,
        "initial_payment": {"amount": "5", "days": 14},
    },
    "$99.00 monthly, 3 payments, the last on 23 Jan 2027, and again yearly from 23 Nov 2027": {
        "type": "recurring_installments",
        "amount": "99.00",
        "period": "monthly",
        "payments": 3,
        "cycle": "yearly",
    },
}


@pytest.mark.parametrize(("words", "answers"), IN_WORDS.items(), ids=list(IN_WORDS))
def test_a_price_is_said_in_words_with_its_dates(words: str, answers: dict[str, Any]):
    assert in_words(price(**answers), "USD", START) == words


def test_amounts_are_written_in_the_currency_of_the_product():
    assert in_words(price(amount="2900"), "JPY", START) == "¥2,900 today"


def days(answers: dict[str, Any], start: date, number: int) -> list[str]:
    return [day_in_words(charge.day) for charge in islice(schedule(price(**answers), start), number)]


def test_a_month_is_counted_from_the_first_payment_and_not_from_the_one_before():
    monthly = {"type": "recurring", "period": "monthly"}

    assert days(monthly, date(2027, 1, 31), 4) == ["31 Jan 2027", "28 Feb 2027", "31 Mar 2027", "30 Apr 2027"]
    assert days(monthly, date(2028, 1, 30), 3) == ["30 Jan 2028", "29 Feb 2028", "30 Mar 2028"]


def test_a_year_after_a_leap_day_is_the_last_of_february_until_the_next_leap_year():
    yearly = {"type": "recurring", "period": "yearly"}

    assert days(yearly, date(2028, 2, 29), 5) == [
        "29 Feb 2028", "28 Feb 2029", "28 Feb 2030", "28 Feb 2031", "29 Feb 2032",
    ]  # fmt: skip


def test_a_series_that_starts_again_is_counted_from_the_first_payment_too():
    series = {"type": "recurring_installments", "period": "monthly", "payments": 2, "cycle": "quarterly"}

    assert days(series, date(2027, 1, 31), 6) == [
        "31 Jan 2027", "28 Feb 2027", "30 Apr 2027", "31 May 2027", "31 Jul 2027", "31 Aug 2027",
    ]  # fmt: skip


def test_a_trial_is_charged_first_and_the_full_amount_when_it_is_over():
    charges = list(islice(schedule(price(type="recurring", period="weekly", initial_payment=TRIAL), START), 3))

    assert [(str(charge.day), charge.amount) for charge in charges] == [
        ("2026-11-23", "0"), ("2026-12-07", "29.00"), ("2026-12-14", "29.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"amount": None}, "no amount"),
        ({"type": "recurring"}, "how often"),
        ({"type": "installments", "period": "weekly"}, "how many payments"),
        ({"type": "recurring_installments", "period": "weekly", "payments": 2}, "starts again"),
    ],
)
def test_an_incomplete_price_says_what_is_missing(answers: dict[str, Any], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        in_words(price(**answers), "USD", START)
    with pytest.raises(ValueError, match=sentence):
        next(schedule(price(**answers), START))


starts = st.dates(date(2000, 1, 1), date(2100, 1, 1))
trials = st.none() | st.fixed_dictionaries({"amount": st.sampled_from(["0", "1.00"]), "days": st.integers(1, 730)})


@st.composite
def prices(draw: st.DrawFn) -> PricePoint:
    kind = draw(st.sampled_from(PriceType))
    answers: dict[str, Any] = {"type": kind, "initial_payment": draw(trials)}
    if kind is not PriceType.ONE_TIME:
        answers["period"] = draw(st.sampled_from(Period))
    if kind in (PriceType.INSTALLMENTS, PriceType.RECURRING_INSTALLMENTS):
        answers["payments"] = draw(st.integers(2, 120))
    if kind is PriceType.RECURRING_INSTALLMENTS:
        answers |= {"period": Period.WEEKLY, "payments": draw(st.integers(2, 4)), "cycle": draw(st.sampled_from(
            [period for period in Period if period.longest_days > 28]))}  # fmt: skip
    return price(**answers)


@given(prices(), starts)
def test_charges_come_in_order_and_start_today_or_when_the_trial_is_over(point: PricePoint, start: date):
    charges = list(islice(schedule(point, start), 40))

    assert charges[0].day == start
    assert all(earlier.day < later.day for earlier, later in pairwise(charges))
    if point.initial_payment:
        assert charges[1].day == start + timedelta(days=point.initial_payment.days)


@given(prices(), starts)
def test_a_price_has_as_many_charges_as_it_says(point: PricePoint, start: date):
    full = [charge for charge in islice(schedule(point, start), 300) if charge.amount == point.amount]
    endless = 299 if point.initial_payment else 300

    assert len(full) == {PriceType.ONE_TIME: 1, PriceType.INSTALLMENTS: point.payments}.get(point.type, endless)


@given(prices(), starts)
def test_the_words_name_days_of_the_schedule(point: PricePoint, start: date):
    words = in_words(point, "USD", start)
    days_of_schedule = {day_in_words(charge.day) for charge in islice(schedule(point, start), 130)}

    assert "$29.00" in words
    named = [day for day in days_of_schedule if day in words]
    assert point.type is PriceType.ONE_TIME or named


@given(starts, st.integers(0, 600))
def test_a_later_month_keeps_the_day_or_takes_the_last_one(start: date, months: int):
    later = months_later(start, months)

    assert (later.year - start.year) * 12 + later.month - start.month == months
    assert later.day == start.day or (later + timedelta(days=1)).day == 1
