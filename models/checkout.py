"""The step Checkout: how buyers pay. The wizard stores and checks it; it takes no payment."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from models.ask import Answers, Ask, Choice, Module, always, misfit
from models.text import HttpsAddress, Line, Slug


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


class Checkout(Answers):
    """How buyers pay (`spec` 2.3)."""

    gateways: Annotated[
        tuple[Gateway, ...],
        Module("payment", "Payment methods", "Who takes the money?"),
        Ask("Gateways", "Shown in this order; accounts are connected elsewhere. Going live with a price needs one "
            "besides the test card.", kind="choices", required=always),
    ] = (Gateway.TEST_CARD,)  # fmt: skip
    express: Annotated[
        Express,
        Ask("Express checkout", "For returning buyers of a price with more than one payment. "
            "It leaves no room for custom fields.", kind="choice"),
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
        Module("custom_fields", "Custom fields", "What else do you ask at checkout?"),
        Ask(
            "Custom fields",
            "More questions on the checkout page.",
            kind="rows",
            row_name="custom field",
        ),
    ] = ()
    bumps: Annotated[
        Annotated[tuple[Slug, ...], Field(max_length=6)],
        Module("bumps", "Bump offers", "What do you offer on top?"),
        Ask("Bump offers", "Other products, offered with a tick box at checkout. Up to 6, of the same currency.",
            kind="references", subject="product"),
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
