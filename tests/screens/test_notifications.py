"""The dialogue of a mail: the seller reads it as this buyer would, to its end, and what it lacks is named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from models.post_sale import Notifications
from tests.support.seller import Seller, seller_at
from wizard.settings import Settings
from wizard.store import open_store

LAST_WORDS = {
    "order_confirmation": "thank you for your order of Yoga.",
    "membership_welcome": "Password: sunny-otter-42-lake",
    "membership_password_resend": "Password: sunny-otter-42-lake",
    "download_link_to_buyer": "The link works until 24 Nov 2026.",
    "payment_failed": "could not take your payment for Yoga. We will try again",
    "cancellation_pending": "your subscription ends with the period you have paid for. Until",
    "cancellation_confirmed": "your subscription to Yoga has ended. You will not be charged",
    "refund_full": "your payment for Yoga has been refunded.",
    "refund_partial": "a part of your payment for Yoga has been refunded.",
}
"""What the buyer reads last, as far as it stands on one line."""


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[Seller]:
    """A seller with the dialogue of a mail open, in the smallest terminal."""
    with open_store(Settings()) as store:
        store.create("Yoga", "seller")
    async with seller_at() as seller:
        await seller.sees("1 product")
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.settled()
        await seller.goes_to("notifications")
        await seller.press(*["down"] * list(Notifications.model_fields).index(name), "enter")
        await seller.sees("Ada Example reads: ")
        yield seller


@pytest.mark.parametrize("name", Notifications.model_fields)
async def test_every_mail_is_read_to_its_end_as_this_buyer_would(name: str) -> None:
    async with opened(name) as seller:
        await seller.press("tab", "tab", "tab", *["down"] * 8)

        await seller.sees(LAST_WORDS[name])


async def test_a_variable_that_nobody_fills_is_told_while_it_is_written_and_in_the_list() -> None:
    async with opened("order_confirmation") as seller:
        await seller.press("tab", "tab", *"{name} ")

        await seller.sees("! buyers would read {name} as it stands; write {buyer_name}")
        await seller.press("ctrl+o")
        await seller.sees("! nothing fills {name}")


async def test_what_the_mail_lacks_is_named_while_it_is_written() -> None:
    async with opened("membership_welcome") as seller:
        assert "it lacks" not in seller.screen
        await seller.press("tab", "tab", *["down"] * 12, "end", "ctrl+u")

        await seller.sees("! lacks {login_password}")
        await seller.sees("Ada Example reads: Your login for your membership")
