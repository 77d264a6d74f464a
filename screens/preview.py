"""What your buyer gets: the pages and mails of a purchase, as they change while the seller types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from models.product import Product
from screens.theme import MUTED
from screens.widgets.bars import KeyLine, TopLine
from screens.widgets.lasting import LastingScreen
from wizard.preview import sights
from wizard.session import Session

if TYPE_CHECKING:
    from screens.host import Host


def painted(product: Product, session: Session, app: Host) -> Content:
    """The pages and mails, one after the other."""
    parts: list[Content | str | tuple[str, str]] = []
    for sight in sights(product, session.around.account, session.saved.mode, app.clock().date()):
        parts += [
            (f"{'▤ page' if sight.kind == 'page' else '✉ mail'}  ", MUTED),
            (sight.title, "bold"),
            "\n",
            Content(sight.text),
            "\n\n",
        ]
    return Content.assemble(*parts)


class Preview(VerticalScroll, can_focus=False):
    """The column on the right of a wide terminal."""

    def __init__(self) -> None:
        super().__init__(id="preview")
        self._text = Static("", markup=False)
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """A heading and the text."""
        yield Static(Content("What your buyer gets"), classes="heading")
        yield self._text

    def show(self, product: Product, session: Session, app: Host) -> None:
        """Show what these answers lead to."""
        if self._timer is not None:
            self._timer.stop()
        self._text.update(painted(product, session, app))

    def follow(self, product: Product, session: Session, app: Host, after: float) -> None:
        """As `show`, once nothing has been written for `after` seconds."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(after, lambda: self.show(product, session, app))


class PreviewScreen(LastingScreen[None]):
    """The same on a screen of its own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f3", "dismiss", "Back", id="preview.leave", tooltip="Back to the wizard"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """The bars and the text."""
        top = TopLine()
        top.left = f"What your buyer gets: {self.session.answers.general.buyers_name}"
        yield top
        with VerticalScroll(id="sights"):
            yield Static("", id="sights-text", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Write it."""
        app: Host = self.app  # type: ignore[assignment]
        self.query_one("#sights-text", Static).update(painted(self.session.answers, self.session, app))
        self.query_one("#sights").focus()
