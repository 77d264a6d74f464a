"""The one door to a test-fire: an event, or a whole life of a sale, carried out for a saved product against a backend
that is chosen by name; and to a run that was stopped midway."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.addresses import one_spelling
from models.characters import visible
from models.events import Event, Verdict
from models.fulfillment import Buyer, CallWebhook, Run, RunStep, ShowPage
from models.saved import SavedAccount
from models.text import is_email
from wizard.delivery.backend import Backend, Manifest, Surroundings
from wizard.delivery.errors import BackendError
from wizard.delivery.registry import NoSuchBackend, check_settings, class_of, manifest_of
from wizard.delivery.router import Router, real_platforms
from wizard.delivery.secrecy import Secrets
from wizard.failure import REFUSED, Failure
from wizard.runs.drill import NothingToNotice, why_nothing
from wizard.runs.ledger import Ledger, MemoryLedger, new_run_id
from wizard.runs.runner import Runner, utc_now
from wizard.runs.tries import PATIENT, Patience
from wizard.sale.lives import PROOF, Life, script_of
from wizard.sale.sold import Held, NotReady, Sale
from wizard.sale.words import in_words
from wizard.sandbox.faults import DRILLS, Fault
from wizard.settings import BadSettings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from wizard.delivery.post import SmtpPost
    from wizard.settings import Settings
    from wizard.store import Store

__all__ = [
    "BusyRun", "Held", "LeftOut", "NoSuchBackend", "NotReady", "NothingToNotice", "OverRun", "RealAddress", "Sale",
    "Workplace", "fire", "resume", "test_buyer",
]  # fmt: skip

BETWEEN_LOOKS = 0.5
"""Seconds between two looks at whether the other test-fire for the same buyer is over."""

RESERVED = ("example.com", "example.org", "example.net", "test", "example", "invalid", "localhost")
"""Domains that belong to nobody (RFC 2606, RFC 6761), with everything below them."""


class RealAddress(Failure, ValueError):
    """A test buyer whose address could be somebody's, and that the seller did not name."""


def is_reserved(address: str) -> bool:
    """Whether nobody can own this e-mail address."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in RESERVED)


def test_buyer(run: str) -> Buyer:
    """A buyer who has never bought anything: each run has its own, so that each proves the whole way in."""
    return Buyer(email=f"ada.{run}@example.com")


test_buyer.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's, whatever its name


class BusyRun(Failure):
    """A run that somebody else is carrying out."""

    status = REFUSED


class LeftOut(Failure):
    """A backend that does not carry out all that a run leads to. The message names what it leaves out."""


class OverRun(Failure):
    """A run that ended: there is nothing to go on with."""

    status = REFUSED


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where test-fires are carried out: a seller's folder, records and settings."""

    data_dir: Path
    ledger: Ledger = field(default_factory=MemoryLedger)
    path_of_file: Callable[[str], Path] | None = None
    """Where the library keeps its copy of a file, by slug."""
    backends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The settings of each backend, by its name."""
    password_of: Callable[[str], str] = lambda run: ""
    """The password of a login that a run makes: the same whenever it is asked for, and written down nowhere."""
    smtp_url: SecretStr | None = None
    mail_from: str = "shop@example.com"
    allow_private: bool = False

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Workplace:
        """The workplace of an installation."""
        return cls(
            data_dir=settings.data_dir,
            ledger=store,
            path_of_file=store.open_file,
            backends=settings.backends,
            # No rule of a platform for passwords refuses 64 digits and letters in two cases with a sign between them.
            password_of=lambda run: f"Wz-{store.keys.derived('run', run).hex()}",
            smtp_url=settings.smtp_url,
            mail_from=settings.mail_from,
            allow_private=settings.allow_private_hosts,
        )


async def fire(
    sold: Sale,
    what: Event | Life = Event.PURCHASE,
    *,
    at: Workplace,
    backend: str | Callable[[Surroundings], Backend] = "sandbox",
    buyer: Buyer | None = None,
    named_by_seller: bool = False,
    held: Held | None = None,
    fault: str = "",
    on_begin: Callable[[Run], None] = lambda run: None,
    on_wait: Callable[[str], None] = lambda told: None,
    on_step: Callable[[RunStep], None] = lambda step: None,
    clock: Callable[[], datetime] = utc_now,
    patience: Patience = PATIENT,
    run_id: str | None = None,
) -> Run:
    """Carry out an event or a life, show the plan and each step as it happens, and give back the run with its verdict.

    A buyer who has nothing yet buys first, in the same run: only then is there something that a refund can end.
    `held` says what the buyer holds right before the event, where that is more than a purchase gives: a fourth failed
    payment is `Held(failed_payments=3)`. `fault` is one that the sandbox is asked for: then it stands in for every
    platform and for the mail server.

    `on_wait` is told when another run for the same buyer is waited for.

    Raises, before anything is sent: NotReady (with the field), NothingToNotice for a drill that could show nothing,
    LeftOut for a backend that does not carry out all of it, NoSuchBackend, BadSettings, RealAddress, ValueError for an
    address that is none, BackendError when the backend cannot be used at all. Cancelling the task closes the run as
    `interrupted`.
    """
    now = clock()
    run_id = run_id or new_run_id(now)
    buyer = _allowed(buyer or test_buyer(run_id), named_by_seller)
    script = script_of(sold, what, now, held)
    fault = fault or _fault_set(at, backend)
    if fault in DRILLS and (why := why_nothing(Fault(fault), script.steps, sold, now)):
        raise NothingToNotice(why)
    if not fault and what is not PROOF:  # which cleans up itself
        is_real = isinstance(backend, str) and manifest_of(backend).is_real
        if is_real or real_platforms(script.steps):
            script = script.with_clean_up(sold.product.slug, only_platforms=not is_real)
    planned = Run(
        id=run_id,
        product=sold.product.slug,
        revision=sold.product.revision,
        event=next((moment.event for moment in script.moments if moment.event), Event.PURCHASE)
        if isinstance(what, Life)
        else what,
        life=what.name if isinstance(what, Life) else "",
        fault=fault,
        backend=backend if isinstance(backend, str) else "",
        buyer=buyer,
        price=sold.price,
        started_at=now,
        moments=script.moments,
        steps=script.steps,
    )
    with _held_alone(at.ledger, run_id):
        async with (
            _buyer_alone(at.ledger, planned, on_wait),
            _at_work(planned, sold.account, at, backend) as (worker, secrets),
        ):
            planned = planned.model_copy(update={"backend": worker.manifest.name})
            _ask_for_all(worker.manifest, planned)
            on_begin(planned)
            runner = _runner(worker, secrets, planned, at, clock=clock, on_step=on_step, patience=patience)
            return await runner.run(planned)


async def resume(
    run_id: str,
    account: SavedAccount,
    *,
    at: Workplace,
    backend: Callable[[Surroundings], Backend] | None = None,
    on_wait: Callable[[str], None] = lambda told: None,
    on_step: Callable[[RunStep], None] = lambda step: None,
    clock: Callable[[], datetime] = utc_now,
    patience: Patience = PATIENT,
) -> Run:
    """Go on with a run that was stopped midway, where it stopped; give back the run with its verdict.

    Nothing is planned anew: the run does what was recorded when it began. Raises BusyRun while somebody else carries it
    out, OverRun when it ended, KeyError or NotFound when there is none; otherwise what `fire` raises.
    """
    with _held_alone(at.ledger, run_id):
        recorded = at.ledger.read_run(run_id)
        if recorded.verdict not in (None, Verdict.INTERRUPTED):
            raise OverRun(f"Run {run_id} has ended: {recorded.verdict.label}. Fire again for a new one.")
        async with (
            _buyer_alone(at.ledger, recorded, on_wait),
            _at_work(recorded, account, at, backend or recorded.backend) as (worker, secrets),
        ):
            runner = _runner(worker, secrets, recorded, at, clock=clock, on_step=on_step, patience=patience)
            return await runner.resume(recorded)


@contextmanager
def _held_alone(ledger: Ledger, run: str) -> Iterator[None]:
    with ledger.claim(run) as is_ours:
        if not is_ours:
            raise BusyRun(f"Run {run} is being carried out by another process. It ends by itself; look at it then.")
        yield


@asynccontextmanager
async def _buyer_alone(ledger: Ledger, run: Run, on_wait: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the buyer while the body lasts: two runs for one buyer would each find what the other gave or took away.

    Waits for the other one to end, and says so once. A run's own test buyer is nobody else's.
    """
    if one_spelling(run.buyer.email) == one_spelling(test_buyer(run.id).email):
        yield
        return
    name = f"buyer-{hashlib.sha256(one_spelling(run.buyer.email).encode()).hexdigest()[:32]}"
    has_told = False
    while True:
        with ledger.claim(name) as is_ours:
            if is_ours:
                yield
                return
        if not has_told:
            on_wait(f"Another test-fire is at work for {visible(run.buyer.email, '')}: this one begins when it ends.")
            has_told = True
        await asyncio.sleep(BETWEEN_LOOKS)


def _runner(worker: Backend, secrets: Secrets, run: Run, at: Workplace, **more: Any) -> Runner:
    return Runner(worker, at.ledger, password=at.password_of(run.id), secrets=secrets, **more)


def _ask_for_all(manifest: Manifest, run: Run) -> None:
    """Raises LeftOut: better nothing is begun than half of it."""
    left = dict.fromkeys(in_words(step.action) for step in run.steps if not manifest.can_do(step.action))
    if left:
        named = "; ".join(left)
        raise LeftOut(
            f"The backend “{manifest.name}” leaves out some of what this leads to: {named}. Choose another backend, or "
            "take that out of the product."
        )


def _fault_set(at: Workplace, backend: object) -> str:
    """The fault that the settings ask the sandbox for: it makes each run a drill."""
    return str(at.backends.get("sandbox", {}).get("fault") or "") if backend == "sandbox" else ""


@asynccontextmanager
async def _at_work(
    run: Run, account: SavedAccount, at: Workplace, backend: str | Callable[[Surroundings], Backend]
) -> AsyncIterator[tuple[Backend, Secrets]]:
    """The backend of a run, with the platforms and the mail server that the seller has set up; and the secrets that
    are known by then."""
    from wizard.delivery.outgoing import hosts_in, hosts_of, outgoing

    settings: dict[str, Any] = {}
    secrets = Secrets()
    secrets.learn_fields(*account.account.connections)
    hosts = hosts_of(*account.account.connections) | hosts_in(*_pages_and_calls(run))
    if isinstance(backend, str):
        if run.fault and backend != "sandbox":
            raise BadSettings("A drill is the sandbox's alone: take --backend sandbox for it.")
        manifest = manifest_of(backend)
        settings = {**at.backends.get(backend, {}), **({"fault": run.fault} if run.fault else {})}
        checked = check_settings(manifest, settings)
        secrets.learn_fields(checked)
        hosts |= hosts_of(checked)
        backend = class_of(manifest)
    async with outgoing(hosts, allow_private=at.allow_private) as way_out:
        around = Surroundings(
            data_dir=at.data_dir,
            client=way_out.client,
            browser=way_out.browser,
            account=account,
            path_of_file=at.path_of_file,
            settings=settings,
            secrets=secrets,
        )
        worker = _made(backend, around, secrets)
        if run.fault:  # a drill is the sandbox's alone
            yield worker, secrets
            return
        yield Router(worker, around, real_platforms(run.steps), _post(at)), secrets


def _pages_and_calls(run: Run) -> Iterator[str]:
    """The addresses that the seller wrote into the product itself."""
    for step in run.steps:
        if isinstance(step.action, CallWebhook):
            yield step.action.target
        elif isinstance(step.action, ShowPage) and step.action.url:
            yield step.action.url


def _post(at: Workplace) -> SmtpPost | None:
    if at.smtp_url is None:
        return None
    from wizard.delivery.post import SmtpPost

    return SmtpPost(at.smtp_url, at.mail_from)


def _made(make: Callable[[Surroundings], Backend], surroundings: Surroundings, secrets: Secrets) -> Backend:
    """The backend at work. Raises BackendError and OSError alone, whatever a third party's plug-in raises."""
    try:
        return make(surroundings)
    except (BackendError, OSError):
        raise
    except Exception as error:
        broken = f"The backend broke ({type(error).__name__}: {error}). Tell whoever made it."
        raise BackendError(secrets.mask(broken)) from None


def _allowed(buyer: Buyer, named_by_seller: bool) -> Buyer:
    address = is_email(buyer.email)
    if not named_by_seller and not is_reserved(address):
        raise RealAddress(f"{address} may belong to somebody. Name it yourself if you mean it, or use example.com.")
    return buyer.model_copy(update={"email": address})
