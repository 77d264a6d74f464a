"""A test-fire in a thread of its own, with its own event loop: hashing and requests never hold up a key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from models.fulfillment import Buyer, Event, Run, RunStep
from models.saved import SavedProduct

if TYPE_CHECKING:
    from wizard.settings import Settings
    from wizard.store import Store


class Firing:
    """One test-fire under way. `stop` ends it as interrupted."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        product: SavedProduct,
        event: Event,
        price: int,
        buyer: str,
        on_step: Callable[[RunStep], None],
    ) -> None:
        self._settings, self._store = settings, store
        self._product, self._event, self._price, self._buyer = product, event, price, buyer
        self._on_step = on_step
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Run] | None = None
        self._done = threading.Event()
        self._is_unwanted = False
        """Whether it is to stop: it may be said before there is anything to stop."""

    async def run(self) -> Run:
        """Carry it out and give back the run. Raises what `fire` raises."""
        return await asyncio.to_thread(self._in_thread)

    def stop(self) -> None:
        """Stop it as soon as it can be stopped; it is kept as interrupted."""
        self._is_unwanted = True
        if self._loop is not None and self._task is not None and not self._done.is_set():
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _in_thread(self) -> Run:
        try:
            return asyncio.run(self._carry_out())
        finally:
            self._done.set()

    async def _carry_out(self) -> Run:
        from wizard.fulfillment.fire import Sold, Workplace, fire

        self._loop = asyncio.get_running_loop()
        account = self._store.account()
        if self._is_unwanted:
            raise asyncio.CancelledError
        named = bool(self._buyer.strip())
        self._task = asyncio.ensure_future(
            fire(
                Sold(product=self._product, account=account, price=self._price),
                self._event,
                at=Workplace.of(self._settings, self._store),
                backend=self._settings.backend,
                buyer=Buyer(email=self._buyer.strip()) if named else None,
                named_by_seller=named,
                on_step=self._on_step,
            )
        )
        return await self._task
