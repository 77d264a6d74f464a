"""A test-fire: each step as it happens, then its request, its reply and what was seen as the buyer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, OptionList, Select, Static

from models.characters import visible
from models.fulfillment import Event, Exchange, Run, RunStep, Status, Verdict
from models.saved import SavedProduct
from screens.bars import KeyLine, TopLine
from screens.firing import Firing
from screens.lines import Lines, QuietInput
from screens.theme import MUTED
from wizard import flow

if TYPE_CHECKING:
    from screens.app import WizardApp

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
ACTIONS = {
    "grant_access": "Let the buyer in",
    "revoke_access": "Shut the buyer out",
    "issue_download_link": "Make the download link",
    "revoke_download_link": "Stop the download link",
    "register_attendee": "Register the buyer",
    "cancel_registration": "Cancel the registration",
    "send_email": "Send the mail",
    "show_page": "Show the page",
    "assign_tag": "Assign the tag",
    "unassign_tag": "Take off the tag",
    "subscribe_list": "Subscribe to the list",
    "subscribe_sequence": "Start the sequence",
    "call_webhook": "Call the webhook",
    "keep_access": "Keep access",
}
"""What each action is, as a seller says it."""


def verdict_line(run: Run) -> str:
    """How a run ended, in one line."""
    if run.verdict is None:
        return "running …"
    reason = f": {visible(run.reason)}" if run.reason else f": {run.verdict.hint}"
    return f"{VERDICT_MARKS[run.verdict]} {run.verdict.label}{reason}"


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
        seen = {"buyer": "Seen as the buyer", "platform": "The platform's own word", "nobody": "Not checked"}
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


STOPPED_WITHIN = 5.0
"""Seconds that the app waits for a run to stop before it ends all the same."""


@dataclass
class Stepped(Message):
    """A step of the run under way has come further."""

    step: RunStep


class FireScreen(Screen[None]):
    """Fires events at the product as it is saved, or shows a run that was kept."""

    CSS_PATH = "fire.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "fire", "Fire", id="fire.fire", tooltip="Carry out the event now"),
        Binding("ctrl+t", "stop", "Stop", id="fire.stop", tooltip="Stop the run; it is kept as interrupted"),
        Binding("f7", "runs", "Earlier runs", id="fire.runs", tooltip="The test-fires of this product"),
        Binding("escape", "leave", "Back", id="fire.leave", tooltip="Back to where you came from"),
    ]

    def __init__(self, product: SavedProduct | None, run: Run | None = None) -> None:
        super().__init__()
        self.product = product
        self.run: Run | None = run
        self.firing: Firing | None = None
        self._is_leaving = False
        self._ended = asyncio.Event()
        """Set while no run is under way."""
        self.top = TopLine()
        self.lines = Lines("steps")
        self.steps: list[RunStep] = list(run.steps) if run else []

    @property
    def wizard(self) -> WizardApp:
        """The app, by its own type."""
        return cast("WizardApp", self.app)

    def compose(self) -> ComposeResult:
        """What to fire, the verdict, the steps, and the highlighted one in full."""
        yield self.top
        if self.product is not None:
            with Horizontal(id="what"):
                events = [(Content(event.label), event) for event in Event]
                yield Select(events, value=Event.PURCHASE, allow_blank=False, compact=True, id="event")
                yield Select(self._prices(), value=1, allow_blank=False, compact=True, id="price")
                yield QuietInput(placeholder="a new test buyer", compact=True, id="buyer")
        yield Static("", id="verdict", markup=False)
        yield self.lines
        with VerticalScroll(id="detail", can_focus=True):
            yield Static("", id="detail-text", markup=False)
        yield KeyLine()

    def _prices(self) -> list[tuple[Content, int]]:
        prices = self.product.answers.pricing.prices if self.product else ()
        named = [(Content(f"{n} {price.label or price.type.label}"), n) for n, price in enumerate(prices, start=1)]
        return named or [(Content("no price"), 1)]

    def on_mount(self) -> None:
        """Ready to fire, or the kept run."""
        name = self.product.answers.general.name if self.product else self.run.product if self.run else ""
        self.top.left = f"Test-fire: {name}"
        self.show_steps()
        if self.run is not None:
            self.show_verdict()
            self.lines.focus()
        else:
            self.say("F5 carries out the event as a test buyer, and uses the access as that buyer.")
            self.query_one("#event").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action == "fire":
            return self.product is not None and self.firing is None
        if action == "stop":
            return self.firing is not None
        return self.product is not None or action != "runs"

    def say(self, text: str, error: bool = False) -> None:
        """Write in the line of the verdict."""
        line = self.query_one("#verdict", Static)
        line.set_class(error, "-error")
        line.update(Content(text))

    def show_verdict(self) -> None:
        """Write how the run ended."""
        if self.run is not None:
            passed = self.run.verdict is Verdict.PASSED
            line = self.query_one("#verdict", Static)
            line.set_class(not passed, "-error")
            line.set_class(passed, "-passed")
            page = (
                f"\nThe buyer reads: {visible(' '.join(self.run.page.text.split()))}"
                if self.run.page and passed
                else ""
            )
            line.update(Content(verdict_line(self.run) + page))
            self.top.right = f"run {self.run.id}"

    def show_steps(self) -> None:
        """One line for each step."""
        width = max(24, self.size.width - 48)
        rows = []
        for step in self.steps:
            action = ACTIONS.get(step.action.action, step.action.action)
            detail = visible(step.evidence.detail if step.evidence else step.detail, "")
            time = f"{step.ms:6.0f} ms" if step.ms else " " * 9
            target = visible(self.name_of(step), "")
            label = Content(f"{MARKS[step.status]} {action}: {target}").truncate(44, ellipsis=True)
            pad = " " * (44 - label.cell_length)
            rows.append(Content.assemble(label, pad, f"{time}  ", (detail[:width], MUTED)))
        self.lines.put(rows)
        self._show_detail()

    def name_of(self, step: RunStep) -> str:
        """What a step is about, as the seller calls it."""
        if step.action.action == "send_email":
            try:
                return flow.question_at(f"post_sale.notifications.{step.action.target}").ask.label
            except KeyError:
                return step.action.target
        if step.action.action == "show_page" and self.product is not None and step.action.source == "product":
            return "Thank You page"
        return step.action.target

    @on(OptionList.OptionHighlighted)
    def _show_detail(self) -> None:
        at = self.lines.highlighted
        step = self.steps[at] if at is not None and at < len(self.steps) else None
        self.query_one("#detail-text", Static).update(step_detail(step) if step else Content(""))

    @on(OptionList.OptionSelected)
    def _into_detail(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.query_one("#detail").focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_fire()

    @work(exclusive=True, group="fire")
    async def action_fire(self) -> None:
        """Carry out the event, and show each step as it happens."""
        if self.product is None or self.firing is not None:
            return
        self.steps, self.run = [], None
        self.show_steps()
        self.say("running …")
        self.query_one("#verdict").remove_class("-passed")
        event = cast(Event, self.query_one("#event", Select).value)
        price = cast(int, self.query_one("#price", Select).value)
        buyer = self.query_one("#buyer", Input).value
        self.firing = Firing(self.wizard.settings, self.wizard.shelf, self.product, event, price, buyer, self._tell)
        self._ended.clear()
        self.refresh_bindings()
        try:
            self.run = await self.firing.run()
        except asyncio.CancelledError:
            self.say("- Interrupted: stopped midway. The run is kept.")
        except Exception as error:  # the reason belongs on the screen, whatever it is
            self.say(f"✗ Not fired: {visible(str(error))}", error=True)
        else:
            self.steps = list(self.run.steps)
            self.show_steps()
            self.show_verdict()
            bad = (Status.FAILED, Status.ACTION_REQUIRED)
            worst = next((number for number, step in enumerate(self.steps) if step.status in bad), 0)
            self.lines.highlighted = worst if self.steps else None
            self.lines.focus()
        finally:
            self.firing = None
            self._ended.set()
            self.refresh_bindings()
        if self._is_leaving:
            self.dismiss(None)

    def _tell(self, step: RunStep) -> None:
        # Called in the run's own thread: a message finds its way, and is dropped when the screen is gone.
        self.post_message(Stepped(step))

    @on(Stepped)
    def _stepped(self, event: Stepped) -> None:
        if self.firing is None:
            return
        others = [known for known in self.steps if known.position != event.step.position]
        self.steps = sorted([*others, event.step], key=lambda known: known.position)
        self.show_steps()
        self.lines.highlighted = min(event.step.position - 1, len(self.steps) - 1)

    def action_stop(self) -> None:
        """Stop the run."""
        if self.firing is not None:
            self.firing.stop()

    def action_leave(self) -> None:
        """Back; a run under way is stopped first, and closed in the ledger."""
        if self.query_one("#detail").has_focus:
            self.lines.focus()
        elif self.firing is not None:
            self._is_leaving = True
            self.say("stopping …")
            self.firing.stop()
        else:
            self.dismiss(None)

    async def give_all(self) -> None:
        """The app is about to end: stop a run under way, and wait until it is closed in the ledger."""
        if self.firing is not None:
            self.firing.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), STOPPED_WITHIN)

    async def action_runs(self) -> None:
        """Show the earlier runs."""
        from screens.runs import RunsScreen

        await self.app.push_screen(RunsScreen(self.product.slug if self.product else None))
