"""The step Pricing: what the product costs, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.ask import Answers, Ask, ModuleHeading, always, misfit
from models.choice import Choice
from models.money import Amount, Currency, minor_units
from models.text import Line


class PriceType(Choice):
    """How a price is paid [K]."""

    ONE_TIME = "one_time", "One-time", "paid once"
    RECURRING = "recurring", "Recurring", "paid until it is cancelled"
    INSTALLMENTS = "installments", "Installments", "a fixed number of payments"
    RECURRING_INSTALLMENTS = (
        "recurring_installments",
        "Recurring installments",
        "a series that starts again",
    )


class Period(Choice):
    """The time between two payments [K]. A month here is a calendar month."""

    WEEKLY = "weekly", "Weekly", "every 7 days"
    EVERY_2_WEEKS = "every_2_weeks", "Every 2 weeks", "every 14 days"
    MONTHLY = "monthly", "Monthly"
    EVERY_2_MONTHS = "every_2_months", "Every 2 months"
    QUARTERLY = "quarterly", "Quarterly", "every 3 months"
    EVERY_6_MONTHS = "every_6_months", "Every 6 months"
    YEARLY = "yearly", "Yearly"
    EVERY_2_YEARS = "every_2_years", "Every 2 years"

    @property
    def months(self) -> int:
        """The length in months; 0 for the periods that are counted in days."""
        return {
            "monthly": 1,
            "every_2_months": 2,
            "quarterly": 3,
            "every_6_months": 6,
            "yearly": 12,
        }.get(self.value, 24 if self is Period.EVERY_2_YEARS else 0)

    @property
    def days(self) -> int:
        """The length in days; 0 for the periods that are counted in months."""
        return {"weekly": 7, "every_2_weeks": 14}.get(self.value, 0)

    @property
    def longest_days(self) -> float:
        """The length in days, to compare periods: a month counts as a twelfth of 365.25 days."""
        return self.days + self.months * 365.25 / 12


class Cancellation(Choice):
    """When access ends after a buyer cancels [K]."""

    PERIOD_END = (
        "period_end",
        "At the end of the paid period",
        "the buyer keeps what is paid for",
    )
    INSTANT = "instant", "At once", "access ends with the cancellation"


class SalesTax(Choice):
    """Whether sales tax is added [K]."""

    NONE = "none", "No sales tax"
    EVERYONE = "everyone", "Apply tax to everyone"
    REMOVE_WITH_TAX_ID = (
        "remove_with_tax_id",
        "Remove tax with a tax ID",
        "businesses enter their number at checkout",
    )


class InitialPayment(Answers):
    """A first payment in place of the first full one; 0 is a free trial [K]."""

    amount: Annotated[
        Amount,
        Ask(
            "First payment",
            "What is charged at sign-up. 0 is a free trial.",
            kind="amount",
        ),
    ] = "0"
    days: Annotated[
        Annotated[int, Field(ge=1, le=730)],
        Ask(
            "Lasts",
            "How long until the first full charge: 1 to 730 days.",
            kind="number",
            unit="days",
        ),
    ] = 14


def is_repeated(price: PricePoint) -> bool:
    """Say whether a price is paid more than once."""
    return price.type is not PriceType.ONE_TIME


def is_in_installments(price: PricePoint) -> bool:
    """Say whether a price has a fixed number of payments."""
    return price.type in (PriceType.INSTALLMENTS, PriceType.RECURRING_INSTALLMENTS)


def starts_again(price: PricePoint) -> bool:
    """Say whether a series of installments is paid again every cycle."""
    return price.type is PriceType.RECURRING_INSTALLMENTS


class PricePoint(Answers):
    """One way to pay for the product (`docs/spec.md` 2.2)."""

    type: Annotated[PriceType, Ask("Type", "How it is paid.", kind="choice")] = PriceType.ONE_TIME
    amount: Annotated[
        Amount | None,
        Ask(
            "Amount",
            "The price of one payment. Only a one-time price may be 0.",
            kind="amount",
            required=always,
        ),
    ] = None
    period: Annotated[
        Period | None,
        Ask(
            "Period",
            "How often it is charged.",
            kind="choice",
            when=is_repeated,
            required=is_repeated,
        ),
    ] = None
    payments: Annotated[
        Annotated[int, Field(ge=2, le=120)] | None,
        Ask("Payments", "How many payments: 2 to 120.", kind="number", when=is_in_installments,
            required=is_in_installments),
    ] = None  # fmt: skip
    cycle: Annotated[
        Period | None,
        Ask("Starts again", "How often the whole series begins anew. It must be longer than the series.",
            kind="choice", when=starts_again, required=starts_again),
    ] = None  # fmt: skip
    initial_payment: Annotated[
        InitialPayment | None,
        Ask(
            "Free or cheap trial",
            "A smaller first payment; 0 is free. The full price comes after it.",
            kind="group",
        ),
    ] = None
    cancellation: Annotated[
        Cancellation,
        Ask(
            "On cancel",
            "When access ends after the buyer cancels.",
            kind="choice",
            when=is_repeated,
        ),
    ] = Cancellation.PERIOD_END
    label: Annotated[
        Line,
        Ask("Label", "What buyers see beside this price. Needed once there is more than one.",
            placeholder="Monthly plan"),
    ] = ""  # fmt: skip

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.amount is not None and is_repeated(self) and not self.amount.strip("0."):
            raise misfit("amount", "only a one-time price may be 0; write an amount above 0")
        if starts_again(self) and self.cycle and self.period and self.payments:
            series = f"{self.payments} payments {self.period.label.lower()}"
            if self.cycle.longest_days <= self.payments * self.period.longest_days:
                raise misfit("cycle", f"too short for {series}: choose a longer time")
        return self


def _has_several_prices(pricing: Pricing) -> bool:
    return len(pricing.prices) > 1


def _labels_that_tell_them_apart(prices: tuple[PricePoint, ...]) -> Iterator[tuple[str, str]]:
    for number, price in enumerate(prices):
        if len(prices) > 1 and not price.label:
            yield f"{number}.label", "write a label: with several prices each needs one"


class Pricing(Answers):
    """The currency and the price points, numbered from 1 in their order (`docs/spec.md` 2.2)."""

    currency: Annotated[
        Currency,
        ModuleHeading("product_pricing", "Product pricing", "What does it cost, and how often?"),
        Ask(
            "Currency",
            "Three letters, such as USD, EUR or GBP. Every price of this product is in it.",
            kind="line",
            usual=(
                "USD",
                "EUR",
                "GBP",
                "CAD",
                "AUD",
                "CHF",
                "JPY",
                "NZD",
                "SEK",
                "DKK",
                "NOK",
                "PLN",
                "INR",
                "BRL",
                "MXN",
                "SGD",
                "ZAR",
            ),
        ),
    ] = "USD"
    prices: Annotated[
        tuple[PricePoint, ...],
        Ask("Price points", "The ways to pay. Buyers choose one.", kind="rows", required=always,
            row_name="price point", lacks=_labels_that_tell_them_apart),
    ] = ()  # fmt: skip
    sales_tax: Annotated[
        SalesTax,
        ModuleHeading("sales_tax", "Sales tax", "Is tax added to the price?"),
        Ask(
            "Sales tax",
            "Rates by region are set in your account. The product only says whether tax is added.",
            kind="choice",
        ),
    ] = SalesTax.NONE

    @model_validator(mode="after")
    def _amounts_fit_the_currency(self) -> Self:
        for number, price in enumerate(self.prices):
            for field, amount in amounts_of(price):
                try:
                    minor_units(amount, self.currency)
                except ValueError as error:
                    raise misfit(f"prices.{number}.{field}", str(error)) from None
        return self


def amounts_of(price: PricePoint) -> Sequence[tuple[str, str]]:
    """The amounts that a price names, each with the path of its field."""
    found = [("amount", price.amount)] if price.amount is not None else []
    if price.initial_payment is not None:
        found.append(("initial_payment.amount", price.initial_payment.amount))
    return found
