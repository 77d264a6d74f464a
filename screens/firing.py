"""A test-fire in a thread of its own, with its own event loop: hashing and requests never hold up a key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from models.events import Event
from models.fulfillment import Buyer, Run, RunStep
from models.saved import SavedProduct

if TYPE_CHECKING:
    from wizard.runs.fire import Workplace
    from wizard.sale.lives import Life
    from wizard.settings import Settings
    from wizard.store import Store


@dataclass(frozen=True)
class WhatToFire:
    """What is to be carried out: an event or a life of a product, or a run that was stopped midway."""

    product: SavedProduct | None = None
    what: Event | Life = Event.PURCHASE
    price: int = 1
    buyer: str = ""
    """An address that the seller named; empty for a new test buyer."""
    fault: str = ""
    resumed: str = ""
    """The id of the run to go on with."""


@dataclass
class Begun(Message):
    """A run is planned as a whole, and begins."""

    run: Run


@dataclass
class Stepped(Message):
    """A step of the run under way has come further."""

    step: RunStep


class Firing:
    """One test-fire under way. `stop` ends it as interrupted."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        order: WhatToFire,
        on_begin: Callable[[Run], None],
        on_step: Callable[[RunStep], None],
    ) -> None:
        self._settings, self._store, self._order = settings, store, order
        self._on_begin, self._on_step = on_begin, on_step
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Future[Run] | None = None
        self._done = threading.Event()
        self._is_unwanted = False
        """Whether it is to stop: it may be said before there is anything to stop."""

    async def run(self) -> Run:
        """Carry it out and give back the run. Raises what `fire` and `resume` raise."""
        return await asyncio.to_thread(self._in_thread)

    def stop(self) -> None:
        """Stop it as soon as it can be stopped; it is kept as interrupted."""
        self._is_unwanted = True
        if self._loop is not None and self._task is not None and not self._done.is_set():
            with suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._task.cancel)

    def _in_thread(self) -> Run:
        try:
            return asyncio.run(self._carry_out())
        finally:
            self._done.set()

    async def _carry_out(self) -> Run:
        from wizard.runs.fire import Workplace

        self._loop = asyncio.get_running_loop()
        begun = self._begun(Workplace.of(self._settings, self._store))
        self._task = asyncio.ensure_future(begun())
        if self._is_unwanted:  # said before there was a task to cancel
            self._task.cancel()
        return await self._task

    def _begun(self, at: Workplace) -> Callable[[], Awaitable[Run]]:
        from wizard.runs.fire import Sale, fire, resume

        order, account = self._order, self._store.account()
        if order.resumed or order.product is None:
            return lambda: resume(order.resumed, account, at=at, on_step=self._on_step)
        sold = Sale(product=order.product, account=account, price=order.price)
        named = order.buyer.strip()
        return lambda: fire(
            sold,
            order.what,
            at=at,
            backend=self._settings.backend,
            buyer=Buyer(email=named) if named else None,
            named_by_seller=bool(named),
            fault=order.fault,
            on_begin=self._on_begin,
            on_step=self._on_step,
        )
