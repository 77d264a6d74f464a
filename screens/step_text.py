"""One step of a run in words: what the buyer gets and what was seen first, what went over the wire only when asked."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from models.characters import visible
from models.events import Status, Verdict
from models.fulfillment import Exchange, IssueDownloadLink, KeepAccess, Run, RunStep, SendEmail, ShowPage
from screens.theme import MUTED
from screens.widgets.lines import hanging
from wizard.mail import templates
from wizard.runs.outcome import BAD
from wizard.sale.expectation import ACCESS
from wizard.sale.words import in_words

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

SEEN_BY = {
    "buyer": "Seen as the buyer",
    "platform": "The platform's own word",
    "nobody": "Nobody looked",
}

FACTS = {
    "login_page": "Login page",
    "read": "Read",
    "page": "Page",
    "stranger": "A stranger",
    "status": "Status",
    "size": "Size",
    "sha256": "SHA-256",
    "expected": "Expected",
}
"""What evidence rests on, as a seller says it; any other fact goes by its own name."""

WIDE = 100
"""Cells from which on what was seen stands beside a step; below that it stands under it."""
LABEL = 50
"""Cells for what a step does, where what was seen stands beside it."""

Part = str | Content | tuple[str, str]


def step_line(step: RunStep, width: int, *, is_left: bool, indent: int = 0) -> Content:
    """A step in so many cells, and what was seen in full: beside it, or below where it is narrow and the point.

    `is_left`: nobody carries the run out any more.
    """
    stopped = is_left and step.status is Status.RUNNING
    mark = VERDICT_MARKS[Verdict.INTERRUPTED] if stopped else MARKS[step.status]
    detail = visible(step.evidence.detail if step.evidence else step.detail, "")
    time = f"{step.ms:6.0f} ms" if step.ms else " " * 9
    about = Content(f"{' ' * indent}{mark} {step.position} {visible(in_words(step.action), '')}")
    said = Content.styled(detail, MUTED)
    if width >= WIDE:
        label = about.truncate(LABEL, ellipsis=True, pad=True)
        return hanging(Content.assemble(label, f"{time}  "), said, width - 2) if detail else label + Content(time)
    label = about.truncate(max(LABEL, width - 16), ellipsis=True, pad=True) + Content(time)
    is_the_point = isinstance(step.action, ACCESS) or step.status in (*BAD, Status.RUNNING)
    if not detail or not is_the_point:
        return label
    return Content.assemble(label, "\n", hanging(Content(" " * (indent + 4)), said, width - 4))


def step_detail(step: RunStep, run: Run, mail_from: str = "") -> Content:
    """What a seller wants to know of a step: what was seen, what the buyer gets, and of a step that went wrong the
    exchange that showed it. `mail_from`: the sender that is set for mails through a server."""
    parts: list[Part] = []
    if step.detail and (step.evidence is None or step.evidence.detail != step.detail):
        parts += [(f"{visible(step.detail)}\n\n", "bold")]
    if step.evidence is not None:
        parts += [(f"{SEEN_BY[step.evidence.proven_by]}\n", MUTED), (f"{visible(step.evidence.detail)}\n\n", "bold")]
    if step.status in BAD and (shown := exchanges_of(step)):
        parts += [f"{_outline(shown[0])}\n\n"]
    parts += _gets(step, run, mail_from)
    if step.evidence is not None:
        told = list(dict.fromkeys((FACTS.get(name, name), value) for name, value in step.evidence.facts.items()))
        parts += [_pair(name, value) for name, value in told]
    return Content.assemble(*parts)


def raw_detail(step: RunStep) -> Content:
    """What went over the wire, the exchange that decided first."""
    parts: list[Part] = []
    for exchange in exchanges_of(step):
        parts += [exchange_text(exchange), "\n\n"]
    return Content.assemble(*parts) if parts else Content("Nothing went over the wire.")


def exchanges_of(step: RunStep) -> list[Exchange]:
    """What went over the wire in a step. First what decided it: of evidence, the page that it speaks of; where there is
    none, the last thing that was asked."""
    asked = list(step.receipt.exchanges) if step.receipt else []
    if step.evidence is None:
        return asked[::-1]
    about = {step.evidence.facts.get(name) for name in ("read", "page")} - {None}
    seen = list(step.evidence.exchanges)
    deciding = [each for each in seen if each.request.partition(" ")[2] in about]
    return [*deciding, *(each for each in seen if each not in deciding), *asked]


def exchange_text(exchange: Exchange) -> str:
    """One request and its reply."""
    parts = [f"→ {exchange.request}", exchange.sent, f"← {_reply(exchange)}", exchange.received]
    return "\n".join(visible(part, "\n\t") for part in parts if part)


def _outline(exchange: Exchange) -> str:
    return f"→ {visible(exchange.request)}\n← {_reply(exchange)}"


def _reply(exchange: Exchange) -> str:
    return "no reply" if exchange.status is None else f"{exchange.status} after {exchange.ms:.0f} ms"


def _gets(step: RunStep, run: Run, mail_from: str) -> Iterator[Part]:
    """What the buyer gets of a step: the mail, the page, the file."""
    action = step.action.kept if isinstance(step.action, KeepAccess) and step.action.kept else step.action
    match action:
        case SendEmail():
            values = {"buyer_name": run.buyer.name, "buyer_email": run.buyer.email, **action.values}
            for each in run.steps:
                values |= each.receipt.values if each.receipt else {}
            yield _pair("From", _sender(step, mail_from))
            yield _pair("To", run.buyer.email)
            yield _pair("Subject", templates.fill(action.subject, values))
            yield f"\n{visible(templates.fill(action.body, values), chr(10))}\n"
        case ShowPage(url=str(url)):
            yield _pair("Page", url)
        case ShowPage(text=text):
            yield f"{visible(text, chr(10))}\n\n"
        case IssueDownloadLink():
            yield _pair("File", action.filename)
            limit = "any number of" if action.download_limit is None else f"{action.download_limit}"
            yield _pair("Sold as", f"{action.size:,} bytes, {limit} downloads")


def _sender(step: RunStep, mail_from: str) -> str:
    sent = step.receipt.exchanges if step.receipt else ()
    is_posted = any(exchange.request.startswith("SMTP") for exchange in sent)
    return mail_from if is_posted else "your shop"


def _pair(name: str, value: str) -> Content:
    return Content.assemble((f"{visible(name):<12}", MUTED), f"{visible(value)}\n")
