"""One declaration, many front ends: a question that is added in one place is found in every one of them."""

from __future__ import annotations

import io
from typing import Annotated, Any

import pytest

from models.ask import Ask, ModuleHeading
from models.choice import Choice
from models.general import General
from models.product import Product
from tests.support.shelf import NOON
from wizard import flow, progress
from wizard.documents import schema
from wizard.documents.answers import written
from wizard.editing.draft import Draft
from wizard.plain.asking import Asker
from wizard.plain.lines import Console


class Season(Choice):
    SUMMER = "summer", "Summer", "long days"
    WINTER = "winter", "Winter", "short ones"


class SeasonalGeneral(General):
    season: Annotated[
        Season | None,
        ModuleHeading("season", "Season", "When is it sold?"),
        Ask("Season", "When it is sold.", kind="choice", required=lambda general: general.name == "Ski"),
    ] = None


class SeasonalProduct(Product):
    general: Annotated[SeasonalGeneral, *Product.model_fields["general"].metadata] = SeasonalGeneral()


def added() -> tuple[flow.Module, flow.Question]:
    module = next(m for m in flow.steps(SeasonalProduct)[0].modules if m.id == "general.season")
    return module, module.questions[0]


def test_it_is_in_the_form() -> None:
    module, question = added()

    assert (module.label, module.help) == ("Season", "When is it sold?")
    assert (question.id, question.ask.label, question.optional) == ("general.season", "Season", True)
    assert [choice.label for choice in question.choices] == ["Summer", "Winter"]


def test_its_answer_is_checked_and_missed() -> None:
    module, _ = added()
    product = flow.with_value(SeasonalProduct(), "general.name", "Ski")

    assert [p.message for p in progress.missing(product.general, module.questions, "general")] == ["choose: Season"]
    with pytest.raises(ValueError, match="did you mean summer"):
        flow.with_value(product, "general.season", "sumer")


def test_it_is_a_key_of_documents_and_of_their_schema() -> None:
    product = flow.with_value(SeasonalProduct(), "general.season", "summer")

    assert written(product) == {"general": {"season": "summer"}}
    asked: dict[str, Any] = schema(SeasonalProduct)["$defs"]["SeasonalGeneral"]["properties"]["season"]
    assert asked["description"] == "When it is sold."


def test_plain_mode_asks_it() -> None:
    said, draft = io.StringIO(), Draft(SeasonalGeneral())
    lines = Console(io.StringIO("?\n2\n"), said)
    nothing: Any = None

    Asker(lines, draft, nothing, "Kartra", NOON.date()).ask_all(added()[0].questions, "")

    assert isinstance(draft.model, SeasonalGeneral)
    assert draft.model.season is Season.WINTER
    assert "1 Summer – long days" in said.getvalue()
    assert "When it is sold." in said.getvalue()


def test_every_question_of_the_wizard_has_a_label_and_a_place() -> None:
    for question in flow.all_questions():
        assert question.ask.label, question.id
        assert flow.module_of(question.id)
        assert flow.question_at(question.id) is flow.by_id()[question.id]


def test_the_steps_are_those_of_the_specification() -> None:
    assert [step.label for step in flow.steps()] == [
        "General",
        "Pricing",
        "Checkout",
        "Post sale",
        "Basic automations",
        "Affiliates",
        "Review & go live",
    ]


def test_an_answer_below_a_group_that_is_not_there_makes_the_group() -> None:
    product = flow.with_value(Product(), "pricing.prices", ({"amount": "9"},))

    product = flow.with_value(product, "pricing.prices.0.initial_payment.days", 30)

    assert product.pricing.prices[0].initial_payment is not None
    assert product.pricing.prices[0].initial_payment.days == 30


def test_a_question_is_asked_only_where_its_rules_and_those_around_it_say_so() -> None:
    product = flow.with_value(Product(), "pricing.prices", ({"amount": "9"},))

    assert not flow.is_asked(product, "pricing.prices.0.period")
    assert not flow.is_asked(product, "post_sale.access.hosted_membership.levels")
    assert flow.is_asked(flow.with_value(product, "pricing.prices.0.type", "recurring"), "pricing.prices.0.period")
