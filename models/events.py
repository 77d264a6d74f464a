"""What happens in a sale's life, and how a test-fire of it is judged (`docs/spec.md` 4, 5): the fixed choices alone."""

from __future__ import annotations

from models.choice import Choice


class Event(Choice):
    """Something that happens in a sale's life."""

    PURCHASE = "purchase", "Purchase", "a sale, or the start of a trial"
    RENEWAL = "renewal", "Renewal", "the next period is paid"
    PAYMENT_FAILED = "payment_failed", "Payment failed", "tried on day 0, 3, 6 and 9"
    SUBSCRIPTION_CANCELED = (
        "subscription_canceled",
        "Subscription cancelled",
        "by the buyer or by you",
    )
    CANCELLATION_WITHDRAWN = "cancellation_withdrawn", "Cancellation taken back", "before the paid period is over"
    PERIOD_ENDED = "period_ended", "Paid period ended", "after a cancellation"
    REFUND = "refund", "Refund", "of the whole amount"
    PARTIAL_REFUND = "partial_refund", "Partial refund", "of a part"
    CHARGEBACK = "chargeback", "Chargeback", "the bank takes the money back"
    TRIAL_ENDED = "trial_ended", "Trial ended", "the first full charge is due"
    INSTALLMENTS_COMPLETED = (
        "installments_completed",
        "Installments completed",
        "the last one is paid",
    )
    ACCESS_EXPIRED = "access_expired", "Access expired", "the time you set is over"


class Verdict(Choice):
    """How a run ended."""

    PASSED = "passed", "Passed", "the buyer received what you sell"
    FAILED = "failed", "Failed", "the buyer would not have received it"
    ACTION_REQUIRED = (
        "action_required",
        "Action required",
        "a person must do something first",
    )
    INTERRUPTED = "interrupted", "Interrupted", "stopped midway"


class Status(Choice):
    """How far a step of a run has come."""

    PENDING = "pending", "waiting"
    RUNNING = "running", "running"
    PERFORMED = "performed", "done, not yet checked"
    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    ACTION_REQUIRED = "action_required", "action required"
    SKIPPED = "skipped", "not needed"
