"""The step General: what the product is called and what it is."""

from __future__ import annotations

from typing import Annotated

from models.ask import Answers, Ask, ModuleHeading, always
from models.choice import Choice
from models.text import Email, Name, Text


class ProductKind(Choice):
    """What is sold. It suggests an access option and never picks one."""

    DIGITAL = "digital", "Digital product", "a file, a guide, a recording"
    MEMBERSHIP = "membership", "Membership or course", "content behind a login"
    PHYSICAL = "physical", "Physical goods", "something you ship"
    SERVICE = "service", "Service or coaching", "your time"
    EVENT = "event", "Event or webinar", "a date with a ticket"


class General(Answers):
    """What the product is called and what it is (`docs/spec.md` 2.1)."""

    name: Annotated[
        Name | None,
        ModuleHeading("product", "Your product", "What do you sell?"),
        Ask(
            "Product name",
            "What you call it. Only you see this name, and no two products share it.",
            required=always,
            essential="a product needs a name",
        ),
    ] = None
    official_name: Annotated[
        Name | None,
        Ask(
            "Official name",
            "The name buyers see on pages, mails and receipts. Left empty, it is the product name.",
        ),
    ] = None
    kind: Annotated[
        ProductKind,
        Ask(
            "Kind",
            "What sort of thing it is. It only suggests how buyers receive it.",
            kind="choice",
        ),
    ] = ProductKind.DIGITAL
    support_email: Annotated[
        Email | None,
        Ask(
            "Support e-mail",
            "Where buyers write when something goes wrong.",
            placeholder="help@example.com",
        ),
    ] = None
    description: Annotated[
        Text,
        Ask(
            "Description",
            "What the buyer gets, in your words. Up to 5,000 characters.",
            kind="text",
        ),
    ] = ""

    @property
    def buyers_name(self) -> str:
        """The name that buyers see."""
        return self.official_name or self.name or ""
