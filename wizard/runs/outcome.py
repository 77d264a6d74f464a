"""How a run ended: what its steps add up to, in a verdict and a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from models.events import Status, Verdict
from models.fulfillment import CleanUp, Run, RunStep, ShownPage, ShowPage
from wizard.runs.drill import fault_of, shows
from wizard.sale.expectation import ACCESS, hoped_for
from wizard.sale.lives import PROVE
from wizard.sale.words import in_words

BAD = (Status.FAILED, Status.ACTION_REQUIRED)
OPEN = (Status.PENDING, Status.RUNNING, Status.PERFORMED)
"""How a step stands that is not over."""

PROVEN = "The buyer was let in, nothing happened twice, and once access was taken away the buyer was turned away."
LET_IN = "The buyer was let in, and nothing happened twice. Nothing was taken away, so nobody had to be turned away."
NOTHING_TO_PROVE = "There is no access to prove: the mails and the page arrived, and nothing happened twice."
NOTHING_SEEN = (
    "There is no access to prove, and nothing happened twice. That mails and page arrived is the platform's own word: "
    "nobody looked as the buyer."
)


def page_of(run: Run) -> ShownPage | None:
    """The page that the buyer was seen to be shown."""
    for step in run.steps:
        if isinstance(step.action, ShowPage) and step.status is Status.PASSED:
            return ShownPage(source=step.action.source, text=step.action.url or step.action.text)
    return None


def outcome(run: Run) -> tuple[Verdict, str]:
    """The verdict of a run whose steps are over, and its reason in a sentence."""
    steps = run.steps
    for status, verdict in ((Status.FAILED, Verdict.FAILED), (Status.ACTION_REQUIRED, Verdict.ACTION_REQUIRED)):
        for step in steps:
            if step.status is status:
                why = f"Step {step.position} ({in_words(step.action)}): {step.detail}"
                fault = fault_of(run)
                if fault is None or shows(fault, step):
                    return verdict, why
                return Verdict.ACTION_REQUIRED, f"Something else than the drill went wrong: {why}"
    return Verdict.PASSED, _good_reason(run)


def _unseen(steps: Sequence[RunStep]) -> str:
    """The sentence for what nobody saw with a buyer's eyes; empty where somebody looked each time."""
    told = [step for step in steps if step.evidence]
    seen = {step.moment for step in told if step.evidence and step.evidence.proven_by == "buyer"}
    unseen = {step.moment for step in told if isinstance(step.action, ACCESS)} - seen
    if not unseen and (seen or not told):
        return ""
    where = f"At {len(unseen)} of them that" if seen else "That"
    return f" {where} is the platform's own word: nobody looked as the buyer."


def _good_reason(run: Run) -> str:
    """What a run that passed has shown, in a sentence."""
    steps = [step for step in run.steps if not isinstance(step.action, CleanUp)]
    if run.life == PROVE:
        used = [step.action for step in steps if isinstance(step.action, ACCESS)]
        proven = LET_IN if all(map(hoped_for, used)) else PROVEN
        left = " ".join(step.detail for step in run.steps if isinstance(step.action, CleanUp))
        looked = any(step.evidence and step.evidence.proven_by == "buyer" for step in steps)
        return f"{proven if used else NOTHING_TO_PROVE if looked else NOTHING_SEEN} {left}"
    moments = {step.moment for step in steps}
    if run.life:
        return f"At each of {len(moments)} moments the buyer held what they should.{_unseen(steps)}"
    # What the event itself led to is the last moment; a purchase before it only set the scene.
    seen = [step for step in steps if step.moment == max(moments) and step.status is Status.PASSED]
    if not seen:
        return "There was nothing to do."
    # What nobody could look at says less than what was looked at.
    looked_at = [step for step in seen if step.evidence and step.evidence.proven_by != "nobody"]
    return (looked_at or seen)[0].detail
