"""The dialogue in which one thing is chosen from a list that is searched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static

from screens.dialog import Dialog, Question
from screens.widgets.bars import KeyLine
from screens.widgets.choices import item_line
from screens.widgets.controls import Item
from screens.widgets.lines import Lines, QuietInput
from screens.widgets.waiting import told_meanwhile

if TYPE_CHECKING:
    pass

HINT_FROM = 44
"""The column from which the hints of a list start at the latest: one long name must not push them all away."""


class Picker(Dialog):
    """Choose one of the seller's things; create, change, check and remove them without leaving the step.

    `fetch` gives the things that match what is written. It gives back the slug that was chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose", priority=True, id="picker.choose", tooltip="Take the highlighted one"),
        Binding("ctrl+n", "new", "New", id="picker.new", tooltip="Create one"),
        Binding("f2", "change", "Change", id="picker.change", tooltip="Change the highlighted one"),
        Binding("f6", "check", "Check", id="picker.check", tooltip="Check that the connection works"),
        Binding("delete", "remove", "Remove", priority=True, id="picker.remove", tooltip="Remove the highlighted one"),
        Binding("down", "into(1)", show=False),
        Binding("up", "into(-1)", show=False),
    ]

    def __init__(
        self,
        title: str,
        fetch: Callable[[str], Awaitable[list[Item]]],
        *,
        chosen: str | None = None,
        create: Callable[[], Awaitable[str | None]] | None = None,
        change: Callable[[str], Awaitable[str | None]] | None = None,
        remove: Callable[[str], Awaitable[None]] | None = None,
        check: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        super().__init__()
        self.heading = title
        self.items: list[Item] = []
        self._fetch, self._chosen = fetch, chosen
        self._create, self._change, self._remove, self._check = create, change, remove, check
        self.lines = Lines("things")

    def compose(self) -> ComposeResult:
        """What to find, the list, and one line for what went wrong."""
        with Vertical(classes="box"):
            yield Static(Content(self.heading), classes="heading")
            yield QuietInput(placeholder="type to search", compact=True, id="find")
            yield self.lines
            yield Static("", id="said", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show all there is."""
        self.show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with these things."""
        offered = {"new": self._create, "change": self._change, "remove": self._remove, "check": self._check}
        if action in offered and offered[action] is None:
            return False
        return bool(self.items) if action in ("choose", "change", "remove", "check") else True

    @work(exclusive=True, group="find")
    async def show(self) -> None:
        """Read the things that match and show them."""
        try:
            self.items = await self._fetch(self.query_one("#find", Input).value)
        except Exception as error:  # a database that is locked or gone must not take the dialogue down
            self.say(str(error), error=True)
            return
        width = min(HINT_FROM, max((len(item.label) for item in self.items), default=0))
        lines = [self.line(item, width) for item in self.items]
        at = next((n for n, item in enumerate(self.items) if item.value == self._chosen), 0)
        self.lines.put(lines, keep=at)
        self.tell()
        if not self.items:
            is_search = bool(self.query_one("#find", Input).value.strip())
            nothing = "Nothing is called so." if is_search else "There is none yet."
            self.say(f"{nothing} ctrl+n creates one." if self._create else "Nothing fits.")
        self.refresh_bindings()

    @on(OptionList.OptionHighlighted)
    def tell(self) -> None:
        """Say more about the highlighted thing, where there is more."""

    def line(self, item: Item, width: int) -> Content:
        """One thing of the list; its label takes so many cells."""
        return item_line("◉" if item.value == self._chosen else "○", item, width)

    def say(self, message: str, error: bool = False) -> None:
        """Write at the foot."""
        line = self.query_one("#said", Static)
        line.set_class(error, "-error")
        line.update(Content(f"✗ {message}" if error else message))

    @property
    def item(self) -> Item | None:
        """The highlighted thing."""
        at = self.lines.highlighted
        return self.items[at] if at is not None and at < len(self.items) else None

    @on(Input.Changed, "#find")
    def _find(self, event: Input.Changed) -> None:
        event.stop()
        self.say("")
        self.show()

    @on(Input.Submitted, "#find")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_choose()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_choose()

    def action_into(self, by: int) -> None:
        """Move the highlight while the field keeps the focus."""
        if self.items:
            self.lines.highlighted = ((self.lines.highlighted or 0) + by) % len(self.items)

    def action_choose(self) -> None:
        """Take the highlighted thing."""
        if self.item is not None:
            self.dismiss(self.item.value)

    @work(exclusive=True, group="change")
    async def action_new(self) -> None:
        """Create a thing and take it."""
        slug = await self._try(self._create) if self._create is not None else None
        if slug is not None:
            self.dismiss(slug)

    @work(exclusive=True, group="change")
    async def action_change(self) -> None:
        """Change the highlighted thing."""
        if self._change is None or self.item is None:
            return
        if await self._try(self._change, self.item.value) is not None:
            self.show()

    @work(exclusive=True, group="change")
    async def action_check(self) -> None:
        """Check the highlighted connection."""
        if self._check is not None and self.item is not None:
            check = self._try(self._check, self.item.value)
            said = await told_meanwhile(check, self.say, f"checking {self.item.label}")
            if said is not None:
                self.say(said)
                self.show()

    async def _try(self, work: Callable[..., Awaitable[str | None]], *arguments: str) -> str | None:
        try:
            return await work(*arguments)
        except Exception as error:
            self.say(str(error), error=True)
            return None

    @work(exclusive=True, group="change")
    async def action_remove(self) -> None:
        """Remove the highlighted thing, after asking."""
        item = self.item
        if self._remove is None or item is None:
            return
        if not await self.app.push_screen_wait(Question(f"Remove {item.label}?", "It cannot be brought back.")):
            return
        try:
            await self._remove(item.value)
        except Exception as error:
            self.say(str(error), error=True)
            return
        self.say(f"{item.label} is removed.")
        self.show()
