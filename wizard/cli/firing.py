"""Commands that carry something out: a test-fire, a whole life of a sale, and a run that was stopped midway."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import typer

from models.events import Event, Status, Verdict
from models.fulfillment import Buyer, Run, RunStep
from models.saved import SavedProduct
from wizard.cli.history import as_json, say_end, say_moment, say_step
from wizard.cli.output import say, say_json, table, warn
from wizard.cli.place import JSON, PRODUCT, Place, Wrong, place_of, product_of
from wizard.invocation import command
from wizard.runs.drill import verdict_of
from wizard.runs.fire import NothingToNotice, Workplace
from wizard.runs.fire import fire as carry_out
from wizard.runs.fire import resume as go_on
from wizard.runs.outcome import OPEN
from wizard.sale.lives import LIVES, PROOF, Life, why_not
from wizard.sale.sold import Sold
from wizard.sandbox.faults import DRILLS, Fault
from wizard.store import Store

commands = typer.Typer()

PRICE = typer.Option(1, min=1, help="The number of the price point.")
BUYER = typer.Option(None, metavar="ADDRESS", help="The test buyer's e-mail address.")


def _drill(name: str) -> Fault:
    if name not in DRILLS:
        raise typer.BadParameter(f"{name!r} is no drill. There are {', '.join(DRILLS)}.")
    return Fault(name)


FAULT = typer.Option(
    None, parser=_drill, metavar=f"<{'|'.join(DRILLS)}>", help="A drill: what goes wrong in the sandbox meanwhile."
)
BACKEND = typer.Option(None, help="Who carries it out; `wizard backends` lists them.")


@commands.command(epilog="Example: wizard fire yoga-masterclass --event refund")
def fire(
    context: typer.Context,
    product: str = PRODUCT,
    event: Event | None = typer.Option(
        None, help="What happens in the sale's life.  [default: purchase]", show_default=False
    ),
    prove: bool = typer.Option(
        False, "--prove", help="Let in, use, ask twice, take away, be turned away, clean up: the whole proof."
    ),
    fault: Fault | None = FAULT,
    price: int = PRICE,
    buyer: str | None = BUYER,
    backend: str | None = BACKEND,
    json_wanted: bool = JSON,
) -> int:
    """Test-fire an event, and prove as the buyer that it led to what it must. Status 1 unless it passed; a drill passes
    when it was noticed."""
    if prove and event:
        raise Wrong("--prove goes through a sale of its own: leave --event away.")
    what = PROOF if prove else event or Event.PURCHASE
    return _fire(place_of(context), product, what, fault, price, buyer, backend, json_wanted)


@commands.command(epilog="Example: wizard scenario yoga-masterclass renewals_then_cancel")
def scenario(
    context: typer.Context,
    product: str = PRODUCT,
    name: str | None = typer.Argument(None, help="Which life of a sale; --list names them."),
    listed: bool = typer.Option(False, "--list", help="Name every scenario, and why one cannot be had."),
    price: int = PRICE,
    buyer: str | None = BUYER,
    backend: str | None = BACKEND,
    json_wanted: bool = JSON,
) -> int:
    """Go through a whole life of a sale under a simulated clock. Status 1 unless it passed."""
    place = place_of(context)
    if listed or name is None:
        return _list_scenarios(place, product, price, json_wanted)
    if name not in LIVES:
        raise Wrong(f"There is no scenario {name!r}. There are {', '.join(LIVES)}.")
    return _fire(place, product, LIVES[name], None, price, buyer, backend, json_wanted)


@commands.command(epilog="Example: wizard resume 7k2m9x4qa1bc")
def resume(
    context: typer.Context,
    run_id: str = typer.Argument(metavar="ID", help="The run, as `wizard runs` lists it."),
    json_wanted: bool = JSON,
) -> int:
    """Go on with a run that was stopped midway, where it stopped. Status 1 unless it passed."""
    place = place_of(context)
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


def _fire(
    place: Place,
    slug: str,
    what: Event | Life,
    fault: Fault | None,
    price: int,
    buyer: str | None,
    backend: str | None,
    json_wanted: bool,
) -> int:
    with place.store() as store:
        product = _product_at(store, slug, price)
        sold = Sold(product=product, account=store.account(), price=price)
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


def _list_scenarios(place: Place, slug: str, price: int, json_wanted: bool) -> int:
    now = datetime.now(UTC)
    with place.store() as store:
        sold = Sold(product=_product_at(store, slug, price), account=store.account(), price=price)
    listed = [(life, why_not(life, sold, now)) for life in LIVES.values()]
    if json_wanted:
        say_json(
            {"scenarios": [{"scenario": life.name, "label": life.label, "about": life.about, "not_possible": why}
                           for life, why in listed]}
        )  # fmt: skip
    else:
        table([(life.name, f"not here: {why}" if why else life.about) for life, why in listed])
    return 0
