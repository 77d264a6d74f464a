"""The step Checkout: how buyers pay. The wizard stores and checks it; it takes no payment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from models.ask import Answers, Ask, ModuleHeading, always, misfit
from models.choice import Choice
from models.pricing import is_repeated
from models.text import HttpsAddress, Line, Slug

if TYPE_CHECKING:
    from models.references import References


class Gateway(Choice):
    """Who takes the payment [K]."""

    STRIPE = "stripe", "Stripe"
    PAYPAL = "paypal", "PayPal"
    AUTHORIZE_NET = "authorize_net", "Authorize.net"
    BRAINTREE = "braintree", "Braintree"
    SQUARE = "square", "Square"
    TEST_CARD = "test_card", "Test card", "only a test"


class Express(Choice):
    """Whether a returning buyer may skip the checkout form [K]."""

    OFF = "off", "Off"
    ONE_CLICK = "one_click", "One click", "returning buyers pay at once"
    PREFILLED = "prefilled", "Prefilled", "their form is filled in"


class FieldKind(Choice):
    """How a custom field looks on the checkout page [K]."""

    INPUT_FIELD = "input_field", "Input field"
    TEXT_AREA = "text_area", "Text area"
    DROP_DOWN = "drop_down", "Drop-down"
    RADIO_BUTTON = "radio_button", "Radio button"
    CHECKBOX = "checkbox", "Checkbox"


class CustomField(Answers):
    """One more question on the checkout page."""

    id: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}$")] | None,
        Ask(
            "Id",
            "Its name in exports: letters, digits, _ and -.",
            required=always,
            placeholder="tshirt_size",
        ),
    ] = None
    label: Annotated[Line, Ask("Label", "The question buyers read.", required=always)] = ""
    kind: Annotated[FieldKind, Ask("Kind", "How buyers answer it.", kind="choice")] = FieldKind.INPUT_FIELD
    required: Annotated[bool, Ask("Required", "Whether buyers must answer it.", kind="switch")] = False


def _test_card_taken_off(asked: Any, stored: Any) -> str:
    is_list = isinstance(asked, list | tuple)
    return "The test card was taken off: PayPal comes first." if is_list and list(asked) != list(stored) else ""


def _express_needs_room(product: Any, _references: References) -> Iterator[tuple[str, str]]:
    if product.checkout.express is Express.OFF:
        return
    if product.checkout.custom_fields:
        yield "", "it leaves no room for your custom fields: turn it off, or remove them"
    if product.pricing.prices and not any(map(is_repeated, product.pricing.prices)):
        yield "", "express checkout needs a price with more than one payment"


def _bumps_of_one_currency(product: Any, references: References) -> Iterator[tuple[str, str]]:
    for number, slug in enumerate(product.checkout.bumps):
        other = references.products.get(slug)
        if slug == references.slug:
            yield str(number), "a product cannot be offered on top of itself"
        elif other and other.currency != product.pricing.currency:
            yield str(number), f"{other.name} is sold in {other.currency}"


class Checkout(Answers):
    """How buyers pay (`docs/spec.md` 2.3)."""

    gateways: Annotated[
        tuple[Gateway, ...],
        ModuleHeading("payment", "Payment methods", "Who takes the money?"),
        Ask("Gateways", "Shown in this order; accounts are connected elsewhere. Going live with a price needs one "
            "besides the test card.", kind="choices", required=always, note=_test_card_taken_off),
    ] = (Gateway.TEST_CARD,)  # fmt: skip
    express: Annotated[
        Express,
        Ask("Express checkout", "For returning buyers of a price with more than one payment. "
            "It leaves no room for custom fields.", kind="choice", conflicts=_express_needs_room),
    ] = Express.OFF  # fmt: skip
    terms_url: Annotated[
        HttpsAddress | None,
        Ask(
            "Terms",
            "The page with your terms, linked from the checkout.",
            placeholder="https://example.com/terms",
        ),
    ] = None
    custom_fields: Annotated[
        tuple[CustomField, ...],
        ModuleHeading("custom_fields", "Custom fields", "What else do you ask at checkout?"),
        Ask(
            "Custom fields",
            "More questions on the checkout page.",
            kind="rows",
            row_name="custom field",
        ),
    ] = ()
    bumps: Annotated[
        Annotated[tuple[Slug, ...], Field(max_length=6)],
        ModuleHeading("bumps", "Bump offers", "What do you offer on top?"),
        Ask("Bump offers", "Other products, offered with a tick box at checkout. Up to 6, of the same currency.",
            kind="references", subject="product", row_name="bump offer", conflicts=_bumps_of_one_currency),
    ] = ()  # fmt: skip

    @field_validator("gateways")
    @classmethod
    def _take_off_test_card(cls, gateways: tuple[Gateway, ...]) -> tuple[Gateway, ...]:
        # As in Kartra: the test card goes when PayPal is the first or only gateway.
        if gateways and gateways[0] is Gateway.PAYPAL:
            return tuple(gateway for gateway in gateways if gateway is not Gateway.TEST_CARD)
        return gateways

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        for field, values in (
            ("gateways", self.gateways),
            ("bumps", self.bumps),
            ("custom_fields", [f.id for f in self.custom_fields if f.id]),
        ):
            seen: set[str] = set()
            for value in values:
                if value in seen:
                    raise misfit(field, f"{value} is there twice")
                seen.add(value)
        return self
