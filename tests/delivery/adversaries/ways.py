"""Each way out of the house: what is asked of the other side, and where a fault strikes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from models.account import Connection
from models.events import Event
from models.fulfillment import (
    Action,
    Buyer,
    Evidence,
    GrantAccess,
    IssueDownloadLink,
    Receipt,
    RevokeAccess,
    RevokeDownloadLink,
    Run,
    SendEmail,
)
from tests.delivery.adversaries.ports import HOST, Ports
from tests.delivery.adversaries.post_office import post_office
from tests.support.endpoint import SECRET
from tests.support.guarded import always
from wizard.delivery.backend import Backend, Check, Context, Manifest, Surroundings
from wizard.delivery.backends import WEBHOOK
from wizard.delivery.backends.webhook import WebhookBackend
from wizard.delivery.outgoing import GuardedTransport, Outgoing
from wizard.delivery.platforms import platform_for
from wizard.delivery.post import SmtpPost
from wizard.runs.ledger import MemoryLedger
from wizard.runs.runner import Runner
from wizard.runs.tries import Patience
from wizard.sale.script import steps_of
from wizard.sandbox.faults import Fault
from wizard.testing.products import FILENAME, WORKBOOK, account

HANGING = (Fault.SILENCE, Fault.SLOW_DRIP)
"""The faults that are waited for until patience is over: here it is short."""

PATIENT = Patience(tries=3, one_try=20, first_wait=0, longest_wait=0.2, jitter=0)
HURRIED = replace(PATIENT, one_try=0.5)
LONGEST = 0.3
"""Seconds that one request may take that hangs. A run gives it 20."""

KEY = f"{'a' * 24}:{'0123456789abcdef' * 4}"

GRANT = GrantAccess(target="own", levels=("",), via="connection", name="My site", create_login=False)
REVOKE = RevokeAccess(target="own", levels=("",), via="connection", name="My site")


class AtWork(Protocol):
    """What a step is asked of."""

    async def check(self) -> Check: ...
    async def perform(self, action: Any, context: Context) -> Receipt: ...
    async def verify(self, action: Any, receipt: Receipt, context: Context) -> Evidence: ...
    async def clean_up(self, context: Context) -> str: ...


@dataclass(frozen=True)
class Way:
    """A way out."""

    name: str
    strikes: str
    """How the path begins at which a fault strikes."""
    made: Callable[[Surroundings, str], AtWork]
    """What goes this way, to the site at an address."""
    acts: Sequence[Action] = (GRANT, REVOKE)
    """What is given, and taken away again."""
    pages: str = "/members"
    """Where a cache stands in front."""


# --- what goes there --------------------------------------------------------------------------------------------------


def by_backend(around: Surroundings, url: str) -> AtWork:
    """The backend `webhook`."""
    return WebhookBackend(replace(around, settings={"url": f"{url}/hook", "secret": SECRET}))


def by_connection(at: str, **about: Any) -> Callable[[Surroundings, str], AtWork]:
    """A connection; its address is the field `at`, with this path."""
    field, _, path = at.partition("/")

    def made(around: Surroundings, url: str) -> AtWork:
        described = {"slug": "own", "name": "My site", **about}
        # The forms of some ask for https; the adversary on this machine has none.
        mine = Connection.model_validate(described).model_copy(
            update={field: f"{url}/{path}".rstrip("/"), "proof_url": f"{url}/members"}
        )
        return platform_for(mine, around)

    return made


class Naive:
    """A third party's backend, written without a thought of what may come back."""

    manifest = Manifest("naive", "Naive", frozenset({"grant_access", "revoke_access"}))

    def __init__(self, around: Surroundings, url: str) -> None:
        self._around, self._url = around, url
        self._browser = around.new_browser()

    async def check(self) -> Check:
        response = await self._around.client().post(f"{self._url}/hook", json={"type": "ping"})
        return Check(response.is_success, response.json())

    async def perform(self, action: Action, context: Context) -> Receipt:
        told = {"type": action.action, "data": {"email": context.buyer.email}}
        response = await self._around.client().post(f"{self._url}/hook", json=told)
        response.raise_for_status()
        return Receipt(reference=context.key, values=response.json())

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        if link := receipt.values.get("sign_in_url"):
            await self._browser.open(link)
        page = await self._browser.open(f"{self._url}/members")
        is_in = page.status == 200
        said = f"{context.buyer.name} {'read' if is_in else 'was turned away from'} {page.url}."
        return Evidence(allowed=is_in, proven_by="buyer", detail=said)

    async def clean_up(self, context: Context) -> str:
        return "Nothing was left."


LINK = IssueDownloadLink(
    target="workbook", filename=FILENAME, media_type="application/pdf", link_lifetime=3600, download_limit=None,
    size=len(WORKBOOK), sha256=account(WORKBOOK).files["workbook"].sha256,
)  # fmt: skip

WAYS: dict[str, Way] = {
    way.name: way
    for way in (
        Way("backend webhook", "/hook", by_backend),
        Way("webhook", "/hook", by_connection("url/hook", kind="webhook", secret=SECRET)),
        Way(
            "dap", "/hook",
            by_connection("notification_url/hook", kind="dap", product_or_level="Gold", secret_key="x" * 9),
        ),
        Way("s2member", "/hook", by_connection("integration_url/hook", kind="s2member", level_id=3, api_key="y" * 9)),
        Way(
            "wordpress", "/index.php",
            by_connection("url", kind="wordpress", user="owner", application_password="abcd efgh ijkl mnop"),
        ),
        Way("ghost", "/ghost/", by_connection("url", kind="ghost", admin_api_key=KEY, tier="Gold")),
        Way("downloads", "/files/", by_backend, (LINK, RevokeDownloadLink(target="workbook")), pages="/files/"),
        Way("proof pages", "/members", by_backend),
        Way("a third party's", "/hook", Naive),
    )
}  # fmt: skip

MAIL = "mail"
LETTER = SendEmail(target="order_confirmation", subject="Thank you", body="You have bought it.")


# --- going there ------------------------------------------------------------------------------------------------------


@dataclass
class Worker:
    """What goes a way, as a backend."""

    at_work: AtWork
    manifest: Manifest = WEBHOOK

    async def check(self) -> Check:
        return await self.at_work.check()

    async def perform(self, action: Action, context: Context) -> Receipt:
        return await self.at_work.perform(action, context)

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        return await self.at_work.verify(action, receipt, context)

    async def clean_up(self, context: Context) -> str:
        return await self.at_work.clean_up(context)


@asynccontextmanager
async def going(way: Way, ports: Ports, fault: Fault, folder: Path) -> AsyncIterator[AtWork]:
    """What goes a way to the site under a fault, with a way out as a run has it."""
    longest = LONGEST if fault in HANGING else PATIENT.one_try
    guard = GuardedTransport(
        {HOST}, allow_private=True, resolve=always("127.0.0.1"), tls=ports.trusting, longest=longest
    )
    way_out = Outgoing(guard)
    around = Surroundings(folder, way_out.client, way_out.browser, account(WORKBOOK))
    try:
        yield way.made(around, ports.url(fault))
    finally:
        await guard.aclose()


async def carried_out(at_work: AtWork, fault: Fault, *acts: Action) -> Run:
    """A run of these acts, one after the other."""
    planned = Run(
        id="adversary", product="yoga", revision=1, event=Event.PURCHASE, backend="webhook",
        buyer=Buyer(email="ada.adversary@example.com"), started_at=datetime.now(UTC),
        steps=steps_of(*([act] for act in acts)),
    )  # fmt: skip
    worker: Backend = Worker(at_work, getattr(at_work, "manifest", WEBHOOK))
    patience = HURRIED if fault in HANGING else PATIENT
    return await Runner(worker, MemoryLedger(), patience=patience, password="Wz-a-password-for-ada").run(planned)


async def mailed(ports: Ports, fault: Fault) -> tuple[Run, str]:
    """A run that hands a mail to a mail server under a fault, and where that is."""
    async with post_office(fault, ports.tls(fault)) as (office, port):
        has_tls = ports.url(fault).startswith("https")
        address = f"smtps://{HOST}:{port}?ca={ports.authority}" if has_tls else f"smtp://{HOST}:{port}?tls=none"
        post = SmtpPost(SecretStr(address), "shop@example.com")
        run = await carried_out(post, fault, LETTER)  # type: ignore[arg-type]
        assert office.mails == 1 or run.verdict != "passed"
        return run, f"{HOST}:{port}"
