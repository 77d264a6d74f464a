"""Lives of a sale: what each scenario goes through and when, and what the buyer holds after any events at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import Event
from models.fulfillment import (
    Action,
    CancelRegistration,
    CleanUp,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
    TryLink,
)
from tests.support.scenarios import INSTANT, ONCE, SCENARIOS
from tests.support.shop import NOW, sold
from wizard.sale.lives import LIVES, PROOF, Life, NotThisLife, life_named, why_not
from wizard.sale.script import Writer
from wizard.sale.sold import NotReady, Sale

GIVES = (GrantAccess, IssueDownloadLink, RegisterAttendee)
TAKES = (RevokeAccess, RevokeDownloadLink, CancelRegistration)


def standing(actions: list[Action]) -> str:
    """What the access step of a moment leaves the buyer with: `in`, `out`, or `-` where nothing is tried."""
    said = "-"
    for action in actions:
        if isinstance(action, GIVES) or (isinstance(action, KeepAccess) and action.kept is not None):
            said = "in"
        elif isinstance(action, TAKES):
            said = "out"
    return said


def lived(life: Life, what: Sale) -> list[str]:
    """The moments of a life, one a line: the day it falls on, what it is called, what the buyer is left with."""
    script = life.script(what, NOW)
    lines = []
    for number, moment in enumerate(script.moments, start=1):
        actions = [step.action for step in script.steps if step.moment == number]
        lines.append(f"{(moment.at - NOW).days} {moment.event or 'nothing'} {standing(actions)}")
    return lines


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_goes_through_its_moments(name: str):
    price, post_sale, moments = SCENARIOS[name]

    assert lived(LIVES[name], sold("hosted", price=price, post_sale=post_sale)) == moments


def test_every_scenario_stands_in_the_table():
    assert set(SCENARIOS) == set(LIVES)


def test_a_cancellation_on_the_spot_that_comes_before_its_purchase_lets_nobody_in():
    assert lived(LIVES["out_of_order"], sold("hosted", price=INSTANT)) == [
        "0 subscription_canceled out",
        "0 purchase out",
    ]


@pytest.mark.parametrize(
    ("name", "price", "field", "says"),
    [
        ("trial_fails", None, "pricing.prices.0.initial_payment", "This price has no trial."),
        ("instant_cancel", None, "pricing.prices.0.cancellation", "lets access last until the paid period is over"),
        ("renewals_then_cancel", ONCE, "pricing.prices.0.type", "This price is paid once"),
        ("installments_completed", None, "pricing.prices.0.type", "no fixed number of payments"),
        ("one_time_purchase", None, "pricing.prices.0.type", "paid more than once"),
        ("expiry", None, "post_sale.policy.expires_after_days", "Nothing expires"),
    ],
)
def test_a_life_that_the_product_cannot_live_says_why(name: str, price: dict[str, Any] | None, field: str, says: str):
    what = sold("hosted", price=price)

    with pytest.raises(NotThisLife, match=says) as refused:
        LIVES[name].script(what, NOW)

    assert refused.value.field == field
    assert says in why_not(LIVES[name], what, NOW)


def test_a_life_by_a_name_that_is_none_is_refused():
    assert life_named("prove") is PROOF
    with pytest.raises(KeyError):
        life_named("nope")


# --- the proof ------------------------------------------------------------------------------------------------------


def test_the_proof_grants_twice_takes_away_twice_and_cleans_up():
    script = PROOF.script(sold("hosted"), NOW)

    titles = [moment.title for moment in script.moments]
    assert titles == [
        "Purchase",
        "The same purchase arrives again",
        "Access is taken away",
        "Taken away once more",
        "Clean up",
    ]
    first = [step for step in script.steps if step.moment == 1]
    second = [step for step in script.steps if step.moment == 2]
    assert [step.action for step in second] == [step.action for step in first]
    assert [step.repeats for step in second] == [step.position for step in first]
    assert isinstance(script.steps[-1].action, CleanUp)


def test_the_proof_of_a_file_tries_the_link_in_every_way_in_which_it_must_be_refused():
    script = PROOF.script(sold("file"), NOW)

    tried = [step for step in script.steps if isinstance(step.action, TryLink)]
    ways = [(step.action.how, step.action.downloads) for step in tried if isinstance(step.action, TryLink)]
    assert ways == [("tampered", 0), ("used_up", 3), ("expired", 0)]
    expired = script.moments[tried[-1].moment - 1]
    assert expired.at == NOW + timedelta(days=1, minutes=2)


def test_the_proof_of_goods_that_are_shipped_takes_nothing_away():
    script = PROOF.script(sold("physical"), NOW)

    assert [moment.title for moment in script.moments] == ["Purchase", "The same purchase arrives again", "Clean up"]


# --- any events at all ----------------------------------------------------------------------------------------------

ENDS = {Event.CHARGEBACK, Event.ACCESS_EXPIRED, Event.REFUND}


class Model:
    """What a buyer of a hosted membership should hold, told in the plainest way: monthly, until the period's end,
    a refund takes away, a partial one does not, nine days of grace."""

    def __init__(self) -> None:
        self.holds = False
        self.is_waiting = False
        self.failed = 0
        self.failing_since: int | None = None

    def happens(self, event: Event, day: int) -> None:
        """Take in an event."""
        if event is Event.PURCHASE:
            self.holds = True
        elif event is Event.RENEWAL:
            self.failed, self.failing_since = 0, None
        elif event is Event.PAYMENT_FAILED:
            self.failing_since = day if self.failing_since is None else self.failing_since
            self.failed += 1
            self.holds = self.holds and day - self.failing_since < 9
        elif event is Event.SUBSCRIPTION_CANCELED:
            self.is_waiting = True
        elif event is Event.CANCELLATION_WITHDRAWN:
            self.is_waiting = False
        elif event is Event.PERIOD_ENDED:
            self.holds, self.is_waiting = self.holds and not self.is_waiting, False
        elif event in ENDS:
            self.holds = False


events = st.lists(st.tuples(st.sampled_from(Event), st.integers(0, 12)), min_size=1, max_size=12)


@given(events)
def test_whatever_happens_in_whatever_order_the_buyer_holds_what_a_plain_model_says(life: list[tuple[Event, int]]):
    writer, model, day = Writer(sold("hosted"), NOW), Model(), 0
    for event, days in life:
        day += days
        writer.later(timedelta(days=days))
        number = writer.happens(event)
        model.happens(event, day)
        assert writer.held.is_out is not model.holds, (event, day)
        actions = [step.action for step in writer.script.steps if step.moment == number]
        # What is tried as the buyer is what the model says; where nothing is held, nothing is kept.
        assert standing(actions) in (("in",) if model.holds else ("out", "-"))


@given(events, st.sampled_from(["hosted", "integrated", "file", "calendar", "webinar", "physical"]))
def test_every_sequence_can_be_planned_for_every_option_and_always_in_the_same_way(
    life: list[tuple[Event, int]], option: str
):
    def written() -> Any:
        writer = Writer(sold(option), NOW)
        for event, days in life:
            writer.later(timedelta(days=days))
            writer.happens(event)
        return writer.script

    assert written() == written()
    assert [step.position for step in written().steps] == list(range(1, len(written().steps) + 1))


def test_a_product_that_cannot_be_sold_has_no_life():
    with pytest.raises(NotReady):
        LIVES["refunds"].script(sold("", access={"kind": None}), NOW)


@pytest.mark.parametrize("price", [{"type": "recurring"}, {"type": "installments", "amount": "10"}])
@pytest.mark.parametrize("name", LIVES)
def test_a_price_that_is_not_complete_is_a_reason_and_no_crash(name: str, price: dict[str, Any]):
    assert why_not(LIVES[name], sold("hosted", price=price), NOW)
