"""Each scenario's price and policy, and the moments that it goes through."""

from __future__ import annotations

from typing import Any

TRIAL = {
    "type": "recurring",
    "amount": "29.00",
    "period": "monthly",
    "initial_payment": {"amount": "0", "days": 14},
}
INSTANT = {"type": "recurring", "amount": "29.00", "period": "monthly", "cancellation": "instant"}
ONCE = {"type": "one_time", "amount": "29.00"}
THREE = {"type": "installments", "amount": "29.00", "period": "monthly", "payments": 3}
EXPIRES = {"policy": {"expires_after_days": 30}}

# From 23 Nov 2026 on, a month is 30, 31, 31 days; a trial of 14 days ends on 7 Dec.
SCENARIOS: dict[str, tuple[dict[str, Any] | None, dict[str, Any], list[str]]] = {
    "one_time_purchase": (ONCE, {}, ["0 purchase in", "30 subscription_canceled in"]),
    "trial_converts": (TRIAL, {}, ["0 purchase in", "14 trial_ended in", "45 renewal in"]),
    "trial_fails": (
        TRIAL,
        {},
        ["0 purchase in", "14 trial_ended in", "17 payment_failed in", "20 payment_failed in", "23 payment_failed out"],
    ),
    "renewals_then_cancel": (
        None,
        {},
        [
            "0 purchase in",
            "30 renewal in",
            "61 renewal in",
            "92 renewal in",
            "106 subscription_canceled in",
            "120 period_ended out",
        ],
    ),
    "instant_cancel": (INSTANT, {}, ["0 purchase in", "2 subscription_canceled out"]),
    "failed_payments": (
        None,
        {},
        ["0 purchase in", "30 payment_failed in", "33 payment_failed in", "36 payment_failed in",
         "39 payment_failed out"],
    ),
    "installments_completed": (
        THREE,
        {},
        ["0 purchase in", "30 renewal in", "61 renewal in", "91 installments_completed in"],
    ),
    "refunds": (None, {}, ["0 purchase in", "0 partial_refund in", "0 refund out"]),
    "chargeback": (None, {}, ["0 purchase in", "20 chargeback out"]),
    "expiry": (None, EXPIRES, ["0 purchase in", "30 access_expired out"]),
    "same_buyer_again": (None, {}, ["0 purchase in", "0 purchase in"]),
    "delivered_twice": (None, {}, ["0 purchase in", "0 nothing in"]),
    "out_of_order": (None, {}, ["0 subscription_canceled -", "0 purchase in", "30 period_ended out"]),
}  # fmt: skip
