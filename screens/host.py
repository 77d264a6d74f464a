"""What a screen may ask of the app that shows it. Screens name this and not the app, which imports them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from screens.desk import Desk
    from wizard.settings import Settings
    from wizard.store import Store


class Host(Protocol):
    """The app, as far as screens know it."""

    agreed_places: set[str]
    """The real places that the seller lets test-fires reach, until the app ends."""
    last_folder: Path | None
    """Where the last file was picked."""

    @property
    def settings(self) -> Settings:
        """The settings, once the records are open."""

    @property
    def shelf(self) -> Store:
        """The open records. What waits for them is done on the desk."""

    @property
    def desk(self) -> Desk:
        """Where work is done that may take its time."""

    def clock(self) -> datetime:
        """The time now, in the seller's own time zone."""

    def local(self, moment: datetime) -> datetime:
        """A moment in the seller's own time zone."""

    def say(self, message: str, *, severity: str = "information", title: str = "") -> None:
        """Show a short notice; the text is shown as it is."""

    def use_backend(self, name: str, values: dict[str, Any]) -> None:
        """Let another backend carry out test-fires, with these settings, until the app ends."""

    def open_records(self) -> Any:
        """Read the settings and open the database, then tell the list."""

    def settle_down(self) -> None:
        """The first page stands."""

    # mypy takes the type of an awaited screen from the call.
    async def push_screen_wait(self, screen: Any) -> Any:
        """Show a screen, and give back what it is left with."""


class HasHost(MessagePump):
    """A screen or a widget that knows its app."""

    @property
    def wizard(self) -> Host:
        """The app, as screens know it."""
        return cast("Host", self.app)
