"""The step Affiliates: who else may sell the product, and for what share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from models.ask import Answers, Ask, ModuleHeading, always, misfit
from models.money import Amount
from models.text import HttpsAddress, Line, Name


def is_percent(text: str) -> str:
    """Refuse what is not a number from 0 to 100 with at most two decimals."""
    text = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text, re.ASCII) or Decimal(text) > 100:
        raise ValueError("a number from 0 to 100, for example 30 or 12.5")
    return text


Percent = Annotated[str, AfterValidator(is_percent)]


class Commission(Answers):
    """What an affiliate earns for a sale: a share of it, or a fixed amount."""

    percent: Annotated[
        Percent | None,
        Ask(
            "Percent",
            "The affiliate's share of each sale, 0 to 100. Leave it empty for a fixed amount.",
            unit="%",
        ),
    ] = None
    amount: Annotated[
        Amount | None,
        Ask("Fixed amount", "A fixed sum for each sale, in the product's currency.", kind="amount",
            when=lambda commission: commission.percent is None),
    ] = None  # fmt: skip

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if self.percent is not None and self.amount is not None:
            raise misfit(
                "amount",
                "a commission is a percentage or an amount, not both; empty one of them",
            )
        return self


class Tier(Answers):
    """A named group of affiliates with a commission of its own."""

    name: Annotated[
        Name | None,
        Ask("Name", "What you call this tier.", required=always, placeholder="Partners"),
    ] = None
    commission: Annotated[Commission, Ask("Commission", "What this tier earns.", kind="group")] = Commission()


class LandingPage(Answers):
    """A page that affiliates may send visitors to."""

    label: Annotated[Line, Ask("Label", "What affiliates see.", required=always)] = ""
    url: Annotated[
        HttpsAddress | None,
        Ask(
            "Address",
            "The page.",
            required=always,
            placeholder="https://example.com/yoga",
        ),
    ] = None


def is_on_sale(affiliates: Affiliates) -> bool:
    """Say whether the affiliate program is on."""
    return affiliates.on_sale


class Affiliates(Answers):
    """The affiliate program (`docs/spec.md` 2.6)."""

    on_sale: Annotated[
        bool,
        ModuleHeading("on_sale", "Affiliate program on sale", "Do others sell it for a share?"),
        Ask("Affiliates sell it", "Whether others may sell it for a commission.", kind="switch"),
    ] = False
    commission: Annotated[
        Commission,
        Ask(
            "Base commission",
            "What every affiliate earns.",
            kind="group",
            when=is_on_sale,
            required=is_on_sale,
        ),
    ] = Commission()
    tiers: Annotated[
        tuple[Tier, ...],
        Ask(
            "Tiers",
            "Groups of affiliates that earn something else.",
            kind="rows",
            row_name="tier",
            when=is_on_sale,
        ),
    ] = ()
    landing_pages: Annotated[
        tuple[LandingPage, ...],
        ModuleHeading("landing_pages", "Landing pages", "Where may affiliates send visitors?"),
        Ask("Landing pages", "Pages your affiliates may link to.", kind="rows", row_name="landing page",
            when=is_on_sale),
    ] = ()  # fmt: skip


def amounts_of(affiliates: Affiliates) -> Iterator[tuple[str, str]]:
    """The fixed amounts that commissions name, each with the path of its field; also while nobody sells it."""
    commissions = {"commission": affiliates.commission}
    commissions |= {f"tiers.{number}.commission": tier.commission for number, tier in enumerate(affiliates.tiers)}
    for path, commission in commissions.items():
        if commission.amount is not None:
            yield f"{path}.amount", commission.amount
