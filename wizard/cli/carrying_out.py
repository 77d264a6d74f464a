"""What the commands that carry something out do, and how they say it while it happens."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from models.events import Event, Status, Verdict
from models.fulfillment import Buyer, Run, RunStep
from models.saved import SavedProduct
from wizard.cli.output import say, say_json, table, warn
from wizard.cli.place import Place, Wrong, product_of
from wizard.cli.told import as_json, say_end, say_moment, say_step
from wizard.invocation import command
from wizard.runs.drill import NothingToNotice, verdict_of
from wizard.runs.fire import Workplace
from wizard.runs.fire import fire as carry_out
from wizard.runs.fire import resume as go_on
from wizard.runs.outcome import OPEN
from wizard.sale.lives import LIVES, Life, why_not
from wizard.sale.sold import Sale
from wizard.sandbox.faults import Fault
from wizard.store import Store


def go_on_with(place: Place, run_id: str, json_wanted: bool) -> int:
    """Go on with a run that was stopped, and say how that went; give back the status."""
    with place.store() as store:
        recorded = store.run(run_id)
        telling = _Telling(recorded, is_silent=json_wanted)
        at = Workplace.of(place.settings, store)
        try:
            run = asyncio.run(go_on(run_id, store.account(), at=at, on_step=telling.on_step, on_wait=warn))
        except KeyboardInterrupt:
            telling.stopped()
            raise
    return _told(run, json_wanted)


def fire_and_tell(
    place: Place,
    slug: str,
    what: Event | Life,
    fault: Fault | None,
    price: int,
    buyer: str | None,
    backend: str | None,
    json_wanted: bool,
) -> int:
    """Test-fire a product and say how that went; give back the status."""
    with place.store() as store:
        product = _product_at(store, slug, price)
        sold = Sale(product=product, account=store.account(), price=price)
        telling = _Telling(None, is_silent=json_wanted)
        try:
            run = asyncio.run(
                carry_out(
                    sold,
                    what,
                    at=Workplace.of(place.settings, store),
                    backend=backend or place.settings.backend,
                    buyer=Buyer(email=buyer) if buyer else None,
                    named_by_seller=buyer is not None,
                    fault=fault.value if fault else "",
                    on_begin=telling.on_begin,
                    on_wait=warn,
                    on_step=telling.on_step,
                )
            )
        except NothingToNotice as error:
            raise Wrong(f"--fault: {error}") from error
        except ValueError as error:
            raise Wrong(f"--buyer: {error}" if buyer else str(error)) from error
        except KeyboardInterrupt:
            telling.stopped()
            raise
    return _told(run, json_wanted)


def _told(run: Run, json_wanted: bool) -> int:
    if json_wanted:
        say_json(as_json(run))
    else:
        say_end(run)
    return 0 if verdict_of(run) is Verdict.PASSED else 1


class _Telling:
    """Says each step when it is over, under the moment that it belongs to."""

    def __init__(self, run: Run | None, *, is_silent: bool) -> None:
        self._run = run
        self._is_silent = is_silent
        self._told: set[tuple[int, Status]] = set()
        self._moment = 0
        self._waits = ""

    def stopped(self) -> None:
        """The user stopped it with Ctrl+C."""
        if self._run is not None:
            warn(f"Stopped midway. Go on with it: {command('resume', self._run.id)}")

    def on_begin(self, run: Run) -> None:
        """The run as it is planned."""
        self._run = run
        if run.fault and not self._is_silent:
            say(f"Drill: {Fault(run.fault).hint}")

    def on_step(self, step: RunStep) -> None:
        """A step has come further; or it has not, and says how long it goes on waiting."""
        waits = f"{step.position:>2} {step.detail}" if step.status is Status.RUNNING and step.detail else ""
        if waits and waits != self._waits and not self._is_silent:
            self._waits = waits
            warn(waits)
        if self._is_silent or step.status in OPEN or (step.position, step.status) in self._told:
            return
        self._told.add((step.position, step.status))
        if self._run is not None and len(self._run.moments) > 1 and step.moment != self._moment:
            self._moment = step.moment
            say_moment(self._run, step.moment)
        say_step(step)


def _product_at(store: Store, slug: str, price: int) -> SavedProduct:
    """A product that has so many prices. Raises Wrong."""
    saved = product_of(store, slug)
    count = len(saved.answers.pricing.prices)
    if count and price > count:
        raise Wrong(f"There is no price {price}: {slug} has {count}. Write --price with a number up to {count}.")
    return saved


def list_scenarios(place: Place, slug: str, price: int, json_wanted: bool) -> int:
    """Say which scenarios there are, and why one cannot be had with this product."""
    now = datetime.now(UTC)
    with place.store() as store:
        sold = Sale(product=_product_at(store, slug, price), account=store.account(), price=price)
    listed = [(life, why_not(life, sold, now)) for life in LIVES.values()]
    if json_wanted:
        say_json(
            {"scenarios": [{"scenario": life.name, "label": life.label, "about": life.about, "not_possible": why}
                           for life, why in listed]}
        )  # fmt: skip
    else:
        table([(life.name, f"not here: {why}" if why else life.about) for life, why in listed])
    return 0
