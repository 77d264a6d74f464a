"""What every event leads to: the lifecycle table of the specification, cell by cell, from one table."""

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
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    RegisterAttendee,
    RevokeAccess,
    RevokeDownloadLink,
    SendEmail,
    ShowPage,
)
from tests.support.shop import ACCESS, NOW, SHA256, sold
from wizard.sale.plan import plan
from wizard.sale.sold import Held, NotReady, Sale

INSTANT = {"type": "recurring", "amount": "29.00", "period": "monthly", "cancellation": "instant"}
ONE_TIME = {"type": "one_time", "amount": "29.00"}
KEEPS_AFTER_REFUND = {"policy": {"on_refund": "keep"}}
REVOKES_AFTER_PARTIAL = {"policy": {"on_partial_refund": "revoke"}}


def said(action: Action) -> str:
    """An action in a few words."""
    match action:
        case GrantAccess(levels=levels):
            return f"grant {','.join(levels)}"
        case RevokeAccess(levels=levels):
            return f"revoke {','.join(levels)}"
        case SendEmail(target=name):
            return f"mail {name}"
        case ShowPage(source=source):
            return f"page {source}"
        case KeepAccess():
            return "keep"
        case IssueDownloadLink():
            return "link"
        case RevokeDownloadLink():
            return "stop link"
        case RegisterAttendee():
            return "register"
        case CancelRegistration():
            return "cancel registration"
    return f"{action.action} {action.target}"


def words(what: Sale, event: Event, held: Held) -> str:
    return "; ".join(said(action) for action in plan(what, event, held, NOW))


OVER = "mail cancellation_confirmed"
CONFIRMED = "mail order_confirmation; page product"

# event, what the buyer holds, price, post sale: hosted | integrated | file | calendar | physical
Cells = tuple[str, str, str, str, str]
Row = tuple[Event, Held, dict[str, Any] | None, dict[str, Any], Cells]
TABLE: dict[str, Row] = {
    "purchase": (Event.PURCHASE, Held(), None, {}, (
        f"grant silver,gold; mail membership_welcome; {CONFIRMED}",
        f"grant gold; {CONFIRMED}",
        f"link; mail download_link_to_buyer; {CONFIRMED}",
        "register; mail order_confirmation; page calendar",
        f"keep; {CONFIRMED}",
    )),
    "purchase again": (Event.PURCHASE, Held(login=True, levels=frozenset({"silver"}), registered=True), None, {}, (
        f"grant gold; {CONFIRMED}",
        f"grant gold; {CONFIRMED}",
        f"link; mail download_link_to_buyer; {CONFIRMED}",
        "keep; mail order_confirmation; page calendar",
        f"keep; {CONFIRMED}",
    )),
    "renewal": (Event.RENEWAL, Held(), None, {}, ("keep",) * 5),
    "payment failed, day 0": (Event.PAYMENT_FAILED, Held(), None, {}, (
        "keep; mail payment_failed", "keep", "keep", "keep", "keep")),
    "payment failed, day 3": (Event.PAYMENT_FAILED, Held(failed_payments=1), None, {}, (
        "keep; mail payment_failed", "keep", "keep", "keep", "keep")),
    "payment failed, day 6": (Event.PAYMENT_FAILED, Held(failed_payments=2), None, {}, (
        "keep; mail payment_failed", "keep", "keep", "keep", "keep")),
    "payment failed, day 9": (Event.PAYMENT_FAILED, Held(failed_payments=3), None, {}, (
        f"revoke silver,gold; {OVER}", f"revoke gold; {OVER}", f"keep; {OVER}", f"keep; {OVER}", f"keep; {OVER}")),
    "payment failed, day 6 of 4 days' grace": (
        Event.PAYMENT_FAILED, Held(failed_payments=2), None, {"policy": {"grace_days": 4}}, (
            f"revoke silver,gold; {OVER}", f"revoke gold; {OVER}", f"keep; {OVER}", "keep", "keep")),
    "payment failed, day 9 of 30 days' grace": (
        Event.PAYMENT_FAILED, Held(failed_payments=3), None, {"policy": {"grace_days": 30}}, (f"keep; {OVER}",) * 5),
    "cancelled, instant": (Event.SUBSCRIPTION_CANCELED, Held(), INSTANT, {}, (
        f"revoke silver,gold; {OVER}", f"revoke gold; {OVER}", f"stop link; {OVER}", f"cancel registration; {OVER}",
        f"keep; {OVER}")),
    "cancelled, period end": (Event.SUBSCRIPTION_CANCELED, Held(), None, {}, ("keep; mail cancellation_pending",) * 5),
    "cancelled, one-time price": (Event.SUBSCRIPTION_CANCELED, Held(), ONE_TIME, {}, ("keep",) * 5),
    "cancellation taken back": (Event.CANCELLATION_WITHDRAWN, Held(cancellation_pending=True), None, {}, ("keep",) * 5),
    "cancellation taken back, none waits": (Event.CANCELLATION_WITHDRAWN, Held(), None, {}, ("keep",) * 5),
    "period ended after a cancellation": (Event.PERIOD_ENDED, Held(cancellation_pending=True), None, {}, (
        f"revoke silver,gold; {OVER}", f"revoke gold; {OVER}", f"stop link; {OVER}", f"cancel registration; {OVER}",
        f"keep; {OVER}")),
    "period ended, no cancellation": (Event.PERIOD_ENDED, Held(), None, {}, ("keep",) * 5),
    "refund": (Event.REFUND, Held(), None, {}, (
        "revoke silver,gold; mail refund_full", "revoke gold; mail refund_full", "stop link; mail refund_full",
        "cancel registration; mail refund_full", "keep; mail refund_full")),
    "refund, policy keeps": (Event.REFUND, Held(), None, KEEPS_AFTER_REFUND, (
        "keep; mail refund_full", "keep; mail refund_full", "keep; mail refund_full",
        "cancel registration; mail refund_full", "keep; mail refund_full")),
    "partial refund": (Event.PARTIAL_REFUND, Held(), None, {}, ("keep; mail refund_partial",) * 5),
    "partial refund, policy revokes": (Event.PARTIAL_REFUND, Held(), None, REVOKES_AFTER_PARTIAL, (
        "revoke silver,gold; mail refund_partial", "revoke gold; mail refund_partial",
        "stop link; mail refund_partial", "keep; mail refund_partial", "keep; mail refund_partial")),
    "chargeback": (Event.CHARGEBACK, Held(), None, {}, (
        "revoke silver,gold", "revoke gold", "stop link", "cancel registration", "keep")),
    "trial ended, paid": (Event.TRIAL_ENDED, Held(), None, {}, ("keep",) * 5),
    "trial ended, not paid": (Event.TRIAL_ENDED, Held(trial_paid=False), None, {}, (
        "keep; mail payment_failed", "keep", "keep", "keep", "keep")),
    "installments completed": (Event.INSTALLMENTS_COMPLETED, Held(), None, {}, ("keep",) * 5),
    "access expired": (Event.ACCESS_EXPIRED, Held(), None, {}, (
        "revoke silver,gold", "revoke gold", "stop link", "keep", "keep")),
}  # fmt: skip
OPTIONS = ("hosted", "integrated", "file", "calendar", "physical")
CELLS = [(name, option) for name in TABLE for option in OPTIONS]


@pytest.mark.parametrize(("row", "option"), CELLS, ids=[f"{row} / {option}" for row, option in CELLS])
def test_the_lifecycle_table(row: str, option: str):
    event, held, price, post_sale, cells = TABLE[row]

    assert words(sold(option, price=price, post_sale=post_sale), event, held) == cells[OPTIONS.index(option)]


def test_the_table_has_every_event():
    assert {row[0] for row in TABLE.values()} == set(Event)


helds = st.builds(
    Held,
    login=st.booleans(),
    levels=st.frozensets(st.sampled_from(["silver", "gold"])),
    registered=st.booleans(),
    cancellation_pending=st.booleans(),
    failed_payments=st.integers(0, 200),
    failing_since=st.none() | st.integers(0, 100).map(lambda days: NOW - timedelta(days=days)),
    trial_paid=st.booleans(),
)
policies = st.fixed_dictionaries(
    {
        "on_refund": st.sampled_from(["keep", "revoke"]),
        "on_partial_refund": st.sampled_from(["keep", "revoke"]),
        "grace_days": st.integers(0, 60),
        "expires_after_days": st.none() | st.integers(1, 36_500),
    }
)


@given(
    st.sampled_from(sorted(ACCESS)),
    st.sampled_from(Event),
    helds,
    policies,
    st.sampled_from([None, INSTANT, ONE_TIME]),
)
def test_every_event_has_an_answer_and_it_is_always_the_same(
    option: str, event: Event, held: Held, policy: dict[str, Any], price: dict[str, Any] | None
):
    what = sold(option, price=price, post_sale={"policy": policy})
    before = what.model_dump_json()

    first = plan(what, event, held, NOW)

    assert first
    assert first == plan(what, event, held, NOW)
    assert what.model_dump_json() == before
    assert all(action.reason for action in first if isinstance(action, KeepAccess))
    shown = [at for at, action in enumerate(first) if isinstance(action, ShowPage)]
    assert shown == ([len(first) - 1] if event is Event.PURCHASE else [])


def test_the_confirmation_of_a_webinar_takes_the_place_of_the_thank_you_page():
    page = plan(sold("webinar"), Event.PURCHASE, Held(), NOW)[-1]

    assert page == ShowPage(target="intro", source="webinar", text="See you on Friday.")


def test_a_thank_you_page_of_ones_own_is_shown_by_its_address():
    own = {"thank_you": {"mode": "url", "url": "https://example.com/thanks"}}
    page = plan(sold("file", post_sale=own), Event.PURCHASE, Held(), NOW)[-1]

    assert isinstance(page, ShowPage)
    assert (page.source, page.url, page.text) == ("product", "https://example.com/thanks", "")


def test_a_notification_that_is_off_is_not_planned():
    off = {"notifications": {"order_confirmation": {"enabled": False, "subject": "x", "body": "y"}}}

    assert words(sold("physical", post_sale=off), Event.PURCHASE, Held()) == "keep; page product"


def test_the_order_confirmation_knows_the_charge_and_the_instructions():
    mail = next(a for a in plan(sold("physical"), Event.PURCHASE, Held(), NOW) if isinstance(a, SendEmail))

    assert mail.values["charge"] == "$29.00 today, then $29.00 monthly from 23 Dec 2026"
    assert mail.values["instructions"] == "It ships on Monday."


def test_the_charge_is_that_of_the_price_that_was_bought():
    what = sold("physical", pricing={"prices": [
        {"type": "one_time", "amount": "5.00", "label": "once"},
        {"type": "recurring", "amount": "9.00", "period": "weekly", "label": "weekly"},
    ]})  # fmt: skip
    second = what.model_copy(update={"price": 2})
    mail = next(a for a in plan(second, Event.PURCHASE, Held(), NOW) if isinstance(a, SendEmail))

    assert mail.values["charge"] == "$9.00 today, then $9.00 weekly from 30 Nov 2026"


def test_an_open_membership_needs_no_login_unless_it_is_wanted():
    def purchase(send: bool) -> str:
        chosen = {"membership": "open-house", "levels": ["all"], "send_login_details": send}
        access = {"kind": "hosted_membership", "hosted_membership": chosen}
        return words(sold("", access=access), Event.PURCHASE, Held())

    assert purchase(False) == f"grant all; {CONFIRMED}"
    assert purchase(True) == f"grant all; mail membership_welcome; {CONFIRMED}"


def test_without_a_word_on_it_only_a_protected_membership_mails_a_login():
    def purchase(membership: str, level: str) -> str:
        access = {"kind": "hosted_membership", "hosted_membership": {"membership": membership, "levels": [level]}}
        return words(sold("", access=access), Event.PURCHASE, Held())

    assert "membership_welcome" not in purchase("open-house", "all")
    assert "membership_welcome" in purchase("yoga-club", "gold")


def test_a_protected_membership_has_a_login_even_where_it_is_switched_off():
    chosen = {"membership": "yoga-club", "levels": ["gold"], "send_login_details": False}
    access = {"kind": "hosted_membership", "hosted_membership": chosen}

    assert "mail membership_welcome" in words(sold("", access=access), Event.PURCHASE, Held())


def test_access_ends_with_the_policy_or_with_the_files_own_days_whichever_is_first():
    policy = {"policy": {"expires_after_days": 30}}
    file = {"kind": "downloadable_file", "downloadable_file": {"file": "workbook", "access_days": 10}}

    grant = plan(sold("hosted", post_sale=policy), Event.PURCHASE, Held(), NOW)[0]
    link = plan(sold("", access=file, post_sale=policy), Event.PURCHASE, Held(), NOW)[0]

    assert isinstance(grant, GrantAccess)
    assert grant.until == NOW + timedelta(days=30)
    assert isinstance(link, IssueDownloadLink)
    assert link.access_until == NOW + timedelta(days=10)
    assert link.sha256 == SHA256


def test_days_are_counted_from_the_first_failed_payment_where_that_is_known():
    held = Held(failed_payments=1, failing_since=NOW - timedelta(days=9, hours=1))

    assert words(sold("hosted"), Event.PAYMENT_FAILED, held) == f"revoke silver,gold; {OVER}"


RULES = [
    {"when": "buys", "then": "assign_tag", "target": "yogi"},
    {"when": "buys", "then": "grant_membership", "target": "open-house/all"},
    {"when": "buys", "then": "call_webhook", "target": "https://example.com/hook"},
    {"when": "refunds", "then": "revoke_membership", "target": "open-house/all"},
    {"when": "partially_refunds", "then": "unassign_tag", "target": "yogi"},
    {"when": "cancels_subscription", "then": "subscribe_list", "target": "win-back"},
    {"when": "requests_cancellation", "then": "subscribe_sequence", "target": "please-stay"},
    {"when": "cancels_cancellation_request", "then": "assign_tag", "target": "stays"},
    {"when": "cancels_cancellation_request", "then": "call_webhook", "target": "https://example.com/stays"},
]


@pytest.mark.parametrize(
    ("event", "held", "expected"),
    [
        (Event.PURCHASE, Held(), "keep; grant all; mail order_confirmation; assign_tag buyer; subscribe_list news; "
         "subscribe_sequence intro; assign_tag yogi; call_webhook https://example.com/hook; page product"),
        (Event.REFUND, Held(), "keep; revoke all; mail refund_full"),
        (Event.PARTIAL_REFUND, Held(), "keep; unassign_tag yogi; mail refund_partial"),
        (Event.SUBSCRIPTION_CANCELED, Held(), "keep; subscribe_sequence please-stay; mail cancellation_pending"),
        (Event.CANCELLATION_WITHDRAWN, Held(cancellation_pending=True), "keep; assign_tag stays; call_webhook "
         "https://example.com/stays"),
        (Event.CANCELLATION_WITHDRAWN, Held(), "keep"),
        (Event.PERIOD_ENDED, Held(cancellation_pending=True), f"keep; subscribe_list win-back; {OVER}"),
        (Event.PAYMENT_FAILED, Held(failed_payments=3), f"keep; subscribe_list win-back; {OVER}"),
        (Event.RENEWAL, Held(), "keep"),
    ],
)  # fmt: skip
def test_automations_run_with_their_event(event: Event, held: Held, expected: str):
    automations = {"tags": ["buyer"], "lists": ["news"], "sequences": ["intro"], "rules": RULES}

    assert words(sold("physical", automations=automations), event, held) == expected


def hosted(**chosen: Any) -> dict[str, Any]:
    return {"access": {"kind": "hosted_membership", "hosted_membership": chosen}}


def notification(name: str, body: str) -> dict[str, Any]:
    return {"post_sale": {"notifications": {name: {"subject": "Hi", "body": body}}}}


ONE = "post_sale.access"
NOT_READY: list[tuple[str, dict[str, Any], str, str]] = [
    ("hosted", {"access": {"kind": None}}, f"{ONE}.kind", "one of four"),
    ("hosted", hosted(), f"{ONE}.hosted_membership.membership", "Choose the membership"),
    ("hosted", hosted(membership="gone", levels=["gold"]), f"{ONE}.hosted_membership.membership", "“gone” is gone"),
    ("hosted", hosted(membership="yoga-club"), f"{ONE}.hosted_membership.levels", "at least one"),
    ("hosted", hosted(membership="yoga-club", levels=["iron"]), f"{ONE}.hosted_membership.levels", "no level “iron”"),
    ("integrated", {"access": {"kind": "integrated_membership"}}, f"{ONE}.integrated_membership.connection", "Choose"),
    (
        "integrated",
        {"access": {"kind": "integrated_membership", "integrated_membership": {"connection": "my-site"}}},
        f"{ONE}.integrated_membership.level",
        "which level",
    ),
    ("file", {"access": {"kind": "downloadable_file"}}, f"{ONE}.downloadable_file.file", "Choose the file"),
    (
        "file",
        {"access": {"kind": "downloadable_file", "downloadable_file": {"file": "gone"}}},
        f"{ONE}.downloadable_file.file",
        "not in your file library",
    ),
    ("physical", {"access": {"kind": "no_access_page"}}, f"{ONE}.no_access_page.reason", "what is sold"),
    (
        "calendar",
        {"access": {"kind": "no_access_page", "no_access_page": {"reason": "calendar"}}},
        f"{ONE}.no_access_page.calendar",
        "Choose the linked calendar",
    ),
    (
        "webinar",
        {"access": {"kind": "no_access_page", "no_access_page": {"reason": "webinar", "webinar": "gone"}}},
        f"{ONE}.no_access_page.webinar",
        "“gone” is gone",
    ),
    ("hosted", {"pricing": {"prices": []}}, "pricing.prices", "Add a price"),
    ("hosted", {"price": {"type": "recurring", "amount": "1"}}, "pricing.prices.0", "not complete"),
    (
        "hosted",
        notification("membership_welcome", "{login_page} {login_email}"),
        "post_sale.notifications.membership_welcome.body",
        r"\{login_password\}",
    ),
    (
        "file",
        notification("download_link_to_buyer", "Have fun"),
        "post_sale.notifications.download_link_to_buyer.body",
        r"\{download_link\}",
    ),
    (
        "physical",
        {"automations": {"rules": [{"when": "buys", "then": "grant_membership", "target": "yoga-club"}]}},
        "automations.rules.0.target",
        "yoga-club/silver, yoga-club/gold",
    ),
    (
        "physical",
        {"post_sale": {"thank_you": {"mode": "url"}}},
        "post_sale.thank_you.url",
        "address of your Thank You page",
    ),
]


@pytest.mark.parametrize(("option", "changes", "field", "sentence"), NOT_READY)
def test_a_product_that_cannot_be_sold_names_the_field_and_what_to_do(
    option: str, changes: dict[str, Any], field: str, sentence: str
):
    with pytest.raises(NotReady, match=sentence) as refused:
        plan(sold(option, **changes), Event.PURCHASE, Held(), NOW)

    assert refused.value.field == field


def test_a_price_that_is_not_there_is_refused():
    with pytest.raises(NotReady, match="no price number 2; there are 1"):
        plan(sold("hosted").model_copy(update={"price": 2}), Event.RENEWAL, Held(), NOW)


@pytest.mark.parametrize("written", ["https://[::1", "win-back"])
def test_a_webhook_without_an_address_is_not_called(written: str):
    rules = {"rules": [{"when": "buys", "then": "call_webhook", "target": written}]}

    with pytest.raises(NotReady, match="has no address") as refused:
        plan(sold("hosted", automations=rules), Event.PURCHASE, Held(), NOW)
    assert refused.value.field == "automations.rules.0.target"
