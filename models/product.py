"""A product: the answers of all its steps, and its two switches."""

from __future__ import annotations

from typing import Annotated

from models.affiliates import Affiliates
from models.ask import Answers, Choice, Step
from models.automations import Automations
from models.checkout import Checkout
from models.general import General
from models.post_sale import PostSale
from models.pricing import Pricing


class Mode(Choice):
    """Whether orders are real [K]."""

    DEMO = "demo", "Demo", "test orders only: no payment is taken"
    LIVE = "live", "Live", "real payments are taken"


class Product(Answers):
    """Every answer about one product, step by step in the wizard's order (`spec` 2)."""

    general: Annotated[General, Step("General", "General")] = General()
    pricing: Annotated[Pricing, Step("Pricing", "Pricing")] = Pricing()
    checkout: Annotated[Checkout, Step("Checkout", "Checkout")] = Checkout()
    post_sale: Annotated[PostSale, Step("Post sale", "Post sale")] = PostSale()
    automations: Annotated[Automations, Step("Basic automations", "Automations")] = Automations()
    affiliates: Annotated[Affiliates, Step("Affiliates", "Affiliates")] = Affiliates()
