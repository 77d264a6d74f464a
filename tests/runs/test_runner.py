"""The runner: order, retries, failures, and a record without any secret, against a backend that does as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from models.events import Status, Verdict
from models.fulfillment import (
    Action,
    Buyer,
    Evidence,
    Exchange,
    GrantAccess,
    KeepAccess,
    NoteOnBuyer,
    Receipt,
    RegisterAttendee,
    Run,
    RunStep,
    SendEmail,
)
from tests.support.obedient import (
    CONFIRMATION,
    GRANT,
    LOGIN,
    PAGE,
    PASSWORD,
    REVOKE,
    WELCOME,
    Backend,
    planned,
    raising,
)
from tests.support.shop import NOW
from wizard.delivery.backend import Context
from wizard.delivery.errors import ActionRequired, Rejected, Retriable
from wizard.delivery.secrecy import KEPT, MASK, Secrets
from wizard.runs.ledger import MemoryLedger, key_of, new_run_id
from wizard.runs.runner import Runner
from wizard.runs.tries import Patience

QUICK = Patience(tries=3, one_try=0.5, first_wait=0, longest_wait=1, jitter=0)


async def carried_out(backend: Backend, *acts: list[Action], ledger: MemoryLedger | None = None) -> Run:
    runner = Runner(backend, ledger or MemoryLedger(), clock=lambda: NOW, patience=QUICK)
    return await runner.run(planned(*acts))


def statuses(run: Run) -> list[str]:
    return [step.status.value for step in run.steps]


async def test_everything_is_performed_in_order_and_then_checked_in_order():
    backend = Backend()

    run = await carried_out(backend, [GRANT, WELCOME, CONFIRMATION, PAGE])

    assert run.verdict is Verdict.PASSED
    assert run.reason == "grant_access seen"
    assert statuses(run) == ["passed"] * 4
    assert [action.action for action in backend.performed] == ["grant_access", "send_email", "send_email", "show_page"]
    assert backend.verified == backend.performed
    assert run.page is not None
    assert run.page.text == "Thank you!"
    assert run.finished_at == NOW


async def test_a_mail_is_filled_with_what_an_earlier_step_gave():
    backend = Backend()

    await carried_out(backend, [GRANT, WELCOME])

    mail = backend.performed[1]
    assert isinstance(mail, SendEmail)
    assert mail.subject == "Hello Ada Example"
    assert PASSWORD in mail.body


async def test_no_login_mail_is_sent_when_no_login_was_made():
    async def has_one(action: Action, context: Context) -> Receipt:
        return Receipt(reference="r", values={"login_page": "https://example.com/login"})

    run = await carried_out(Backend(grant_access=has_one), [GRANT, WELCOME, PAGE])

    assert statuses(run) == ["passed", "skipped", "passed"]
    assert run.steps[1].detail == "Not needed: no new login was made."
    assert run.verdict is Verdict.PASSED


async def test_a_failed_step_stops_what_depends_on_it_and_nothing_else():
    backend = Backend(grant_access=raising(Rejected("There is no level gold.", "post_sale.access.levels")))

    run = await carried_out(backend, [GRANT, WELCOME, CONFIRMATION, PAGE])

    assert statuses(run) == ["failed", "skipped", "passed", "passed"]
    assert run.steps[1].detail == "Not sent, because step 1 failed."
    assert run.verdict is Verdict.FAILED
    expected = "Step 1 (Let the buyer in: yoga-club): There is no level gold. Look at post_sale.access.levels."
    assert run.reason == expected


async def test_a_later_act_is_not_begun_after_a_failure():
    backend = Backend(grant_access=raising(Rejected("No.")))

    run = await carried_out(backend, [GRANT], [REVOKE])

    assert statuses(run) == ["failed", "skipped"]
    assert [action.action for action in backend.performed] == ["grant_access"]


async def test_the_reason_of_a_passed_run_is_what_its_last_act_led_to():
    run = await carried_out(Backend(), [GRANT], [REVOKE])

    assert (run.verdict, run.reason) == (Verdict.PASSED, "revoke_access seen")


async def test_a_buyer_who_still_gets_in_after_a_revoke_fails_the_run():
    async def still_in(action: Action, receipt: Receipt, context: Context) -> Evidence:
        return Evidence(allowed=True, proven_by="buyer", detail="Ada can still read gold.")

    run = await carried_out(Backend(verify_revoke_access=still_in), [REVOKE])

    assert run.verdict is Verdict.FAILED
    assert "Ada can still read gold." in run.reason


async def test_what_a_person_must_do_ends_the_run_with_action_required():
    run = await carried_out(Backend(grant_access=raising(ActionRequired("Correct the key."))), [GRANT, WELCOME])

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert run.reason == "Step 1 (Let the buyer in: yoga-club): Correct the key."
    assert statuses(run) == ["action_required", "skipped"]


async def test_only_retriable_errors_are_tried_again_and_always_with_the_same_key():
    backend = Backend(grant_access=raising(Retriable("Busy."), Retriable("Busy.")))

    run = await carried_out(backend, [GRANT])

    assert run.verdict is Verdict.PASSED
    assert run.steps[0].attempts == 3
    assert backend.keys == [key_of("run1", 1)] * 3


async def test_a_step_that_is_tried_again_says_so():
    shown: list[str] = []
    backend = Backend(grant_access=raising(Retriable("Busy.")))
    again = "Try 2 of 3, gives up in 60 s."

    await Runner(
        backend, MemoryLedger(), on_step=lambda step: shown.append(f"{step.attempts}: {step.detail}"), patience=QUICK
    ).run(planned([GRANT]))

    assert shown[:3] == ["1: ", f"1: Busy. {again}", f"2: Busy. {again}"]


async def test_a_ledger_that_cannot_write_is_not_blamed_on_the_backend():
    class Full(MemoryLedger):
        def write_steps(self, run: str, *steps: RunStep) -> None:
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        await carried_out(Backend(), [GRANT], ledger=Full())


async def test_a_run_is_closed_after_the_write_that_was_going_on():
    order: list[str] = []
    writing = threading.Event()

    class Slow(MemoryLedger):
        blocks = True

        def write_steps(self, run: str, *steps: RunStep) -> None:
            writing.set()
            time.sleep(0.05)
            super().write_steps(run, *steps)
            order.append("written")

        def close_run(self, run: str, **ended: Any) -> None:
            super().close_run(run, **ended)
            order.append("closed")

    task = asyncio.create_task(carried_out(Backend(), [GRANT], ledger=Slow()))
    await asyncio.to_thread(writing.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert order == ["written", "closed"]


async def test_after_the_last_try_the_run_fails_and_says_so():
    backend = Backend(grant_access=raising(*[Retriable("Busy.")] * 9))

    run = await carried_out(backend, [GRANT])

    assert len(backend.performed) == 3
    assert run.steps[0].attempts == 3
    assert run.reason.endswith("Busy. Tried 3 times in 1 s, then given up: try again later.")


async def test_a_rejected_request_is_not_tried_again():
    backend = Backend(grant_access=raising(Rejected("No.")))

    await carried_out(backend, [GRANT])

    assert len(backend.performed) == 1


async def test_the_wait_that_a_backend_asks_for_is_kept():
    waits: list[float] = []

    def note(details: RetryDetails) -> None:
        waits.append(details.wait_for)

    before = get_on_retry_hooks()
    set_on_retry_hooks([note])
    try:
        run = await carried_out(Backend(grant_access=raising(Retriable("Busy.", after=0.02))), [GRANT])
    finally:
        set_on_retry_hooks(before)

    assert waits == [0.02]
    assert run.verdict is Verdict.PASSED


async def test_a_backend_that_asks_for_too_long_a_wait_is_not_waited_for():
    backend = Backend(grant_access=raising(Retriable("Busy.", after=3600)))

    run = await carried_out(backend, [GRANT])

    assert len(backend.performed) == 1
    assert run.reason.endswith("It asked to wait 3600 seconds: try again then.")


async def test_a_check_is_tried_again_too():
    answers: list[Any] = [Retriable("Busy."), Evidence(allowed=True, proven_by="buyer", detail="in")]

    async def look(action: Action, receipt: Receipt, context: Context) -> Evidence:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Evidence.model_validate(answer)

    run = await carried_out(Backend(verify_grant_access=look), [GRANT])

    assert run.verdict is Verdict.PASSED
    assert run.steps[0].attempts == 2


async def test_a_backend_that_hangs_is_given_up():
    async def hang(action: Action, context: Context) -> Receipt:
        await asyncio.sleep(60)
        raise AssertionError

    runner = Runner(Backend(grant_access=hang), MemoryLedger(), patience=Patience(2, 0.01, 0, 0, 0))
    run = await runner.run(planned([GRANT]))

    assert run.verdict is Verdict.FAILED
    assert "No answer within 0.01 seconds." in run.reason


async def test_a_backend_that_breaks_ends_the_run_with_a_record():
    run = await carried_out(Backend(grant_access=raising(KeyError("levels"))), [GRANT])

    assert run.verdict is Verdict.FAILED
    assert "The backend broke (KeyError: 'levels')" in run.reason


async def test_a_backend_is_not_asked_for_what_it_cannot_do():
    backend = Backend()

    run = await carried_out(backend, [NoteOnBuyer(action="assign_tag", target="yogi")])

    assert backend.performed == []
    assert "The backend “obedient” cannot do this" in run.reason


async def test_a_line_break_in_a_buyers_name_stops_the_mail_and_not_the_run():
    backend = Backend()
    mail = CONFIRMATION.model_copy(update={"subject": "{buyer_name}"})
    eve = planned([mail, PAGE]).model_copy(update={"buyer": Buyer(name="Eve\r\nBcc: all@example.com")})

    run = await Runner(backend, MemoryLedger(), patience=QUICK).run(eve)

    assert statuses(run) == ["failed", "passed"]
    assert "line break" in run.reason
    assert [action.action for action in backend.performed] == ["show_page"]


async def test_a_run_that_is_stopped_is_closed_as_interrupted():
    begun = asyncio.Event()

    async def hang(action: Action, context: Context) -> Receipt:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    ledger = MemoryLedger()
    task = asyncio.create_task(carried_out(Backend(send_email=hang), [GRANT, CONFIRMATION], ledger=ledger))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    run = ledger.read_run("run1")
    assert run.verdict is Verdict.INTERRUPTED
    assert statuses(run) == ["performed", "running"]


class LockedOnce(MemoryLedger):
    """A ledger whose one method cannot write, the first time."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    def _lock(self, method: str) -> None:
        if self.method == method:
            self.method = ""
            raise OSError("the database is locked")

    def write_steps(self, run: str, *steps: RunStep) -> None:
        self._lock("write_steps")
        super().write_steps(run, *steps)

    def close_run(self, run: str, **ended: Any) -> None:
        self._lock("close_run")
        super().close_run(run, **ended)


@pytest.mark.parametrize("method", ["write_steps", "close_run"])
async def test_a_run_that_could_not_be_written_once_is_closed_as_interrupted(method: str):
    ledger = LockedOnce(method)

    with pytest.raises(OSError, match="the database is locked"):
        await carried_out(Backend(), [GRANT], ledger=ledger)

    run = ledger.read_run("run1")
    assert (run.verdict, run.reason) == (Verdict.INTERRUPTED, "Stopped midway: the database is locked")
    assert run.finished_at == NOW


async def test_when_a_run_cannot_even_be_closed_the_first_error_is_raised_and_says_so():
    class Gone(MemoryLedger):
        def write_steps(self, run: str, *steps: RunStep) -> None:
            raise OSError("no space left")

        def close_run(self, run: str, **ended: Any) -> None:
            raise OSError("still no space left")

    with pytest.raises(OSError, match=r"^no space left") as raised:
        await carried_out(Backend(), [GRANT], ledger=Gone())

    assert raised.value.__notes__ == ["The run could not be closed either: still no space left"]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_run_that_is_stopped_while_it_is_opened_is_closed_after_that(times: int):
    opening = threading.Event()

    class Slow(MemoryLedger):
        blocks = True

        def open_run(self, run: Run) -> None:
            opening.set()
            time.sleep(0.1)
            super().open_run(run)

    backend, ledger = Backend(), Slow()
    task = asyncio.create_task(carried_out(backend, [GRANT], ledger=ledger))
    await asyncio.to_thread(opening.wait)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (ledger.read_run("run1").verdict, ledger.read_run("run1").reason) == (
        Verdict.INTERRUPTED, "Stopped midway.",
    )  # fmt: skip
    assert backend.performed == []


async def test_a_run_that_is_stopped_while_it_is_closed_keeps_its_verdict():
    closing = threading.Event()

    class Slow(MemoryLedger):
        blocks = True

        def close_run(self, run: str, **ended: Any) -> None:
            closing.set()
            time.sleep(0.05)
            super().close_run(run, **ended)

    ledger = Slow()
    task = asyncio.create_task(carried_out(Backend(), [GRANT], ledger=ledger))
    await asyncio.to_thread(closing.wait)
    task.cancel()

    assert (await task).verdict is Verdict.PASSED, "who stops it then comes too late"
    assert ledger.read_run("run1").verdict is Verdict.PASSED


async def test_the_record_of_another_run_of_the_same_id_is_left_alone():
    ledger = MemoryLedger()
    first = await carried_out(Backend(), [GRANT], ledger=ledger)

    with pytest.raises(ValueError, match="there is a run run1 already"):
        await carried_out(Backend(), [GRANT], ledger=ledger)

    assert ledger.read_run("run1") == first


async def test_whoever_looks_on_and_breaks_does_not_stop_the_run():
    def broken(step: RunStep) -> None:
        raise RuntimeError("the screen is gone")

    runner = Runner(Backend(), MemoryLedger(), clock=lambda: NOW, on_step=broken, patience=QUICK)

    assert (await runner.run(planned([GRANT]))).verdict is Verdict.PASSED


async def test_a_step_is_recorded_before_and_after_it_is_done_and_shown_as_it_happens():
    recorded: list[tuple[int, Status]] = []
    shown: list[RunStep] = []

    class Noting(MemoryLedger):
        blocks = True

        def write_steps(self, run: str, *steps: RunStep) -> None:
            recorded.extend((step.position, step.status) for step in steps)
            super().write_steps(run, *steps)

    runner = Runner(Backend(), Noting(), clock=lambda: NOW, on_step=shown.append, patience=QUICK)
    await runner.run(planned([GRANT, PAGE]))

    running, performed, passed = Status.RUNNING, Status.PERFORMED, Status.PASSED
    expected = [(1, running), (1, performed), (2, running), (2, performed), (1, passed), (2, passed)]
    assert recorded == expected
    assert [(step.position, step.status) for step in shown] == expected
    assert all(step.ms > 0 for step in shown if step.status is passed)


SECRETS = {
    "login_password": PASSWORD,
    "download_link": "https://example.com/d/9x2kQ.signed-token",
    "something_new": "a value nobody knows & fears",
}


async def test_no_secret_reaches_the_record():
    async def chatty(action: Action, context: Context) -> Receipt:
        context.secrets.learn("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        exchange = Exchange(
            request=f"POST https://example.com/?t={SECRETS['download_link']}",
            sent=json.dumps(SECRETS | {"key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
            received="x" * (KEPT - 8) + PASSWORD,
        )
        return Receipt(
            reference="r", detail=f"the password is {PASSWORD}", values=LOGIN | SECRETS, exchanges=(exchange,)
        )

    async def look(action: Action, receipt: Receipt, context: Context) -> Evidence:
        return Evidence(
            allowed=False,
            proven_by="buyer",
            detail=f"tried {SECRETS['download_link']}",
            facts={"link": SECRETS["download_link"], PASSWORD: "k7qm-2xpa-9rtd &amp; &lt;h3&gt;"},
        )

    ledger = MemoryLedger()
    run = await carried_out(Backend(grant_access=chatty, verify_grant_access=look), [GRANT, WELCOME], ledger=ledger)

    for text in (run.model_dump_json(), ledger.read_run("run1").model_dump_json(), str(run), run.reason):
        for secret in ("k7qm", "9rtd", "9x2kQ", "signed-token", "nobody knows", "MfKQ9r8GKYq"):
            assert secret not in text, secret
    assert MASK in run.reason
    assert run.steps[0].receipt is not None
    assert run.steps[0].receipt.values["login_page"] == "https://example.com/login"
    assert set(run.steps[0].receipt.values) == {*LOGIN, *SECRETS}


async def test_a_value_that_is_also_a_word_of_the_record_does_not_break_it():
    async def wordy(action: Action, context: Context) -> Receipt:
        values = {"kind": "hosted", "source": "product", "way": "show_page", "who": "buyer", "room": "webinar"}
        return Receipt(reference="r", detail="It is hosted.", values=values | {"for": "grant_access"})

    booked = RegisterAttendee(target="intro", kind="webinar")
    run = await carried_out(Backend(grant_access=wordy), [GRANT, PAGE, KeepAccess(target="x", reason="y", kept=booked)])

    assert run.verdict is Verdict.PASSED
    assert isinstance(run.steps[0].action, GrantAccess)
    assert run.steps[0].action.via == "hosted"
    assert run.page is not None
    assert run.page.source == "product"
    assert run.steps[0].receipt is not None
    assert run.steps[0].receipt.detail == f"It is {MASK}."


def test_a_short_text_is_not_taken_for_a_secret():
    secrets = Secrets()
    secrets.learn("gold")

    assert secrets.mask("the gold level") == "the gold level"


def test_ids_of_runs_sort_by_time_and_differ_within_a_moment():
    earlier, later = new_run_id(NOW), new_run_id(NOW.replace(microsecond=2000))

    assert len(earlier) == 12
    assert earlier[:9] < later[:9]
    assert len({new_run_id(NOW) for _ in range(50)}) > 40


async def test_keeping_access_is_a_step_like_any_other():
    run = await carried_out(Backend(), [KeepAccess(target="yoga-club", reason="the next period is paid")])

    assert (run.verdict, run.reason) == (Verdict.PASSED, "keep_access seen")


def test_a_run_is_not_opened_twice():
    ledger = MemoryLedger()
    ledger.open_run(planned())

    with pytest.raises(ValueError, match="run1"):
        ledger.open_run(planned())


async def test_a_mail_with_a_variable_that_no_step_gave_is_not_sent():
    backend = Backend()
    mail = CONFIRMATION.model_copy(update={"body": "It works until {link_expires}, {buyer_name}"})

    run = await carried_out(backend, [mail])

    assert backend.performed == []
    assert (run.verdict, run.steps[0].status) == (Verdict.FAILED, Status.FAILED)
    assert "the buyer would have read {link_expires} as it stands, since nothing gave it" in run.steps[0].detail
