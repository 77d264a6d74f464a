"""Commands that carry something out: a test-fire, a whole life of a sale, and a run that was stopped midway."""

from __future__ import annotations

import typer

from models.events import Event
from wizard.cli.place import JSON, PRODUCT, Wrong, place_of
from wizard.sandbox.faults import DRILLS, Fault

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
    from wizard.cli.carrying_out import fire_and_tell
    from wizard.sale.lives import PROOF

    what = PROOF if prove else event or Event.PURCHASE
    return fire_and_tell(place_of(context), product, what, fault, price, buyer, backend, json_wanted)


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
    from wizard.cli.carrying_out import fire_and_tell, list_scenarios
    from wizard.sale.lives import LIVES

    place = place_of(context)
    if listed or name is None:
        return list_scenarios(place, product, price, json_wanted)
    if name not in LIVES:
        raise Wrong(f"There is no scenario {name!r}. There are {', '.join(LIVES)}.")
    return fire_and_tell(place, product, LIVES[name], None, price, buyer, backend, json_wanted)


@commands.command(epilog="Example: wizard resume 7k2m9x4qa1bc")
def resume(
    context: typer.Context,
    run_id: str = typer.Argument(metavar="ID", help="The run, as `wizard runs` lists it."),
    json_wanted: bool = JSON,
) -> int:
    """Go on with a run that was stopped midway, where it stopped. Status 1 unless it passed."""
    from wizard.cli.carrying_out import go_on_with

    return go_on_with(place_of(context), run_id, json_wanted)
