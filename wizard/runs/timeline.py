"""What the buyer could do at each moment of a run, beside what they should, and where one can look oneself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from models.events import Status
from models.fulfillment import (
    CleanUp,
    Evidence,
    GrantAccess,
    IssueDownloadLink,
    KeepAccess,
    Moment,
    RegisterAttendee,
    Run,
    RunStep,
    ShowPage,
)
from wizard.runs.outcome import BAD
from wizard.sale.expectation import ACCESS, hoped_for

Standing = Literal["in", "out", ""]
"""What a buyer can do: get in, be turned away; empty where nothing is tried, or not yet."""


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One moment, expected beside seen."""

    number: int
    moment: Moment
    expected: Standing
    seen: Standing
    evidence: Evidence | None
    """What it rests on: that of the first step that went wrong, else that of the access step."""
    status: Status
    """The worst of its steps; pending while none has begun."""


def timeline(run: Run) -> tuple[TimelineRow, ...]:
    """The moments of a run in their order."""
    return tuple(_row(run, number, moment) for number, moment in enumerate(run.moments, start=1))


def _row(run: Run, number: int, moment: Moment) -> TimelineRow:
    steps = [step for step in run.steps if step.moment == number]
    tried = [step for step in steps if _is_tried(step)]
    about = next((step for step in tried if step.status in BAD), tried[0] if tried else None)
    if about is None:
        return TimelineRow(number, moment, "", "", None, _status(steps))
    evidence = about.evidence
    seen: Standing = "" if evidence is None else "in" if evidence.allowed else "out"
    return TimelineRow(number, moment, "in" if hoped_for(about.action) else "out", seen, evidence, _status(steps))


def _is_tried(step: RunStep) -> bool:
    """Whether the buyer's access is used in this step."""
    return isinstance(step.action, ACCESS) or (isinstance(step.action, KeepAccess) and step.action.kept is not None)


ORDER = (
    Status.FAILED, Status.ACTION_REQUIRED, Status.RUNNING, Status.PERFORMED, Status.PENDING, Status.PASSED,
    Status.SKIPPED,
)  # fmt: skip


def _status(steps: list[RunStep]) -> Status:
    return min((step.status for step in steps), key=ORDER.index, default=Status.SKIPPED)


# --- where to look oneself --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """A page on the buyer's side of a run."""

    label: str
    url: str


def addresses(run: Run) -> tuple[Address, ...]:
    """The pages that a run led its buyer to, each once; none where the run has cleaned up after itself. Links that are
    secrets stand in the mails alone."""
    if any(isinstance(step.action, CleanUp) and not step.action.only_platforms and step.receipt for step in run.steps):
        return ()
    found: dict[str, Address] = {}
    for address in _addresses(run):
        found.setdefault(address.url, address)
    return tuple(found.values())


def _addresses(run: Run) -> Iterator[Address]:
    pages = [(step, url) for step in run.steps if step.receipt for url in step.receipt.proof if _is_address(url)]
    if run.backend == "sandbox" and pages:
        parts = urlsplit(pages[0][1])
        home = f"{parts.scheme}://{parts.netloc}"
        yield Address("All of this run", f"{home}/runs/{run.id}")
        yield Address("Mailbox", f"{home}/mailbox?to={quote(run.buyer.email)}")
    for step in run.steps:
        if step.receipt and (login := step.receipt.values.get("login_page")):
            yield Address("Login", login)
    for step, url in pages:
        yield Address(_label(step), url)
    for step in run.steps:
        if step.evidence and _is_address(page := step.evidence.facts.get("page", "")):
            yield Address(_label(step), page)
        if isinstance(step.action, ShowPage) and step.action.url:
            yield Address(_label(step), step.action.url)


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _label(step: RunStep) -> str:
    action = step.action.kept if isinstance(step.action, KeepAccess) and step.action.kept else step.action
    match action:
        case ShowPage(source="product"):
            return "Thank You page"
        case ShowPage():
            return "Confirmation"
        case RegisterAttendee():
            return "List of attendees"
        case GrantAccess():
            return "Gated page"
        case IssueDownloadLink():
            return "Download"
    return "Page"
