"""A page of the wizard: one module, its heading and its form."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from models.product import Product
from screens.widgets.field import widget_id
from screens.widgets.form import Form, Source
from screens.widgets.lines import hanging
from wizard import flow
from wizard.flow import Module

NOTHING = "Nothing is asked here, as you answered on the pages before."


def heading(module: Module) -> ComposeResult:
    """What a module is called, its place in the step, and the question it asks."""
    step = flow.step_of(module)
    place = f"{step.modules.index(module) + 1} of {len(step.modules)}" if len(step.modules) > 1 else ""
    with Horizontal(classes="heading-line"):
        yield Static(Content(module.label), classes="heading")
        yield Static(Content(place), classes="place")
    yield Static(Content(module.help), classes="asks")


HEAD = re.compile(r"\S[^\n]*?\s{2,}")
"""The head of a line about consequences: `Buyers get   `."""


class Consequence(Static):
    """What the answers lead to. A line that is too long goes on below where its words began."""

    def __init__(self) -> None:
        super().__init__("", classes="consequence", markup=False)
        self._lines: list[str] = []

    def say(self, text: str) -> None:
        """Say these lines, or nothing."""
        self._lines = text.splitlines()
        self.display = bool(text)
        self.on_resize()

    def on_resize(self) -> None:
        """There is more room, or less."""
        width = self.content_size.width or 76
        self.update(Content("\n").join(self._hung(line, width) for line in self._lines))

    def _hung(self, line: str, width: int) -> Content:
        head = HEAD.match(line)
        return hanging(Content(head.group()), Content(line[head.end() :]), width) if head else Content(line)


class NextLine(Static, can_focus=True):
    """The way on, below the last field. Letters do nothing here: what is written ahead never lands in another page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.go(1)", "Next page", id="next.go", tooltip="Open the page that is named"),
        Binding("up", "app.focus_previous", "Back to the field", show=False),
    ]

    def __init__(self, following: str) -> None:
        super().__init__(Content(f"▸ Next: {following}"), classes="next")
        self.display = False

    def on_blur(self) -> None:
        """It is there only while it is wanted."""
        self.display = False

    def on_click(self) -> None:
        """A click goes on as well."""
        self.run_worker(self.run_action("screen.go(1)"))


class Page(VerticalScroll, can_focus=False):
    """One module. What the answers lead to stands below the form, in the buyer's words.

    `following` is what the page after it is called.
    """

    def __init__(self, module: Module, product: Product, source: Source, following: str) -> None:
        super().__init__(id=f"page-{widget_id(module.id)}")
        self.module = module
        self.known: tuple[object, ...] | None = None
        """What the page was painted from last."""
        self.below = module.group or flow.step_of(module).id
        self.form = Form(module.questions, self.below, flow.value_at(product, self.below), source)
        self._consequence = Consequence()
        self._next = NextLine(following)
        self._nothing = Static(NOTHING, classes="asks", markup=False)

    def compose(self) -> ComposeResult:
        """The heading, the form, the consequence."""
        yield from heading(self.module)
        yield self._nothing
        yield self.form
        yield self._consequence
        yield self._next

    def show(self, product: Product) -> None:
        """Show the answers as they are stored now."""
        self.form.show(flow.value_at(product, self.below))
        self._nothing.display = not any(field.display for field in self.form.every_field())

    def say(self, lines: str) -> None:
        """Say below the form what the answers lead to."""
        self._consequence.say(lines)

    def start(self, path: str | None = None) -> None:
        """Put the focus where the seller was, or on the first field that needs something."""
        if self._nothing.display:
            self.offer_next()
        elif path is None or not self.form.focus_path(path):
            self.form.focus_needed()

    def offer_next(self) -> None:
        """Enter was pressed in the last field: the next one goes on to the page after this."""
        self._next.display = True
        self._next.focus(scroll_visible=False)
        # Where it stands is known once it was laid out.
        self.call_after_refresh(self._next.scroll_visible, animate=False)
