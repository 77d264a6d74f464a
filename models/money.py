"""Money: decimal strings in a currency's own precision outside, integer minor units inside (ISO 4217)."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Context, Decimal
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

AMOUNT = r"^[0-9]+(\.[0-9]+)?$"
"""How an amount is written."""

MOST = Decimal("999999999")
"""The largest price that can be written: it keeps minor units well inside 64 bits."""


@cache
def currencies() -> dict[str, str]:
    """Every currency in use today, by ISO 4217 code, with its English name."""
    from babel.core import Locale
    from babel.numbers import list_currencies

    names = Locale("en").currencies
    return {code: names[code] for code in sorted(list_currencies()) if code in names and _in_use(code)}


def _in_use(code: str) -> bool:
    from babel.core import get_global

    def is_open(row: tuple[object, ...]) -> bool:
        return row[0] == code and row[2] is None and bool(row[3])

    return any(is_open(row) for rows in get_global("territory_currencies").values() for row in rows)


@cache
def decimals(currency: str) -> int:
    """How many decimal places may be charged: 2 for USD and RSD, 0 for JPY, 3 for KWD and IQD.

    It is the minor unit of ISO 4217. CLDR's digits are made for display, and leave out coins that nobody uses any more;
    they only stand in for a currency that ISO has withdrawn, and that its shops may still know.
    """
    import iso4217
    from babel.numbers import get_currency_precision

    try:
        exponent = iso4217.Currency(currency).exponent
    except ValueError:
        exponent = None
    return get_currency_precision(currency) if exponent is None else exponent


def is_currency(code: str) -> str:
    """Refuse what is not the code of a currency in use."""
    code = code.strip().upper()
    if code not in currencies():
        raise ValueError(f"{code!r} is not a currency code, such as USD, EUR or JPY")
    return code


def is_amount(text: str) -> str:
    """Refuse what is not a plain decimal number of 0 or more; drop leading zeros and blanks."""
    text = text.strip()
    if not re.match(AMOUNT, text, re.ASCII):
        raise ValueError("write the amount as digits with a point, for example 29.00")
    if Decimal(text) > MOST:
        raise ValueError(f"at most {MOST:,}")
    whole, point, rest = text.partition(".")
    return (whole.lstrip("0") or "0") + point + rest


Currency = Annotated[str, AfterValidator(is_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})]
Amount = Annotated[str, AfterValidator(is_amount), Field(json_schema_extra={"pattern": AMOUNT})]


def minor_units(amount: str, currency: str) -> int:
    """Turn `29.00` USD into 2900. Raises ValueError when the currency has fewer decimals than the amount."""
    # The usual context would round what has more than 28 digits.
    scaled = Decimal(amount).scaleb(decimals(currency), Context(prec=len(amount) + 9))
    if scaled != scaled.to_integral_value():
        places = decimals(currency)
        allowed = {0: "no decimals"}.get(places, f"at most {places} decimals")
        raise ValueError(f"{amount} has too many decimals: {currency} has {allowed}")
    return int(scaled)


def from_minor_units(units: int, currency: str) -> str:
    """Turn 2900 USD into `29.00`."""
    places = decimals(currency)
    return f"{Decimal(units).scaleb(-places):.{places}f}"


def in_words(amount: str | Decimal, currency: str) -> str:
    """Write money as an American reader expects it: `$29.00`, `¥2,900`, `€1,000.00`."""
    from babel.numbers import format_currency

    # As many decimals as may be charged: the locale's own pattern would round away some.
    places = decimals(currency)
    pattern = f"¤#,##0{'.' if places else ''}{'0' * places}"
    return format_currency(Decimal(amount), currency, pattern, locale="en_US", currency_digits=False)


def day_in_words(day: dt.date) -> str:
    """Write a date without doubt about day and month: `7 Dec 2026`."""
    return f"{day.day} {day:%b} {day.year}"
