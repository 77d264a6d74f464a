"""Which events a price has a place for: a renewal of what is paid once is nothing to try."""

from __future__ import annotations

from typing import assert_never

from models.events import Event
from models.pricing import Cancellation, is_in_installments, is_repeated
from wizard.sale.options import chosen
from wizard.sale.sold import Sale


def possible_events(sold: Sale) -> tuple[Event, ...]:
    """The events that can happen to a sale at this price, in their order."""
    return tuple(event for event in Event if is_possible(event, sold))


def is_possible(event: Event, sold: Sale) -> bool:
    """Whether the price, or what ends access, has a place for an event. A price that is not there has one for all."""
    prices = sold.answers.pricing.prices
    if not 1 <= sold.price <= len(prices):
        return True
    price = prices[sold.price - 1]
    match event:
        case Event.RENEWAL | Event.PAYMENT_FAILED | Event.SUBSCRIPTION_CANCELED:
            return is_repeated(price)
        case Event.PERIOD_ENDED | Event.CANCELLATION_WITHDRAWN:
            return is_repeated(price) and price.cancellation is Cancellation.PERIOD_END
        case Event.TRIAL_ENDED:
            return price.initial_payment is not None
        case Event.INSTALLMENTS_COMPLETED:
            return is_in_installments(price)
        case Event.ACCESS_EXPIRED:
            return _ends_by_itself(sold)
        case Event.PURCHASE | Event.REFUND | Event.PARTIAL_REFUND | Event.CHARGEBACK:
            return True
        case _:
            assert_never(event)


def _ends_by_itself(sold: Sale) -> bool:
    option = chosen(sold.answers)
    return option.ends_by_itself(sold.answers) if option else sold.policy.expires_after_days is not None
