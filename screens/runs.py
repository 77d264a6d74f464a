"""The test-fires that were kept, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from models.characters import visible
from models.fulfillment import Run
from models.saved import RunRow
from screens.host import HasHost
from screens.run_text import mark_of
from screens.theme import MUTED
from screens.widgets.bars import KeyLine, TopLine
from screens.widgets.lasting import LastingScreen
from screens.widgets.lines import Lines, hanging
from wizard.runs.drill import ended
from wizard.sale.lives import label_of


class RunLines(Lines):
    """The list of runs; Enter opens the highlighted one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="runs.open", tooltip="Show the run, with every step of it"),
    ]


PageOf = Callable[[Run, RunRow], Screen[Any]]
"""The page of a run, as the list knows it. It lists earlier runs in turn, so neither can name the other."""


class RunsScreen(HasHost, LastingScreen[None]):
    """One run after the other; Enter opens it in full."""

    CSS_PATH = "fire.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", id="runs.leave", tooltip="Back to where you came from"),
    ]

    def __init__(self, page_of: PageOf, product: str | None = None, name_of_product: str = "") -> None:
        """`page_of`: the page of a run. `product`: by its slug; None for those of all."""
        super().__init__()
        self._page_of = page_of
        self.product = product
        self.name_of_product = name_of_product or product or ""
        self.rows: tuple[RunRow, ...] = ()
        self.top = TopLine()
        self.lines = RunLines("runs")

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
        self._show_lines()
        self.lines.focus()

    def _show_lines(self) -> None:
        self.lines.put([self._line(row) for row in self.rows])

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        self._show_lines()

    def _line(self, row: RunRow) -> Content:
        """When, how it ended and what it was; below, of which product, and the reason, which is what one comes for."""
        when = f"{self.wizard.local(row.started_at):%d %b %H:%M}"
        head = Content.assemble(f"{mark_of(row)} {when}  ", (f"{ended(row):<23}", "bold"), label_of(row))
        name = "" if self.product else row.name or row.product
        below = ": ".join(filter(None, (name, visible(row.reason, ""))))
        if not below:
            return head
        room = (self.size.width or self.app.size.width) - 4
        return Content.assemble(head, "\n", hanging(Content("  "), Content.styled(below, MUTED), room))

    @on(OptionList.OptionSelected)
    @work(exclusive=True, group="open")
    async def _open(self, event: OptionList.OptionSelected) -> None:
        row = self.rows[event.option_index]
        try:
            run = await self.wizard.desk.do(self.wizard.shelf.run, row.id)
        except Exception as error:
            self.wizard.say(str(error), severity="error")
            return
        await self.app.push_screen(self._page_of(run, row))
