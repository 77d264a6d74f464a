"""The test-fires that were kept, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static

from models.characters import visible
from models.saved import RunRow
from screens.bars import KeyLine, TopLine
from screens.fire import FireScreen
from screens.lasting import LastingScreen
from screens.lines import Lines
from screens.run_text import mark_of
from screens.theme import MUTED
from wizard.fulfillment.drill import ended
from wizard.fulfillment.lives import label_of

if TYPE_CHECKING:
    from screens.app import WizardApp


class RunsScreen(LastingScreen[None]):
    """One run after the other; Enter opens it in full."""

    CSS_PATH = "fire.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", id="runs.leave", tooltip="Back to where you came from"),
    ]

    def __init__(self, product: str | None = None, name_of_product: str = "") -> None:
        """`product`: by its slug; None for those of all."""
        super().__init__()
        self.product = product
        self.name_of_product = name_of_product or product or ""
        self.rows: tuple[RunRow, ...] = ()
        self.top = TopLine()
        self.lines = Lines("runs")

    @property
    def wizard(self) -> WizardApp:
        """The app, by its own type."""
        return cast("WizardApp", self.app)

    def compose(self) -> ComposeResult:
        """The bars and the list."""
        yield self.top
        yield Static("", id="verdict", markup=False)
        yield self.lines
        yield KeyLine()

    def on_mount(self) -> None:
        """Say whose they are; they are read when the screen is shown."""
        self.top.left = f"Test-fires of {self.name_of_product}" if self.product else "Test-fires"

    def on_screen_resume(self) -> None:
        """A run that was opened from here may have gone on."""
        self.fetch()

    @work(exclusive=True, group="fetch")
    async def fetch(self) -> None:
        """Read the newest runs and show them."""
        try:
            self.rows = tuple(await self.wizard.desk.do(self.wizard.shelf.runs, self.product, limit=100))
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return
        if not self.query("#verdict"):
            return  # the app ended meanwhile
        notice = self.query_one("#verdict", Static)
        notice.display = not self.rows
        notice.update(Content("No test-fire yet. F5 in a product makes the first."))
        lines = []
        for row in self.rows:
            when = self.wizard.local(row.started_at)
            label = Content(label_of(row)).truncate(25, ellipsis=True)
            what = f"{mark_of(row)} {when:%d %b %H:%M}  {ended(row):<19}{label.plain:<26}"
            name = "" if self.product else row.product
            # The reason is what one comes for: beside all this it would be cut off at 80 columns.
            reason = (f"\n  {visible(row.reason, '')}", MUTED) if row.reason else ""
            lines.append(Content.assemble(f"{what}{name}", reason))
        self.lines.put(lines)
        self.lines.focus()

    @on(OptionList.OptionSelected)
    @work(exclusive=True, group="open")
    async def _open(self, event: OptionList.OptionSelected) -> None:
        row = self.rows[event.option_index]
        try:
            run = await self.wizard.desk.do(self.wizard.shelf.run, row.id)
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return
        await self.app.push_screen(FireScreen(None, run, is_elsewhere=row.is_running))
