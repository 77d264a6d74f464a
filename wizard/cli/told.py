"""How test-fires are said on the command line, as text and as JSON."""

from __future__ import annotations

from typing import Any

from models.events import Event, Verdict
from models.fulfillment import Run, RunStep
from models.saved import RunRow
from wizard.cli.output import say
from wizard.invocation import command
from wizard.runs.drill import fault_of, is_noticed, told, verdict_of
from wizard.runs.timeline import addresses
from wizard.sale.words import in_words

PAGE_OF = {
    "product": "the Thank You page",
    "calendar": "the calendar's confirmation",
    "webinar": "the webinar's confirmation",
}
"""Whose page a buyer sees after paying."""


def as_json(run: Run) -> dict[str, Any]:
    """A run as `--json` prints it (`docs/spec.md` 7). A life has its moments too, and a drill its fault."""
    lived = {"life": run.life, "moments": [moment.model_dump(mode="json") for moment in run.moments]}
    return {
        "run": run.id,
        "product": run.product,
        "event": run.event.value,
        **(lived if run.life else {}),
        **({"fault": run.fault} if run.fault else {}),
        "backend": run.backend,
        "buyer": run.buyer.email,
        "verdict": _verdict(run),
        **_drill(run),
        "reason": run.reason,
        "steps": [_step_as_json(step, with_moment=bool(run.life)) for step in run.steps],
        "page": run.page.model_dump(mode="json") if run.page else None,
    }


def row_as_json(row: RunRow) -> dict[str, Any]:
    """A run as lists of them print it."""
    return {"run": row.id, **row.model_dump(mode="json", exclude={"id"}), "verdict": _verdict(row), **_drill(row)}


def _verdict(run: Run | RunRow) -> str | None:
    verdict = verdict_of(run)
    return verdict.value if verdict else None


def _drill(run: Run | RunRow) -> dict[str, Any]:
    """Of a drill, what was played and whether it was noticed: beside the verdict, how the run itself ended."""
    if not run.fault:
        return {}
    fault, ended = fault_of(run), run.verdict.value if run.verdict else None
    must = {"must_end": fault.expected.value} if fault else {}
    return {"drill": {"fault": run.fault, "noticed": is_noticed(run), "ended": ended, **must}}


def _step_as_json(step: RunStep, *, with_moment: bool) -> dict[str, Any]:
    return {
        **({"moment": step.moment} if with_moment else {}),
        "action": step.action.action,
        "target": step.action.target,
        "status": step.status.value,
        "attempts": step.attempts,
        "ms": step.ms,
        "detail": step.detail,
        "evidence": step.evidence.model_dump(mode="json") if step.evidence else None,
    }


def say_step(step: RunStep) -> None:
    """Say how a step went."""
    proof = f" [proven by {step.evidence.proven_by}]" if step.evidence else ""
    say(f"{step.position:>2} {in_words(step.action)}: {step.status.label}{proof} ({step.ms:.0f} ms)")
    detail = step.evidence.detail if step.evidence else step.detail
    if detail:
        say(f"   {detail}")


def say_moment(run: Run, number: int) -> None:
    """Say what happens at a moment of a run, and when."""
    moment = run.moments[number - 1]
    say(f"{moment.at:%Y-%m-%d %H:%M} UTC – {moment.title}")


def say_end(run: Run) -> None:
    """Say how a run ended."""
    if run.page and run.event is Event.PURCHASE and not run.life:
        say(f"The buyer then sees {PAGE_OF[run.page.source]}: {run.page.text}")
    verdict = run.verdict or Verdict.INTERRUPTED
    say(told(run))
    if verdict is Verdict.INTERRUPTED:
        say(f"Go on with it: {command('resume', run.id)}")
    say(f"Run {run.id}, as {run.buyer.email}")
    for address in addresses(run):
        say(f"   {address.url}  {address.label}")


def what_of(row: RunRow) -> str:
    """What a run was about, in one word; of a drill, which."""
    what = row.life or row.event.value
    return f"{what}, drill: {row.fault}" if row.fault else what
