"""Drills: test-fires under a fault that the sandbox plays.

What counts is not how the run ends but whether it noticed: most faults must make it fail, and some it must cope with.
Every front tells a drill by what is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.events import Event, Verdict
from models.fulfillment import CancelRegistration, RevokeAccess, RevokeDownloadLink, Run, RunStep
from models.saved import RunRow
from wizard.sale.lives import PROOF, Life, script_of
from wizard.sale.sold import NotReady, Sale
from wizard.sandbox.faults import DRILLS, Fault

TAKES_AWAY = (RevokeAccess, RevokeDownloadLink, CancelRegistration)
"""What can be lied about."""


class NothingToNotice(Exception):
    """A drill that could show nothing. The message says why, and what to choose."""


def fault_of(run: Run | RunRow) -> Fault | None:
    """The fault of a drill; None for a run that is none, or whose fault is of another version."""
    return Fault(run.fault) if run.fault in DRILLS else None


def is_noticed(run: Run | RunRow) -> bool | None:
    """Whether a drill ended as it must. None for a run that is none, and for one that is not over."""
    fault = fault_of(run)
    if fault is None or run.verdict in (None, Verdict.INTERRUPTED):
        return None
    return run.verdict is fault.expected


def verdict_of(run: Run | RunRow) -> Verdict | None:
    """The verdict that counts: of a drill, that it was noticed or not; of any other run its own. None while it runs."""
    noticed = is_noticed(run)
    if noticed is None:
        return run.verdict
    return Verdict.PASSED if noticed else Verdict.FAILED


def ended(run: Run | RunRow) -> str:
    """How a run ended, in two or three words; or that it runs."""
    if run.verdict is None and isinstance(run, RunRow) and run.is_running:
        return "Running"
    noticed = is_noticed(run)
    if noticed is None:
        return (run.verdict or Verdict.INTERRUPTED).label
    if run.verdict is Verdict.ACTION_REQUIRED:
        return "Drill: showed nothing"
    return "Drill: noticed" if noticed else "Drill: not noticed"


def told(run: Run | RunRow) -> str:
    """How a run ended, as a sentence or two: for a drill, how it ended and how it must."""
    fault, noticed = fault_of(run), is_noticed(run)
    reason = run.reason or (run.verdict or Verdict.INTERRUPTED).hint
    if fault is None or noticed is None:
        return f"{ended(run)}: {reason}"
    if run.verdict is Verdict.ACTION_REQUIRED:
        return f"{ended(run)}. {reason}"
    how = "passed" if run.verdict is Verdict.PASSED else "failed"
    if noticed:
        return f"{ended(run)}. The run {how}, as it must: {reason}"
    return f"{ended(run)}. The run {how}, and must not: {reason} This was the drill: {fault.hint}"


def shows(fault: Fault, step: RunStep) -> bool:
    """Whether a step that failed did so by the fault, and not by something else that is wrong."""
    if fault is Fault.LIES_ABOUT_REVOKING:
        return isinstance(step.action, TAKES_AWAY) and step.evidence is not None and step.evidence.allowed
    return step.attempts > 0 and step.receipt is None


# --- what can be drilled ----------------------------------------------------------------------------------------------


def faults_for(sold: Sale, what: Event | Life, now: datetime) -> tuple[Fault, ...]:
    """The faults that can show something at this event or life of the product."""
    try:
        steps = script_of(sold, what, now).steps
    except NotReady:  # which is said when it is fired
        return DRILLS
    return tuple(fault for fault in DRILLS if _can_show(fault, steps))


def why_nothing(fault: Fault, steps: Sequence[RunStep], sold: Sale, now: datetime) -> str:
    """Why a drill with these steps could show nothing, and what to choose in its place; empty when it can."""
    if _can_show(fault, steps):
        return ""
    choices: list[Event | Life] = [Event.REFUND, Event.CHARGEBACK, PROOF]
    others = [what.label for what in choices if fault in faults_for(sold, what, now)]
    if not others:
        return f"“{fault.label}” can show nothing here: this product gives nothing that is taken away. Choose another."
    *most, last = others
    choice = f"{', '.join(most)} or {last}" if most else last
    return f"“{fault.label}” can show nothing here: nothing is taken away. Choose it with {choice}."


def _can_show(fault: Fault, steps: Sequence[RunStep]) -> bool:
    return fault is not Fault.LIES_ABOUT_REVOKING or any(isinstance(step.action, TAKES_AWAY) for step in steps)
