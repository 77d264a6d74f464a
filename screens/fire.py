"""A test-fire: what is fired and where it goes, each step as it happens, and what was seen as the buyer."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from models.characters import visible
from models.events import Event, Status, Verdict
from models.fulfillment import Run
from models.saved import RunRow, SavedProduct
from screens.aim import Aim, Chosen
from screens.firing import Begun, Firing, Stepped, WhatToFire
from screens.run_page import RunPage
from screens.widgets.bars import KeyLine
from wizard.runs.outcome import BAD
from wizard.sale.lives import PROOF, Life, label_of
from wizard.sale.words import in_words

if TYPE_CHECKING:
    pass

STOPPED_WITHIN = 5.0
"""Seconds that the app waits for a run to stop before it ends all the same."""

READY = "F5 carries out the event as a test buyer, and uses the access as that buyer."


class FireScreen(RunPage):
    """Fires events and whole lives at the product as it is saved, or shows a run that was kept."""

    CSS_PATH = "fire.tcss"
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,f", "fire", "Fire", id="fire.fire", tooltip="Carry out what is chosen above, now"),
        Binding("f4,s", "scenarios", "Scenarios", id="fire.scenarios", tooltip="Choose a whole life of a sale"),
        Binding(
            "f6,p", "prove", "Prove", id="fire.prove",
            tooltip="Let in, use, ask twice, take away, be turned away, clean up: the whole proof",
        ),
        Binding("x", "raw", "Exchanges", id="fire.raw", tooltip="What went over the wire, or what was seen again"),
        Binding("f9,g", "go_on", "Go on", id="fire.go_on", tooltip="Go on with this run where it was stopped"),
        Binding("ctrl+t", "stop", "Stop", id="fire.stop", tooltip="Stop the run; it can be gone on with"),
        Binding("f7,r", "runs", "Earlier runs", id="fire.runs", tooltip="The test-fires of this product"),
        Binding("f8,b", "backend", "Backend", id="fire.backend", tooltip="Choose who carries it out, its settings"),
        Binding("escape", "leave", "Back", id="fire.leave", tooltip="Back to where you came from"),
    ]  # fmt: skip

    def __init__(
        self,
        product: SavedProduct | None,
        run: Run | None = None,
        *,
        name_of_product: str = "",
        is_elsewhere: bool = False,
    ) -> None:
        super().__init__(run, is_elsewhere=is_elsewhere)
        self.product = product
        self.name_of_product = name_of_product or (product.answers.general.name if product else None) or ""
        self.firing: Firing | None = None
        self._is_asking = False
        self._is_leaving = False
        self._ended = asyncio.Event()
        """Set while no run is under way."""
        self._began = 0.0
        self._ticking: Timer | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether this page carries the run out."""
        return self.firing is not None

    @property
    def aim(self) -> Aim:
        """What is to be fired. There is none where a kept run is shown."""
        return self.query_one(Aim)

    def compose(self) -> ComposeResult:
        """What to fire, the verdict, the steps, and the highlighted one in full."""
        yield self.top
        if self.product is not None:
            yield Aim(self.product)
        yield Static("", id="verdict", markup=False)
        yield self.lines
        with self.detail:
            yield Static("", id="detail-text", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Ready to fire, or the kept run."""
        self._ticking = self.set_interval(1.0, self._tick, pause=True)
        self._show_heading()
        self.show_steps()
        if self.run is not None:
            self.show_verdict()
            self.lines.focus()
        else:
            self.say(READY)
            self.query_one("#event").focus()

    def _show_heading(self) -> None:
        run = None if self.product else self.run
        about = f", {label_of(run)}" if run else ""
        backend = run.backend if run else self.wizard.settings.backend
        on_what = "" if backend == "sandbox" else f" on {backend}"
        self.top.left = f"Test-fire{on_what}: {self.name_of_product or (run.product if run else '')}{about}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "fire" | "prove" | "backend" | "scenarios":
                return self.product is not None and self.firing is None and not self.detail.is_open
            case "go_on":
                can = self.run is not None and self.run.verdict in (None, Verdict.INTERRUPTED) and not self.is_elsewhere
                return self.firing is None and can
            case "stop":
                return self.firing is not None
            case "raw":
                return self.run is not None and bool(self.details)
            case "runs":
                return self.product is not None and not self._is_leaving and not self.detail.is_open
        return True

    @on(Chosen)
    def _explain(self, event: Chosen) -> None:
        event.stop()
        if self.firing is None:
            self.say(f"{event.about} F5 carries it out.")

    # --- what is done -----------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_fire()

    def action_fire(self) -> None:
        """Carry out what is chosen, and show each step as it happens."""
        if self.product is not None:
            self._fire(self.aim.what)

    def action_prove(self) -> None:
        """Carry out the proof."""
        if self.product is not None:
            self._fire(PROOF)

    @work(exclusive=True, group="backend")
    async def action_scenarios(self) -> None:
        """Choose a life of the sale by its story."""
        from screens.scenarios import Scenarios

        sold = self.aim.sold
        if sold is None:
            return
        picker = Scenarios(sold, self.wizard.clock())
        name = await self.app.push_screen_wait(picker)
        if name is None:
            return
        if picker.why[name]:
            self.say(f"“{picker.life(name).label}” is not for this price. {picker.why[name]}")
        else:
            self.aim.choose(picker.life(name))

    @work(exclusive=True, group="backend")
    async def action_backend(self) -> None:
        """Choose who carries it out."""
        from screens.backends import choose_backend

        if await choose_backend(self.wizard):
            self._show_heading()
            self.aim.show_backend()
            self.say(f"{self.wizard.settings.backend} carries out what you fire, until you close the wizard.")

    def action_go_on(self) -> None:
        """Go on with the run that is shown."""
        if self.run is not None:
            self._carry_out(WhatToFire(resumed=self.run.id))

    def _fire(self, what: Event | Life) -> None:
        # Before anything is awaited: a second Enter finds it asked already, or under way.
        if self.firing is None and not self._is_leaving and not self._is_asking:
            self._is_asking = True
            self._ask_and_carry_out(self.aim.order(what))

    @work(exclusive=True, group="ask")
    async def _ask_and_carry_out(self, order: WhatToFire) -> None:
        try:
            if not await self._may_go():
                return
        except Exception as error:
            self.say(f"✗ Not fired: {visible(str(error))}", "error")
            return
        finally:
            self._is_asking = False
        self._carry_out(order)

    async def _may_go(self) -> bool:
        """Whether it may go where it goes: a real place is asked about once, until the wizard is closed."""
        from screens.dialog import Question
        from wizard.runs.destinations import in_words as where

        places = await self.aim.real_places()
        unknown = {each.place for each in places} - self.wizard.agreed_places
        if not unknown:
            return True
        told = f"{where(places)}\n\nYou are asked once for each place, until you close the wizard."
        if not await self.app.push_screen_wait(Question("This test-fire leaves this machine. Fire it?", told)):
            return False
        self.wizard.agreed_places |= unknown
        return True

    def _carry_out(self, order: WhatToFire) -> None:
        if self.firing is not None or self._is_leaving:
            return
        self.lacking = ""
        self.is_raw = False
        if not order.resumed:
            self.run = None
            self.show_steps()
        self.say("running …")
        self._began = time.monotonic()
        if self._ticking is not None:
            self._ticking.resume()
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

    def _tick(self) -> None:
        """Say for how long it runs, and what the step under way waits for."""
        if self.firing is None or self._is_leaving:
            return
        steps = self.run.steps if self.run else ()
        step = next((step for step in steps if step.status is Status.RUNNING), None)
        at = f" · step {step.position} of {len(steps)}, {in_words(step.action)}" if step else ""
        waits = f"\n{visible(step.detail)}" if step and step.detail else ""
        self.say(f"running … {time.monotonic() - self._began:.0f} s{at}{waits}")

    @work(group="fire")
    async def _follow(self, firing: Firing) -> None:
        from wizard.runs.fire import BusyRun, OverRun

        try:
            self.run = await firing.run()
        except asyncio.CancelledError:
            self._still()
            if self.run is None:
                self.say("- Stopped before anything was sent.")
            else:
                self.say("- Interrupted: stopped midway. The run is kept; F9 goes on with it.")
        except Exception as error:  # the reason belongs on the screen, whatever it is
            self._still()
            if self.run is None:
                self._not_fired(error)
            elif isinstance(error, BusyRun | OverRun):
                self.say(f"✗ {visible(str(error))}", "error")
            else:
                self.say(f"✗ Stopped midway: {visible(str(error))} F9 goes on with it.", "error")
        else:
            self._still()
            self.show_steps()
            self.show_verdict()
            # What went wrong first; else the first line, which of a life is its timeline.
            worst = next((step.position for step in self.run.steps if step.status in BAD), 0)
            self.lines.highlighted = self.line_of.get(worst, 0)
            self.lines.focus()
        if self._is_leaving and self.is_current:
            self.dismiss(None)
        elif self.query("#verdict") and self.run is not None and self.run.verdict in (None, Verdict.INTERRUPTED):
            self.show_steps()  # nothing is running any more

    def _still(self) -> None:
        """Nothing is carried out any more."""
        self.firing = None
        self._ended.set()
        if self._ticking is not None:
            self._ticking.pause()
        self.refresh_bindings()

    def _not_fired(self, error: Exception) -> None:
        """Say why nothing was fired, and lead to the field where there is one."""
        self.say(f"✗ Not fired: {visible(str(error))}", "error")
        self.lacking = str(getattr(error, "field", None) or "") if self.product else ""
        if self.lacking:
            self.show_steps()
            self.lines.focus()

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
        self.lines.highlighted = self.line_of.get(step.position)

    def action_stop(self) -> None:
        """Stop the run."""
        if self.firing is not None:
            self.firing.stop()

    def action_leave(self) -> None:
        """Back; a run under way is stopped first, and closed in the ledger."""
        if self.firing is not None:
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

        saved = self.product
        await self.app.push_screen(RunsScreen(page_of, saved.slug if saved else None, self.name_of_product))


def page_of(run: Run, row: RunRow) -> FireScreen:
    """The page of a run that is listed."""
    return FireScreen(None, run, name_of_product=row.name, is_elsewhere=row.is_running)
