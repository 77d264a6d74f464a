"""A test-fire in words: its verdict, its moments, its steps, and everything about one of them."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from models.characters import visible
from models.fulfillment import Event, Exchange, Run, RunStep, Status, Verdict
from models.saved import RunRow
from screens.theme import MUTED
from wizard.fulfillment.drill import told, verdict_of
from wizard.fulfillment.lives import Life
from wizard.fulfillment.timeline import Row, Standing, addresses, timeline
from wizard.fulfillment.words import in_words
from wizard.invocation import command
from wizard.sandbox.faults import Fault

MARKS = {
    Status.PENDING: "·",
    Status.RUNNING: "▸",
    Status.PERFORMED: "…",
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.ACTION_REQUIRED: "!",
    Status.SKIPPED: "-",
}
VERDICT_MARKS = {
    Verdict.PASSED: "✓",
    Verdict.FAILED: "✗",
    Verdict.ACTION_REQUIRED: "!",
    Verdict.INTERRUPTED: "-",
}

BOXES = {
    "event": "What happens to the sale: one event, the proof (⇄), or a scenario (↻), which is a whole "
    "life under a simulated clock.",
    "price": "Which of the product's prices the test buyer pays.",
    "fault": "A fault that the sandbox plays, to see whether a test-fire notices it. Each says how the run must end.",
    "buyer": "The test buyer's address. While it is empty, each run has a new buyer at example.com. One that you name"
    " may be somebody's, who then gets the mails if a mail server is set.",
}
"""What each box of a test-fire is for."""


def mark_of(run: RunRow) -> str:
    """How a run ended, or that it goes on, in one cell."""
    return "▸" if run.is_running else VERDICT_MARKS[run.verdict or Verdict.INTERRUPTED]


def choice_in_words(choice: object) -> str:
    """What a choice in those boxes means, in a sentence; empty for one that needs no word."""
    if isinstance(choice, Life):
        return choice.about
    if isinstance(choice, Event) and choice is not Event.PURCHASE:
        return f"{choice.label}: {choice.hint}. A purchase comes first, in the same run."
    if isinstance(choice, Fault):
        return choice.hint
    return ""


def verdict_line(run: Run) -> str:
    """How a run ended, in one line."""
    if run.verdict is None:
        return "- Not finished: whoever carried it out has ended."
    return f"{verdict_mark(run)} {visible(told(run))}"


def verdict_mark(run: Run | RunRow) -> str:
    """The mark of the verdict that counts."""
    return VERDICT_MARKS[verdict_of(run) or Verdict.INTERRUPTED]


def exchange_text(exchange: Exchange) -> str:
    """One request and its reply."""
    reply = "no reply" if exchange.status is None else f"{exchange.status} after {exchange.ms:.0f} ms"
    parts = [f"→ {exchange.request}", exchange.sent, f"← {reply}", exchange.received]
    return "\n".join(visible(part, "\n\t") for part in parts if part)


def step_detail(step: RunStep) -> Content:
    """Everything about one step: what was seen, then what went over the wire."""
    parts: list[str | tuple[str, str]] = []
    if step.detail and (step.evidence is None or step.evidence.detail != step.detail):
        parts += [(f"{visible(step.detail)}\n\n", "bold")]
    if step.evidence is not None:
        seen = {"buyer": "Seen as the buyer", "platform": "The platform's own word", "nobody": "Nothing to look at"}
        parts += [(f"{seen[step.evidence.proven_by]}\n", MUTED), (f"{visible(step.evidence.detail)}\n", "bold")]
        parts += [f"  {visible(name)}: {visible(value)}\n" for name, value in step.evidence.facts.items()]
        parts += ["\n"]
        for exchange in step.evidence.exchanges:
            parts += [exchange_text(exchange), "\n\n"]
    if step.receipt is not None and step.receipt.exchanges:
        parts += [("Asked of the backend\n", MUTED)]
        for exchange in step.receipt.exchanges:
            parts += [exchange_text(exchange), "\n\n"]
    return Content.assemble(*parts)


def step_line(step: RunStep, width: int, *, is_left: bool, indent: int = 0) -> Content:
    """A step on one line of so many cells. `is_left`: nobody carries the run out any more."""
    stopped = is_left and step.status is Status.RUNNING
    mark = VERDICT_MARKS[Verdict.INTERRUPTED] if stopped else MARKS[step.status]
    detail = visible(step.evidence.detail if step.evidence else step.detail, "")
    time = f"{step.ms:6.0f} ms" if step.ms else " " * 9
    about = f"{' ' * indent}{mark} {step.position} {visible(in_words(step.action), '')}"
    label = Content(about).truncate(44, ellipsis=True)
    pad = " " * (44 - label.cell_length)
    return Content.assemble(label, pad, f"{time}  ", (detail[: max(24, width - 48)], MUTED))


STANDINGS: dict[Standing, str] = {"in": "gets in", "out": "is turned away", "": "-"}
SEEN: dict[Standing, str] = {"in": "got in", "out": "was turned away", "": "-"}
"""What a buyer should be able to do at a moment, and what was seen."""


def moment_line(row: Row, at: datetime) -> Content:
    """A moment as the heading of its steps."""
    title = Content(f"{MARKS[row.status]} {at:%d %b %Y %H:%M}  {visible(row.moment.title, '')}")
    if not row.expected:
        return title.stylize("bold")
    seen = f"; {SEEN[row.seen]}" if row.seen else ""
    return Content.assemble(title.stylize("bold"), (f"  buyer {STANDINGS[row.expected]}{seen}", MUTED))


def timeline_detail(run: Run, number: int) -> Content:
    """All moments, expected beside seen, with the words of one of them below."""
    rows = timeline(run)
    width = max(len(row.moment.title) for row in rows) + 2
    parts: list[str | tuple[str, str]] = [(f"   {'':{width}}{'expected':16}seen\n", MUTED)]
    for row in rows:
        title = f"{visible(row.moment.title, ''):{width}}"
        line = f"{MARKS[row.status]}  {title}{STANDINGS[row.expected]:16}{SEEN[row.seen]}\n"
        parts.append((line, "bold") if row.number == number else line)
    evidence = rows[number - 1].evidence
    if evidence is not None:
        parts.append(f"\n{visible(evidence.detail)}\n")
    return Content.assemble(*parts)


def addresses_detail(run: Run) -> Content:
    """The pages that can be opened in a browser."""
    found = addresses(run)
    # The address first: a terminal then makes it something to click on, also where the line is short.
    lines: list[str | tuple[str, str]] = []
    for address in found:
        lines += [visible(address.url, ""), (f"  {address.label}\n", MUTED)]
    if run.backend == "sandbox":
        lines.append(f"\nStart “{command('sandbox')}” in another terminal first: it serves these pages.\n")
    return Content.assemble(*lines)
