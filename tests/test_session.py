"""The only door to a product: an answer is accepted and stored, or refused and nothing changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.account import Membership
from models.product import Mode, Product
from tests.support.shelf import new_shelf
from wizard.problems import Misfits
from wizard.progress import State
from wizard.session import ChangedElsewhere, Session
from wizard.settings import Settings, load
from wizard.store import NameTaken, open_store

HOSTED = "post_sale.access.hosted_membership"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database in it, made once."""
    folder = tmp_path_factory.mktemp("empty")
    open_store(load(data_dir=folder)).close()
    return folder


@pytest.fixture(params=["in memory", "in the database"])
def shelf(request: pytest.FixtureRequest, empty: Path, data_dir: Path) -> Iterator[Any]:
    if request.param == "in memory":
        yield _with_yoga(new_shelf())
        return
    shutil.copytree(empty, data_dir)
    with open_store(load()) as store:
        yield _with_yoga(store)


def _with_yoga(shelf: Any) -> Any:
    shelf.put(Membership(name="Club", levels=("silver", "gold")))
    shelf.put(Membership(name="Circle", levels=("gold", "platinum")))
    shelf.create("Yoga", "seller")
    return shelf


@pytest.fixture
def session(shelf: Any) -> Session:
    return Session(shelf, "yoga")


def test_an_accepted_answer_is_stored_at_once(session: Session, shelf: Any) -> None:
    outcome = session.answer("general.description", "Forty lessons.")

    assert [(change.path, change.old, change.new) for change in outcome.changes] == [
        ("general.description", "", "Forty lessons.")
    ]
    assert shelf.load("yoga").answers.general.description == "Forty lessons."
    assert session.saved.revision == 2


def test_a_refused_answer_changes_nothing(session: Session, shelf: Any) -> None:
    before = shelf.load("yoga")

    with pytest.raises(Misfits, match="at most 120 characters"):
        session.answer("general.name", "x" * 121)

    assert shelf.load("yoga") == before
    assert session.answers == before.answers
    assert not session.can_undo


def test_checking_an_answer_touches_nothing(session: Session, shelf: Any) -> None:
    [problem] = session.check("general.support_email", "nobody")

    assert problem.path == "general.support_email"
    assert session.check("general.support_email", "help@example.com") == []
    assert shelf.load("yoga").revision == 1


def test_the_same_answer_again_is_no_change(session: Session, shelf: Any) -> None:
    assert session.answer("general.name", "Yoga").changes == ()
    assert shelf.load("yoga").revision == 1


def test_an_answer_says_which_modules_changed_their_state(session: Session) -> None:
    outcome = session.answer("post_sale.access.kind", "hosted_membership")
    assert outcome.states == {"post_sale.access": State.INCOMPLETE}

    session.answer(f"{HOSTED}.membership", "club")
    outcome = session.answer(f"{HOSTED}.levels", ("gold",))
    assert outcome.states == {"post_sale.access": State.COMPLETE}


def test_what_the_wizard_does_on_its_own_is_said(session: Session) -> None:
    outcome = session.answer("checkout.gateways", ("paypal", "test_card"))

    assert session.answers.checkout.gateways == ("paypal",)
    assert outcome.notes == ("The test card was taken off: PayPal comes first.",)


def test_a_mail_with_a_variable_that_nobody_fills_is_stored_and_told(session: Session) -> None:
    at = "post_sale.notifications.order_confirmation"

    of_subject = session.answer(f"{at}.subject", "For {first_name}")
    of_body = session.answer(f"{at}.body", "Dear {{buyer_name}}")

    assert of_subject.notes == ("! buyers would read {first_name} as it stands; write {buyer_name}.",)
    assert of_body.notes == ("! buyers would read {{buyer_name}} as it stands; write {buyer_name}.",)
    assert session.answer(f"{at}.body", "Dear {buyer_name}").notes == ()


def test_a_variable_where_nothing_is_filled_in_is_stored_and_told(session: Session) -> None:
    thanks = session.answer("post_sale.thank_you.message", "Dear {buyer_name}")
    session.answer("post_sale.access.kind", "no_access_page")
    told = session.answer("post_sale.access.no_access_page.instructions", "Wait, {{name}}")

    unfilled = "as it stands, since nothing is filled in there; take it out."
    assert thanks.notes == (f"! buyers would read {{buyer_name}} {unfilled}",)
    assert told.notes == (f"! buyers would read {{{{name}}}} {unfilled}",)


def test_undo_and_redo_go_step_by_step_and_are_stored(session: Session, shelf: Any) -> None:
    session.answer("general.description", "one")
    session.answer("general.description", "two")

    session.undo()
    assert shelf.load("yoga").answers.general.description == "one"
    session.undo()
    assert shelf.load("yoga").answers.general.description == ""
    assert session.undo() is None
    session.redo()
    session.redo()
    assert shelf.load("yoga").answers.general.description == "two"
    assert session.redo() is None


def test_a_name_that_another_product_took_meanwhile_does_not_stand_in_the_way_of_what_came_before(
    tmp_path: Path,
) -> None:
    with open_store(Settings(data_dir=tmp_path / "data")) as store:
        session = Session(store, store.create("Yoga", "ada").slug)
        session.answer("general.description", "one")
        session.answer("general.name", "Yoga II")
        store.create("Yoga", "ben")

        with pytest.raises(NameTaken):
            session.undo()
        session.undo()

        assert session.answers.general.description == ""


def test_a_new_answer_forgets_what_was_taken_back(session: Session) -> None:
    session.answer("general.description", "one")
    session.undo()

    session.answer("general.description", "two")

    assert not session.can_redo


def test_undo_takes_back_a_list_of_rows_as_a_whole(session: Session) -> None:
    session.answer("pricing.prices", ({"type": "recurring", "amount": "9", "period": "monthly"},))
    session.answer("pricing.prices.0.initial_payment.days", 30)

    session.undo()
    assert session.answers.pricing.prices[0].initial_payment is None
    session.undo()
    assert session.answers.pricing.prices == ()


def test_switching_the_option_keeps_the_other_options_answers(session: Session) -> None:
    session.answer("post_sale.access.kind", "hosted_membership")
    session.answer(f"{HOSTED}.membership", "club")
    session.answer("post_sale.access.kind", "downloadable_file")

    session.answer("post_sale.access.kind", "hosted_membership")

    assert session.answers.post_sale.access.hosted_membership.membership == "club"


def test_levels_that_the_new_membership_lacks_are_kept_shown_and_come_back(session: Session) -> None:
    session.answer("post_sale.access.kind", "hosted_membership")
    session.answer(f"{HOSTED}.membership", "club")
    session.answer(f"{HOSTED}.levels", ("silver", "gold"))

    session.answer(f"{HOSTED}.membership", "circle")

    assert session.answers.post_sale.access.hosted_membership.levels == ("club/silver", "gold")
    assert session.states["post_sale.access"] == State.NEEDS_REVIEW
    session.answer(f"{HOSTED}.membership", "club")
    assert session.answers.post_sale.access.hosted_membership.levels == ("silver", "gold")
    assert "post_sale.access" not in {m for m, state in session.states.items() if state is State.NEEDS_REVIEW}


def test_two_sellers_who_change_the_same_answer_both_keep_theirs_until_one_decides(shelf: Any) -> None:
    mine, theirs = Session(shelf, "yoga", "Ada"), Session(shelf, "yoga", "Ben")
    theirs.answer("general.description", "theirs")

    with pytest.raises(ChangedElsewhere) as changed:
        mine.answer("general.description", "mine")

    [difference] = changed.value.differences
    assert (difference.mine, difference.theirs, difference.who) == ("mine", "theirs", "Ben")
    assert shelf.load("yoga").answers.general.description == "theirs"
    mine.take(changed.value.stored, changed.value.mine, {"general.description"})
    assert shelf.load("yoga").answers.general.description == "mine"


def test_taking_theirs_goes_on_from_what_is_stored(shelf: Any) -> None:
    mine, theirs = Session(shelf, "yoga", "Ada"), Session(shelf, "yoga", "Ben")
    theirs.answer("general.description", "theirs")
    with pytest.raises(ChangedElsewhere) as changed:
        mine.answer("general.support_email", "help@example.com")

    mine.take(changed.value.stored, changed.value.mine, {"general.support_email"})

    assert mine.answers.general.description == "theirs"
    assert mine.answers.general.support_email == "help@example.com"


def test_a_whole_set_of_answers_is_one_change_and_one_undo(session: Session, shelf: Any) -> None:
    wanted: Product = session.answers.model_copy(
        update={"general": session.answers.general.model_copy(update={"name": "Pilates", "description": "New."})}
    )

    outcome = session.replace(wanted)

    assert [change.path for change in outcome.changes] == ["general.name", "general.description"]
    session.undo()
    assert shelf.load("yoga").answers.general.name == "Yoga"
    assert shelf.load("yoga").answers.general.description == ""


def test_the_switches_are_turned_one_by_one(session: Session, shelf: Any) -> None:
    session.switch(published=True)
    session.switch(mode=Mode.LIVE)

    assert (shelf.load("yoga").published, shelf.load("yoga").mode) == (True, Mode.LIVE)
    session.answer("general.description", "still the same session")
    assert session.saved.revision == 4


def test_the_seller_comes_back_to_where_they_were(session: Session, shelf: Any) -> None:
    session.remember("pricing.prices")

    assert shelf.load("yoga").place == "pricing.prices"


def test_a_bump_in_another_currency_needs_review(session: Session, shelf: Any) -> None:
    other = Session(shelf, shelf.create("Mat", "seller").slug)
    session.answer("checkout.bumps", ("mat",))
    other.answer("pricing.currency", "EUR")

    session.look_again()

    assert session.states["checkout.bumps"] is State.NEEDS_REVIEW
