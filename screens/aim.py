"""What is to be fired: the event, the price, the buyer, a drill; and where it goes, said before it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Select, Static

from models.events import Event
from models.saved import SavedAccount, SavedProduct
from screens.firing import WhatToFire
from screens.host import HasHost
from screens.run_text import BOXES, choice_in_words
from screens.widgets.lines import QuietInput
from wizard.runs.drill import faults_for
from wizard.sale.lives import LIVES, PROOF, Life, why_not
from wizard.sale.sold import Sale
from wizard.sandbox.faults import DRILLS, Fault

if TYPE_CHECKING:
    from wizard.runs.destinations import Destination


@dataclass
class Chosen(Message):
    """Something was chosen, and there is a sentence about it."""

    about: str


class Aim(HasHost, Container):
    """The boxes above a test-fire."""

    def __init__(self, product: SavedProduct) -> None:
        super().__init__(id="what")
        self.product = product
        self.sold: Sale | None = None
        """The product at the price that is chosen, once it is known."""

    def compose(self) -> ComposeResult:
        """Two rows of boxes, each with its name, and a line that says where it goes."""
        events = [(Content(event.label), event) for event in Event]
        buyer = QuietInput(placeholder="a new one for each run", compact=True, id="buyer")
        for name, box in (
            ("What happens", _box("event", events)),
            ("Price", _box("price", self._prices())),
            ("The buyer", buyer),
            ("Drill", _box("fault", _drills(DRILLS))),
        ):
            yield Static(name, classes="label", markup=False)
            yield box.with_tooltip(BOXES[str(box.id)])
        yield Static("It goes to", classes="label", markup=False)
        yield Static("", id="goes-to", markup=False)

    def _prices(self) -> list[tuple[Content, int]]:
        prices = self.product.answers.pricing.prices
        named = [(Content(f"{n} {price.label or price.type.label}"), n) for n, price in enumerate(prices, start=1)]
        return named or [(Content("no price"), 1)]

    def on_mount(self) -> None:
        """The sandbox alone plays faults."""
        self.show_backend()

    # --- what is chosen ---------------------------------------------------------------------------------------------

    @property
    def what(self) -> Event | Life:
        """The event or life that is chosen."""
        return cast("Event | Life", self.query_one("#event", Select).value)

    @property
    def fault(self) -> str:
        """The fault of a drill; empty without one."""
        is_played = self.wizard.settings.backend == "sandbox"
        return str(self.query_one("#fault", Select).value or "") if is_played else ""

    def order(self, what: Event | Life) -> WhatToFire:
        """What is to be carried out, as the boxes say."""
        price = cast(int, self.query_one("#price", Select).value)
        return WhatToFire(product=self.product, what=what, price=price, buyer=self._buyer, fault=self.fault)

    @property
    def _buyer(self) -> str:
        return self.query_one("#buyer", Input).value

    def choose(self, what: Event | Life) -> None:
        """Choose an event or a life that is offered."""
        self.query_one("#event", Select).value = what
        self.query_one("#event").focus()

    # --- what is offered --------------------------------------------------------------------------------------------

    @on(Select.Changed, "#price")
    @work(exclusive=True, group="lives")
    async def _offer(self) -> None:
        """Offer what has a place at this price: its events, the proof, and the scenarios it can live."""
        try:
            account = await self.read_account()
        except Exception as error:  # events can be fired without knowing what else there is
            self.wizard.say(str(error), severity="error")
            return
        if not self.query("#event"):
            return  # the page was left meanwhile
        self.sold = Sale(product=self.product, account=account, price=self.order(self.what).price)
        lives = [life for life in LIVES.values() if not why_not(life, self.sold, self.wizard.clock())]
        self._offer_events(self.sold, lives)
        self._offer_drills()

    def _offer_events(self, sold: Sale, lives: list[Life]) -> None:
        from wizard.sale.possible_events import possible_events

        box = self.query_one("#event", Select)
        before, events = box.value, possible_events(sold)
        named = [(Content(event.label), event) for event in events]
        lived = [(Content(f"↻ {life.label}"), life) for life in lives]
        with self.prevent(Select.Changed):
            box.set_options([*named, (Content("⇄ Proof: let in, shut out"), PROOF), *lived])
            box.value = before if before in [*events, PROOF, *lives] else Event.PURCHASE

    @on(Select.Changed, "#event")
    def _offer_drills(self) -> None:
        """Offer the drills that can show something at what is chosen."""
        if self.sold is None:
            return
        faults = faults_for(self.sold, self.what, self.wizard.clock())
        box = self.query_one("#fault", Select)
        before = box.value
        with self.prevent(Select.Changed):
            box.set_options(_drills(faults))
            box.value = before if before in faults else ""
        self._show_destinations()

    @on(Select.Changed, "#event")
    @on(Select.Changed, "#fault")
    def _explain(self, event: Select.Changed) -> None:
        """Say what the choice means, before it is fired."""
        event.stop()
        self._show_destinations()
        if about := choice_in_words(event.value):
            self.post_message(Chosen(about))

    # --- where it goes ----------------------------------------------------------------------------------------------

    async def read_account(self) -> SavedAccount:
        """The seller's things as they stand now. Raises what the store raises."""
        return await self.wizard.desk.do(self.wizard.shelf.account)

    def show_backend(self) -> None:
        """Another backend carries it out: other boxes, and another place."""
        self.query("#fault").set(display=self.wizard.settings.backend == "sandbox")
        self._show_destinations()

    async def real_places(self) -> tuple[Destination, ...]:
        """The real places that it goes to as things stand now. Raises what the store raises."""
        return () if self.fault else self._destinations(await self.read_account())

    def _destinations(self, account: SavedAccount) -> tuple[Destination, ...]:
        from wizard.runs.destinations import destinations

        return destinations(self.product.answers, account, self.wizard.settings)

    def _show_destinations(self) -> None:
        if self.sold is None:
            return  # not known yet: what is not known is not said
        from wizard.runs.destinations import in_words

        found = self._destinations(self.sold.account)
        line = self.query_one("#goes-to", Static)
        line.set_class(bool(found) and not self.fault, "-real")
        line.update(Content(in_words(found, is_drill=bool(self.fault))))


def _box(name: str, listed: Sequence[tuple[Content, Any]]) -> Select[Any]:
    return Select(listed, value=listed[0][1], allow_blank=False, compact=True, id=name)


def _drills(faults: Iterable[Fault]) -> list[tuple[Content, str]]:
    return [(Content("none"), ""), *((Content(fault.label), fault) for fault in faults)]
