"""Commands about the test-fires that were kept."""

from __future__ import annotations

import typer

from wizard.cli.output import say, say_json, table
from wizard.cli.place import JSON, place_of, product_of
from wizard.invocation import command

commands = typer.Typer()


@commands.command(epilog="Example: wizard runs yoga-masterclass")
def runs(
    context: typer.Context,
    product: str | None = typer.Argument(None, metavar="[PRODUCT]", help="Only the runs of this product."),
    json_wanted: bool = JSON,
) -> int:
    """List test-fires, the newest first."""
    from wizard.cli.told import row_as_json, what_of
    from wizard.runs.drill import ended

    with place_of(context).store() as store:
        if product is not None:
            product_of(store, product)
        rows = store.runs(product)
    if json_wanted:
        say_json({"runs": [row_as_json(row) for row in rows]})
    elif not rows:
        say(f"Nothing was test-fired yet. `{command('fire', 'PRODUCT')}` does.")
    else:
        heads = ("RUN", "PRODUCT", "WHAT", "BACKEND", "VERDICT", "STARTED (UTC)")
        table([heads, *(
            (r.id, r.product, what_of(r), r.backend, ended(r).lower(), f"{r.started_at:%Y-%m-%d %H:%M}")
            for r in rows
        )])  # fmt: skip
    return 0


@commands.command(epilog="Example: wizard run 7k2m9x4qa1bc")
def run(
    context: typer.Context,
    run_id: str = typer.Argument(metavar="ID", help="The run, as `wizard runs` lists it."),
    json_wanted: bool = JSON,
) -> int:
    """Show one test-fire in full, with what was sent and received."""
    from wizard.cli.told import as_json, say_end, say_moment, say_step
    from wizard.sale.lives import label_of

    with place_of(context).store() as store:
        found = store.run(run_id)
    if json_wanted:
        say_json(as_json(found))
        return 0
    say(f"{label_of(found)} of {found.product} (revision {found.revision}) on {found.backend}")
    moment = 0
    for step in found.steps:
        if len(found.moments) > 1 and step.moment != moment:
            moment = step.moment
            say_moment(found, moment)
        say_step(step)
        for name, value in (step.evidence.facts if step.evidence else {}).items():
            say(f"     {name}: {value}")
        for exchange in (*(step.receipt.exchanges if step.receipt else ()),
                         *(step.evidence.exchanges if step.evidence else ())):  # fmt: skip
            say(f"     {exchange.request} → {exchange.status if exchange.status is not None else 'no answer'}")
    say_end(found)
    return 0
