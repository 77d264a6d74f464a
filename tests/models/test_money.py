"""Money: what may be charged in a currency (ISO 4217), how it is kept, and how it is written."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from models.money import currencies, decimals, from_minor_units, in_words, minor_units
from tests.support.records import answers
from wizard.settings import Settings
from wizard.store.store import Store


@pytest.mark.parametrize(
    ("currency", "amount", "units", "words"),
    [
        ("RSD", "990.50", 99050, "RSD990.50"),
        ("IQD", "1.250", 1250, "IQD1.250"),
        ("ALL", "12.34", 1234, "ALL12.34"),
        ("LBP", "1500.25", 150025, "LBP1,500.25"),
        ("MGA", "0.20", 20, "MGA0.20"),
        ("AFN", "99.99", 9999, "AFN99.99"),
        ("JPY", "2900", 2900, "¥2,900"),
        ("KWD", "1.250", 1250, "KWD1.250"),
        ("USD", "1000", 100000, "$1,000.00"),
    ],
)
def test_what_may_be_charged_is_the_minor_unit_of_iso_4217(currency: str, amount: str, units: int, words: str) -> None:
    assert minor_units(amount, currency) == units
    assert minor_units(from_minor_units(units, currency), currency) == units
    assert in_words(amount, currency) == words


@pytest.mark.parametrize(
    ("currency", "amount", "allowed"),
    [("RSD", "990.505", "at most 2 decimals"), ("IQD", "1.2505", "at most 3 decimals"), ("JPY", "1.5", "no decimals")],
)
def test_a_smaller_part_than_the_minor_unit_is_refused(currency: str, amount: str, allowed: str) -> None:
    with pytest.raises(ValueError, match=f"{currency} has {allowed}"):
        minor_units(amount, currency)


def test_every_currency_that_can_be_chosen_has_its_decimals() -> None:
    assert {decimals(currency) for currency in currencies()} == {0, 2, 3}


def test_an_amount_that_was_counted_in_whole_units_stays_what_it_is(settings: Settings, engine: Engine) -> None:
    trial = {"amount": "90", "days": 14}
    with Store.open(settings) as store:
        for currency in ("RSD", "IQD", "JPY", "USD"):
            prices = [{"type": "recurring", "period": "monthly", "amount": "990", "initial_payment": trial}]
            store.create(currency, "ada", answers(currency, pricing={"currency": currency, "prices": prices}))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        whole = "UPDATE price_point SET amount_minor = 990, initial_amount_minor = 90 WHERE currency IN ('RSD', 'IQD')"
        connection.execute(text(whole))

    with Store.open(settings) as store:
        [rsd], [iqd], [jpy], [usd] = (store.load(s).answers.pricing.prices for s in ("rsd", "iqd", "jpy", "usd"))

    assert [price.amount for price in (rsd, iqd, jpy, usd)] == ["990", "990", "990", "990"]
    assert rsd.initial_payment is not None
    assert rsd.initial_payment.amount == "90"


def test_an_amount_with_more_digits_than_a_calculator_has_is_not_rounded():
    with pytest.raises(ValueError, match="at most 2 decimals"):
        minor_units("1." + "0" * 40 + "1", "USD")
    assert minor_units("1." + "0" * 40, "USD") == 100
