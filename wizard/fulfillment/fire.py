"""The one door to a test-fire: an event carried out for a saved product against a backend that is chosen by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.fulfillment import Action, Buyer, Event, GrantAccess, RegisterAttendee, Run, RunStep
from models.text import is_email
from wizard.fulfillment.backend import Backend, BackendError, Surroundings
from wizard.fulfillment.ledger import Ledger, MemoryLedger, new_run_id
from wizard.fulfillment.plan import Held, NotReady, Sold, plan
from wizard.fulfillment.registry import NoSuchBackend, check_settings, class_of, manifest_of
from wizard.fulfillment.runner import PATIENT, Patience, Runner, utc_now

if TYPE_CHECKING:
    import httpx

__all__ = ["Held", "NoSuchBackend", "NotReady", "RealAddress", "Sold", "fire", "test_buyer"]

RESERVED = ("example.com", "example.org", "example.net", "test", "example", "invalid", "localhost")
"""Domains that belong to nobody (RFC 2606, RFC 6761), with everything below them."""


class RealAddress(ValueError):
    """A test buyer whose address could be somebody's, and that the seller did not name."""


def is_reserved(address: str) -> bool:
    """Whether nobody can own this e-mail address."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in RESERVED)


def test_buyer(run: str) -> Buyer:
    """A buyer who has never bought anything: each run has its own, so that each proves the whole way in."""
    return Buyer(email=f"ada.{run}@example.com")


test_buyer.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's, whatever its name


async def fire(
    sold: Sold,
    event: Event = Event.PURCHASE,
    *,
    data_dir: Path,
    ledger: Ledger | None = None,
    backend: str | Callable[[Surroundings], Backend] = "sandbox",
    buyer: Buyer | None = None,
    named_by_seller: bool = False,
    held: Held | None = None,
    path_of_file: Callable[[str], Path] | None = None,
    settings: Mapping[str, Any] | None = None,
    on_step: Callable[[RunStep], None] = lambda step: None,
    clock: Callable[[], datetime] = utc_now,
    patience: Patience = PATIENT,
    run_id: str | None = None,
) -> Run:
    """Carry out an event, show each step as it happens, and give back the run with its verdict.

    A buyer who has nothing yet buys first, in the same run: only then is there something that a refund can end.
    `held` says what the buyer holds right before the event, where that is more than a purchase gives: a fourth failed
    payment is `Held(failed_payments=3)`. `path_of_file` says where the library's copy of a file lies, by slug, and
    `settings` are the backend's own.

    Raises, before anything is sent: NotReady (with the field), NoSuchBackend, BadSettings, RealAddress, ValueError for
    an address that is none, BackendError when the backend cannot be used at all. Cancelling the task closes the run as
    `interrupted`.
    """
    now = clock()
    run_id = run_id or new_run_id(now)
    buyer = _allowed(buyer or test_buyer(run_id), named_by_seller)
    acts = [plan(sold, Event.PURCHASE, Held(), now)]
    if event is not Event.PURCHASE:
        acts.append(plan(sold, event, held or _after(acts[0], event, now), now))
    elif held is not None:
        acts = [plan(sold, Event.PURCHASE, held, now)]
    if isinstance(backend, str):
        manifest = manifest_of(backend)
        check_settings(manifest, settings or {})
        backend = class_of(manifest)
    async with _one_client() as client:
        at_work = _made(
            backend,
            Surroundings(
                data_dir=data_dir,
                client=client,
                account=sold.account,
                path_of_file=path_of_file,
                settings=dict(settings or {}),
            ),
        )
        planned = Run(
            id=run_id,
            product=sold.product.slug,
            revision=sold.product.revision,
            event=event,
            backend=at_work.manifest.name,
            buyer=buyer,
            price=sold.price,
            started_at=now,
        )
        runner = Runner(at_work, ledger or MemoryLedger(), clock=clock, on_step=on_step, patience=patience)
        return await runner.run(planned, acts)


def _made(make: Callable[[Surroundings], Backend], surroundings: Surroundings) -> Backend:
    """The backend at work. Raises BackendError and OSError alone, whatever a third party's plug-in raises."""
    try:
        return make(surroundings)
    except (BackendError, OSError):
        raise
    except Exception as error:
        broken = f"The backend broke ({type(error).__name__}: {error}). Tell whoever made it."
        raise BackendError(broken) from error


def _allowed(buyer: Buyer, named_by_seller: bool) -> Buyer:
    address = is_email(buyer.email)
    if not named_by_seller and not is_reserved(address):
        raise RealAddress(f"{address} may belong to somebody. Name it yourself if you mean it, or use example.com.")
    return buyer.model_copy(update={"email": address})


def _after(purchase: list[Action], event: Event, now: datetime) -> Held:
    """What a buyer holds after a purchase. A period that ends, ends after a cancellation: else nothing would end."""
    granted = [action for action in purchase if isinstance(action, GrantAccess) and action.via == "hosted"]
    return Held(
        login=any(action.create_login for action in granted),
        levels=frozenset(level for action in granted for level in action.levels),
        registered=any(isinstance(action, RegisterAttendee) for action in purchase),
        bought_at=now,
        cancellation_pending=event is Event.PERIOD_ENDED,
    )


@asynccontextmanager
async def _one_client() -> AsyncIterator[Callable[[], httpx.AsyncClient]]:
    """The run's HTTP client, made when a backend first asks for it."""
    made: list[httpx.AsyncClient] = []

    def client() -> httpx.AsyncClient:
        if not made:
            import httpx

            # No environment: a proxy or a netrc of the machine must not see a simulation.
            marks = {"wizard-simulation": "1", "user-agent": "product-wizard"}
            made.append(httpx.AsyncClient(headers=marks, timeout=20, trust_env=False))
        return made[0]

    try:
        yield client
    finally:
        for each in made:
            await each.aclose()
