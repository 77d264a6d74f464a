"""What can be fired at a price, and where it goes: both are known before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from models.account import Connection
from models.events import Event
from models.saved import SavedAccount
from tests.support import shop
from wizard.invocation import forwarding
from wizard.runs.destinations import DRILL, NOWHERE, destinations, in_words
from wizard.sale.possible_events import possible_events
from wizard.settings import Settings

ONCE = {"type": "one_time", "amount": "9.00"}
MONTHLY = {"type": "recurring", "amount": "29.00", "period": "monthly"}
PARTS = {"type": "installments", "amount": "29.00", "period": "monthly", "payments": 3}
ALWAYS = {Event.PURCHASE, Event.REFUND, Event.PARTIAL_REFUND, Event.CHARGEBACK}
AGAIN = {Event.RENEWAL, Event.PAYMENT_FAILED, Event.SUBSCRIPTION_CANCELED}
AT_THE_END = {Event.PERIOD_ENDED, Event.CANCELLATION_WITHDRAWN}


@pytest.mark.parametrize(
    ("price", "more"),
    [
        (ONCE, set()),
        (MONTHLY, AGAIN | AT_THE_END),
        (MONTHLY | {"cancellation": "instant"}, AGAIN),
        (MONTHLY | {"initial_payment": {"amount": "0", "days": 14}}, AGAIN | AT_THE_END | {Event.TRIAL_ENDED}),
        (PARTS, AGAIN | AT_THE_END | {Event.INSTALLMENTS_COMPLETED}),
    ],
)
def test_only_events_that_a_price_has_a_place_for_are_offered(price: dict[str, Any], more: set[Event]):
    assert {*possible_events(shop.sold("hosted", price=price))} == ALWAYS | more


def test_access_expires_only_where_days_are_set():
    sold = shop.sold("hosted", price=ONCE, post_sale={"policy": {"expires_after_days": 30}})

    assert Event.ACCESS_EXPIRED in possible_events(sold)


def places(option: str, connection: dict[str, Any] | None = None, **settings: Any) -> list[str]:
    sold = shop.sold(option)
    account = sold.account
    if connection is not None:
        changed = Connection.model_validate({"slug": "my-site", "name": "My site", **connection})
        owned = account.account.model_copy(update={"connections": (changed,)})
        account = SavedAccount(account=owned)
    return [each.place for each in destinations(sold.answers, account, Settings(**settings))]


WORDPRESS = {"kind": "wordpress", "url": "https://members.example.com/blog", "user": "shop", "role": "subscriber"}
DAP = {"kind": "dap", "login_url": "https://a.example.com/in", "notification_url": "https://dap.example.com/n"}


@pytest.mark.parametrize(
    ("option", "connection", "settings", "found"),
    [
        ("hosted", None, {}, []),
        ("integrated", None, {}, []),
        ("integrated", WORDPRESS, {}, ["WordPress at members.example.com"]),
        ("integrated", DAP, {}, ["Digital Access Pass at dap.example.com"]),
        ("file", WORDPRESS, {}, []),
        ("file", None, {"smtp_url": "smtp://shop:secret@mail.example.com:587"}, ["Mail server mail.example.com"]),
        ("file", None, {"backend": "webhook", "backends": {"webhook": {"url": "https://[half"}}}, ["Webhook"]),
        (
            "file", None, {"backend": "webhook", "backends": {"webhook": {"url": "https://hooks.example.com/w"}}},
            ["Webhook at hooks.example.com"],
        ),
    ],
)  # fmt: skip
def test_every_real_place_is_named_and_no_other(
    option: str, connection: dict[str, Any] | None, settings: dict[str, Any], found: list[str]
):
    assert places(option, connection, **settings) == found


def test_where_it_goes_is_one_line_a_place_and_says_what_is_done_there():
    sold = shop.sold("integrated")
    account = SavedAccount(
        account=sold.account.account.model_copy(
            update={"connections": (Connection.model_validate({"slug": "my-site", "name": "My site", **WORDPRESS}),)}
        )
    )
    found = destinations(sold.answers, account, Settings())

    assert in_words(found) == "WordPress at members.example.com: a test user is made there, and removed at the end."
    assert in_words(found, is_drill=True) == DRILL
    assert in_words(()) == NOWHERE


@pytest.mark.parametrize(
    ("connection", "line"),
    [
        ("", ""),
        ("198.51.100.7 50022 192.0.2.5 22", "ssh -L 8025:127.0.0.1:8025 ada@192.0.2.5"),
        ("198.51.100.7 50022 192.0.2.5 2222", "ssh -L 8025:127.0.0.1:8025 -p 2222 ada@192.0.2.5"),
        ("nonsense", ""),
    ],
)
def test_whoever_came_by_ssh_is_told_how_to_reach_the_buyers_side(connection: str, line: str):
    assert forwarding(8025, {"SSH_CONNECTION": connection, "USER": "ada"}) == line
