"""The ledger of test-fires, in rows: see `wizard.runs.ledger` for what each of them means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from models import records
from models.events import Event, Verdict
from models.fulfillment import Run, RunStep, ShownPage
from models.saved import RunRow
from wizard.store.database import Work
from wizard.store.errors import NotFound, RunExists
from wizard.store.history import ENTRY
from wizard.store.mapping import join, split
from wizard.store.products import PRODUCT
from wizard.store.products import row_of as product_of

RUN = records.table_of(records.Run)
STEP = records.table_of(records.RunStep)

WRITE = update(STEP).where(STEP.c.run_id == bindparam("at_run"), STEP.c.position == bindparam("at_position"))
"""One statement for a step that was planned, made once: a run writes each of its steps several times."""

LISTED = (
    *(RUN.c[name] for name in RunRow.model_fields if name in RUN.c),
    RUN.c.rest,
    PRODUCT.c.slug.label("product"),
    func.coalesce(PRODUCT.c.name, PRODUCT.c.slug).label("name"),
)
"""What a line of the list of runs is read from."""

SWITCHES = ("mode", "published", "deleted")
"""What changes a product's revision and none of its answers."""


def open_run(work: Work, run: Run) -> None:
    """Record a run with its planned steps."""
    if work.connection.execute(select(RUN.c.id).where(RUN.c.id == run.id)).first() is not None:
        raise RunExists(run.id)
    plain = run.model_dump(mode="json", exclude={"steps", "product"})
    values = {"seller_id": work.seller, "product_id": product_of(work, run.product)["id"], **split(records.Run, plain)}
    work.connection.execute(insert(RUN).values(values | _times(run)))
    if run.steps:
        work.connection.execute(insert(STEP), [_step_values(run.id, step) for step in run.steps])


def write_steps(work: Work, run: str, steps: Sequence[RunStep]) -> None:
    """Replace steps, or add them."""
    for step in steps:
        values = _step_values(run, step)
        at = {"at_run": run, "at_position": step.position}
        if work.connection.execute(WRITE, values | at).rowcount == 0:
            _row(work, run)
            work.connection.execute(insert(STEP), values)


def close_run(
    work: Work, run: str, verdict: Verdict, reason: str, finished_at: datetime, page: ShownPage | None
) -> None:
    """Record how a run ended."""
    rest = {**_row(work, run)["rest"], "page": page.model_dump(mode="json") if page else None}
    values = {"verdict": verdict.value, "reason": reason, "finished_at": finished_at, "rest": rest}
    work.connection.execute(update(RUN).where(RUN.c.id == run).values(values))


def read(work: Work, run: str) -> Run:
    """A run with its steps."""
    row = _row(work, run)
    plain = join(records.Run, row) | {"product": row["slug"]}
    steps = select(STEP).where(STEP.c.run_id == run).order_by(STEP.c.position)
    plain["steps"] = [join(records.RunStep, dict(step)) for step in work.connection.execute(steps).mappings()]
    return Run.model_validate(plain)


def rows(work: Work, product: str | None, limit: int, before: str | None) -> tuple[RunRow, ...]:
    """Runs, the newest first."""
    query = select(*LISTED).join(PRODUCT, PRODUCT.c.id == RUN.c.product_id)
    if product is None:
        query = query.where(RUN.c.seller_id == work.seller)
    else:
        query = query.where(RUN.c.product_id == product_of(work, product, deleted=None)["id"])
    if before is not None:
        query = query.where(RUN.c.id < before)
    found = work.connection.execute(query.order_by(RUN.c.id.desc()).limit(limit)).mappings()
    return tuple(_row_of_list(dict(row)) for row in found)


def _row_of_list(values: dict[str, Any]) -> RunRow:
    rest = values.pop("rest")
    return RunRow.model_validate(values | {"life": rest.get("life", ""), "fault": rest.get("fault", "")})


def last_try(work: Work, slug: str, revision: int) -> RunRow | None:
    """The last run in which somebody bought the product with the answers of this revision.

    One that ended with a verdict comes before one that was stopped midway. No drill counts: it is the sandbox's alone,
    whatever it ends with.
    """
    product = product_of(work, slug)["id"]
    answered_last = select(func.max(ENTRY.c.revision)).where(
        ENTRY.c.product_id == product, ENTRY.c.revision <= revision, ENTRY.c.path.not_in(SWITCHES)
    )
    since = work.connection.execute(answered_last).scalar() or revision
    query = select(*LISTED).join(PRODUCT, PRODUCT.c.id == RUN.c.product_id)
    query = query.where(RUN.c.product_id == product, RUN.c.revision.between(since, revision))
    found = work.connection.execute(query.order_by(RUN.c.id.desc())).mappings()
    tries = (_row_of_list(dict(row)) for row in found if _is_bought(dict(row)))
    stopped = None
    for row in tries:
        if row.verdict not in (None, Verdict.INTERRUPTED):
            return row
        stopped = stopped or row
    return stopped


def _is_bought(values: dict[str, Any]) -> bool:
    rest = values["rest"]
    events = {values["event"], *(moment["event"] for moment in rest.get("moments", ()))}
    return Event.PURCHASE.value in events and not rest.get("fault")


def _row(work: Work, run: str) -> Any:
    query = select(RUN, PRODUCT.c.slug).join(PRODUCT, PRODUCT.c.id == RUN.c.product_id)
    row = work.connection.execute(query.where(RUN.c.id == run, RUN.c.seller_id == work.seller)).mappings().one_or_none()
    if row is None:
        raise NotFound("run", run)
    return row


def _times(run: Run) -> dict[str, datetime | None]:
    # As moments, not as the text that JSON would make of them.
    return {"started_at": run.started_at, "finished_at": run.finished_at}


def _step_values(run: str, step: RunStep) -> dict[str, Any]:
    return {"run_id": run, **split(records.RunStep, step.model_dump(mode="json"))}
