"""What the answers of a module lead to, in a line or two below its form: the one place that knows modules by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from models import money
from models.pricing import is_repeated
from models.product import Product
from models.references import References
from wizard import charges
from wizard.sale.options import chosen
from wizard.sale.options.nothing import linked

Consequence = Callable[[Product, References, dt.date], str]

CONSEQUENCES: dict[str, Consequence] = {}


def of_module(module_id: str) -> Callable[[Consequence], Consequence]:
    """Say what the answers of that module lead to."""

    def named(tell: Consequence) -> Consequence:
        CONSEQUENCES[module_id] = tell
        return tell

    return named


def consequence(module_id: str, product: Product, references: References, today: dt.date) -> str:
    """What the answers of a module lead to; empty where the form says it all."""
    tell = CONSEQUENCES.get(module_id)
    return tell(product, references, today) if tell else ""


@of_module("post_sale.access")
def _access(product: Product, references: References, today: dt.date) -> str:
    option = chosen(product)
    return option.consequence(product, references) if option else ""


@of_module("post_sale.thank_you")
def _thank_you(product: Product, references: References, today: dt.date) -> str:
    thing = linked(product, references.account)
    if thing is None:
        return ""
    return f"Not shown: buyers are registered for {thing.name}, and its confirmation is shown instead."


@of_module("pricing.product_pricing")
def _next_charges(product: Product, references: References, today: dt.date) -> str:
    lines = []
    for number, price in enumerate(product.pricing.prices, start=1):
        if not is_repeated(price):
            continue
        try:
            dates = [
                f"{money.in_words(charge.amount, product.pricing.currency)} {money.day_in_words(charge.day)}"
                for charge, _ in zip(charges.schedule(price, today), range(3), strict=False)
            ]
        except ValueError:
            continue
        lines.append(f"Price {number}   {', '.join(dates)}{' …' if len(dates) == 3 else ''}")
    return "\n".join(lines)
