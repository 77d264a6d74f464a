"""The cell diff: the same screen as Textual's own painting, cell for cell, for a fraction of the bytes."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import ControlType, Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Resize
from textual.geometry import Offset, Region, Size
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Label, OptionList, Select, Static, TabbedContent, TabPane, TextArea

from screens.widgets import painter
from screens.widgets.painter import CellDiff, ShownCells, textual_is_as_expected

# Every kind of glyph there is to paint, each with the cells it takes.
GLYPHS = {
    **dict.fromkeys("ab  ·─▸é", 1),
    **dict.fromkeys(["e\u0301", "ש\u05b8", "ש", "ل", "नि", "⚠", "🇫"], 1),
    **dict.fromkeys(["漢", "각", "🔥", "👍🏽", "❤\ufe0f", "👨\u200d👩\u200d👧", "字\u0301"], 2),
}
TEXTS = [
    "plain",
    "漢字かな",
    "🔥 fire",
    "a❤\ufe0fb",
    "👨\u200d👩\u200d👧 family",
    "👍🏽",
    "🇫🇷 flag",
    "e\u0301te\u0301",
    "שלום",
    "مرحبا",
    "नमस्ते",
]


@dataclass(frozen=True)
class Look:
    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()
    link: str = ""


BLANK = (" ", Look())


@dataclass
class Grid:
    """The cells of a terminal that understands what a painter may send, and refuses everything else.

    Glyphs are as wide as Rich takes them to be, which is what Textual lays out by; pyte has other ideas of joiners.
    """

    width: int
    height: int
    cells: list[list[tuple[str, Look]]] = field(init=False)
    look: Look = Look()
    cursor: tuple[int, int] = (0, 0)
    joins: bool = False  # the last thing printed was a zero-width joiner
    cut: bool = True  # a sequence stands between the last glyph and what comes
    printed: tuple[int, int] | None = None  # where the last glyph went, for the marks that follow it

    SEQUENCE = re.compile(
        r"\x1b\[([?<>=]?)([\d;]*)(\$?[a-zA-Z])|\x1b\](\d+);([^\x07\x1b]*)(?:\x07|\x1b\\)|([^\x1b])", re.S
    )

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.cells = [[BLANK] * self.width for _ in range(self.height)]

    def feed(self, data: str) -> None:
        position = 0
        while position < len(data):
            match = self.SEQUENCE.match(data, position)
            assert match, f"no terminal understands {data[position : position + 20]!r}"
            position = match.end()
            private, parameters, final, command, payload, character = match.groups()
            if character is not None:
                self.put(character)
                continue
            self.cut = True
            self.joins, self.printed = False, self.printed if final == "m" else None
            if command == "8":
                self.look = replace(self.look, link=payload.partition(";")[2])  # the id is random
            elif private and (parameters, final) == ("1049", "h"):
                self.clear()
            elif private or command:
                pass
            elif final == "H":
                y, x = (int(number) - 1 for number in parameters.split(";"))
                self.cursor = (x, y)
            else:
                assert final == "m", f"no painter may send {match[0]!r}"
                self.set_look([int(number or 0) for number in parameters.split(";")])

    def set_look(self, codes: list[int]) -> None:
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.look = Look(link=self.look.link)
            elif code in (38, 48):
                length = 4 if codes[0] == 2 else 2
                self.set_color("foreground" if code == 38 else "background", str(codes[:length]))
                codes = codes[length:]
            elif code < 30 or 50 < code < 54:
                self.look = replace(self.look, attributes=self.look.attributes | {str(code)})
            else:
                self.set_color("foreground" if code // 10 in (3, 9) else "background", str(code))

    def set_color(self, ground: str, color: str) -> None:
        fields: dict[str, Any] = {ground: color}
        self.look = replace(self.look, **fields)

    def put(self, character: str) -> None:
        if character < " ":
            assert character in "\n\x07", f"{character!r} moves the cursor"
            return
        if character == "\u200d":
            self.joins = True  # and if it joins nothing, it leaves no trace
        if character == "\u200d" or (character == "\ufe0f" and self.cut):
            return
        self.cut = False
        width = cell_len(character)
        if self.joins or not width:
            character, self.joins = "\u200d" * self.joins + character, False
            if self.printed:
                x, y = self.printed
                glyph, look = self.cells[y][x]
                self.cells[y][x] = (glyph + character, look)
                if character == "\ufe0f" and cell_len(glyph + character) > cell_len(glyph):
                    self.place(x + 1, y, "", look)
                    self.cursor = (x + 2, y)
            return
        x, y = self.cursor
        self.cursor = (x + width, y)
        if y < self.height and x + width <= self.width:
            self.printed = (x, y)
            self.place(x, y, character, self.look)
            if width == 2:
                self.place(x + 1, y, "", self.look)

    def place(self, x: int, y: int, glyph: str, look: Look) -> None:
        """Overwrites one cell; the other half of a double-width glyph that loses a half becomes a space."""
        row = self.cells[y]
        if glyph and not row[x][0]:
            row[x - 1] = (" ", row[x - 1][1])
        row[x] = (glyph, look)
        if x + 1 < self.width and not row[x + 1][0]:
            row[x + 1] = (" ", row[x + 1][1])


# --- any updates whatever -------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 24, 3
STYLES = [
    None,
    Style(),
    Style(bold=True),
    Style(color="#ff8800", bgcolor="#000080"),
    Style(color="red", underline=True),
]
STYLES += [Style(link="https://example.com/a"), Style(link="https://example.com/b", reverse=True)]


def any_strip(chance: random.Random, width: int) -> Strip:
    """A strip of exactly this width, out of any glyphs, in any number of styles."""
    segments, left = [], width
    while left:
        text = ""
        for glyph in chance.choices(sorted(GLYPHS), k=chance.randint(1, 8)):
            if GLYPHS[glyph] <= left:
                text, left = text + glyph, left - GLYPHS[glyph]
        segments.append(Segment(text, chance.choice(STYLES)))
    return Strip(segments)


def any_cuts(chance: random.Random) -> list[tuple[int, int]]:
    cuts = [0, *sorted(chance.sample(range(1, WIDTH), chance.randrange(4))), WIDTH]
    return list(itertools.pairwise(cuts))


def full_update(chance: random.Random) -> LayoutUpdate:
    lines: list[Any] = [[any_strip(chance, end - start) for start, end in any_cuts(chance)] for _ in range(HEIGHT)]
    return LayoutUpdate(lines, Region(0, 0, WIDTH, HEIGHT))


def partial_update(chance: random.Random) -> ChopsUpdate:
    cuts = [any_cuts(chance) for _ in range(HEIGHT)]
    chops = [{x: any_strip(chance, end - x) if chance.random() < 0.8 else None for x, end in row} for row in cuts]
    spans = []
    for y in chance.sample(range(HEIGHT), chance.randint(1, HEIGHT)):
        edges = sorted(chance.sample(range(WIDTH + 1), chance.choice([2, 2, 4])))
        spans += [(y, x1, x2) for x1, x2 in zip(edges[::2], edges[1::2], strict=True)]
    return ChopsUpdate(chops, sorted(spans), [[end for _, end in row] for row in cuts])


class Colors:
    """What an update asks of a console."""

    _color_system = ColorSystem.TRUECOLOR


@pytest.mark.parametrize("seed", range(200))
def test_any_updates_leave_the_same_cells_as_stock_painting(seed: int) -> None:
    chance = random.Random(seed)
    stock, ours = Grid(WIDTH, HEIGHT), Grid(WIDTH, HEIGHT)
    shown = ShownCells(Size(WIDTH, HEIGHT))
    for turn in range(8):
        update: Any = chance.choice([full_update, partial_update])(chance) if turn else full_update(chance)
        stock.feed(update.render_segments(Colors()))
        ours.feed(shown.difference(update, ColorSystem.TRUECOLOR))
        assert ours.cells == stock.cells
        assert shown.difference(update, ColorSystem.TRUECOLOR) == ""


def line(text: str, style: Style | None = None) -> LayoutUpdate:
    return LayoutUpdate([[Strip([Segment(text, style)])]], Region(0, 0, cell_len(text), 1))


def sent(before: str, after: str) -> str:
    """What is sent to turn one line into another."""
    shown = ShownCells(Size(cell_len(before), 1))
    shown.difference(line(before), ColorSystem.TRUECOLOR)
    return shown.difference(line(after), ColorSystem.TRUECOLOR)


def test_runs_closer_than_six_cells_are_joined() -> None:
    assert sent("a.....a.", "b.....b.") == "\x1b[1;1H\x1b[0mb.....b\x1b[0m"
    assert sent("a......a", "b......b") == "\x1b[1;1H\x1b[0mb\x1b[1;8Hb\x1b[0m"


def test_a_double_width_glyph_is_sent_whole() -> None:
    assert sent("漢字", "漢語") == "\x1b[1;3H\x1b[0m語\x1b[0m"
    assert sent("漢字", "漢ab") == "\x1b[1;3H\x1b[0mab\x1b[0m"


def test_what_follows_a_glyph_of_disputed_width_is_sent_with_it() -> None:
    assert sent("ab❤\ufe0f       d", "ab❤\ufe0f       e") == "\x1b[1;3H\x1b[0m❤\ufe0f       e\x1b[0m"
    assert sent("ab❤\ufe0f       d", "cb❤\ufe0f       d") == "\x1b[1;1H\x1b[0mc\x1b[0m"


def test_a_mark_with_a_style_of_its_own_stands_on_the_glyph_before() -> None:
    shown = ShownCells(Size(3, 1))
    segments = [Segment("e"), Segment("\u0301", Style(bold=True)), Segment("漢"), Segment("\u0302", Style(bold=True))]
    update = LayoutUpdate([[Strip(segments)]], Region(0, 0, 3, 1))
    assert shown.difference(update, ColorSystem.TRUECOLOR) == "\x1b[1;1H\x1b[0me\u0301漢\u0302\x1b[0m"


# --- an app painted both ways ---------------------------------------------------------------------------------------


class Wire(HeadlessDriver):
    """A terminal that remembers what it was sent, and can be suspended."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.shop = app
        self.sent: list[str] = []

    @property
    def is_headless(self) -> bool:
        return False

    @property
    def can_suspend(self) -> bool:
        return True

    def write(self, data: str) -> None:
        self.sent.append(data)
        self.shop.on_wire(data)

    def suspend_application_mode(self) -> None:
        self.write("\x1b[?1049l")

    def resume_application_mode(self) -> None:
        self.write("\x1b[?1049h")

    def take(self) -> str:
        """What was sent since the last look."""
        data = "".join(self.sent)
        self.sent.clear()
        return data


class Confirm(ModalScreen[None]):
    CSS = "Confirm { align: center middle; } Confirm Static { width: 30; height: 5; border: round red; }"
    BINDINGS: ClassVar = [("escape", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        yield Static(Content("Delete 漢字 and 🔥?"))
        yield Input("שלום", compact=True)


class Shop(CellDiff[None]):
    """A bit of everything a wizard shows, painted by Textual and by the cell diff at once."""

    CSS = """
    TabbedContent { height: 1fr; }
    TabPane { padding: 0; }
    VerticalScroll { height: 1fr; }
    .row { height: 1; }
    .row Label { width: 12; }
    OptionList { height: 6; border: round green; }
    TextArea { height: 5; }
    #float { layer: float; position: absolute; width: 9; height: 3; background: blue 40%; offset: 5 4; }
    Screen { layers: base float; }
    """

    BINDINGS: ClassVar = [("f2", "next_page", "Next page")]

    def __init__(self, **options: Any) -> None:
        super().__init__(driver_class=Wire, **options)
        self.stock, self.ours = Grid(80, 24), Grid(80, 24)
        self.painting = False
        self.stock_bytes = 0
        self.stock_texts: list[str] = []
        self.faults: list[str] = []

    def compose(self) -> ComposeResult:
        yield Label(Content("Yoga Masterclass · 漢字 · 🔥"), id="title")
        with TabbedContent():
            with TabPane("Fields"), VerticalScroll():
                for number, text in enumerate(TEXTS):
                    with Horizontal(classes="row"):
                        yield Label(Content(text))
                        yield Input(text, compact=True, id=f"field{number}")
                yield Checkbox(Content("漢字 levels"))
                yield Select([(Content(text), text) for text in TEXTS], compact=True)
                yield Input("with a box")
                yield Button("Next")
            with TabPane("Lists"):
                yield OptionList(*[Content(f"{text} {number}") for number in range(4) for text in TEXTS])
                yield TextArea("\n".join(TEXTS))
            with TabPane("Links"):
                yield Static(
                    Content.from_markup("[link='https://example.com']a 漢 link[/link] and [b]bold[/b]"), id="link"
                )
        yield Static(Content("a float"), id="float")

    def on_mount(self) -> None:
        for widget in (*self.query(Input), *self.query(TextArea)):
            widget.cursor_blink = False

    def action_next_page(self) -> None:
        self.query_one(TabbedContent).active = "tab-2"

    def on_resize(self, event: Resize) -> None:
        """A terminal may clear its cells at a resize, even at one that ends at the size before."""
        self.stock, self.ours = Grid(*event.size), Grid(*event.size)

    def on_wire(self, data: str) -> None:
        """What the painter sends goes to one terminal, what anybody else sends to both."""
        self.ours.feed(data)
        if not self.painting:
            self.stock.feed(data)

    def _display(self, screen: Any, renderable: Any) -> None:
        discarded = self._batch_count or not self._running or self._closed
        if isinstance(renderable, CompositorUpdate) and not discarded:
            text = renderable.render_segments(self.console)
            self.stock.feed(text)
            self.stock_texts.append(text)
            self.stock_bytes += len(text.encode()) + len("\x1b[10;10H")
        self.painting = True
        super()._display(screen, renderable)
        self.painting = False
        if isinstance(renderable, CompositorUpdate) and not discarded:
            for y, (ours, stock) in enumerate(zip(self.ours.cells, self.stock.cells, strict=True)):
                if ours != stock:
                    x = next(x for x, (a, b) in enumerate(zip(ours, stock, strict=True)) if a != b)
                    self.faults.append(f"row {y} column {x}: {ours[x : x + 5]} for {stock[x : x + 5]}")
            if self.ours.cursor != self.screen.outer_size.clamp_offset(self.cursor_position):
                self.faults.append(f"the cursor is at {self.ours.cursor}, not at {self.cursor_position}")

    @property
    def wire(self) -> Wire:
        assert isinstance(self._driver, Wire)
        return self._driver


@asynccontextmanager
async def session(app: Shop, size: tuple[int, int] = (80, 24)) -> Any:
    async with app.run_test(headless=False, size=size, notifications=True, tooltips=True) as pilot:
        await settle(pilot)
        yield pilot
        assert app.faults == []


async def settle(pilot: Pilot[None]) -> None:
    """Waits until nothing more is painted."""
    app, count = pilot.app, -1
    assert isinstance(app, Shop)
    while count != len(app.stock_texts):
        count = len(app.stock_texts)
        await pilot.pause(0.02)


KEYS = ["tab", "shift+tab", "down", "up", "left", "right", "pagedown", "pageup", "home", "end", "enter", "space"]
KEYS += ["escape", "backspace", "delete", "a", "B", "7", "漢", "shift+left", "ctrl+left"]


def random_steps(chance: random.Random, pilot: Pilot[None]) -> Iterator[Any]:
    """Steps of a session that never ends."""
    app = pilot.app
    assert isinstance(app, Shop)
    while True:
        kind = chance.randrange(12)
        if kind < 4:
            yield lambda: pilot.press(*chance.choices(KEYS, k=chance.randint(1, 3)))
        elif kind == 4 and isinstance(app.focused, Input | TextArea):
            insert = app.focused.insert_text_at_cursor if isinstance(app.focused, Input) else app.focused.insert
            yield lambda insert=insert: insert(chance.choice(TEXTS))
        elif kind == 5:
            yield lambda: app.notify(
                Content(chance.choice(TEXTS)).plain, timeout=chance.choice([0.05, 9]), markup=False
            )
        elif kind == 6 and not isinstance(app.screen, ModalScreen):
            yield lambda: app.push_screen(Confirm())
        elif kind == 7:
            yield lambda: pilot.hover(offset=(chance.randrange(app.size.width), chance.randrange(app.size.height)))
        elif kind == 8:
            yield lambda: pilot.click(offset=(chance.randrange(app.size.width), chance.randrange(app.size.height)))
        elif kind == 9 and (floats := app.screen.query("#float")):
            place = (chance.randrange(70), chance.randrange(20))
            yield lambda floats=floats, place=place: floats.set_styles(f"offset: {place[0]} {place[1]};")
        elif kind == 10:
            app.cursor_position = Offset(chance.randrange(90), chance.randrange(30))
            yield lambda: app.query_one("#title", Label).update(Content(chance.choice(TEXTS)))
        elif chance.random() < 0.3:
            size = chance.choice([(80, 24), (60, 16), (100, 30), (17, 5), (app.size.width, app.size.height)])
            yield lambda size=size: pilot.resize_terminal(*size)


@pytest.mark.parametrize("seed", [105, 114])
async def test_a_long_random_session_leaves_the_same_cells_as_stock_painting_after_every_update(seed: int) -> None:
    chance = random.Random(seed)
    app = Shop()
    async with session(app) as pilot:
        steps = random_steps(chance, pilot)
        for _ in range(45):
            outcome = next(steps)()
            if hasattr(outcome, "__await__"):
                await outcome
            await pilot.pause()
            assert app.faults == []
    assert len(app.stock_texts) > 45


async def test_a_letter_a_tab_and_the_next_page_cost_a_fraction_of_the_bytes() -> None:
    app = Shop()
    async with session(app) as pilot:
        app.query_one("#field0", Input).focus()
        await pilot.press("end")
        await settle(pilot)
        ours, stock = {}, {}
        for step, key in {"letter": "a", "tab": "tab", "page": "f2"}.items():
            app.wire.take()
            before = app.stock_bytes
            await pilot.press(key)
            await settle(pilot)
            ours[step], stock[step] = len(app.wire.take().encode()), app.stock_bytes - before
    assert ours["letter"] <= 110
    assert ours["letter"] * 1.8 < stock["letter"]
    assert ours["tab"] * 15 < stock["tab"]
    assert ours["page"] * 4 < stock["page"], (ours, stock)


async def test_nothing_is_sent_where_nothing_changed() -> None:
    app = Shop()
    async with session(app) as pilot:
        app.wire.take()
        app.screen.refresh(layout=True)
        app.query_one("#title").refresh()
        await settle(pilot)
        assert app.wire.take() == ""


async def test_a_move_of_the_cursor_alone_is_sent_alone() -> None:
    app = Shop()
    async with session(app) as pilot:
        app.wire.take()
        app.cursor_position = Offset(4, 2)
        app.screen.refresh()
        await settle(pilot)
        assert app.wire.take() == "\x1b[3;5H"


async def test_what_is_sent_is_wrapped_for_terminals_that_wait_for_the_whole_frame() -> None:
    app = Shop()
    async with session(app) as pilot:
        app._sync_available = True
        app.wire.take()
        app.query_one("#title").refresh()
        await settle(pilot)
        assert app.wire.take() == ""
        app.query_one("#title", Label).update("other")
        await settle(pilot)
        data = app.wire.take()
        assert data.startswith("\x1b[?2026h\x1b[1;1H")
        assert data.endswith("\x1b[?2026l")


async def test_after_a_suspension_all_is_sent_again() -> None:
    app = Shop()
    async with session(app) as pilot:
        shown = [row.copy() for row in app.ours.cells]
        with app.suspend():
            pass
        await settle(pilot)
        assert app.ours.cells == shown


async def test_what_another_writer_painted_over_is_sent_again() -> None:
    app = Shop()
    async with session(app) as pilot:
        before = app.ours.cells[0].copy()
        app.wire.write("\x1b[1;1Hnoise")
        assert app.ours.cells[0] != before
        app.screen.refresh(layout=True)
        await settle(pilot)
        assert app.ours.cells[0] == before


async def test_a_bell_the_clipboard_and_a_title_forget_nothing() -> None:
    app = Shop()
    async with session(app) as pilot:
        app.bell()
        app.copy_to_clipboard("漢字")
        app.wire.write("\x1b]0;A title\x07")
        app.wire.take()
        app.screen.refresh(layout=True)
        await settle(pilot)
        assert app.wire.take() == ""


async def test_after_a_resize_that_ends_at_the_size_before_no_cell_is_taken_for_shown() -> None:
    app = Shop()
    async with session(app) as pilot:
        shown = [row.copy() for row in app.ours.cells]
        await pilot.resize_terminal(80, 24)  # clears the terminal
        assert app.ours.cells != shown
        app.screen.refresh(layout=True)
        await settle(pilot)
        assert app.ours.cells == shown


async def test_an_update_of_another_size_than_the_one_before_is_sent_whole() -> None:
    app = Shop()
    async with session(app):
        app.wire.take()
        CellDiff._display(app, app.screen, line("Yoga"))
        assert app.wire.take().startswith("\x1b[1;1H\x1b[0mYoga\x1b[0m")


class Picture(Widget):
    """What a widget that sends an image paints: a sequence of its own among the cells."""

    def render_line(self, y: int) -> Strip:
        sequence = Segment("\x1b[?7l", None, [(ControlType.BELL,)])
        return Strip([sequence, Segment("." * self.size.width)], self.size.width)


async def test_an_update_with_control_codes_is_left_to_textual() -> None:
    app = Shop()
    async with session(app) as pilot:
        picture = Picture()
        picture.styles.height = 1
        await app.mount(picture)
        await settle(pilot)
        assert "\x1b[?7l...." in app.wire.take()
        await picture.remove()
        await settle(pilot)
        app.wire.take()
        await pilot.press("tab")
        await settle(pilot)
        assert 0 < len(app.wire.take()) < 2500


async def stock_session(app: Shop) -> None:
    """Asserts that what a session sends is what Textual renders, to the letter."""
    async with session(app) as pilot:
        await pilot.press("tab", "a", "tab")
        await settle(pilot)
        painted = [data for data in app.wire.sent if data.startswith("\x1b[") and data.count("\x1b") > 1]
        assert [re.sub(r"\x1b\[\d+;\d+H$", "", data) for data in painted] == app.stock_texts
        assert len(painted) > 3


async def test_stock_painting_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZARD_PAINT", "stock")
    await stock_session(Shop())


async def test_the_installed_textual_is_as_expected() -> None:
    assert textual_is_as_expected(Shop())


class OtherLayoutUpdate(CompositorUpdate):
    def __init__(self, rows: list[Any], region: Region) -> None:
        self.rows = rows


class OtherChopsUpdate(ChopsUpdate):
    def render_segments(self, console: Any) -> str:
        return f"\x1b7{super().render_segments(console)}\x1b8"


@pytest.mark.parametrize(
    ("owner", "part", "other"),
    [
        (painter, "LayoutUpdate", OtherLayoutUpdate),
        (painter, "ChopsUpdate", OtherChopsUpdate),
        (painter, "split_graphemes", None),
        (Strip, "render_ansi", lambda style: ""),
        (App, "_end_update", None),
        (App, "_display", lambda self, screen, renderable, sync=True: None),
    ],
)
async def test_another_textual_is_not_as_expected(
    owner: Any, part: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Shop()
    painter.opening.cache_clear()
    painter.split_glyphs.cache_clear()
    Strip.render_ansi.cache_clear()
    monkeypatch.delattr(owner, part) if other is None else monkeypatch.setattr(owner, part, other)
    assert not textual_is_as_expected(app)


async def test_where_textual_is_not_as_expected_it_paints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painter, "ChopsUpdate", OtherChopsUpdate)
    await stock_session(Shop())
