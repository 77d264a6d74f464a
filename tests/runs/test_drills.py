"""Fault drills and clocks: the sandbox misbehaves on purpose, or lives in another time, and a run says what it saw."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from starlette.applications import Starlette

from models.account import Connection
from models.events import Event, Status, Verdict
from models.fulfillment import Buyer, Run, RunStep, SendEmail
from tests.support.served import served
from tests.support.shop import CHEAP, NOW, sold, workbook
from wizard.delivery.backend import Surroundings
from wizard.delivery.backends import SandboxSettings
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.delivery.errors import BackendError, Rejected
from wizard.runs.drill import NothingToNotice, ended, faults_for, is_noticed, told, verdict_of
from wizard.runs.fire import Workplace, fire
from wizard.runs.outcome import outcome
from wizard.runs.tries import Patience
from wizard.sale.lives import LIVES, PROOF, Life
from wizard.sandbox import drills, records
from wizard.sandbox.app import sandbox_app
from wizard.sandbox.clocks import clock_of
from wizard.sandbox.faults import DRILLS, HEADER, Fault
from wizard.sandbox.members import may_see
from wizard.sandbox.world import World

PATIENT = Patience(tries=5, one_try=10, first_wait=0, longest_wait=1, jitter=0)
ADA = "ada@example.com"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Starlette]:
    app = sandbox_app(World(tmp_path, hasher=CHEAP))
    yield app
    app.state.world.close()


@pytest.fixture(params=["in process", "over loopback"])
async def transport(request: pytest.FixtureRequest, app: Starlette) -> AsyncIterator[httpx.AsyncBaseTransport | None]:
    """Both ways to reach the sandbox."""
    if request.param == "in process":
        yield None
        return
    with served(app):
        async with httpx.AsyncHTTPTransport(trust_env=False) as over_loopback:
            yield over_loopback


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a slow answer took, without waiting for it."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(drills, "sleep", wait)
    return waited


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that has too many requests asks for no wait: which it is, another test reads."""
    monkeypatch.setattr(drills, "WAIT", "0")


class Drill:
    """Fires with a fault."""

    def __init__(self, app: Starlette, transport: httpx.AsyncBaseTransport | None, folder: Path) -> None:
        self.app = app
        self._transport = transport
        self._folder = folder

    async def __call__(self, option: str, event: Event = Event.PURCHASE, *, fault: str = "", **more: Any) -> Run:
        path = workbook(self._folder)
        return await fire(
            sold(option),
            event,
            at=Workplace(self._folder, path_of_file=lambda slug: path),
            backend=lambda around: SandboxBackend(
                replace(around, settings={"fault": fault} if fault else {}), self.app, self._transport
            ),
            **{"patience": PATIENT, **more},
        )

    def count(self, table: str) -> int:
        """How many rows there are."""
        with self.app.state.world.reading() as connection:
            return int(connection.scalar(select(func.count()).select_from(records.metadata.tables[table])))


@pytest.fixture
def drill(app: Starlette, transport: httpx.AsyncBaseTransport | None, tmp_path: Path) -> Drill:
    return Drill(app, transport, tmp_path)


EXPECTED = {
    "slow": Verdict.PASSED,
    "down_then_back": Verdict.PASSED,
    "rate_limited": Verdict.PASSED,
    "server_error": Verdict.FAILED,
    "html": Verdict.FAILED,
    "error_inside": Verdict.FAILED,
    "lies_about_revoking": Verdict.FAILED,
    "drops_connection": Verdict.FAILED,
}


def test_every_fault_says_what_it_shows_and_how_a_run_must_end():
    assert {fault.value: fault.expected for fault in DRILLS} == EXPECTED
    assert all(fault.label and fault.hint.endswith(".") for fault in DRILLS)


def test_a_fault_that_is_no_drill_says_what_it_does_and_is_not_taken_for_one(tmp_path: Path):
    others = [fault for fault in Fault if fault not in DRILLS]
    assert all(fault.label and fault.more.endswith(".") for fault in others)
    for fault in others:
        with pytest.raises(Rejected, match="There is no fault"):
            SandboxBackend(Surroundings(tmp_path, httpx.AsyncClient, settings={"fault": fault.value}))
        with pytest.raises(ValidationError, match="the sandbox does not play this"):
            SandboxSettings(fault=fault)


@pytest.mark.parametrize("option", ["hosted", "integrated"])
@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.usefixtures("no_waiting")
async def test_a_refund_ends_under_each_fault_as_it_says(fault: str, option: str, drill: Drill, delays: list[float]):
    run = await drill(option, Event.REFUND, fault=fault)

    assert run.verdict is EXPECTED[fault], run.reason
    assert run.verdict is Fault(fault).expected
    if fault == "slow":
        assert set(delays) == {2.0}


@pytest.mark.parametrize(
    ("fault", "reason", "attempts"),
    [
        ("server_error", "The sandbox answered 500: something broke", 5),
        ("html", "The sandbox answered 200 with a web page in place of a reply: nothing shows that it was done.", 1),
        ("error_inside", "The sandbox answered 200, but with an error inside: the order was not understood.", 1),
        ("drops_connection", "The connection to the sandbox broke off before its reply was whole.", 5),
    ],
)
@pytest.mark.parametrize("option", ["hosted", "integrated", "file", "calendar"])
async def test_a_reply_is_never_taken_for_more_than_it_says(
    fault: str, reason: str, attempts: int, option: str, drill: Drill
):
    run = await drill(option, fault=fault)

    assert run.verdict is Verdict.FAILED
    assert reason in run.reason
    (first, *_) = [step for step in run.steps if step.status is Status.FAILED]
    assert first.attempts == attempts


@pytest.mark.parametrize("fault", ["down_then_back", "rate_limited", "drops_connection"])
@pytest.mark.usefixtures("no_waiting")
async def test_what_is_tried_again_is_done_once(fault: str, drill: Drill):
    run = await drill("hosted", fault=fault)

    grant = run.steps[0]
    assert grant.attempts == {"down_then_back": 3, "rate_limited": 2, "drops_connection": 5}[fault]
    assert (drill.count("members"), drill.count("grants")) == (1, 2)
    assert drill.count("mails") == {"drops_connection": 1}.get(fault, 2)


@pytest.mark.parametrize("option", ["hosted", "integrated", "file", "calendar"])
async def test_a_lie_about_taking_away_is_found_out_as_the_buyer(option: str, drill: Drill):
    bought = await drill(option, fault="lies_about_revoking")
    refunded = await drill(option, Event.REFUND, fault="lies_about_revoking")

    assert (bought.verdict, refunded.verdict) == (Verdict.PASSED, Verdict.FAILED)
    taken = next(step for step in refunded.steps if step.status is Status.FAILED)
    assert taken.receipt is not None
    assert taken.evidence is not None
    assert (taken.evidence.allowed, taken.evidence.proven_by) == (True, "buyer")


def ended_as(fault: str, verdict: Verdict, *steps: RunStep) -> Run:
    return Run(
        id="r", product="p", revision=1, event=Event.REFUND, fault=fault, backend="sandbox", buyer=Buyer(),
        started_at=NOW, verdict=verdict, reason="What was seen.", steps=steps,
    )  # fmt: skip


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_drill_counts_as_passed_when_it_ended_as_it_must_and_only_then(fault: str):
    for verdict in (Verdict.PASSED, Verdict.FAILED):
        run, must = ended_as(fault, verdict), verdict is EXPECTED[fault]
        assert is_noticed(run) is must
        assert verdict_of(run) is (Verdict.PASSED if must else Verdict.FAILED)
        assert told(run).startswith("Drill: noticed. The run" if must else "Drill: not noticed. The run")
        assert "What was seen." in told(run)
    stopped = ended_as(fault, Verdict.INTERRUPTED)
    assert (is_noticed(stopped), verdict_of(stopped), ended(stopped)) == (None, Verdict.INTERRUPTED, "Interrupted")


def test_a_run_that_is_no_drill_counts_as_it_ended():
    for verdict in Verdict:
        run = ended_as("", verdict)
        assert (is_noticed(run), verdict_of(run), ended(run)) == (None, verdict, verdict.label)
        assert told(run) == f"{verdict.label}: What was seen."


@pytest.mark.parametrize("fault", [fault for fault, verdict in EXPECTED.items() if verdict is Verdict.FAILED])
def test_a_drill_that_failed_for_another_reason_has_noticed_nothing(fault: str):
    mail = SendEmail(target="order_confirmation", subject="Hi", body="{nothing}")
    step = RunStep(position=1, action=mail, status=Status.FAILED, detail="The mail needs {nothing}.")
    verdict, reason = outcome(ended_as(fault, Verdict.FAILED, step))
    run = ended_as(fault, verdict, step)

    assert verdict is Verdict.ACTION_REQUIRED
    assert reason.startswith("Something else than the drill went wrong: Step 1")
    assert (is_noticed(run), verdict_of(run), ended(run)) == (False, Verdict.FAILED, "Drill: showed nothing")


@pytest.mark.parametrize(
    ("option", "what", "can_lie"),
    [
        ("hosted", Event.PURCHASE, False),
        ("hosted", Event.RENEWAL, False),
        ("hosted", Event.REFUND, True),
        ("hosted", PROOF, True),
        ("hosted", LIVES["renewals_then_cancel"], True),
        ("hosted", LIVES["delivered_twice"], False),
        ("file", Event.CHARGEBACK, True),
        ("calendar", Event.REFUND, True),
        ("physical", PROOF, False),
    ],
)
async def test_a_drill_is_offered_where_it_can_show_something(
    option: str, what: Event | Life, can_lie: bool, tmp_path: Path
):
    offered = faults_for(sold(option), what, NOW)

    assert set(DRILLS) - set(offered) == (set() if can_lie else {Fault.LIES_ABOUT_REVOKING})
    if not can_lie:
        with pytest.raises(NothingToNotice, match="“Lies about revoking” can show nothing here"):
            await fire(sold(option), what, at=Workplace(tmp_path), fault="lies_about_revoking")


async def test_after_a_drill_the_sandbox_behaves_again(drill: Drill):
    await drill("hosted", fault="server_error")

    assert (await drill("hosted")).verdict is Verdict.PASSED


async def test_a_connection_that_answers_with_a_web_page_fails_its_check(app: Starlette, tmp_path: Path):
    def no_client() -> Any:
        raise AssertionError

    backend = SandboxBackend(Surroundings(data_dir=tmp_path, client=no_client, settings={"fault": "html"}), app)

    with pytest.raises(BackendError, match="a web page in place of a reply"):
        await backend.check_connection(Connection(slug="my-site", name="My site"))


def test_a_fault_that_there_is_not_is_refused_before_anything_is_sent(app: Starlette, tmp_path: Path):
    surroundings = Surroundings(data_dir=tmp_path, client=httpx.AsyncClient, settings={"fault": "explode"})

    with pytest.raises(Rejected, match=r"There is no fault “explode”. There are slow, down_then_back"):
        SandboxBackend(surroundings, app)


async def test_a_fault_is_only_for_whoever_has_the_token(app: Starlette):
    order = {"key": "k", "run": "r", "email": ADA, "subject": "Hi", "body": "x"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as eve:
        answers = [await eve.post("/admin/mails", json=order, headers={HEADER: fault}) for fault in EXPECTED]
        token = {"authorization": f"Bearer {app.state.world.admin_token}"}
        unknown = await eve.post("/admin/mails", json=order, headers={**token, HEADER: "explode"})
        unsigned = await eve.post("/platform/my-site/webhook", content="{}", headers={HEADER: "html"})

    assert {answer.status_code for answer in answers} == {401}
    assert unsigned.status_code == 401
    assert unknown.status_code == 422
    assert "there are slow, down_then_back" in unknown.json()["error"]


async def test_one_request_too_many_is_asked_to_wait_a_second(app: Starlette):
    letter = {"key": "k", "run": "r", "email": ADA, "subject": "Hi", "body": "x"}
    answers = [await asked(app, "POST", "/admin/mails", letter, **{HEADER: "rate_limited"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [429, 200]
    assert answers[0].headers["retry-after"] == "1"


# --- clocks ----------------------------------------------------------------------------------------------------------


async def asked(app: Starlette, method: str, path: str, what: Any = None, **more: str) -> httpx.Response:
    token = {"authorization": f"Bearer {app.state.world.admin_token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as shop:
        return await shop.request(method, path, json=what, headers=token | more)


def clocks_set(run: Run) -> list[str]:
    return [
        exchange.sent
        for step in run.steps
        for exchange in (step.receipt.exchanges if step.receipt else ())
        if exchange.request.endswith(f"/admin/runs/{run.id}/clock")
    ]


async def test_an_ordinary_run_sets_no_clock(drill: Drill):
    assert clocks_set(await drill("hosted")) == []
    assert drill.count("clocks") == 0


async def test_a_run_in_another_time_sets_its_clock_once_for_each_change(drill: Drill, app: Starlette):
    run = await drill("hosted", clock=lambda: NOW)

    assert run.verdict is Verdict.PASSED
    assert len(clocks_set(run)) == 1
    assert clock_of(app.state.world, run.id) == NOW


async def test_mails_and_links_of_a_run_are_dated_by_its_clock(drill: Drill, app: Starlette):
    long_ago = datetime(2020, 2, 3, 12, tzinfo=UTC)
    run = await drill("file", clock=lambda: long_ago)

    assert run.verdict is Verdict.PASSED, run.reason
    with app.state.world.reading() as connection:
        assert set(connection.scalars(select(records.mails.c.at))) == {long_ago.timestamp()}
        assert set(connection.scalars(select(records.links.c.expires_at))) == {long_ago.timestamp() + 86_400}


async def test_another_run_of_the_same_buyer_is_judged_by_its_own_clock(app: Starlette):
    world = app.state.world
    ends = datetime.now(UTC) + timedelta(days=1)
    order = {"email": ADA, "buyer": "Ada", "membership": "yoga-club", "create_login": False, "until": ends.isoformat()}
    for run, level in (("run1", "silver"), ("run2", "gold")):
        access = {"key": f"{run}-1", "run": run, "levels": [level], **order}
        assert (await asked(app, "POST", "/admin/access", access)).status_code == 200

    later = (ends + timedelta(days=1)).isoformat()
    assert (await asked(app, "PUT", "/admin/runs/run1/clock", {"now": later})).status_code == 204

    with world.reading() as connection:
        seen = {level: may_see(connection, world, "yoga-club", level, ADA) for level in ("silver", "gold")}
    assert seen == {"silver": False, "gold": True}


@pytest.mark.parametrize("wrong", [{}, {"now": "2026-11-23T12:00:00"}, {"now": "31 Feb"}, {"now": None}, []])
async def test_a_time_without_a_zone_or_that_is_none_is_refused(wrong: Any, app: Starlette):
    assert (await asked(app, "PUT", "/admin/runs/run1/clock", wrong)).status_code == 422


async def test_a_resumed_run_that_is_back_in_the_real_time_sets_its_clock_again(app: Starlette, tmp_path: Path):
    later = datetime.now(UTC) + timedelta(days=30)
    drill = Drill(app, None, tmp_path)
    await asked(app, "PUT", "/admin/runs/again0000001/clock", {"now": later.isoformat()})

    run = await drill("hosted", run_id="again0000001")

    assert run.verdict is Verdict.PASSED
    now = clock_of(app.state.world, "again0000001")
    assert now is not None
    assert now < later - timedelta(days=29)


async def test_the_clock_goes_with_the_run(app: Starlette):
    await asked(app, "PUT", "/admin/runs/run1/clock", {"now": NOW.isoformat()})
    await asked(app, "DELETE", "/admin/runs/run1")

    assert clock_of(app.state.world, "run1") is None
