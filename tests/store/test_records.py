"""The records: every answer finds its place in a row and comes back, and the database refuses what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from hypothesis import given
from pydantic import SecretStr
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from models import records
from models.access import Access, HostedMembership
from models.ask import Answers, Ask, ModuleHeading, StepHeading
from models.general import General
from models.post_sale import PostSale
from models.pricing import InitialPayment, PricePoint, Pricing
from models.product import Product
from tests.support.records import answers, hosted, saved_with
from tests.support.strategies import products
from wizard.settings import Settings
from wizard.store.history import MASK, masked
from wizard.store.image import answers_of, image_of, settled
from wizard.store.store import Store

QUESTION = Ask("New question", "One that nobody knew when the tables were made.")
PRICED = {"pricing": {"prices": [{"amount": "29.00"}]}}


def execute(engine: Engine, statement: str, **values: Any) -> Any:
    """Run one statement past the store and commit it."""
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None


# --- answers and rows ------------------------------------------------------------------------------------------------


@given(products())
def test_a_product_taken_apart_into_rows_and_put_together_is_the_same(product: Product) -> None:
    assert answers_of(image_of(product), Product, "any") == product


@given(products())
def test_answers_as_the_models_allow_them_need_no_settling(product: Product) -> None:
    assert settled(product) == product


class NewGeneral(General):
    """With a question more."""

    motto: Annotated[str, QUESTION] = ""


class NewInitialPayment(InitialPayment):
    """With a question more."""

    refundable: Annotated[bool, QUESTION] = False


class NewPricePoint(PricePoint):
    """With a question more, in the row and in a group inside it."""

    stock: Annotated[int | None, QUESTION] = None
    initial_payment: Annotated[NewInitialPayment | None, QUESTION] = None


class NewPricing(Pricing):
    """With other rows."""

    prices: Annotated[tuple[NewPricePoint, ...], QUESTION] = ()


class NewHosted(HostedMembership):
    """With a question more."""

    welcome: Annotated[str, QUESTION] = ""


class NewAccess(Access):
    """With a question more about the choice itself."""

    headline: Annotated[str, QUESTION] = ""
    hosted_membership: Annotated[NewHosted, QUESTION] = NewHosted()


class Survey(Answers):
    """A module, or a step, that nobody knew of."""

    questions: Annotated[tuple[str, ...], QUESTION] = ()
    api_key: Annotated[SecretStr | None, Ask("Key", "A secret.", kind="secret")] = None


class NewPostSale(PostSale):
    """With a module more."""

    access: NewAccess = NewAccess()
    survey: Annotated[Survey, ModuleHeading("survey", "Survey")] = Survey()


class NewProduct(Product):
    """With a question more at every level, and a step more."""

    general: Annotated[NewGeneral, StepHeading("General", "General")] = NewGeneral()
    pricing: Annotated[NewPricing, StepHeading("Pricing", "Pricing")] = NewPricing()
    post_sale: Annotated[NewPostSale, StepHeading("Post sale", "Post sale")] = NewPostSale()
    upsells: Annotated[Survey, StepHeading("Upsells", "Upsells")] = Survey()


def test_a_new_question_is_stored_without_a_change_to_the_tables_or_the_store(settings: Settings) -> None:
    new = NewProduct.model_validate(
        {
            "general": {"name": "Yoga", "motto": "Breathe"},
            "pricing": {"prices": [{"amount": "5", "stock": 3, "initial_payment": {"refundable": True}}]},
            "post_sale": {
                "access": {"headline": "Come in", "hosted_membership": {"welcome": "Hello"}},
                "survey": {"questions": ["How was it?"]},
            },
            "upsells": {"questions": ["Once more?"]},
        }
    )

    with Store.open(settings, form=NewProduct) as store:
        store.create("Yoga", "ada", new)

        assert store.load("yoga").answers == new


def test_a_product_from_before_a_new_question_has_its_default(settings: Settings) -> None:
    with Store.open(settings) as store:
        store.create("Yoga", "ada", answers("Yoga", **PRICED))

    with Store.open(settings, form=NewProduct) as store:
        later = store.load("yoga").answers

    assert isinstance(later, NewProduct)
    assert (later.general.motto, later.pricing.prices[0].stock, later.upsells) == ("", None, Survey())


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("upsells.api_key", "sk_live_1", MASK),
        ("upsells", {"questions": ["?"], "api_key": "sk_live_1"}, {"questions": ["?"], "api_key": MASK}),
        ("upsells.api_key", None, None),
        ("post_sale.survey.questions", ["a"], ["a"]),
        ("general.name", "Yoga", "Yoga"),
    ],
)
def test_history_keeps_no_secret(path: str, value: Any, kept: Any) -> None:
    assert masked(NewProduct, path, value) == kept


# --- money and time --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "written", "units"), [("USD", "29.00", 2900), ("USD", "29", 2900), ("JPY", "2900", 2900)]
)
def test_an_amount_is_stored_in_minor_units_and_read_as_it_was_written(
    store: Store, engine: Engine, currency: str, written: str, units: int
) -> None:
    store.create("Yoga", "ada", answers("Yoga", pricing={"currency": currency, "prices": [{"amount": written}]}))

    assert execute(engine, "SELECT amount_minor, currency FROM price_point") == [(units, currency)]
    assert store.load("yoga").answers.pricing.prices[0].amount == written


def test_an_amount_changed_in_the_database_is_not_hidden_by_how_it_was_written(store: Store, engine: Engine) -> None:
    store.create("Yoga", "ada", answers("Yoga", pricing={"prices": [{"amount": "29"}]}))
    execute(engine, "UPDATE price_point SET amount_minor = 3100")

    assert store.load("yoga").answers.pricing.prices[0].amount == "31.00"


def test_a_moment_is_read_in_utc_whatever_zone_it_was_written_in(furnished: Store) -> None:
    at = datetime(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    furnished.record_check("blog", True, "", at)

    read = furnished.account().checks["blog"].at

    assert (read, read.tzinfo) == (at, UTC)


def test_what_a_check_found_out_about_levels_is_kept_until_the_connection_changes(furnished: Store) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    furnished.record_check("blog", True, "", at)
    nothing_known = furnished.account().checks["blog"].levels
    furnished.record_check("blog", True, "", at, {"gold": "", "platinum": "It has no tier “platinum”."})
    known = furnished.account().checks["blog"].levels

    assert nothing_known is None
    assert known == {"gold": "", "platinum": "It has no tier “platinum”."}


def test_a_moment_without_a_zone_is_refused(furnished: Store) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        furnished.record_check("blog", True, "", datetime(2026, 11, 23))


# --- what the database refuses by itself -----------------------------------------------------------------------------


IMPOSSIBLE = [
    "UPDATE product SET revision = 0",
    "UPDATE product SET mode = 'lively'",
    "UPDATE product SET currency = 'DOLLAR'",
    "UPDATE product SET access_kind = 'telepathy'",
    "UPDATE product SET is_deleted = (1 = 1)",
    "UPDATE price_point SET amount_minor = -1",
    "UPDATE price_point SET amount_minor = 0",
    "UPDATE price_point SET type = 'twice'",
    "UPDATE price_point SET period = 'hourly'",
    "UPDATE price_point SET payments = 1",
    "UPDATE price_point SET initial_days = 731",
    "UPDATE price_point SET initial_days = NULL",
    "UPDATE price_point SET position = 0",
    "UPDATE access_option SET membership_id = (SELECT min(id) FROM membership) WHERE kind = 'no_access_page'",
    "UPDATE access_option SET kind = 'no_access_page'",
    "UPDATE access_option SET membership_id = 4711 WHERE kind = 'hosted_membership'",
    "UPDATE bump SET offered_id = product_id",
    "UPDATE level SET position = 11",
    "UPDATE library_file SET size = 0",
    "UPDATE library_file SET sha256 = 'abc'",
    "UPDATE connection SET kind = 'telegraph'",
    "UPDATE connection SET check_ok = (1 = 1)",
    "UPDATE product SET slug = 'same'",
    "UPDATE product SET name = 'Same'",
    "DELETE FROM membership",
    "DELETE FROM level",
    "DELETE FROM seller",
]
"""Statements that would leave what cannot be, each refused by a constraint, a key or an index."""


def test_the_database_itself_refuses_what_cannot_be(furnished: Store, engine: Engine) -> None:
    furnished.create("Mat", "ada")
    monthly = {"type": "recurring", "amount": "29.00", "period": "monthly", "initial_payment": {"days": 14}}
    steps = {"pricing": {"prices": [monthly]}, "checkout": {"bumps": ["mat"]}, "post_sale": hosted("gold")}
    furnished.create("Yoga", "ada", answers("Yoga", **steps))

    assert [statement for statement in IMPOSSIBLE if is_accepted(engine, statement)] == []


def is_accepted(engine: Engine, statement: str) -> bool:
    """Whether a statement can be carried out; it is taken back in any case."""
    with engine.connect() as connection:
        try:
            assert connection.execute(text(statement)).rowcount > 0, "it is about no row at all"
        except IntegrityError:
            return False
    return True


def test_history_cannot_be_rewritten(store: Store, engine: Engine) -> None:
    store.create("Yoga", "ada")

    with pytest.raises(DBAPIError, match="only ever added"):
        execute(engine, "UPDATE history_entry SET who = 'somebody else'")


def test_the_rows_of_a_purged_product_go_with_it(furnished: Store, engine: Engine) -> None:
    product = furnished.create("Yoga", "ada", answers("Yoga", **PRICED, post_sale=hosted("gold")))
    saved_with(furnished, product, general={"name": "Yoga 2"})
    furnished.delete("yoga", "ada")
    furnished.purge("yoga")

    for table in ("product", "price_point", "access_option", "access_level", "history_entry"):
        assert execute(engine, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_the_tables_of_others_are_not_among_the_records() -> None:
    assert "replies" not in records.Record.metadata.tables
    assert {"product", "run_step"} <= set(records.Record.metadata.tables)
