"""A run on the whole screen: its verdict, its steps, and the highlighted one in full."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from models.characters import visible
from models.events import Verdict
from models.fulfillment import Run
from screens.host import HasHost
from screens.run_text import addresses_detail, moment_line, timeline_detail, verdict_line
from screens.step_text import raw_detail, step_detail, step_line
from screens.widgets.bars import TopLine
from screens.widgets.lasting import LastingScreen
from screens.widgets.lines import Lines
from wizard.runs.drill import verdict_of
from wizard.runs.timeline import addresses, timeline
from wizard.wording import place_of


class Steps(Lines):
    """The steps of a run; Enter shows the highlighted one on the whole page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "In full", id="steps.open", tooltip="Show it on the whole page"),
    ]


class Detail(VerticalScroll):
    """The highlighted line in full. Only where it stands alone does it take keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.close_detail", "Back to the steps", id="detail.close", tooltip="Show the list again"),
        Binding("tab,enter,shift+tab", "screen.close_detail", "Back to the steps", show=False),
    ]
    is_open = False

    def allow_focus(self) -> bool:
        """Whether it stands alone."""
        return self.is_open


class RunPage(HasHost, LastingScreen[str | None]):
    """Shows a run as far as it has come. Whoever carries one out or opens a kept one builds on it.

    Gives back the field that keeps a product from being fired, where the seller goes to it.
    """

    def __init__(self, run: Run | None, *, is_elsewhere: bool) -> None:
        super().__init__()
        self.run: Run | None = run
        """The run that is shown, as far as it has come."""
        self.is_elsewhere = is_elsewhere
        """Whether somebody else is carrying out the run."""
        self.lacking = ""
        """The field that kept the product from being fired."""
        self.is_raw = False
        """Whether the detail shows what went over the wire."""
        self.top = TopLine()
        self.lines = Steps("steps")
        self.detail = Detail(id="detail")
        self.details: list[Callable[[], Content]] = []
        """What each line is about in full."""
        self.line_of: dict[int, int] = {}
        """The line of each step, by its position."""

    @property
    def is_under_way(self) -> bool:
        """Whether this page carries the run out."""
        return False

    def say(self, text: str | Content, kind: str = "") -> None:
        """Write in the line of the verdict. `kind`: passed, error, or empty."""
        if not self.query("#verdict"):  # the app has ended under a run: what stands on a screen goes first
            return
        line = self.query_one("#verdict", Static)
        line.set_class(kind == "error", "-error")
        line.set_class(kind == "passed", "-passed")
        line.update(Content(text) if isinstance(text, str) else text)

    def show_verdict(self) -> None:
        """Write how the run ended."""
        if self.run is None:
            return
        if self.is_elsewhere:
            self.say("▸ Another window is carrying it out. Open it again to see how far it has come.")
            return
        is_good = verdict_of(self.run) is Verdict.PASSED
        self.say(verdict_line(self.run) + self._page_line(), "passed" if is_good else "error")
        self.top.right = f"run {self.run.id}"

    def _page_line(self) -> Content:
        # Of a refund the page after paying would read like an answer.
        if self.run is None or self.run.page is None or self.run.verdict is not Verdict.PASSED or self.run.moments[1:]:
            return Content("")
        return Content(f"\nThe buyer reads: {visible(' '.join(self.run.page.text.split()))}")

    def show_steps(self) -> None:
        """A line for each step, under a heading for each moment where there are several, and one for the pages."""
        lines: list[Content] = []
        self.details, self.line_of = [], {}
        run = self.run
        if run is not None:
            headings = timeline(run) if len(run.moments) > 1 else ()
            is_left = not self.is_under_way and not self.is_elsewhere
            moment = 0
            for step in run.steps:
                if headings and step.moment != moment:
                    moment = step.moment
                    row = headings[moment - 1]
                    lines.append(moment_line(row, self.wizard.local(row.moment.at)))
                    self.details.append(partial(timeline_detail, run, moment))
                self.line_of[step.position] = len(lines)
                lines.append(step_line(step, self.size.width, is_left=is_left, indent=2 if headings else 0))
                mail_from = self.wizard.settings.mail_from
                show = partial(raw_detail, step) if self.is_raw else partial(step_detail, step, run, mail_from)
                self.details.append(show)
            if addresses(run):
                lines.append(Content("⌂ Addresses of the buyer's side"))
                self.details.append(partial(addresses_detail, run))
        if self.lacking:
            lines.append(Content(f"→ Enter leads to {place_of(self.lacking)}"))
        self.lines.put(lines)
        self._show_detail()

    def on_resize(self) -> None:
        """Another width wraps otherwise."""
        if self.details:
            self.show_steps()

    @on(OptionList.OptionHighlighted)
    def _show_detail(self) -> None:
        at = self.lines.highlighted
        detail = self.details[at]() if at is not None and at < len(self.details) else Content("")
        if texts := self.query("#detail-text"):
            texts.first(Static).update(detail)

    @on(OptionList.OptionSelected)
    def _open_detail(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self.lacking:
            self.dismiss(self.lacking)
        elif self.details:
            self._give_detail_the_page(True)
            self.detail.focus()

    def action_close_detail(self) -> None:
        """Show the steps again beside the detail."""
        self._give_detail_the_page(False)
        self.lines.focus()

    def _give_detail_the_page(self, is_open: bool) -> None:
        self.detail.is_open = is_open
        self.set_class(is_open, "-detail")
        self.detail.scroll_home(animate=False)
        self.refresh_bindings()

    def action_raw(self) -> None:
        """Turn between what was seen and what went over the wire."""
        self.is_raw = not self.is_raw
        self.show_steps()
