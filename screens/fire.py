"""A test-fire: each step as it happens, then its request, its reply and what was seen as the buyer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Select, Static

from models.characters import visible
from models.fulfillment import Event, Run, Verdict
from models.saved import SavedProduct
from screens.bars import KeyLine, TopLine
from screens.firing import Begun, Firing, Order, Stepped
from screens.lasting import LastingScreen
from screens.lines import Lines, QuietInput
from screens.run_text import (
    BOXES,
    addresses_detail,
    choice_in_words,
    moment_line,
    step_detail,
    step_line,
    timeline_detail,
    verdict_line,
)
from wizard.fulfillment.drill import faults_for, verdict_of
from wizard.fulfillment.lives import LIVES, PROOF, Life, label_of, why_not
from wizard.fulfillment.outcome import BAD
from wizard.fulfillment.timeline import addresses, timeline
from wizard.sandbox.faults import Fault

if TYPE_CHECKING:
    from screens.app import WizardApp
    from wizard.fulfillment.sold import Sold

STOPPED_WITHIN = 5.0
"""Seconds that the app waits for a run to stop before it ends all the same."""


class FireScreen(LastingScreen[None]):
    """Fires events and whole lives at the product as it is saved, or shows a run that was kept."""

    CSS_PATH = "fire.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "fire", "Fire", id="fire.fire", tooltip="Carry out what is chosen above, now"),
        Binding(
            "f6", "prove", "Prove", id="fire.prove",
            tooltip="Let in, use, ask twice, take away, be turned away, clean up: the whole proof",
        ),
        Binding("f8", "backend", "Backend", id="fire.backend", tooltip="Choose who carries it out, and its settings"),
        Binding("f9", "go_on", "Go on", id="fire.go_on", tooltip="Go on with this run where it was stopped"),
        Binding("ctrl+t", "stop", "Stop", id="fire.stop", tooltip="Stop the run; it can be gone on with"),
        Binding("f7", "runs", "Earlier runs", id="fire.runs", tooltip="The test-fires of this product"),
        Binding("escape", "leave", "Back", id="fire.leave", tooltip="Back to where you came from"),
    ]  # fmt: skip

    def __init__(self, product: SavedProduct | None, run: Run | None = None, *, is_elsewhere: bool = False) -> None:
        super().__init__()
        self.product = product
        self.is_elsewhere = is_elsewhere
        """Whether somebody else is carrying out the run."""
        self.run: Run | None = run
        """The run that is shown, as far as it has come."""
        self.firing: Firing | None = None
        self._sold: Sold | None = None
        """The product at the price that is chosen, once it is known."""
        self._is_leaving = False
        self._ended = asyncio.Event()
        """Set while no run is under way."""
        self.top = TopLine()
        self.lines = Lines("steps")
        self._details: list[Callable[[], Content]] = []
        """What each line is about in full."""
        self._line_of: dict[int, int] = {}
        """The line of each step, by its position."""

    @property
    def wizard(self) -> WizardApp:
        """The app, by its own type."""
        return cast("WizardApp", self.app)

    def compose(self) -> ComposeResult:
        """What to fire, the verdict, the steps, and the highlighted one in full."""
        yield self.top
        if self.product is not None:
            with Container(id="what"):
                options: dict[str, list[tuple[Content, Any]]] = {
                    "event": self._events(),
                    "price": self._prices(),
                    "fault": self._drills(Fault),
                }
                for name, listed in options.items():
                    box = Select(listed, value=listed[0][1], allow_blank=False, compact=True, id=name)
                    yield box.with_tooltip(BOXES[name])
                buyer = QuietInput(placeholder="the buyer's address; empty for a new one", compact=True, id="buyer")
                yield buyer.with_tooltip(BOXES["buyer"])
        yield Static("", id="verdict", markup=False)
        yield self.lines
        with VerticalScroll(id="detail", can_focus=True):
            yield Static("", id="detail-text", markup=False)
        yield KeyLine()

    def _events(self) -> list[tuple[Content, Event | Life]]:
        return [(Content(event.label), event) for event in Event]

    def _drills(self, faults: Iterable[Fault]) -> list[tuple[Content, str]]:
        return [(Content("no drill"), ""), *((Content(f"drill: {fault.label}"), fault) for fault in faults)]

    def _prices(self) -> list[tuple[Content, int]]:
        prices = self.product.answers.pricing.prices if self.product else ()
        named = [(Content(f"{n} {price.label or price.type.label}"), n) for n, price in enumerate(prices, start=1)]
        return named or [(Content("no price"), 1)]

    def on_mount(self) -> None:
        """Ready to fire, or the kept run."""
        self._show_heading()
        self.show_steps()
        if self.run is not None:
            self.show_verdict()
            self.lines.focus()
        else:
            self.say("F5 carries out the event as a test buyer, and uses the access as that buyer.")
            self.query_one("#event").focus()

    def _show_heading(self) -> None:
        name = self.product.answers.general.name if self.product else self.run.product if self.run else ""
        about = f", {label_of(self.run)}" if self.run and not self.product else ""
        backend = self.run.backend if self.run and not self.product else self.wizard.settings.backend
        on_what = "" if backend == "sandbox" else f" on {backend}"
        self.top.left = f"Test-fire{on_what}: {name}{about}"
        self.query("#fault").set(display=backend == "sandbox")

    # --- what can be fired ------------------------------------------------------------------------------------------

    @on(Select.Changed, "#price")
    @work(exclusive=True, group="lives")
    async def _offer_lives(self) -> None:
        """Offer the scenarios that the product can live at this price, below the events and the proof."""
        if self.product is None:
            return
        from wizard.fulfillment.sold import Sold

        price = cast(int, self.query_one("#price", Select).value)
        try:
            account = await self.wizard.desk.do(self.wizard.shelf.account)
        except Exception as error:  # events can be fired without knowing which scenarios there are
            self.wizard.say(str(error), severity="error")
            return
        sold = Sold(product=self.product, account=account, price=price)
        now = self.wizard.clock()
        lives = [life for life in LIVES.values() if not why_not(life, sold, now)]
        choice = self.query_one("#event", Select)
        before = choice.value
        named = [(Content(f"↻ {life.label}"), life) for life in lives]
        with self.prevent(Select.Changed):
            choice.set_options([*self._events(), (Content("⇄ Proof: let in, shut out"), PROOF), *named])
            if before in [*Event, PROOF, *lives]:
                choice.value = before
        self._sold = sold
        self._offer_drills()

    @on(Select.Changed, "#event")
    def _offer_drills(self) -> None:
        """Offer the drills that can show something at what is chosen."""
        if self._sold is None:
            return
        what = cast("Event | Life", self.query_one("#event", Select).value)
        faults = faults_for(self._sold, what, self.wizard.clock())
        box = self.query_one("#fault", Select)
        before = box.value
        with self.prevent(Select.Changed):
            box.set_options(self._drills(faults))
            box.value = before if before in faults else ""

    @on(Select.Changed, "#event")
    @on(Select.Changed, "#fault")
    def _explain(self, event: Select.Changed) -> None:
        """Say what the choice means, before it is fired."""
        if self.firing is None and (about := choice_in_words(event.value)):
            self.say(f"{about} F5 carries it out.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action in ("fire", "prove", "backend"):
            return self.product is not None and self.firing is None
        if action == "go_on":
            can = self.run is not None and self.run.verdict in (None, Verdict.INTERRUPTED) and not self.is_elsewhere
            return self.firing is None and can
        if action == "stop":
            return self.firing is not None
        return (self.product is not None and not self._is_leaving) or action != "runs"

    # --- what is shown ----------------------------------------------------------------------------------------------

    def say(self, text: str, error: bool = False) -> None:
        """Write in the line of the verdict."""
        if not self.query("#verdict"):  # the app has ended under a run: what stands on a screen goes first
            return
        line = self.query_one("#verdict", Static)
        line.set_class(error, "-error")
        line.remove_class("-passed")
        line.update(Content(text))

    def show_verdict(self) -> None:
        """Write how the run ended."""
        if self.run is not None:
            passed = verdict_of(self.run) is Verdict.PASSED
            if self.is_elsewhere:
                self.say("▸ Another window is carrying it out. Open it again to see how far it has come.")
                return
            self.say(verdict_line(self.run) + self._page_line(), error=not passed)
            self.query_one("#verdict").set_class(passed, "-passed")
            self.top.right = f"run {self.run.id}"

    def _page_line(self) -> str:
        # Of a refund the page after paying would read like an answer.
        if self.run is None or self.run.page is None or self.run.verdict is not Verdict.PASSED or self.run.moments[1:]:
            return ""
        return f"\nThe buyer reads: {visible(' '.join(self.run.page.text.split()))}"

    def show_steps(self) -> None:
        """A line for each step, under a heading for each moment where there are several, and one for the pages."""
        lines: list[Content] = []
        self._details, self._line_of = [], {}
        run = self.run
        if run is not None:
            headings = timeline(run) if len(run.moments) > 1 else ()
            is_left = self.firing is None and not self.is_elsewhere
            moment = 0
            for step in run.steps:
                if headings and step.moment != moment:
                    moment = step.moment
                    row = headings[moment - 1]
                    lines.append(moment_line(row, self.wizard.local(row.moment.at)))
                    self._details.append(partial(timeline_detail, run, moment))
                self._line_of[step.position] = len(lines)
                lines.append(step_line(step, self.size.width, is_left=is_left, indent=2 if headings else 0))
                self._details.append(partial(step_detail, step))
            if addresses(run):
                lines.append(Content("⌂ Open the buyer's side in a browser"))
                self._details.append(partial(addresses_detail, run))
        self.lines.put(lines)
        self._show_detail()

    @on(OptionList.OptionHighlighted)
    def _show_detail(self) -> None:
        at = self.lines.highlighted
        detail = self._details[at]() if at is not None and at < len(self._details) else Content("")
        self.query_one("#detail-text", Static).update(detail)

    @on(OptionList.OptionSelected)
    def _into_detail(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.query_one("#detail").focus()

    # --- what is done -----------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_fire()

    def action_fire(self) -> None:
        """Carry out what is chosen, and show each step as it happens."""
        if self.product is not None:
            self._carry_out(self._order(cast("Event | Life", self.query_one("#event", Select).value)))

    def action_prove(self) -> None:
        """Carry out the proof."""
        if self.product is not None:
            self._carry_out(self._order(PROOF))

    @work(exclusive=True, group="backend")
    async def action_backend(self) -> None:
        """Choose who carries it out."""
        from screens.backends import choose_backend

        if await choose_backend(self.wizard):
            self._show_heading()
            self.say(f"{self.wizard.settings.backend} carries out what you fire, until you close the wizard.")

    def action_go_on(self) -> None:
        """Go on with the run that is shown."""
        if self.run is not None:
            self._carry_out(Order(resumed=self.run.id))

    def _order(self, what: Event | Life) -> Order:
        return Order(
            product=self.product,
            what=what,
            price=cast(int, self.query_one("#price", Select).value),
            buyer=self.query_one("#buyer", Input).value,
            fault=str(self.query_one("#fault", Select).value) if self.wizard.settings.backend == "sandbox" else "",
        )

    def _carry_out(self, order: Order) -> None:
        # Before anything is awaited: a second Enter finds the run under way.
        if self.firing is not None or self._is_leaving:
            return
        if not order.resumed:
            self.run = None
            self.show_steps()
        self.say("running …")
        self.firing = Firing(
            self.wizard.settings,
            self.wizard.shelf,
            order,
            lambda run: self._tell(Begun(run)),
            lambda step: self._tell(Stepped(step)),
        )
        self._ended.clear()
        self.refresh_bindings()
        self._follow(self.firing)

    @work(group="fire")
    async def _follow(self, firing: Firing) -> None:
        from wizard.fulfillment.fire import BusyRun, OverRun

        try:
            self.run = await firing.run()
        except asyncio.CancelledError:
            if self.run is None:
                self.say("- Stopped before anything was sent.")
            else:
                self.say("- Interrupted: stopped midway. The run is kept; F9 goes on with it.")
        except Exception as error:  # the reason belongs on the screen, whatever it is
            if self.run is None:
                self.say(f"✗ Not fired: {visible(str(error))}", error=True)
            elif isinstance(error, BusyRun | OverRun):
                self.say(f"✗ {visible(str(error))}", error=True)
            else:
                self.say(f"✗ Stopped midway: {visible(str(error))} F9 goes on with it.", error=True)
        else:
            self.show_steps()
            self.show_verdict()
            # What went wrong first; else the first line, which of a life is its timeline.
            worst = next((step.position for step in self.run.steps if step.status in BAD), 0)
            self.lines.highlighted = self._line_of.get(worst, 0)
            self.lines.focus()
        finally:
            self.firing = None
            self._ended.set()
            self.refresh_bindings()
        if self._is_leaving and self.is_current:
            self.dismiss(None)
        elif self.query("#verdict") and self.run is not None and self.run.verdict in (None, Verdict.INTERRUPTED):
            self.show_steps()  # nothing is running any more

    def _tell(self, message: Message) -> None:
        # Called in the run's own thread: a message finds its way, and is dropped when the screen is gone.
        self.post_message(message)

    @on(Begun)
    def _begun(self, event: Begun) -> None:
        if self.firing is not None:
            self.run = event.run
            self.top.right = f"run {event.run.id}"
            self.show_steps()

    @on(Stepped)
    def _stepped(self, event: Stepped) -> None:
        if self.firing is None or self.run is None:
            return
        step = event.step
        steps = tuple(step if known.position == step.position else known for known in self.run.steps)
        self.run = self.run.model_copy(update={"steps": steps})
        self.show_steps()
        self.lines.highlighted = self._line_of.get(step.position)

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
