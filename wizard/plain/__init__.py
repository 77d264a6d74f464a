"""The wizard line by line, for screen readers, scripts and terminals that can do no more: the same questions, asked
from the same declarations, answered through the same session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from wizard.plain.lines import Console
from wizard.plain.walk import Walk

if TYPE_CHECKING:
    from wizard.settings import Settings
    from wizard.store import Store


def local_now() -> datetime:
    """The real clock, in the seller's own time zone."""
    return datetime.now().astimezone()


def run(
    store: Store,
    source: TextIO,
    target: TextIO,
    who: str = "seller",
    host: str = "Kartra",
    clock: Callable[[], datetime] = local_now,
    settings: Settings | None = None,
) -> None:
    """Ask until the seller leaves or the input ends. Everything accepted is saved by then.

    With `settings` a product can be test-fired too. Raises the store's `Unavailable`.
    """
    Walk(Console(source, target), store, who, host, clock, settings).run()


__all__ = ["run"]
