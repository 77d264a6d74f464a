"""A product: the answers of all its steps, and its two switches."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from models.affiliates import Affiliates, amounts_of
from models.ask import Answers, StepHeading, misfit
from models.automations import Automations
from models.checkout import Checkout
from models.choice import Choice
from models.general import General
from models.money import minor_units
from models.post_sale import PostSale
from models.pricing import Pricing


class Mode(Choice):
    """Whether orders are real [K]."""

    DEMO = "demo", "Demo", "test orders only: no payment is taken"
    LIVE = "live", "Live", "real payments are taken"


class Product(Answers):
    """Every answer about one product, step by step in the wizard's order (`docs/spec.md` 2)."""

    general: Annotated[General, StepHeading("General", "General")] = General()
    pricing: Annotated[Pricing, StepHeading("Pricing", "Pricing")] = Pricing()
    checkout: Annotated[Checkout, StepHeading("Checkout", "Checkout")] = Checkout()
    post_sale: Annotated[PostSale, StepHeading("Post sale", "Post sale")] = PostSale()
    automations: Annotated[Automations, StepHeading("Basic automations", "Automations")] = Automations()
    affiliates: Annotated[Affiliates, StepHeading("Affiliates", "Affiliates")] = Affiliates()

    @model_validator(mode="after")
    def _commissions_fit_the_currency(self) -> Self:
        # A commission is in the currency of the prices, so this is a rule of both steps together.
        for field, amount in amounts_of(self.affiliates):
            try:
                minor_units(amount, self.pricing.currency)
            except ValueError as error:
                raise misfit(f"affiliates.{field}", str(error)) from None
        return self
