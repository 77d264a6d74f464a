"""A test-fire in words: what can be chosen, its verdict, its moments, and the addresses of the buyer's side."""

from __future__ import annotations

import os
from datetime import datetime

from textual.content import Content

from models.characters import visible
from models.events import Event, Verdict
from models.fulfillment import Run
from models.saved import RunRow
from screens.step_text import MARKS, VERDICT_MARKS
from screens.theme import MUTED
from wizard.invocation import command, forwarding
from wizard.runs.drill import ended, told, verdict_of
from wizard.runs.timeline import Standing, TimelineRow, addresses, timeline
from wizard.sale.lives import Life
from wizard.sandbox import PORT
from wizard.sandbox.faults import Fault

BOXES = {
    "event": "What happens to the sale: one event, the proof (⇄), or a scenario (↻), which is a whole "
    "life under a simulated clock. Only what the price has a place for is listed; F4 tells the scenarios' stories.",
    "price": "Which of the product's prices the test buyer pays.",
    "fault": "A fault that the sandbox plays, to see whether a test-fire notices it. Each says how the run must end.",
    "buyer": "The test buyer's address. While it is empty, each run has a new buyer at example.com. One that you name"
    " may be somebody's, who then gets the mails if a mail server is set.",
}
"""What each box of a test-fire is for."""


def mark_of(run: RunRow) -> str:
    """How a run ended, or that it goes on, in one cell."""
    return "▸" if run.is_running else VERDICT_MARKS[verdict_of(run) or Verdict.INTERRUPTED]


def choice_in_words(choice: object) -> str:
    """What a choice in those boxes means, in a sentence; empty for one that needs no word."""
    if isinstance(choice, Life):
        return choice.about
    if isinstance(choice, Event) and choice is not Event.PURCHASE:
        return f"{choice.label}: {choice.hint}. A purchase comes first, in the same run."
    if isinstance(choice, Fault):
        return choice.hint
    return ""


def verdict_line(run: Run) -> Content:
    """How a run ended: in two words that can be read from afar, then in a sentence."""
    if run.verdict is None:
        return Content("- Not finished: whoever carried it out has ended.")
    head = ended(run)
    return Content.assemble((f"{verdict_mark(run)} {head}", "bold"), visible(told(run)).removeprefix(head))


def verdict_mark(run: Run | RunRow) -> str:
    """The mark of the verdict that counts."""
    return VERDICT_MARKS[verdict_of(run) or Verdict.INTERRUPTED]


STANDINGS: dict[Standing, str] = {"in": "gets in", "out": "is turned away", "": "-"}
SEEN: dict[Standing, str] = {"in": "got in", "out": "was turned away", "": "-"}
"""What a buyer should be able to do at a moment, and what was seen."""


def moment_line(row: TimelineRow, at: datetime) -> Content:
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
    """The pages of the buyer's side, and what it takes to open them."""
    # The address first: a terminal then makes it something to click on, also where the line is short.
    lines: list[str | tuple[str, str]] = []
    for address in addresses(run):
        lines += [visible(address.url, ""), (f"  {address.label}\n", MUTED)]
    if run.backend == "sandbox":
        lines += [
            "\nTo open them, run this in another terminal:\n",
            (f"  {command('sandbox')}\n", "bold"),
        ]
        if tunnel := forwarding(PORT, os.environ):
            lines += ["You are here over SSH, so run this on your own computer too:\n", (f"  {tunnel}\n", "bold")]
    return Content.assemble(*lines)
