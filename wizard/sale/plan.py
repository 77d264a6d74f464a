"""What must happen to a buyer's access, mails and record when something happens in a sale's life (`docs/spec.md` 4).

Planning decides and does nothing: the same product, event, holdings and time always give the same actions.
"""

from __future__ import annotations

from datetime import datetime

from models.events import Event
from models.fulfillment import Action, KeepAccess
from wizard.sale.events import Case, answer
from wizard.sale.options import delivery
from wizard.sale.sold import Held, NotReady, Sale


def plan(sold: Sale, event: Event, held: Held, now: datetime) -> list[Action]:
    """Say what an event leads to, in the order in which it is to be done.

    Raises NotReady when the product cannot be planned: nothing chosen, something gone, or a mail that lacks a variable
    it needs, or holds one that nothing fills.
    """
    _check_price(sold)
    case = Case(sold, delivery(sold, now), held, now)
    return [_as_held(action, held, now) for action in answer(event, case)]


def _check_price(sold: Sale) -> None:
    prices = sold.answers.pricing.prices
    if not prices:
        raise NotReady("pricing.prices", "Add a price point: a sale needs one.")
    if not 1 <= sold.price <= len(prices):
        raise NotReady("pricing.prices", f"There is no price number {sold.price}; there are {len(prices)}.")


def _as_held(action: Action, held: Held, now: datetime) -> Action:
    """Access that is kept is used as the buyer, but not once the buyer holds nothing or it has run out: using it would
    have to fail."""
    if not isinstance(action, KeepAccess) or action.kept is None:
        return action
    if held.is_out:
        return action.model_copy(update={"kept": None, "reason": f"{action.reason}; the buyer holds nothing"})
    if held.has_run_out(now):
        return action.model_copy(update={"kept": None, "reason": f"{action.reason}; what was given has run out by now"})
    return action
