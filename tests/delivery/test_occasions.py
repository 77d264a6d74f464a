"""What a request says of the sale that it is about: it tells a trial from a renewal, and is the same on every try."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from models.events import Event, Status
from models.fulfillment import Run, RunStep
from tests.support import endpoint
from tests.support.connected import at_work, connection, context_of, grant
from tests.support.endpoint import QUICK, Wrong, fired, place
from tests.support.shop import sold
from wizard.delivery.backend import Occasion
from wizard.runs.fire import Workplace, fire, resume
from wizard.sale.lives import LIVES, PROOF, Life, script_of
from wizard.sale.sold import Sale

shop = endpoint.shop

TRIAL = {
    "type": "recurring", "amount": "29.00", "period": "monthly", "initial_payment": {"amount": "1.00", "days": 14},
}  # fmt: skip
PARTS = {"type": "installments", "amount": "10.00", "period": "monthly", "payments": 3}

FIRST = (1, "1.00", True, True)
CHARGES: dict[str, tuple[dict[str, Any], Event | Life, list[tuple[int, str, bool, bool] | None]]] = {
    "a trial that converts": (
        TRIAL, LIVES["trial_converts"], [FIRST, (2, "29.00", False, True), (3, "29.00", False, True)],
    ),
    "a trial that fails": (TRIAL, LIVES["trial_fails"], [FIRST, *[(2, "29.00", False, False)] * 4]),
    "a refund of a trial": (TRIAL, Event.REFUND, [FIRST, FIRST]),
    "a partial refund": (TRIAL, Event.PARTIAL_REFUND, [FIRST, None]),
    "a renewal": (TRIAL, Event.RENEWAL, [FIRST, (2, "29.00", False, True)]),
    "a cancellation": (TRIAL, Event.SUBSCRIPTION_CANCELED, [FIRST, None]),
    "installments": (
        PARTS, LIVES["installments_completed"],
        [(1, "10.00", False, True), (2, "10.00", False, True), (3, "10.00", False, True), None],
    ),
    "bought twice": (TRIAL, LIVES["same_buyer_again"], [FIRST, FIRST]),
}  # fmt: skip


@pytest.mark.parametrize("case", CHARGES)
def test_each_moment_knows_the_payment_that_it_is_about(case: str):
    price, what, expected = CHARGES[case]
    start = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    found = [moment.charge for moment in script_of(sold("hosted", price=price), what, start).moments]

    assert [(c.number, c.amount, c.is_trial, c.is_paid) if c else None for c in found[: len(expected)]] == expected
    assert {charge.currency for charge in found if charge} == {"USD"}


async def test_a_request_says_what_happened_and_what_it_cost(shop: Wrong, tmp_path: Path):
    run = await fired(shop, tmp_path, sold("integrated", price=TRIAL), LIVES["trial_converts"])

    assert run.verdict == "passed", run.reason
    [granted] = [told for told in shop.told if told["type"] == "grant_access"]
    assert granted["data"]["occasion"] == {
        "event": "purchase", "title": "Purchase", "moment": 1, "moments": 4, "price": 1, "payment": 1,
        "amount": "1.00", "currency": "USD", "is_trial": True, "is_paid": True,
    }  # fmt: skip
    kept = [told["data"] for told in shop.told if told["type"] == "keep_access"]
    assert [data["occasion"]["event"] for data in kept] == ["trial_ended", "renewal"]
    assert [data["occasion"]["amount"] for data in kept] == ["29.00", "29.00"]
    assert [data["at"] for data in kept] == [moment.at.isoformat() for moment in run.moments[1:3]]
    last = shop.told[-1]
    assert (last["type"], last["data"]["occasion"]["event"]) == ("clean_up", None)


async def test_a_connection_is_told_the_occasion_as_well(shop: Wrong, tmp_path: Path):
    mine = connection("webhook", f"{shop.url}/wizard")
    moment = script_of(sold("hosted", price=TRIAL), Event.PURCHASE, datetime.now().astimezone()).moments[0]
    async with at_work(mine, tmp_path) as platform:
        await platform.perform(grant(mine), context_of("told", occasion=Occasion(moment, 1, 1, 2)))

    told = shop.told[0]["data"]["occasion"]
    assert (told["event"], told["price"], told["amount"], told["is_trial"]) == ("purchase", 2, "1.00", True)


async def stopped_and_gone_on_with(product: Sale, what: Event | Life, number: int, at: Workplace) -> Run:
    """A run that was stopped while this step was under way."""

    def stop(step: RunStep) -> None:
        if step.position == number and step.status is Status.RUNNING:
            running.cancel()

    running = asyncio.ensure_future(
        fire(product, what, at=at, backend="webhook", patience=QUICK, on_step=stop, run_id=f"stopped{number}")
    )
    with pytest.raises(asyncio.CancelledError):
        await running
    return await resume(f"stopped{number}", product.account, at=at, patience=QUICK)


@pytest.mark.parametrize("option", ["hosted", "file"])
@pytest.mark.parametrize("what", [Event.PURCHASE, Event.REFUND, PROOF], ids=["purchase", "refund", "proof"])
async def test_the_same_id_is_the_same_bytes_also_after_a_stop_at_each_step(
    what: Event | Life, option: str, shop: Wrong, tmp_path: Path
):
    product = sold(option, price=TRIAL)
    steps = len(script_of(product, what, datetime.now().astimezone()).steps)
    for number in range(1, steps + 1):
        run = await stopped_and_gone_on_with(product, what, number, place(shop, tmp_path))
        # Who cannot get in any more, and was not seen to get in since the stop, proves nothing.
        assert run.verdict in ("passed", "action_required"), run.reason
    # The fixture asks that no id came with two bodies.
    assert len(shop.told) > len(shop.bodies) > steps


async def test_a_retried_message_is_the_same_bytes(shop: Wrong, tmp_path: Path):
    answers = iter([Response(status_code=503), None])
    shop.instead["grant_access"] = lambda _: next(answers, None)

    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict == "passed", run.reason
    [first, second, *_] = shop.told
    assert first == second
    assert json.loads(next(iter(shop.bodies[first["id"]])))["timestamp"] == run.started_at.isoformat()
