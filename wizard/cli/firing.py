"""Commands about test-fires: fire one, look at earlier ones, and check what carries them out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import typer

from models.fulfillment import Buyer, Event, Run, RunStep, Verdict
from wizard.cli.output import say, say_json, table
from wizard.cli.place import JSON, PRODUCT, Place, Wrong, place_of, product_of
from wizard.fulfillment import registry
from wizard.fulfillment.backend import BackendError, Check, Manifest, Surroundings
from wizard.fulfillment.connections import check_connection
from wizard.fulfillment.fire import Workplace
from wizard.fulfillment.fire import fire as carry_out
from wizard.fulfillment.sold import Sold
from wizard.settings import BadSettings

commands = typer.Typer()
connections = typer.Typer(help="Connections to membership platforms.", rich_markup_mode=None)
commands.add_typer(connections, name="connections", epilog="Example: wizard connections check my-blog")


def as_json(run: Run) -> dict[str, Any]:
    """A run as `--json` prints it (`spec` 7)."""
    return {
        "run": run.id,
        "product": run.product,
        "event": run.event.value,
        "backend": run.backend,
        "buyer": run.buyer.email,
        "verdict": run.verdict.value if run.verdict else None,
        "reason": run.reason,
        "steps": [_step_as_json(step) for step in run.steps],
        "page": run.page.model_dump(mode="json") if run.page else None,
    }


def _step_as_json(step: RunStep) -> dict[str, Any]:
    return {
        "action": step.action.action,
        "target": step.action.target,
        "status": step.status.value,
        "attempts": step.attempts,
        "ms": step.ms,
        "detail": step.detail,
        "evidence": step.evidence.model_dump(mode="json") if step.evidence else None,
    }


def _say_step(step: RunStep) -> None:
    proof = f" [proven by {step.evidence.proven_by}]" if step.evidence else ""
    say(f"{step.position:>2} {step.action.action} {step.action.target}: {step.status.label}{proof} ({step.ms:.0f} ms)")
    detail = step.evidence.detail if step.evidence else step.detail
    if detail:
        say(f"   {detail}")


def _say_end(run: Run) -> None:
    if run.page:
        say(f"The buyer then sees ({run.page.source}): {run.page.text}")
    say(f"{run.verdict.label if run.verdict else 'Not finished'}: {run.reason or (run.verdict or Verdict.PASSED).hint}")
    say(f"Run {run.id}, as {run.buyer.email}")


@commands.command(epilog="Example: wizard fire yoga-masterclass --event refund")
def fire(
    context: typer.Context,
    product: str = PRODUCT,
    event: Event = typer.Option(Event.PURCHASE, help="What happens in the sale's life."),
    price: int = typer.Option(1, min=1, help="The number of the price point."),
    buyer: str | None = typer.Option(None, metavar="ADDRESS", help="The test buyer's e-mail address."),
    backend: str | None = typer.Option(None, help="Who carries it out; `wizard backends` lists them."),
    json_wanted: bool = JSON,
) -> int:
    """Test-fire an event, and prove as the buyer that it led to what it must. Status 1 unless it passed."""
    place = place_of(context)
    chosen = backend or place.settings.backend
    with place.store() as store:
        saved = product_of(store, product)
        count = len(saved.answers.pricing.prices)
        if count and price > count:
            raise Wrong(f"There is no price {price}: {product} has {count}. Write --price with a number up to {count}.")
        told: set[tuple[int, str]] = set()

        def on_step(step: RunStep) -> None:
            is_over = step.status.value not in ("pending", "running", "performed")
            if is_over and not json_wanted and (step.position, step.status.value) not in told:
                told.add((step.position, step.status.value))
                _say_step(step)

        try:
            run = asyncio.run(
                carry_out(
                    Sold(product=saved, account=store.account(), price=price),
                    event,
                    at=Workplace.of(place.settings, store),
                    backend=chosen,
                    buyer=Buyer(email=buyer) if buyer else None,
                    named_by_seller=buyer is not None,
                    on_step=on_step,
                )
            )
        except ValueError as error:
            raise Wrong(f"--buyer: {error}" if buyer else str(error)) from error
    if json_wanted:
        say_json(as_json(run))
    else:
        _say_end(run)
    return 0 if run.verdict is Verdict.PASSED else 1


@commands.command(epilog="Example: wizard runs yoga-masterclass")
def runs(
    context: typer.Context,
    product: str | None = typer.Argument(None, metavar="[PRODUCT]", help="Only the runs of this product."),
    json_wanted: bool = JSON,
) -> int:
    """List test-fires, the newest first."""
    with place_of(context).store() as store:
        if product is not None:
            product_of(store, product)
        rows = store.runs(product)
    if json_wanted:
        say_json({"runs": [{"run": row.id, **row.model_dump(mode="json", exclude={"id"})} for row in rows]})
    elif not rows:
        say("Nothing was test-fired yet. `wizard fire PRODUCT` does.")
    else:
        heads = ("RUN", "PRODUCT", "EVENT", "BACKEND", "VERDICT", "STARTED (UTC)")
        table([heads, *(
            (r.id, r.product, r.event.value, r.backend, r.verdict.value if r.verdict else "running",
             f"{r.started_at:%Y-%m-%d %H:%M}")
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
    with place_of(context).store() as store:
        found = store.run(run_id)
    if json_wanted:
        say_json(as_json(found))
        return 0
    say(f"{found.event.label} of {found.product} (revision {found.revision}) on {found.backend}")
    for step in found.steps:
        _say_step(step)
        for exchange in (*(step.receipt.exchanges if step.receipt else ()),
                         *(step.evidence.exchanges if step.evidence else ())):  # fmt: skip
            say(f"     {exchange.request} → {exchange.status if exchange.status is not None else 'no answer'}")
    _say_end(found)
    return 0


# --- what carries them out ------------------------------------------------------------------------------------------


@commands.command(epilog="Example: wizard backends")
def backends(context: typer.Context, json_wanted: bool = JSON) -> int:
    """List the installed backends and whether each works. Status 1 when one does not."""
    place = place_of(context)
    found = [asyncio.run(_checked(installed, place)) for installed in registry.installed()]
    if json_wanted:
        say_json({"backends": found})
    else:
        for one in found:
            say(f"{one['backend']} ({one['package']}) – {'works' if one['ok'] else 'does not work'}: {one['detail']}")
    return 0 if all(one["ok"] for one in found) else 1


async def _checked(installed: registry.Installed, place: Place) -> dict[str, Any]:
    manifest = installed.manifest
    checked = Check(False, installed.problem) if manifest is None else await _check(manifest, place)
    return {
        "backend": installed.name,
        "label": manifest.label if manifest else installed.name,
        "package": installed.package,
        "ok": checked.ok,
        "detail": checked.detail,
        "can": sorted(manifest.can) if manifest else [],
        "settings": manifest.schema if manifest else {},
    }


async def _check(manifest: Manifest, place: Place) -> Check:
    """Ask a backend whether it works. Whatever a third party's raises is an answer too."""
    import httpx

    settings = place.settings.backends.get(manifest.name, {})
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        try:
            registry.check_settings(manifest, settings)
            around = Surroundings(data_dir=place.settings.data_dir, client=lambda: client, settings=settings)
            return await registry.class_of(manifest)(around).check()
        except (BackendError, registry.NoSuchBackend, BadSettings, httpx.HTTPError, OSError) as error:
            return Check(False, str(error))
        except Exception as error:
            return Check(False, f"It broke ({type(error).__name__}: {error}). Tell whoever made it.")


@connections.command("check", epilog="Example: wizard connections check my-blog")
def check(
    context: typer.Context,
    name: str = typer.Argument(metavar="NAME", help="The connection's slug."),
    json_wanted: bool = JSON,
) -> int:
    """Check whether a connection works, and remember the result. Status 1 when it does not."""
    place = place_of(context)
    with place.store() as store:
        saved = store.account()
        known = {connection.slug: connection for connection in saved.account.connections}
        if name not in known:
            listed = f"You have {', '.join(known)}." if known else "You have none yet."
            raise Wrong(f"There is no connection {name!r}. {listed}")
        if name in saved.unreadable:
            checked = Check(False, saved.unreadable[name])
        else:
            checked = asyncio.run(check_connection(known[name], data_dir=place.settings.data_dir))
        now = datetime.now(UTC)
        store.record_check(name, checked.ok, checked.detail, now)
    if json_wanted:
        say_json({"connection": name, "ok": checked.ok, "detail": checked.detail, "at": now.isoformat()})
    else:
        say(f"{name} {'works' if checked.ok else 'does not work'}: {checked.detail}")
    return 0 if checked.ok else 1
