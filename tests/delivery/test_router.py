"""Where each action of a run goes: a platform that is connected, a mail server that is set, and else the backend. And
that no secret of any of them is ever written down."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import Response

from models.account import Account
from models.events import Event, Status, Verdict
from models.fulfillment import GrantAccess, KeepAccess, Run, RunStep, SendEmail
from models.saved import SavedAccount
from screens.fire import FireScreen
from tests.servers.exim import PASSWORD, USER, Exim, running_exim
from tests.servers.lived import furnished, sold_on
from tests.support.connected import part
from tests.support.killed import run_of
from tests.support.receiver import NEW, Receiver
from tests.support.scenarios import SCENARIOS
from tests.support.seller import seller_at
from tests.support.shop import small_world, sold
from tests.support.walked import walked
from wizard.cli.program import run as command
from wizard.delivery.backend import Context
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.delivery.errors import BackendError
from wizard.delivery.platforms.webhook import Webhook
from wizard.runs.fire import Workplace, fire, resume
from wizard.runs.ledger import MemoryLedger
from wizard.runs.tries import Patience
from wizard.sale.lives import LIVES, PROOF
from wizard.sale.sold import Sale
from wizard.settings import Settings
from wizard.store import open_store

QUICK = Patience(tries=2, one_try=20, first_wait=0, longest_wait=0.1, jitter=0)


@pytest.fixture
def app() -> Iterator[Starlette]:
    app = small_world()
    yield app
    app.state.world.close()


@pytest.fixture(scope="module")
def exim() -> Iterator[Exim]:
    with running_exim("localhost") as server:
        yield server


def place(folder: Path, **more: Any) -> Workplace:
    return Workplace(folder, password_of=lambda run: f"Wz-{run}-k7qm2xpa", **({"allow_private": True} | more))


async def only_planned(what: Sale, at: Workplace, app: Starlette) -> Run:
    """A run that stands in the ledger and of which nothing was done."""
    planned: list[Run] = []

    def stop(run: Run) -> None:
        planned.append(run)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await fire(what, at=at, backend=lambda around: SandboxBackend(around, app), on_begin=stop)
    at.ledger.open_run(planned[0])
    return planned[0]


# --- a platform -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [PROOF, *LIVES.values()], ids=lambda life: life.name)
async def test_access_on_a_webhook_is_lived_and_proven_there(
    what: Any, receiver: Receiver, app: Starlette, tmp_path: Path
):
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")
    price, post_sale, _ = SCENARIOS.get(what.name, (None, {}, []))

    run = await fire(
        sold_on(mine, price=price, post_sale=post_sale), what, at=place(tmp_path),
        backend=lambda around: SandboxBackend(around, app), patience=QUICK,
    )  # fmt: skip

    assert run.verdict is Verdict.PASSED, run.reason
    assert receiver.taken
    used = [step for step in run.steps if isinstance(step.action, GrantAccess)]
    assert {step.evidence.proven_by for step in used if step.evidence} <= {"buyer"}


async def test_access_that_is_kept_is_used_on_the_platform(receiver: Receiver, app: Starlette, tmp_path: Path):
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")

    run = await fire(
        sold_on(mine), Event.RENEWAL, at=place(tmp_path),
        backend=lambda around: SandboxBackend(around, app), patience=QUICK,
    )  # fmt: skip

    (kept,) = [step for step in run.steps if isinstance(step.action, KeepAccess)]
    assert kept.evidence is not None
    assert (kept.evidence.allowed, kept.evidence.proven_by) == (True, "buyer")
    assert kept.evidence.detail.startswith("Kept: the next period is paid. Ada Example was signed in")


async def test_what_breaks_in_the_wizards_own_parts_is_not_laid_at_the_door_of_who_made_the_backend(
    receiver: Receiver, app: Starlette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def break_down(*_: Any) -> Any:
        raise KeyError("id")

    class Others(SandboxBackend):
        manifest = replace(SandboxBackend.manifest, backend="others.backend:Backend")

    monkeypatch.setattr(Webhook, "perform", break_down)
    run = await fire(
        sold_on(receiver.connection()), Event.PURCHASE, at=place(tmp_path),
        backend=lambda around: Others(around, app), patience=QUICK,
    )  # fmt: skip

    assert run.verdict is Verdict.FAILED
    assert "What came back could not be used (KeyError: 'id')" in run.reason


async def test_going_on_with_a_connection_whose_secret_cannot_be_read_any_more_needs_a_person(
    receiver: Receiver, app: Starlette, tmp_path: Path
):
    what, at = sold_on(receiver.connection()), place(tmp_path, ledger=MemoryLedger())
    planned = await only_planned(what, at, app)
    unreadable = SavedAccount(account=what.account.account, unreadable={"own": "Its secret cannot be read: no key."})

    run = await resume(
        planned.id, unreadable, at=at, backend=lambda around: SandboxBackend(around, app), patience=QUICK
    )

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "Its secret cannot be read: no key." in run.reason
    assert receiver.taken == []


async def test_cleaning_up_says_what_each_of_them_left(receiver: Receiver, app: Starlette, tmp_path: Path):
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")

    run = await fire(
        sold_on(mine), PROOF, at=place(tmp_path), backend=lambda around: SandboxBackend(around, app), patience=QUICK
    )

    said = run.steps[-1].detail
    assert said.startswith("Everything this run created was removed. “My own site” keeps what it made")


@pytest.mark.parametrize("error", [BackendError("The sandbox is stuck."), KeyError("of a plug-in")])
async def test_whoever_cannot_clean_up_keeps_nobody_else_from_it(
    error: Exception, receiver: Receiver, app: Starlette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    class Stuck(SandboxBackend):
        async def clean_up(self, context: Context) -> str:
            raise error

    async def noting(self: Webhook, context: Context) -> str:
        asked.append(context.run)
        return "Nothing is left."

    monkeypatch.setattr(Webhook, "clean_up", noting)
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")

    run = await fire(sold_on(mine), PROOF, at=place(tmp_path), backend=lambda a: Stuck(a, app), patience=QUICK)

    assert asked == [run.id]
    assert run.verdict is Verdict.FAILED
    assert str(error) in run.reason


def test_killed_anywhere_a_run_goes_on_and_a_request_has_the_same_id_each_time(receiver: Receiver, tmp_path: Path):
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")
    folder = furnished(tmp_path / "records", mine)

    killed = walked(folder, "on-the-platform", "", WIZARD_ALLOW_PRIVATE_HOSTS="true")

    assert len(killed) >= 14
    for boundary in range(2, len(killed) + 2):
        run = run_of(boundary)
        ids = {headers["webhook-id"] for headers, told in receiver.taken if told["data"]["run"] == run}
        assert ids == {f"{run}-1"}


async def test_a_run_that_goes_on_without_its_platform_does_not_go_to_the_sandbox(
    receiver: Receiver, app: Starlette, tmp_path: Path
):
    what, at = sold_on(receiver.connection()), place(tmp_path, ledger=MemoryLedger())
    planned = await only_planned(what, at, app)

    run = await resume(
        planned.id, SavedAccount(account=Account()), at=at, backend=lambda around: SandboxBackend(around, app),
        patience=QUICK,
    )  # fmt: skip

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "led to a real platform when this run began, and does not any more" in run.reason


async def test_a_single_event_leaves_nobody_on_the_platform(receiver: Receiver, app: Starlette, tmp_path: Path):
    run = await fire(
        sold_on(receiver.connection()), at=place(tmp_path), backend=lambda around: SandboxBackend(around, app)
    )

    assert run.steps[-1].action.action == "clean_up"
    assert run.steps[-1].detail.startswith("“My own site” keeps what it made"), "the sandbox's pages stay to be seen"


async def test_a_platform_that_is_down_while_a_run_goes_on_leaves_what_was_proven(
    receiver: Receiver, app: Starlette, tmp_path: Path
):
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")
    ledger = MemoryLedger()
    at = place(tmp_path, ledger=ledger)

    class Stops(SandboxBackend):
        async def perform(self, action: Any, context: Any) -> Any:
            if action.action == "show_page":
                raise asyncio.CancelledError
            return await super().perform(action, context)

    with pytest.raises(asyncio.CancelledError):
        await fire(sold_on(mine), Event.RENEWAL, at=at, backend=lambda a: Stops(a, app), run_id="r", patience=QUICK)
    steps = {step.position: step for step in ledger.runs["r"].steps}
    ledger.write_steps("r", steps[1].model_copy(update={"status": Status.PASSED}))
    receiver.answer = Response(status_code=503)
    receiver.gives_link = False

    with pytest.raises(BackendError, match="503"):
        await resume("r", sold_on(mine).account, at=at, backend=lambda a: SandboxBackend(a, app), patience=QUICK)
    assert ledger.runs["r"].verdict is Verdict.INTERRUPTED
    assert ledger.runs["r"].steps[0].status is Status.PASSED
    receiver.answer, receiver.gives_link = Response(status_code=204), True
    run = await resume("r", sold_on(mine).account, at=at, backend=lambda a: SandboxBackend(a, app), patience=QUICK)

    assert run.verdict is Verdict.PASSED, run.reason


# --- the mail server --------------------------------------------------------------------------------------------------


async def test_mails_go_through_the_server_and_the_buyer_uses_what_they_say(exim: Exim, app: Starlette, tmp_path: Path):
    exim.empty()

    run = await fire(
        sold("hosted"), at=place(tmp_path, smtp_url=SecretStr(exim.url()), mail_from=USER),
        backend=lambda around: SandboxBackend(around, app), patience=QUICK,
    )  # fmt: skip

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.reason.startswith("Ada Example logged in with the mailed login")
    mails = [step for step in run.steps if isinstance(step.action, SendEmail)]
    assert {step.evidence.proven_by for step in mails if step.evidence} == {"platform"}
    subjects = [mail["Subject"] for mail in exim.delivered()]
    assert sorted(subjects) == ["Your login for Yoga Club", "Your order: Yoga Masterclass"]


async def test_a_proof_sends_each_mail_once_through_the_server(exim: Exim, app: Starlette, tmp_path: Path):
    exim.empty()

    run = await fire(
        sold("calendar"), PROOF, at=place(tmp_path, smtp_url=SecretStr(exim.url()), mail_from=USER),
        backend=lambda around: SandboxBackend(around, app), patience=QUICK,
    )  # fmt: skip

    assert run.verdict is Verdict.PASSED, run.reason
    assert len(exim.delivered()) == 1
    again = [step for step in run.steps if isinstance(step.action, SendEmail)][1]
    assert again.receipt is not None
    assert again.receipt.detail.endswith("was handed in before, and is not sent again.")


async def test_a_run_that_goes_on_sends_no_mail_again_that_it_knows_of(exim: Exim, app: Starlette, tmp_path: Path):
    class Full(MemoryLedger):
        """A ledger that cannot write the check of the first step: by then both mails are sent."""

        is_full = True

        def write_steps(self, run: str, *steps: RunStep) -> None:
            if self.is_full and any(step.position == 1 and step.status is Status.PASSED for step in steps):
                raise OSError("disk full")
            super().write_steps(run, *steps)

    exim.empty()
    ledger = Full()
    at = place(tmp_path, ledger=ledger, smtp_url=SecretStr(exim.url()), mail_from=USER)
    what = sold("hosted")
    with pytest.raises(OSError, match="disk full"):
        await fire(what, at=at, backend=lambda around: SandboxBackend(around, app), patience=QUICK, run_id="r")
    ledger.is_full = False

    run = await resume("r", what.account, at=at, backend=lambda around: SandboxBackend(around, app), patience=QUICK)

    assert run.verdict is Verdict.PASSED, run.reason
    assert len(exim.delivered()) == 2


def test_killed_anywhere_each_mail_has_one_message_id_however_often_it_went_out(exim: Exim, tmp_path: Path):
    folder = tmp_path / "records"
    with open_store(Settings(data_dir=folder)) as store:
        what = sold("calendar")
        store.add(what.account.account.calendars[0])
        store.create("Coaching", "test", what.answers, slug="coaching")
    exim.empty()

    killed = walked(folder, "coaching", "", WIZARD_SMTP_URL=exim.url(), WIZARD_MAIL_FROM=USER)

    sent = Counter(mail["Message-ID"] for mail in exim.delivered())
    domain = USER.rpartition("@")[2]
    assert set(sent) == {f"<{run_of(at)}-2@{domain}>" for at in (0, *range(2, len(killed) + 3))}
    twice = [number for number in sent.values() if number > 1]
    assert twice == [2], "only where nobody can know, between handing it in and writing that down, it goes out again"


async def test_a_wrong_password_of_the_mail_server_needs_a_person(exim: Exim, app: Starlette, tmp_path: Path):
    run = await fire(
        sold("calendar"), at=place(tmp_path, smtp_url=SecretStr(exim.url(password="wrong"))),
        backend=lambda around: SandboxBackend(around, app), patience=QUICK,
    )  # fmt: skip

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "correct user and password in WIZARD_SMTP_URL" in run.reason


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_is_found_anywhere_afterwards(
    exim: Exim, receiver: Receiver, data_dir: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path,
):  # fmt: skip
    """The database, its journals, exported documents, the ledger, what commands print, logs and frames."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("WIZARD_ALLOW_PRIVATE_HOSTS", "true")
    monkeypatch.setenv("WIZARD_SMTP_URL", exim.url())
    monkeypatch.setenv("WIZARD_MAIL_FROM", USER)
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")
    settings = Settings()
    with open_store(settings) as store:
        store.add(mine)
        for thing in sold("hosted").account.account.memberships:
            store.add(thing)
        store.create("On the platform", "test", sold_on(mine).answers, slug="on-the-platform")
        hosted = sold("hosted").answers
        store.create("Hosted", "test", hosted, slug="hosted")
    exim.empty()
    for product in ("on-the-platform", "hosted"):
        assert command(["fire", product]) == 0
        assert command(["fire", product, "--event", "refund", "--json"]) == 0
    assert command(["connections", "check", "own"]) == 0
    assert command(["runs"]) == 0
    mailed = "\n".join(part(mail, "text/plain") for mail in exim.delivered())
    passwords = set(re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", mailed))
    assert len(passwords) == 2, "two buyers were mailed a login"
    with open_store(settings) as store:
        runs = [store.run(row.id) for row in store.runs()]
        links = {f"token=onetime{number}" for number in range(1, len(receiver.taken) + 1)}
        derived = {settings_password(store, run) for run in runs}
    for run in runs:
        assert command(["run", run.id]) == 0
        assert command(["run", run.id, "--json"]) == 0
    assert command(["export", "on-the-platform", "-o", str(tmp_path / "exported.yaml")]) == 0
    frames = asyncio.run(every_line_of(runs))

    secrets = {PASSWORD, NEW, NEW.removeprefix("whsec_"), *passwords, *links, *derived}
    printed = capsys.readouterr()
    places = {
        "standard output": printed.out,
        "standard error": printed.err,
        # The receiver's own log is the platform's.
        "the logs": "\n".join(told.getMessage() for told in caplog.records if not told.name.startswith("uvicorn")),
        "the ledger": json.dumps([run.model_dump(mode="json") for run in runs]),
        "the exported document": (tmp_path / "exported.yaml").read_text(),
        "a frame": frames,
        **{
            str(path): path.read_bytes().decode("latin-1")
            for path in data_dir.rglob("*")
            if path.is_file() and path.name != "keys"
        },
    }
    assert any("wizard.db" in name for name in places)
    for name, text in places.items():
        found = [secret for secret in secrets if secret in text]
        assert not found, f"{len(found)} secrets stand in {name}"


def settings_password(store: Any, run: Run) -> str:
    return Workplace.of(Settings(), store).password_of(run.id)


async def every_line_of(runs: list[Run]) -> str:
    """What the app shows of runs, each line in full."""
    frames = []
    async with seller_at("120x40") as seller:
        for run in runs:
            screen = FireScreen(None, run)
            await seller.app.push_screen(screen)
            await seller.pilot.pause()
            for at in range(len(screen.lines.options)):
                screen.lines.highlighted = at
                await seller.pilot.pause()
                frames.append(str(screen.query_one("#detail-text").render()))
                frames.append(seller.screen)
            await seller.press("escape")
    return "\n".join(frames)


def test_the_account_alone_holds_the_secret_and_says_it_to_nobody(receiver: Receiver):
    account = SavedAccount(account=Account(connections=(receiver.connection(),)))

    assert NEW not in repr(account)
    assert NEW not in account.model_dump_json()
