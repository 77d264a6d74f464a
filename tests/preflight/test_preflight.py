"""Every rule of the preflight: what it finds, and that it finds nothing where nothing is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from models.account import Account, Calendar, Connection, ConnectionCheck, File, Membership, Webinar
from models.events import Verdict
from models.product import Mode, Product
from models.references import OtherProduct
from models.saved import RunRow, SavedAccount, SavedProduct
from tests.support.shelf import NOON, new_shelf
from wizard import flow, preflight
from wizard.preflight import RULES, Inspected, check, may_go_live
from wizard.preflight.sale import is_this_machine
from wizard.sample import fill

HOSTED = "post_sale.access.hosted_membership"
INTEGRATED = "post_sale.access.integrated_membership"
FILE = "post_sale.access.downloadable_file"
NONE = "post_sale.access.no_access_page"

ACCOUNT = Account(
    memberships=(Membership(name="Club", levels=("gold",)), Membership(name="Open house", password_protected=False)),
    connections=(
        Connection.model_validate({"name": "Studio", "kind": "webhook", "url": "https://studio.example.com/hook"}),
        Connection(name="Toy"),
        Connection.model_validate({"name": "Rooms", "kind": "s2member", "login_url": "https://example.com/login"}),
        Connection.model_validate({"name": "Hook", "kind": "webhook", "url": "http://members.example.com"}),
    ),
    files=(File(name="Workbook", path="workbook.pdf"),),
    calendars=(Calendar(name="Coaching", confirmation="Booked."),),
    webinars=(Webinar(name="Evening", confirmation="Reserved."),),
)

SOUND = {
    "general.name": "Yoga",
    "pricing.prices": ({"type": "recurring", "amount": "29.00", "period": "monthly"},),
    "checkout.gateways": ("stripe",),
    "post_sale.access.kind": "hosted_membership",
    f"{HOSTED}.membership": "club",
    f"{HOSTED}.levels": ("gold",),
}
"""The answers of a product about which no rule has anything to say."""


def answers(**changed: Any) -> Product:
    product = Product()
    for path, value in (SOUND | changed).items():
        product = flow.with_value(product, path, value)
    return product


def tried(verdict: Verdict | None = Verdict.PASSED, **fields: Any) -> RunRow:
    """A run of the purchase that ended so."""
    given: dict[str, Any] = {"id": "0a", "product": "yoga", "revision": 1, "event": "purchase", "backend": "sandbox"}
    return RunRow.model_validate({**given, "verdict": verdict, "reason": "", "started_at": NOON, **fields})


def inspected(changed: dict[str, Any] | None = None, **around: Any) -> Inspected:
    """The sound product with some answers changed, and the world around it."""
    switches = {name: around.pop(name) for name in ("mode", "published") if name in around}
    checks = around.pop("checks", {c.slug: ConnectionCheck(ok=True, at=NOON) for c in ACCOUNT.connections})
    account = SavedAccount(account=ACCOUNT, checks=checks)
    product = SavedProduct(slug="yoga", answers=answers(**(changed or {})), updated_at=NOON, **switches)
    found = Inspected(product, account, NOON, file_states={}, last_try=tried())
    return replace(found, **around)


def found(rule: str, look: Inspected) -> list[tuple[str, str]]:
    return [(finding.level, finding.field) for finding in check(look) if finding.rule == rule]


LEVEL_IS_GONE = "It has no tier “gold”: choose one of silver and bronze."

INTEGRATED_ANSWERS = {
    "post_sale.access.kind": "integrated_membership",
    f"{INTEGRATED}.connection": "studio",
    f"{INTEGRATED}.level": "gold",
}
ROOMS = INTEGRATED_ANSWERS | {f"{INTEGRATED}.connection": "rooms"}
FILE_ANSWERS = {"post_sale.access.kind": "downloadable_file", f"{FILE}.file": "workbook"}
LINKED = {"post_sale.access.kind": "no_access_page", f"{NONE}.reason": "calendar", f"{NONE}.calendar": "coaching"}
WELCOME = "post_sale.notifications.membership_welcome"
RESEND = "post_sale.notifications.membership_password_resend"
LINK_MAIL = "post_sale.notifications.download_link_to_buyer"
ORDER = "post_sale.notifications.order_confirmation"
REFUND = "post_sale.notifications.refund_full"
LINK_IN_SUBJECT = {f"{LINK_MAIL}.subject": "{download_link}", f"{LINK_MAIL}.body": "Hello"}
GRANTS = {"when": "buys", "then": "grant_membership", "target": "club/gold"}
REVOKES = {"when": "refunds", "then": "revoke_membership", "target": "club/gold"}
RULE_TARGET = [("error", "automations.rules.0.target")]
BUMPED = OtherProduct("Mat", "USD", published=True)

CASES: list[tuple[str, str, Inspected, list[tuple[str, str]]]] = [
    ("PF-01", "the name is missing", inspected({"general.name": None}), [("error", "general.name")]),
    ("PF-01", "no price", inspected({"pricing.prices": ()}), [("error", "pricing.prices")]),
    ("PF-01", "no level", inspected({f"{HOSTED}.levels": ()}), [("error", f"{HOSTED}.levels")]),
    ("PF-01", "a level that is gone", inspected({f"{HOSTED}.levels": ("tin",)}), [("error", f"{HOSTED}.levels")]),
    ("PF-01", "nothing is missing", inspected(), []),
    ("PF-02", "no option", inspected({"post_sale.access.kind": None}), [("error", "post_sale.access.kind")]),
    ("PF-02", "no membership", inspected({f"{HOSTED}.membership": None}), [("error", f"{HOSTED}.membership")]),
    ("PF-02", "it is gone", inspected({f"{HOSTED}.membership": "gone"}), [("error", f"{HOSTED}.membership")]),
    ("PF-02", "a file that is gone", inspected(FILE_ANSWERS | {f"{FILE}.file": "x"}), [("error", f"{FILE}.file")]),
    (
        "PF-02",
        "a calendar that is gone",
        inspected(LINKED | {f"{NONE}.calendar": "x"}),
        [("error", f"{NONE}.calendar")],
    ),
    *(
        ("PF-02", f"a rule about {about}", inspected({"automations.rules": ({**REVOKES, "target": target},)}), at_rule)
        for about, target, at_rule in [
            ("a membership that is gone", "gone", RULE_TARGET),
            ("a level of a membership that is gone", "gone/gold", RULE_TARGET),
            ("a level that is gone", "club/tin", RULE_TARGET),
            ("the only level", "club", []),
            ("a level that is there", "club/gold", []),
        ]
    ),
    ("PF-02", "a rule that names no membership", inspected({"automations.rules": ({"target": "gone"},)}), []),
    ("PF-02", "everything is there", inspected(), []),
    ("PF-02", "a service delivers nothing", inspected(LINKED | {f"{NONE}.reason": "service"}), []),
    ("PF-03", "never checked", inspected(INTEGRATED_ANSWERS, checks={}), [("error", f"{INTEGRATED}.connection")]),
    (
        "PF-03",
        "the check failed",
        inspected(INTEGRATED_ANSWERS, checks={"studio": ConnectionCheck(ok=False, at=NOON, detail="401")}),
        [("error", f"{INTEGRATED}.connection")],
    ),
    (
        "PF-03",
        "the check is older than a day",
        inspected(INTEGRATED_ANSWERS, now=NOON + timedelta(hours=24, seconds=1)),
        [("error", f"{INTEGRATED}.connection")],
    ),
    ("PF-03", "the check is a day old", inspected(INTEGRATED_ANSWERS, now=NOON + timedelta(hours=24)), []),
    (
        "PF-03",
        "the check found the level good",
        inspected(INTEGRATED_ANSWERS, checks={"studio": ConnectionCheck(ok=True, at=NOON, levels={"gold": ""})}),
        [],
    ),
    (
        "PF-03",
        "the check found that the level gives too much",
        inspected(
            INTEGRATED_ANSWERS,
            checks={"studio": ConnectionCheck(ok=True, at=NOON, levels={"gold": LEVEL_IS_GONE})},
        ),
        [("error", f"{INTEGRATED}.level")],
    ),
    (
        "PF-03",
        "the check did not ask for this level",
        inspected(INTEGRATED_ANSWERS, checks={"studio": ConnectionCheck(ok=True, at=NOON, levels={"silver": ""})}),
        [("error", f"{INTEGRATED}.connection")],
    ),
    ("PF-03", "another option is chosen", inspected(checks={}), []),
    *(
        ("PF-04", state, inspected(FILE_ANSWERS, file_states={"workbook": state}), [("error", f"{FILE}.file")])
        for state in ("missing", "empty", "changed")
    ),
    ("PF-04", "the file is as it was", inspected(FILE_ANSWERS, file_states={"workbook": "ready"}), []),
    ("PF-05", "the login mail is off", inspected({f"{WELCOME}.enabled": False}), [("error", f"{WELCOME}.enabled")]),
    ("PF-05", "it lacks variables", inspected({f"{WELCOME}.body": "Hello"}), [("error", f"{WELCOME}.body")]),
    (
        "PF-05",
        "the link mail is off",
        inspected(FILE_ANSWERS | {f"{LINK_MAIL}.enabled": False}),
        [("error", f"{LINK_MAIL}.enabled")],
    ),
    ("PF-05", "a mail nobody needs is off", inspected({f"{LINK_MAIL}.enabled": False}), []),
    (
        "PF-05",
        "no login, no login mail",
        inspected(
            {
                f"{HOSTED}.membership": "open-house",
                f"{HOSTED}.levels": ("member",),
                f"{HOSTED}.send_login_details": False,
                f"{WELCOME}.enabled": False,
            }
        ),
        [],
    ),
    *(
        (
            "PF-05",
            f"the login mail lacks {lacking}",
            inspected({f"{WELCOME}.body": body}),
            [("error", f"{WELCOME}.body")],
        )
        for lacking, body in [
            ("the page", "{login_email} {login_password}"),
            ("the e-mail", "{login_page} {login_password}"),
            ("the password", "{login_page} {login_email}"),
        ]
    ),
    (
        "PF-05",
        "the link mail lacks the link",
        inspected(FILE_ANSWERS | {f"{LINK_MAIL}.body": "Hello {file_name}"}),
        [("error", f"{LINK_MAIL}.body")],
    ),
    ("PF-05", "the link stands in the subject", inspected(FILE_ANSWERS | LINK_IN_SUBJECT), []),
    ("PF-05", "no file, no link mail", inspected({f"{LINK_MAIL}.body": "Hello"}), []),
    (
        "PF-05",
        "a lost login is mailed without the login",
        inspected({f"{RESEND}.body": "Hello"}),
        [("error", f"{RESEND}.body")],
    ),
    ("PF-05", "nobody mails a lost login", inspected({f"{RESEND}.body": "Hello", f"{RESEND}.enabled": False}), []),
    (
        "PF-05",
        "a rule gives a login, and its mail lacks it",
        inspected(FILE_ANSWERS | {"automations.rules": (GRANTS, REVOKES), f"{WELCOME}.body": "Hello"}),
        [("error", f"{WELCOME}.body")],
    ),
    (
        "PF-05",
        "a rule gives a login, and its mail is off",
        inspected(FILE_ANSWERS | {"automations.rules": (GRANTS, REVOKES), f"{WELCOME}.enabled": False}),
        [("error", f"{WELCOME}.enabled")],
    ),
    *(
        (
            "PF-05",
            f"no login comes of a rule {about}",
            inspected(FILE_ANSWERS | {"automations.rules": (rule,), f"{WELCOME}.body": "Hello"}),
            [],
        )
        for about, rule in [
            ("that takes access", REVOKES | {"when": "buys"}),
            ("about a refund", GRANTS | {"when": "refunds"}),
            ("about an open membership", GRANTS | {"target": "open-house"}),
        ]
    ),
    *(
        (
            "PF-05",
            f"{name} needs nothing",
            inspected({f"post_sale.notifications.{name}.body": "Hello"}),
            [],
        )
        for name in (
            "order_confirmation",
            "payment_failed",
            "cancellation_pending",
            "cancellation_confirmed",
            "refund_full",
            "refund_partial",
        )
    ),
    ("PF-05", "the standard mails are fine", inspected(), []),
    ("PF-06", "only the test card", inspected({"checkout.gateways": ("test_card",)}), [("error", "checkout.gateways")]),
    ("PF-06", "one real gateway", inspected({"checkout.gateways": ("stripe",)}), []),
    (
        "PF-06",
        "the test card beside a real one",
        inspected({"checkout.gateways": ("test_card", "stripe")}),
        [("warning", "checkout.gateways")],
    ),
    (
        "PF-06",
        "it is free",
        inspected({"checkout.gateways": ("test_card",), "pricing.prices": ({"amount": "0.00"},)}),
        [],
    ),
    (
        "PF-06",
        "only the first payment costs",
        inspected(
            {
                "checkout.gateways": ("test_card",),
                "pricing.prices": ({"amount": "0", "initial_payment": {"amount": "1", "days": 7}},),
            }
        ),
        [("error", "checkout.gateways")],
    ),
    ("PF-07", "a rule grants", inspected({"automations.rules": (GRANTS,)}), [("warning", "automations.rules.0")]),
    (
        "PF-07",
        "another membership is revoked",
        inspected({"automations.rules": (GRANTS, REVOKES | {"target": "open-house"})}),
        [("warning", "automations.rules.0")],
    ),
    (
        "PF-07",
        "a membership without a password",
        inspected({f"{HOSTED}.membership": "open-house", f"{HOSTED}.levels": ("member",)}),
        [("warning", f"{HOSTED}.membership")],
    ),
    (
        "PF-07",
        "paid once, no password",
        inspected({f"{HOSTED}.membership": "open-house", "pricing.prices": ({"amount": "9"},)}),
        [],
    ),
    ("PF-07", "another rule revokes", inspected({"automations.rules": (GRANTS, REVOKES)}), []),
    (
        "PF-08",
        "the calendar's confirmation is shown",
        inspected(LINKED | {"post_sale.thank_you.message": "Danke"}),
        [("warning", "post_sale.thank_you.mode")],
    ),
    ("PF-08", "the standard page is overridden", inspected(LINKED), []),
    ("PF-08", "nothing is linked", inspected({"post_sale.thank_you.message": "Danke"}), []),
    ("PF-09", "no calendar", inspected(LINKED | {f"{NONE}.calendar": None}), [("error", f"{NONE}.calendar")]),
    (
        "PF-09",
        "no webinar, though a calendar is kept",
        inspected(LINKED | {f"{NONE}.reason": "webinar"}),
        [("error", f"{NONE}.webinar")],
    ),
    ("PF-09", "a calendar is linked", inspected(LINKED), []),
    ("PF-10", "published in Demo", inspected(published=True), [("warning", "review")]),
    ("PF-10", "published and live", inspected(published=True, mode=Mode.LIVE), []),
    ("PF-10", "in Demo, unpublished", inspected(), []),
    (
        "PF-11",
        "a page on this machine",
        inspected({"post_sale.thank_you.mode": "url", "post_sale.thank_you.url": "https://localhost/thanks"}),
        [("warning", "post_sale.thank_you.url")],
    ),
    (
        "PF-11",
        "a page that is not encrypted",
        inspected({"post_sale.thank_you.mode": "url", "post_sale.thank_you.url": "http://example.com"}),
        [("warning", "post_sale.thank_you.url")],
    ),
    (
        "PF-11",
        "a connection that is not encrypted",
        inspected(INTEGRATED_ANSWERS | {f"{INTEGRATED}.connection": "hook"}),
        [("warning", f"{INTEGRATED}.connection")],
    ),
    (
        "PF-11",
        "terms here",
        inspected({"checkout.terms_url": "https://127.0.0.1/"}),
        [("warning", "checkout.terms_url")],
    ),
    (
        "PF-11",
        "half an address",
        inspected({"automations.rules": ({"then": "call_webhook", "target": "https://[::1"},)}),
        [("error", "automations.rules.0.target")],
    ),
    (
        "PF-11",
        "no address at all",
        inspected({"automations.rules": ({"then": "call_webhook", "target": "win-back"},)}),
        [("error", "automations.rules.0.target")],
    ),
    ("PF-11", "the page is not used", inspected({"post_sale.thank_you.url": "http://localhost/"}), []),
    ("PF-11", "public and encrypted", inspected({"checkout.terms_url": "https://example.com/terms"}), []),
    (
        "PF-12",
        "express with custom fields",
        inspected({"checkout.express": "one_click", "checkout.custom_fields": ({"id": "a", "label": "A"},)}),
        [("error", "checkout.express")],
    ),
    ("PF-12", "express alone", inspected({"checkout.express": "one_click"}), []),
    ("PF-12", "fields alone", inspected({"checkout.custom_fields": ({"id": "a", "label": "A"},)}), []),
    ("PF-05", "a variable nobody fills", inspected({f"{ORDER}.body": "{first_name}"}), [("error", f"{ORDER}.body")]),
    ("PF-05", "one in another way", inspected({f"{REFUND}.subject": "%NAME%"}), [("error", f"{REFUND}.subject")]),
    (
        "PF-05",
        "one in the instructions",
        inspected(
            {
                "post_sale.access.kind": "no_access_page",
                f"{NONE}.reason": "physical",
                f"{NONE}.instructions": "Hi {name}",
            }
        ),
        [("error", f"{NONE}.instructions")],
    ),
    ("PF-05", "instructions that no mail has", inspected({f"{NONE}.instructions": "Hi {name}"}), []),
    (
        "PF-05",
        "one after paying",
        inspected({"post_sale.thank_you.message": "Hi {{name}}"}),
        [
            ("warning", "post_sale.thank_you.message"),
        ],
    ),
    (
        "PF-05",
        "nobody sees that",
        inspected(
            {
                "post_sale.thank_you.message": "{x}",
                "post_sale.thank_you.mode": "url",
                "post_sale.thank_you.url": "https://example.com/thanks",
            }
        ),
        [],
    ),
    ("PF-05", "a mail nobody gets", inspected({f"{LINK_MAIL}.body": "{download_link} {x}"}), []),
    ("PF-05", "a mail that is off", inspected({f"{REFUND}.body": "{x}", f"{REFUND}.enabled": False}), []),
    ("PF-13", "never fired", inspected(last_try=None), [("warning", "review")]),
    ("PF-13", "the last try failed", inspected(last_try=tried(Verdict.FAILED)), [("error", "review")]),
    ("PF-13", "it needs somebody", inspected(last_try=tried(Verdict.ACTION_REQUIRED)), [("error", "review")]),
    ("PF-13", "it was stopped", inspected(last_try=tried(Verdict.INTERRUPTED)), [("warning", "review")]),
    ("PF-13", "it still runs", inspected(last_try=tried(None)), [("warning", "review")]),
    ("PF-13", "a purchase passed", inspected(), []),
    (
        "PF-14",
        "one download",
        inspected(FILE_ANSWERS | {f"{FILE}.download_limit": 1}),
        [("warning", f"{FILE}.download_limit")],
    ),
    (
        "PF-14",
        "59 minutes",
        inspected(FILE_ANSWERS | {f"{FILE}.link_lifetime": 3599}),
        [("warning", f"{FILE}.link_lifetime")],
    ),
    (
        "PF-14",
        "an hour and two downloads",
        inspected(FILE_ANSWERS | {f"{FILE}.link_lifetime": 3600, f"{FILE}.download_limit": 2}),
        [],
    ),
    ("PF-14", "unlimited", inspected(FILE_ANSWERS | {f"{FILE}.download_limit": None}), []),
    ("PF-14", "another option is chosen", inspected({f"{FILE}.download_limit": 1}), []),
    (
        "PF-17",
        "a platform that is played",
        inspected(INTEGRATED_ANSWERS | {f"{INTEGRATED}.connection": "toy"}),
        [("error", f"{INTEGRATED}.connection")],
    ),
    ("PF-17", "a real one", inspected(INTEGRATED_ANSWERS), []),
    ("PF-17", "another option is chosen", inspected({f"{INTEGRATED}.connection": "toy"}), []),
    ("PF-15", "on itself", inspected({"checkout.bumps": ("yoga",)}), [("error", "checkout.bumps.0")]),
    (
        "PF-15",
        "on an unpublished one",
        inspected({"checkout.bumps": ("mat",)}, others={"mat": replace(BUMPED, published=False)}),
        [("warning", "checkout.bumps.0")],
    ),
    ("PF-15", "on a published one", inspected({"checkout.bumps": ("mat",)}, others={"mat": BUMPED}), []),
    (
        "PF-16",
        "another level elsewhere",
        inspected(ROOMS, levels_elsewhere={"b": "tin"}),
        [("error", f"{INTEGRATED}.level")],
    ),
    ("PF-16", "the same level elsewhere", inspected(ROOMS, levels_elsewhere={"b": "gold"}), []),
    ("PF-16", "another kind of connection", inspected(INTEGRATED_ANSWERS, levels_elsewhere={"b": "tin"}), []),
]


@pytest.mark.parametrize(
    ("rule", "look", "expected"), [(r, i, e) for r, _, i, e in CASES], ids=[f"{r} {w}" for r, w, *_ in CASES]
)
def test_a_rule_finds_what_is_wrong_and_nothing_else(
    rule: str, look: Inspected, expected: list[tuple[str, str]]
) -> None:
    assert found(rule, look) == expected


def test_every_rule_is_tested_for_a_finding_and_for_its_absence() -> None:
    assert {rule for rule, _, _, expected in CASES if expected} == set(RULES)
    assert {rule for rule, _, _, expected in CASES if not expected} == set(RULES)
    assert sorted(RULES) == [f"PF-{number:02}" for number in range(1, 18)]


def test_a_sound_product_has_no_findings() -> None:
    assert check(inspected()) == []


def test_one_thing_wrong_is_found_by_one_rule() -> None:
    rules = [[finding.rule for finding in check(look)] for rule, _, look, expected in CASES if expected]

    assert [sorted(set(names)) for names in rules if len(set(names)) > 1] == []


def test_a_finding_is_a_sentence_about_a_question_that_exists() -> None:
    findings = [finding for _, _, look, _ in CASES for finding in check(look)]
    assert {finding.rule for finding in findings} == set(RULES)
    for finding in findings:
        assert finding.message.endswith("."), finding
        assert finding.message[0].isupper(), finding
        assert ": " in finding.message or finding.message.startswith("Choose "), "it says what to do"
        assert finding.field == "review" or flow.question_at(finding.field)


def test_an_error_keeps_a_product_from_going_live_and_a_warning_does_not() -> None:
    assert not may_go_live(check(inspected({"general.name": None})))
    assert may_go_live(check(inspected(last_try=None)))


def test_a_last_try_that_failed_is_told_with_its_moment_and_its_reason_and_keeps_the_product_from_going_live() -> None:
    seller = timezone(timedelta(hours=1))
    last = tried(Verdict.FAILED, life="prove", reason="Step 2 (Login mail): no mail reached \x1b[31mher.")

    findings = check(inspected(last_try=last, now=NOON.astimezone(seller)))

    assert [finding.message for finding in findings] == [
        "Proof was tried on 23 Nov 2026 at 13:00 and failed: Step 2 (Login mail): no mail reached ‹U+001B›[31mher. "
        "Put that right, then test-fire again."
    ]
    assert not may_go_live(findings)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "app.localhost",
        "127.0.0.1",
        "127.8.9.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",
        "::1",
        "::",
        "::ffff:127.0.0.1",
    ],
)
def test_this_machine_is_known_by_all_its_names(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "128.0.0.1", "10.0.0.1", "::2", "", "ünïcode.example"]
)
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_this_machine(host)


def test_the_input_is_gathered_from_the_store() -> None:
    shelf = new_shelf()
    fill(shelf)
    shelf.tries["yoga-masterclass", shelf.load("yoga-masterclass").revision] = tried()
    shelf.create("Other season", "seller", shelf.load("studio-season").answers)
    shelf.file_state = lambda slug: f"state of {slug}"

    masterclass = preflight.inspect(shelf, "yoga-masterclass", NOON)
    workbook = preflight.inspect(shelf, "morning-yoga-workbook", NOON)
    season = preflight.inspect(shelf, "studio-season", NOON)

    assert (masterclass.last_try, workbook.last_try) == (tried(), None)
    assert masterclass.others == {"morning-yoga-workbook": OtherProduct("Morning Yoga Workbook", "USD", False)}
    assert workbook.file_states == {"workbook": "state of workbook"}
    assert season.levels_elsewhere == {"other-season": "season"}
    assert masterclass.now == NOON
