"""A test-fire from end to end: the buyer really gets in, and a run never passes when the buyer would not."""

from __future__ import annotations

import asyncio
import base64
import quopri
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from models.account import Connection
from models.events import Event, Status, Verdict
from models.fulfillment import Action, Buyer, Evidence, GrantAccess, Receipt, Run, RunStep, SendEmail
from tests.support.shop import CHEAP, CONTENT, DAMAGED, SHA256, small_world, sold, workbook
from wizard.cli.program import run as run_command
from wizard.delivery import connections
from wizard.delivery.backend import Backend, Context, Surroundings
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.delivery.errors import Rejected
from wizard.delivery.registry import NoSuchBackend, installed, manifest_of
from wizard.delivery.secrecy import MASK
from wizard.runs.fire import Held, RealAddress, Workplace, fire, is_reserved
from wizard.runs.ledger import MemoryLedger
from wizard.runs.tries import Patience
from wizard.sale.sold import NotReady
from wizard.sample import fill
from wizard.sandbox import members, platform, records
from wizard.settings import BadSettings, load
from wizard.store import open_store

QUICK = Patience(tries=2, one_try=10, first_wait=0, longest_wait=0.1, jitter=0)
Fire = Callable[..., Any]


@pytest.fixture
def app() -> Iterator[Starlette]:
    app = small_world()
    yield app
    app.state.world.close()


@pytest.fixture
def fired(app: Starlette, tmp_path: Path) -> Fire:
    """Fires against the sandbox of this test, with a library in its folder."""
    path = workbook(tmp_path)

    async def carry_out(option: str, event: Event = Event.PURCHASE, **more: Any) -> Run:
        settings = {key: more.pop(key) for key in list(more) if key in FIRE}
        place = {key: more.pop(key) for key in list(more) if key in {"ledger", "path_of_file"}}
        backend: Callable[[Surroundings], Backend] = lambda around: SandboxBackend(around, app)  # noqa: E731
        at = Workplace(tmp_path, **({"path_of_file": lambda slug: path} | place))
        usual: dict[str, Any] = {"backend": backend, "patience": QUICK}
        return await fire(sold(option, **more), event, at=at, **(usual | settings))

    return carry_out


FIRE = {"backend", "buyer", "named_by_seller", "held", "on_step", "on_wait", "run_id", "fault"}


def step(run: Run, action: str, number: int = 0) -> RunStep:
    return [step for step in run.steps if step.action.action == action][number]


def evidence(run: Run, action: str, number: int = 0) -> Evidence:
    seen = step(run, action, number).evidence
    assert seen is not None, run.reason
    return seen


# --- the four options ------------------------------------------------------------------------------------------------


async def test_a_hosted_membership_is_proven_by_logging_in_with_the_mailed_login(fired: Fire):
    run = await fired("hosted")

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.reason == (
        "Ada Example logged in with the mailed login and read silver, gold; a stranger was turned away."
    )
    seen = evidence(run, "grant_access")
    assert (seen.allowed, seen.proven_by) == (True, "buyer")
    assert seen.facts["read"].endswith("/m/yoga-club/silver, http://127.0.0.1:8025/m/yoga-club/gold")
    asked = [exchange.request for exchange in seen.exchanges]
    assert "POST http://127.0.0.1:8025/m/yoga-club/login" in asked
    assert any("/mailbox/" in request for request in asked)
    assert [step.action.target for step in run.steps if step.action.action == "send_email"] == [
        "membership_welcome", "order_confirmation",
    ]  # fmt: skip


async def test_an_integrated_membership_is_proven_by_the_platforms_own_sign_in_link(fired: Fire):
    run = await fired("integrated")

    assert run.verdict is Verdict.PASSED, run.reason
    assert "signed in by the platform's mail and read gold" in run.reason
    receipt = step(run, "grant_access").receipt
    assert receipt is not None
    told = [exchange for exchange in receipt.exchanges if exchange.request.endswith("/platform/my-site/webhook")]
    assert [exchange.status for exchange in told] == [204]
    assert '"type": "access.granted"' in told[0].sent


async def test_in_a_drill_the_sandbox_stands_in_for_a_real_platform_and_the_evidence_says_so(fired: Fire):
    blog = {"kind": "integrated_membership", "integrated_membership": {"connection": "blog", "level": "gold"}}

    run = await fired("", access=blog, fault="slow")

    assert run.verdict is Verdict.PASSED
    assert "The sandbox stood in for “My blog”: the real platform was not asked." in run.reason


async def test_a_file_is_proven_by_comparing_what_the_mailed_link_gives(fired: Fire):
    run = await fired("file")

    assert run.verdict is Verdict.PASSED, run.reason
    seen = evidence(run, "issue_download_link")
    assert seen.facts["sha256"] == SHA256
    assert seen.facts["size"] == str(len(CONTENT))
    assert seen.proven_by == "buyer"


@pytest.mark.parametrize(
    ("option", "source", "text"),
    [("calendar", "calendar", "You are booked."), ("webinar", "webinar", "See you on Friday.")],
)
async def test_a_booking_is_proven_on_the_list_and_its_confirmation_is_shown(
    option: str, source: str, text: str, fired: Fire
):
    run = await fired(option)

    assert run.verdict is Verdict.PASSED, run.reason
    assert evidence(run, "register_attendee").facts["page"].startswith(f"http://127.0.0.1:8025/attendees/{option}/")
    assert evidence(run, "show_page").proven_by == "buyer"
    assert run.page is not None
    assert (run.page.source, run.page.text) == (source, text)


async def test_goods_to_be_shipped_are_confirmed_and_thanked_for(fired: Fire):
    run = await fired("physical", automations={"tags": ["customer"]})

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.page is not None
    assert (run.page.source, run.page.text) == ("product", "Thank you for your order!")
    assert evidence(run, "assign_tag").proven_by == "platform"
    assert evidence(run, "keep_access").proven_by == "nobody"


@pytest.mark.parametrize("option", ["hosted", "integrated", "file", "calendar", "physical"])
async def test_the_order_confirmation_arrives_with_every_option(option: str, fired: Fire):
    run = await fired(option)
    mail = next(step for step in run.steps if step.action.target == "order_confirmation")

    assert mail.status is Status.PASSED
    assert mail.evidence is not None
    assert "“Your order: Yoga Masterclass” is in the mailbox of" in mail.evidence.detail


# --- the other events ------------------------------------------------------------------------------------------------

ENDING = [
    ("hosted", "revoke_access", "logged in and was turned away"),
    ("integrated", "revoke_access", "was turned away"),
    ("file", "revoke_download_link", "The old link is refused: This link has been stopped."),
    ("calendar", "cancel_registration", "does not stand on the list"),
]


@pytest.mark.parametrize(("option", "action", "sentence"), ENDING)
async def test_after_a_refund_the_buyer_is_turned_away(option: str, action: str, sentence: str, fired: Fire):
    run = await fired(option, Event.REFUND)

    assert run.verdict is Verdict.PASSED, run.reason
    seen = evidence(run, action)
    assert (seen.allowed, seen.proven_by) == (False, "buyer")
    assert sentence in run.reason


@pytest.mark.parametrize("option", ["hosted", "integrated", "file", "calendar", "physical"])
@pytest.mark.parametrize("event", Event)
async def test_every_event_is_carried_out_for_every_option(option: str, event: Event, fired: Fire):
    run = await fired(option, event)

    assert run.verdict is Verdict.PASSED, run.reason


async def test_a_renewal_is_proven_by_getting_in_again(fired: Fire):
    run = await fired("hosted", Event.RENEWAL)

    kept = evidence(run, "keep_access")
    assert kept.proven_by == "buyer"
    assert kept.detail.startswith("Kept: the next period is paid. Ada Example logged in")


@pytest.mark.parametrize("option", ["hosted", "integrated", "file", "calendar", "physical"])
@pytest.mark.parametrize("event", [Event.PERIOD_ENDED, Event.SUBSCRIPTION_CANCELED])
async def test_what_was_paid_once_is_kept_when_there_is_no_subscription_to_end(event: Event, option: str, fired: Fire):
    run = await fired(option, event, price={"type": "one_time", "amount": "29.00"})

    assert run.verdict is Verdict.PASSED, run.reason
    taken = {"revoke_access", "revoke_download_link", "cancel_registration"}
    assert taken.isdisjoint(step.action.action for step in run.steps)
    assert run.steps[-1].action.action == "keep_access"
    assert "a one-time price has no subscription to cancel" in run.steps[-1].detail


async def test_a_fourth_failed_payment_ends_access(fired: Fire):
    run = await fired("hosted", Event.PAYMENT_FAILED, held=Held(failed_payments=3))

    assert run.verdict is Verdict.PASSED, run.reason
    assert evidence(run, "revoke_access").allowed is False


async def test_the_same_buyer_buying_again_gets_no_second_login_and_still_gets_in(fired: Fire):
    buyer = Buyer(email="bo@example.org", name="Bo")
    gold = {"kind": "hosted_membership", "hosted_membership": {"membership": "yoga-club", "levels": ["gold"]}}
    silver = {"kind": "hosted_membership", "hosted_membership": {"membership": "yoga-club", "levels": ["silver"]}}

    first = await fired("", access=gold, buyer=buyer)
    second = await fired("", access=silver, buyer=buyer)

    assert (first.verdict, second.verdict) == (Verdict.PASSED, Verdict.PASSED), second.reason
    assert step(second, "send_email").status is Status.SKIPPED
    assert "Bo logged in with the mailed login and read silver" in second.reason


# --- it must not pass when the buyer would not get in ----------------------------------------------------------------


class Dropping:
    """The sandbox, except that mails whose subject has a certain beginning are lost on the way."""

    def __init__(self, app: Starlette, beginning: bytes) -> None:
        self.app, self.state, self.beginning = app, app.state, beginning

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if scope["path"] == "/admin/mails" and self.beginning in message["body"]:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b'{"message_id": "<lost@sandbox.example>"}'})
            return

        waiting = [message]

        async def again() -> Any:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, again, send)


def dropping(app: Starlette, beginning: bytes) -> Callable[[Surroundings], Backend]:
    return lambda around: SandboxBackend(around, Dropping(app, beginning))  # type: ignore[arg-type]


async def test_a_login_mail_that_never_arrives_fails_the_run(app: Starlette, fired: Fire):
    run = await fired("hosted", backend=dropping(app, b"Your login"))

    assert run.verdict is Verdict.FAILED
    assert run.reason == (
        "Step 1 (Let the buyer in: Yoga Club): No mail with a login reached Ada Example. "
        "Is the notification “Membership welcome” switched on?"
    )
    assert step(run, "send_email").detail.startswith("The mail “membership_welcome” did not arrive at ada.")


async def test_a_login_mail_that_is_switched_off_fails_the_run(fired: Fire):
    off = {"notifications": {"membership_welcome": {"enabled": False, "subject": "x", "body": "y"}}}
    run = await fired("hosted", post_sale=off)

    assert run.verdict is Verdict.FAILED
    assert "Is the notification “Membership welcome” switched on?" in run.reason


@pytest.mark.parametrize(
    ("option", "name", "body"),
    [
        ("file", "download_link_to_buyer", "Here is your file: {download_link}."),
        ("file", "download_link_to_buyer", "[Download]({download_link})"),
        ("file", "download_link_to_buyer", "**{download_link}** (or <{download_link}>; or [{download_link}])"),
        ("file", "download_link_to_buyer", "Shop: https://shop.example.com/d/1 and your file: {download_link}, bye"),
        ("hosted", "membership_welcome", "Log in at {login_page}, with {login_email}, and {login_password}."),
        ("hosted", "membership_welcome", "[Log in]({login_page}) as “{login_email}” with “{login_password}”!"),
        (
            "hosted",
            "membership_welcome",
            "Shop account: https://shop.example.com/login Course: {login_page} {login_email}/{login_password} "
            "(not abcd-efgh-2345-wxyz)",
        ),
        ("hosted", "membership_welcome", "https://shop.example.com/login abcd-efgh-2345-wxyz\n{login_email} "
         "{login_password}\n{login_page}"),
    ],
)  # fmt: skip
async def test_what_was_given_out_is_found_wherever_it_stands_in_a_mail(option: str, name: str, body: str, fired: Fire):
    run = await fired(option, post_sale={"notifications": {name: {"subject": "Yours", "body": body}}})

    assert (run.verdict, run.reason) == (Verdict.PASSED, run.steps[0].detail)


async def test_an_address_that_its_mail_makes_another_one_is_no_mail_that_never_came(fired: Fire):
    glued = {"notifications": {"download_link_to_buyer": {"subject": "Yours", "body": "{download_link}/now"}}}

    run = await fired("file", post_sale=glued)

    assert run.verdict is Verdict.FAILED
    assert run.steps[0].detail == (
        "A mail with a download link reached Ada Example, and what stands right beside it makes it another address: "
        "leave a space around {download_link} in the notification “Download link to buyer”."
    )


async def test_a_login_that_the_buyer_had_before_is_found_in_the_older_mail(fired: Fire):
    buyer = Buyer(email="ada.twice@example.com")
    shop_first = {
        "subject": "Hi",
        "body": "https://shop.example.com/login {login_page} {login_email} {login_password}.",
    }
    first = await fired("hosted", buyer=buyer, post_sale={"notifications": {"membership_welcome": shop_first}})

    again = await fired("hosted", buyer=buyer)

    assert (first.verdict, again.verdict) == (Verdict.PASSED, Verdict.PASSED)


async def test_a_mail_that_was_not_sent_is_named_by_the_step_that_waits_for_it_and_its_switch_is_not_blamed(
    fired: Fire,
):
    class Refusing(SandboxBackend):
        async def perform(self, action: Action, context: Context) -> Receipt:
            if isinstance(action, SendEmail):
                raise Rejected("The server takes no mail for jürgen@bücher.example.")
            return await super().perform(action, context)

    run = await fired("hosted", backend=Refusing)

    assert run.verdict is Verdict.FAILED
    assert run.steps[0].detail == (
        "No mail with a login reached Ada Example: step 2 (Send the mail: Membership welcome) did not send it. "
        "The server takes no mail for jürgen@bücher.example."
    )
    assert "switched on" not in run.reason


async def test_an_order_confirmation_that_never_arrives_fails_the_run(app: Starlette, fired: Fire):
    run = await fired("physical", backend=dropping(app, b"Your order"))

    assert run.verdict is Verdict.FAILED
    assert "The mail “order_confirmation” did not arrive" in run.reason


async def test_a_download_link_mail_that_never_arrives_fails_the_run(app: Starlette, fired: Fire):
    run = await fired("file", backend=dropping(app, b"Your download"))

    assert run.verdict is Verdict.FAILED
    assert "No mail with a download link reached Ada Example." in run.reason


async def test_other_bytes_than_the_sellers_file_fail_the_run(app: Starlette, fired: Fire):
    await fired("file")
    (app.state.world.files / SHA256).write_bytes(CONTENT[:-1] + b"!")

    run = await fired("file")

    assert run.verdict is Verdict.FAILED
    assert "The link gave Ada Example other bytes than the file you chose" in run.reason
    assert evidence(run, "issue_download_link").facts["sha256"] != SHA256


async def test_a_file_that_changed_in_the_library_fails_before_a_link_is_made(tmp_path: Path, fired: Fire):
    (tmp_path / "workbook.pdf").write_bytes(b"another edition")

    run = await fired("file")

    assert run.verdict is Verdict.FAILED
    assert "“workbook.pdf” has changed since it was added to the library. Add it again." in run.reason
    assert "post_sale.access.downloadable_file.file" in run.reason
    assert step(run, "send_email").status is Status.SKIPPED


async def test_a_file_that_vanished_from_the_library_fails_with_what_to_do(tmp_path: Path, fired: Fire):
    (tmp_path / "workbook.pdf").unlink()

    run = await fired("file")

    assert run.verdict is Verdict.FAILED
    assert "The library's copy of “workbook.pdf” cannot be read" in run.reason


async def test_a_file_that_the_library_refuses_fails_with_its_reason(fired: Fire):
    def refuse(slug: str) -> Path:
        raise LookupError("The file was removed by another seller.")

    run = await fired("file", path_of_file=refuse)

    assert run.verdict is Verdict.FAILED
    assert "cannot be read from the library: The file was removed by another seller." in run.reason


async def test_a_gated_page_that_anybody_can_read_fails_the_run(fired: Fire, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(members, "session_of", lambda world, request: "anybody@example.com")
    monkeypatch.setattr(members, "may_see", lambda *whatever: True)

    run = await fired("hosted")

    assert run.verdict is Verdict.FAILED
    assert "Anybody can read http://127.0.0.1:8025/m/yoga-club/silver without logging in" in run.reason
    assert "“Yoga Club” is password-protected" in run.reason


async def test_a_revoke_that_does_nothing_fails_the_run(fired: Fire, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(members, "shut_out", lambda *whatever: None)

    run = await fired("hosted", Event.CHARGEBACK)

    assert run.verdict is Verdict.FAILED
    assert "Ada Example can still read" in run.reason
    assert evidence(run, "revoke_access").allowed is True


async def test_a_platform_that_answers_well_and_revokes_nothing_fails_the_run(
    fired: Fire, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(platform, "shut_out", lambda *whatever: None)

    run = await fired("integrated", Event.REFUND)

    assert run.verdict is Verdict.FAILED
    assert "can still read" in run.reason


async def test_a_platform_that_lets_nobody_in_fails_the_run(fired: Fire, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "let_in", lambda *whatever: None)

    run = await fired("integrated")

    assert run.verdict is Verdict.FAILED
    assert "Ada Example was turned away: Your membership does not include this page" in run.reason


async def test_a_login_that_does_not_work_fails_the_run(fired: Fire, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(members, "_check_password", lambda *whatever: False)

    run = await fired("hosted")

    assert run.verdict is Verdict.FAILED
    assert "could not log in with the mailed login: E-mail or password is wrong." in run.reason


async def test_a_registration_that_is_lost_fails_the_run(fired: Fire, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wizard.sandbox.bookings.register", lambda *whatever, **more: True)

    run = await fired("calendar")

    assert run.verdict is Verdict.FAILED
    assert "Ada Example does not stand on the list of “Coaching call”." in run.reason


async def test_an_open_membership_passes_and_says_that_anybody_can_read_it(fired: Fire):
    chosen = {"membership": "open-house", "levels": ["all"], "send_login_details": False}
    access = {"kind": "hosted_membership", "hosted_membership": chosen}

    bought = await fired("", access=access)
    refunded = await fired("", Event.REFUND, access=access)

    assert (bought.verdict, refunded.verdict) == (Verdict.PASSED, Verdict.FAILED)
    assert "So can anybody: “Open House” has no password." in bought.reason
    assert "whoever knows the address reads it, also after access was taken away" in refunded.reason


async def test_a_crash_in_the_sandbox_is_tried_again_and_then_told(fired: Fire, monkeypatch: pytest.MonkeyPatch):
    def crash(*whatever: Any, **more: Any) -> None:
        raise RuntimeError("out of paper")

    monkeypatch.setattr("wizard.sandbox.mailbox.deliver", crash)
    run = await fired("physical")

    assert run.verdict is Verdict.FAILED
    assert "The sandbox answered 500." in run.reason
    assert step(run, "send_email").attempts == 2


# --- what is written down --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["hosted", "integrated", "file"])
async def test_no_secret_of_a_run_is_in_the_ledger(option: str, app: Starlette, fired: Fire):
    ledger = MemoryLedger()
    run = await fired(option, Event.REFUND, ledger=ledger)
    world = app.state.world
    sent = mailbox(app)

    secrets = [world.admin_token, world.signing_secret("my-site")]
    if option == "hosted":
        secrets.append(world.password_for(run.buyer.email, f"{run.id}-1"))
    else:
        mark = "/d/" if option == "file" else "token="
        secrets += [word.partition(mark)[2] for body in sent for word in body.split() if mark in word]
    assert len(secrets) == 3
    recorded = ledger.read_run(run.id)
    written = [recorded.model_dump_json(), *(text for body in bodies(recorded) for text in decoded(body))]
    for secret in secrets:
        assert secret
        assert [text for text in written if secret in text] == []
    mails = [body for body in bodies(recorded, "/source") if MASK in body]
    assert any("Your order: Yoga Masterclass" in body for body in bodies(recorded, "/source"))
    assert mails, "the mail with the secret was read, and is in the record"
    if option != "integrated":
        assert any(secrets[-1] in body for body in sent)


@pytest.mark.parametrize("option", ["hosted", "integrated", "file", "calendar"])
@pytest.mark.parametrize(
    ("first", "then"),
    [("Bob@example.com", "bob@example.com"), ("bob@b\u00fccher.example", "BOB@xn--bcher-kva.Example")],
)
async def test_a_buyer_who_writes_the_address_in_another_way_is_the_same_buyer(
    option: str, first: str, then: str, fired: Fire, app: Starlette
):
    bought = await fired(option, buyer=Buyer(email=first, name="Bob"))
    refunded = await fired(option, Event.REFUND, buyer=Buyer(email=then, name="Bob"))

    assert (bought.verdict, refunded.verdict) == (Verdict.PASSED, Verdict.PASSED), refunded.reason
    with app.state.world.reading() as connection:
        counted = {
            table.name: len(connection.execute(table.select()).all())
            for table in (records.members, records.grants, records.attendees)
        }
    assert counted == {"members": int(option == "hosted"), "grants": 0, "attendees": 0}


async def test_no_secret_of_an_earlier_run_of_the_same_buyer_is_in_the_ledger(app: Starlette, fired: Fire):
    ledger, buyer = MemoryLedger(), Buyer(email="bo@example.org", name="Bo")
    for option in ("hosted", "integrated", "file", "hosted", "file", "integrated"):
        last = await fired(option, buyer=buyer, ledger=ledger)
        assert last.verdict is Verdict.PASSED, last.reason

    sent = "\n".join(mailbox(app))
    secrets = re.findall(r"/d/(\S+)|token=(\S+)|\b([a-z2-7]{4}(?:-[a-z2-7]{4}){3})\b", sent)
    assert len(secrets) == 4
    for recorded in ledger.runs.values():
        written = recorded.model_dump_json()
        assert [secret for found in secrets for secret in found if secret and secret in written] == []


def bodies(run: Run, of: str = "") -> list[str]:
    """What was sent and received in a recorded run, in requests whose address ends in `of`."""
    answers = [answer for step in run.steps for answer in (step.receipt, step.evidence) if answer]
    exchanges = [exchange for answer in answers for exchange in answer.exchanges if exchange.request.endswith(of)]
    return [body for exchange in exchanges for body in (exchange.sent, exchange.received)]


def decoded(body: str) -> Iterator[str]:
    """A body as whoever reads the record could decode it."""
    yield quopri.decodestring(body.encode()).decode("utf-8", "replace")
    for part in body.replace("-", "+").replace("_", "/").replace("\r", "").split("\n\n"):
        packed = re.sub("[^A-Za-z0-9+/]", "", part)
        for start in range(4):
            whole = packed[start : start + (len(packed) - start) // 4 * 4]
            yield base64.b64decode(whole).decode("utf-8", "replace")


def mailbox(app: Starlette) -> list[str]:
    with app.state.world.reading() as connection:
        return [row.body for row in connection.exec_driver_sql("select body from mails").all()]


async def test_a_hostile_name_goes_through_as_text(fired: Fire):
    name = "<script>alert(1)</script> [/nope] {login_password} \x1b[31m\u202e"

    run = await fired("hosted", buyer=Buyer(email="eve@example.com", name=name))

    assert run.verdict is Verdict.PASSED, run.reason
    assert "<script>alert(1)</script> [/nope] {login_password}" in run.reason
    assert "\x1b" not in run.reason
    assert "\u202e" not in run.reason


async def test_steps_are_shown_while_they_happen(fired: Fire):
    shown: list[tuple[int, Status]] = []

    run = await fired("calendar", on_step=lambda step: shown.append((step.position, step.status)))

    assert shown[0] == (1, Status.RUNNING)
    assert shown[-1] == (len(run.steps), Status.PASSED)


async def test_password_hashes_and_the_ledger_leave_the_event_loop_free(
    app: Starlette, fired: Fire, monkeypatch: pytest.MonkeyPatch
):
    threads: set[tuple[str, int]] = set()

    class Hasher:
        def hash(self, password: str) -> str:
            threads.add(("hash", threading.get_ident()))
            return CHEAP.hash(password)

        def verify(self, hashed: str, password: str) -> bool:
            threads.add(("verify", threading.get_ident()))
            return CHEAP.verify(hashed, password)

    class Ledger(MemoryLedger):
        blocks = True

        def write_steps(self, run: str, *steps: RunStep) -> None:
            threads.add(("write", threading.get_ident()))
            super().write_steps(run, *steps)

    monkeypatch.setattr(app.state.world, "hasher", Hasher())
    await fired("hosted", ledger=Ledger())

    assert {what for what, _ in threads} == {"hash", "verify", "write"}
    assert threading.get_ident() not in {thread for _, thread in threads}


def test_the_door_is_light_until_something_is_fired():
    heavy = ("httpx", "sqlalchemy", "starlette", "jinja2", "argon2", "babel")
    asked = f"import sys, wizard.runs.fire; print([name for name in {heavy} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"


# --- the door --------------------------------------------------------------------------------------------------------


async def test_nothing_is_sent_for_a_product_that_is_not_ready(app: Starlette, fired: Fire):
    ledger = MemoryLedger()
    lacking = {"notifications": {"membership_welcome": {"subject": "Hi", "body": "{login_page}"}}}

    with pytest.raises(NotReady, match="login_password"):
        await fired("hosted", post_sale=lacking, ledger=ledger)

    assert ledger.runs == {}
    assert mailbox(app) == []


@pytest.mark.parametrize("written", ["{first_name}", "{{buyer_name}}", "{Buyer_Name}", "{ buyer_name }", "%NAME%"])
async def test_nothing_is_sent_while_a_mail_holds_a_variable_that_nobody_fills(
    written: str, app: Starlette, fired: Fire
):
    ledger = MemoryLedger()
    strange = {"notifications": {"order_confirmation": {"subject": "Hi", "body": f"Dear {written}"}}}

    with pytest.raises(NotReady) as refused:
        await fired("hosted", post_sale=strange, ledger=ledger)

    assert str(refused.value).endswith(f"is not sent: buyers would read {written} as it stands; write {{buyer_name}}.")
    assert refused.value.field == "post_sale.notifications.order_confirmation.body"
    assert ledger.runs == {}
    assert mailbox(app) == []


async def test_two_runs_for_one_buyer_wait_for_each_other_and_say_so(app: Starlette, fired: Fire):
    ledger, waits = MemoryLedger(), list[str]()
    at_work = most = 0
    both = [Buyer(email="ada.both@example.com"), Buyer(email="Ada.Both@example.com")]

    class Counting(SandboxBackend):
        async def perform(self, action: Action, context: Context) -> Receipt:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            try:
                await asyncio.sleep(0.01)
                return await super().perform(action, context)
            finally:
                at_work -= 1

    many = {"backend": lambda around: Counting(around, app), "ledger": ledger, "on_wait": waits.append}
    events = (Event.PURCHASE, Event.REFUND) * 2
    runs = await asyncio.gather(*(fired("hosted", event, buyer=both[n % 2], **many) for n, event in enumerate(events)))

    assert [run.verdict for run in runs] == [Verdict.PASSED] * 4
    assert most == 1
    assert len(waits) == 3, "each that waits says so once"
    assert {told.partition(": ")[2] for told in waits} == {"this one begins when it ends."}


async def test_runs_for_buyers_of_their_own_wait_for_nobody(fired: Fire):
    waits: list[str] = []
    ledger = MemoryLedger()

    runs = await asyncio.gather(*(fired("hosted", ledger=ledger, on_wait=waits.append) for _ in range(3)))

    assert [run.verdict for run in runs] == [Verdict.PASSED] * 3
    assert waits == []


async def test_a_real_address_is_refused_unless_the_seller_names_it(fired: Fire):
    real = Buyer(email="ada@gmail.com", name="Ada")

    with pytest.raises(RealAddress, match=r"ada@gmail\.com may belong to somebody"):
        await fired("physical", buyer=real)
    assert (await fired("physical", buyer=real, named_by_seller=True)).verdict is Verdict.PASSED


@pytest.mark.parametrize("address", ["ada", "ada@example.com\nBcc: x@example.com", "ada@exаmple.com", ""])
async def test_an_address_that_is_none_is_refused(address: str, fired: Fire):
    with pytest.raises(ValueError, match=r".+"):
        await fired("physical", buyer=Buyer(email=address), named_by_seller=True)


@given(st.sampled_from(["a@example.com", "a@EXAMPLE.org", "a@x.example.net", "a@b.test", "a@x.example", "a@y.invalid",
                        "a@localhost"]))  # fmt: skip
def test_addresses_that_nobody_can_own_are_known(address: str):
    assert is_reserved(address)


@pytest.mark.parametrize(
    "address", ["a@gmail.com", "a@myexample.com", "a@example.com.evil.org", "a@test.de", "a@contest"]
)
def test_addresses_that_somebody_can_own_are_known(address: str):
    assert not is_reserved(address)


async def test_each_run_has_a_buyer_of_its_own(fired: Fire):
    first, second = await fired("physical"), await fired("physical")

    assert first.id < second.id
    assert first.buyer.email == f"ada.{first.id}@example.com"
    assert first.buyer != second.buyer


async def test_the_sandbox_in_the_data_folder_is_used_by_name(tmp_path: Path):
    run = await fire(sold("calendar"), at=Workplace(tmp_path / "data"))

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.backend == "sandbox"
    assert (tmp_path / "data" / "sandbox.sqlite").exists()


async def test_what_a_run_created_is_cleaned_up(app: Starlette, tmp_path: Path):
    from tests.support.shop import NOW
    from wizard.runs.runner import Runner
    from wizard.sale.plan import plan
    from wizard.sale.script import steps_of

    what = sold("hosted")
    backend = SandboxBackend(Surroundings(data_dir=tmp_path, client=lambda: pytest.fail("no network")), app)
    runner = Runner(backend, MemoryLedger())
    planned = Run(
        id="r1",
        product="x",
        revision=1,
        event=Event.PURCHASE,
        backend="sandbox",
        buyer=Buyer(),
        started_at=NOW,
        steps=steps_of(plan(what, Event.PURCHASE, Held(), NOW)),
    )
    await runner.run(planned)
    context = Context(run="r1", product="x", buyer=Buyer(), now=lambda: NOW, key="")

    assert await backend.clean_up(context) == "Everything this run created was removed."
    assert mailbox(app) == []


# --- backends and connections ----------------------------------------------------------------------------------------


def test_the_sandbox_is_installed_and_can_do_everything_that_is_planned():
    (sandbox,) = [each for each in installed() if each.name == "sandbox"]

    assert sandbox.manifest is not None
    assert GrantAccess.model_fields["action"].default in sandbox.manifest.can
    assert len(sandbox.manifest.can) == 16
    assert sandbox.package.startswith("product-wizard ")


def test_a_backend_that_nobody_installed_is_named_with_those_that_are():
    with pytest.raises(NoSuchBackend, match=r"No backend is called “sandbux”. Installed are: .*sandbox"):
        manifest_of("sandbux")


async def test_a_sandbox_connection_is_checked_with_a_real_signed_request(tmp_path: Path):
    good = await connections.check_connection(Connection(slug="my-site", name="My site"), data_dir=tmp_path)

    assert (good.ok, good.detail) == (True, "The sandbox's platform took a signed request.")


async def test_a_platform_that_refuses_the_request_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*whatever: Any) -> None:
        raise platform.BadRequest("not today")

    monkeypatch.setattr(platform, "obey", refuse)
    bad = await connections.check_connection(Connection(slug="my-site", name="My site"), data_dir=tmp_path)

    assert (bad.ok, bad.detail) == (False, "The sandbox's platform answered 422 to a signed request.")


async def test_a_connection_with_half_a_key_is_told_before_anything_is_sent(tmp_path: Path):
    ghost = Connection.model_validate({"slug": "blog", "name": "Blog", "kind": "ghost", "admin_api_key": "89abcdef"})

    check = await connections.check_connection(ghost, data_dir=tmp_path)

    assert not check.ok
    assert check.detail.startswith("The Admin API key of “Blog” is not whole: copy all of it, with the colon")


# --- a sandbox that cannot be used -----------------------------------------------------------------------------------


@pytest.fixture
def shop_with_a_site(data_dir: Path) -> Path:
    """A data folder with the sample: products to fire and a connection to check."""
    with open_store(load(data_dir=data_dir)) as store:
        fill(store)
    return data_dir


@pytest.mark.parametrize(
    ("command", "status"), [(["fire", "coaching-hour"], 3), (["backends"], 1), (["connections", "check", "studio"], 1)]
)
def test_a_damaged_sandbox_is_told_in_a_sentence(
    command: list[str], status: int, shop_with_a_site: Path, capsys: pytest.CaptureFixture[str]
):
    (shop_with_a_site / "sandbox.sqlite").write_bytes(DAMAGED)

    assert run_command(command) == status

    captured = capsys.readouterr()
    told = captured.err if status == 3 else captured.out
    assert f"The sandbox's database {shop_with_a_site / 'sandbox.sqlite'} cannot be used (" in told
    assert "move it away: a new one is made." in told
    assert "Traceback" not in captured.err


def test_a_locked_sandbox_is_told_in_a_sentence_and_nothing_is_recorded(
    shop_with_a_site: Path, capsys: pytest.CaptureFixture[str]
):
    (shop_with_a_site / "sandbox.sqlite").touch(mode=0o600)  # one that others may read would be told as well
    holding = sqlite3.connect(shop_with_a_site / "sandbox.sqlite", isolation_level=None)
    holding.execute("BEGIN EXCLUSIVE")
    try:
        assert run_command(["fire", "coaching-hour"]) == 3
    finally:
        holding.close()

    assert capsys.readouterr().err.strip() == (
        f"The sandbox's database {shop_with_a_site / 'sandbox.sqlite'} is held by another process: "
        "try again when that is done."
    )
    with open_store(load(data_dir=shop_with_a_site)) as store:
        assert store.runs() == ()


async def test_a_sandbox_that_is_locked_during_a_run_is_tried_again_and_then_told(
    app: Starlette, fired: Fire, monkeypatch: pytest.MonkeyPatch
):
    def locked(*whatever: Any, **more: Any) -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))

    monkeypatch.setattr("wizard.sandbox.mailbox.deliver", locked)
    run = await fired("physical")

    assert run.verdict is Verdict.FAILED
    assert "The sandbox answered 503: The sandbox's database in memory is held by another process" in run.reason
    assert step(run, "send_email").attempts == 2


async def test_checking_a_connection_raises_nothing_when_the_folder_cannot_be_used(tmp_path: Path):
    (tmp_path / "data").write_text("a file, where a folder should be")

    check = await connections.check_connection(Connection(slug="a", name="A"), data_dir=tmp_path / "data")

    assert not check.ok
    assert check.detail.startswith(f"The sandbox's folder {tmp_path / 'data'} cannot be used: ")


async def test_a_fault_that_is_set_makes_each_run_a_drill(tmp_path: Path):
    at = Workplace(tmp_path / "data", backends={"sandbox": {"fault": "error_inside"}})

    run = await fire(sold("calendar"), at=at, patience=QUICK)

    assert (run.fault, run.verdict) == ("error_inside", Verdict.FAILED)


async def test_a_drill_on_another_backend_is_refused(tmp_path: Path):
    with pytest.raises(BadSettings, match="A drill is the sandbox's alone"):
        await fire(sold("calendar"), at=Workplace(tmp_path), backend="elsewhere", fault="html")
