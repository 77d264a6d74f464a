"""Commands about products: the list, one in detail, its preflight, and its two switches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from wizard.cli.output import say, say_json, table, warn
from wizard.cli.place import JSON, PRODUCT, place_of, product_of, tell_broken
from wizard.invocation import command

if TYPE_CHECKING:
    from models.product import Mode
    from models.saved import ProductRow
    from wizard.preflight import Finding
    from wizard.session import Session
    from wizard.store import Store

commands = typer.Typer()


@commands.command("products", epilog="Example: wizard products --json")
def list_products(context: typer.Context, as_json: bool = JSON) -> int:
    """List the products."""
    rows: list[ProductRow] = []
    with place_of(context).store() as store:
        after: str | None = None
        while True:
            page = store.products(after=after, limit=200)
            rows.extend(page.rows)
            after = page.after
            if after is None:
                break
    if as_json:
        say_json({"products": [_as_json(row) for row in rows]})
    elif not rows:
        say(
            f"There are no products yet. `{command()}` opens the app to make one; "
            f"`{command('apply', 'FILE')}` reads them from a file."
        )
    else:
        heads = ("PRODUCT", "NAME", "MODE", "PUBLISHED", "ACCESS", "COMPLETE", "REVISION")
        table([heads, *([_word(value) for value in _as_json(row).values()] for row in rows)])
    return 0


def _as_json(row: ProductRow) -> dict[str, Any]:
    return {
        "product": row.slug,
        "name": row.name,
        "mode": row.mode.value,
        "published": row.published,
        "access": row.access,
        "complete": row.complete,
        "revision": row.revision,
    }


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


@commands.command(epilog="Example: wizard show yoga-masterclass")
def show(context: typer.Context, product: str = PRODUCT, as_json: bool = JSON) -> int:
    """Show a product with its steps and how complete they are."""
    from wizard import progress
    from wizard.session import Session

    with place_of(context).store() as store:
        product_of(store, product)
        session = Session(store, product)
        tell_broken(session.account)
    shown = _shown(session)
    if as_json:
        say_json(shown)
        return 0
    published = "Published" if shown["published"] else "Unpublished"
    say(f"{shown['name']} ({product}) – {session.saved.mode.label}, {published}, revision {shown['revision']}")
    for step in shown["steps"]:
        say()
        say(step["label"])
        for module in step["modules"]:
            mark = progress.State(module["state"]).hint
            say(f"  {mark} {module['label']}: {progress.State(module['state']).label.lower()}")
            for missing in module["missing"]:
                say(f"      {missing['message']}")
    return 0


def _shown(session: Session) -> dict[str, Any]:
    from wizard import flow

    saved = session.saved
    problems = session.problems()
    steps = [
        {
            "step": step.id,
            "label": step.label,
            "state": session.survey.of(step).value,
            "modules": [
                {
                    "module": module.id,
                    "label": module.label,
                    "state": session.states[module.id].value,
                    "missing": [
                        {"field": problem.path, "message": problem.message}
                        for problem in problems
                        if flow.module_of(problem.path).id == module.id
                    ],
                }
                for module in step.modules
            ],
        }
        for step in flow.steps()
        if step.modules
    ]
    return {
        "product": saved.slug,
        "name": saved.answers.general.name or saved.slug,
        "mode": saved.mode.value,
        "published": saved.published,
        "access": saved.answers.post_sale.access.kind,
        "complete": session.survey.is_complete,
        "revision": saved.revision,
        "steps": steps,
    }


# --- preflight and switches -----------------------------------------------------------------------------------------


def _findings(store: Store, slug: str) -> list[Finding]:
    from wizard import preflight

    return preflight.check(preflight.inspect(store, slug, datetime.now().astimezone()))


def _say_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        say(f"{finding.level:7}  {finding.message}")
        say(f"         {finding.field}  {finding.rule}")


@commands.command(epilog="Example: wizard check yoga-masterclass")
def check(context: typer.Context, product: str = PRODUCT, as_json: bool = JSON) -> int:
    """Check what stands between a product and its buyers. Status 1 while an error stands."""
    from wizard.preflight import may_go_live

    with place_of(context).store() as store:
        product_of(store, product)
        tell_broken(store.account())
        findings = _findings(store, product)
    is_good = may_go_live(findings)
    if as_json:
        say_json(
            {"product": product, "ok": is_good, "findings": [finding.model_dump(mode="json") for finding in findings]}
        )
    elif not findings:
        say("Nothing stands in the way.")
    else:
        _say_findings(findings)
        errors = sum(finding.level == "error" for finding in findings)
        say(f"{errors} to put right before it can go live." if errors else "It can go live.")
    return 0 if is_good else 1


def _switch(
    context: typer.Context, product: str, as_json: bool, mode: Mode | None = None, published: bool | None = None
) -> int:
    from wizard.editing.going_live import turn_switch
    from wizard.editing.switches import Turn, standing
    from wizard.session import Session

    with place_of(context).store() as store:
        saved = product_of(store, product)
        is_so_already = saved.mode is mode or saved.published is published
        session = Session(store, product, "command line")
        turn = Turn(mode, published)
        if not is_so_already and (errors := turn_switch(store, session, turn, datetime.now().astimezone())):
            return _refuse(product, errors, as_json)
        saved = session.saved
    if as_json:
        told = {"product": product, "mode": saved.mode.value, "published": saved.published, "revision": saved.revision}
        say_json(told)
    else:
        state = f"{saved.mode.label}, {'Published' if saved.published else 'Unpublished'}"
        say(f"{product} {'was' if is_so_already else 'is now'} {state}{' already' if is_so_already else ''}.")
        say(": ".join(standing(saved)))
    return 0


def _refuse(product: str, errors: Sequence[Finding], as_json: bool) -> int:
    if as_json:
        say_json({"product": product, "ok": False, "findings": [error.model_dump(mode="json") for error in errors]})
    else:
        _say_findings(errors)
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    warn(f"{product} stays in Demo: put {count} right first, then run this again.")
    return 1


@commands.command(epilog="Example: wizard publish yoga-masterclass")
def publish(context: typer.Context, product: str = PRODUCT, as_json: bool = JSON) -> int:
    """Publish a product: buyers can find it."""
    return _switch(context, product, as_json, published=True)


@commands.command(epilog="Example: wizard unpublish yoga-masterclass")
def unpublish(context: typer.Context, product: str = PRODUCT, as_json: bool = JSON) -> int:
    """Take a product down: buyers no longer find it."""
    return _switch(context, product, as_json, published=False)


@commands.command(epilog="Example: wizard live yoga-masterclass")
def live(context: typer.Context, product: str = PRODUCT, as_json: bool = JSON) -> int:
    """Take real orders. Refused, with status 1, while the preflight finds an error."""
    from models.product import Mode

    return _switch(context, product, as_json, mode=Mode.LIVE)


@commands.command("demo-mode", epilog="Example: wizard demo-mode yoga-masterclass")
def demo_mode(context: typer.Context, product: str = PRODUCT, as_json: bool = JSON) -> int:
    """Take test orders only."""
    from models.product import Mode

    return _switch(context, product, as_json, mode=Mode.DEMO)
