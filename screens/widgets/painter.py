"""Painting: of every update, the terminal is sent only the cells that differ from what it already shows.

Textual repaints whole widgets, borders and padding included: over SSH a letter costs kilobytes, the next step a
screenful. Here the cells that the terminal shows are remembered, and the screen comes out the same, cell for cell.

This rests on private parts of Textual, so all of it is in this module. If one look at those parts at start finds them
changed, or if `WIZARD_PAINT=stock` is in the environment, Textual paints as it always does. It does so too in inline
mode, on Windows, where long writes have to be cut up, and wherever an update cannot be told as cells.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from inspect import signature
from itertools import chain, compress, count, groupby
from operator import ne, or_
from typing import IO, Any, TypeVar

from rich.color import ColorSystem
from rich.control import Control
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.driver import Driver
from textual.events import Resize
from textual.geometry import Region, Size
from textual.strip import Strip

with suppress(ImportError):  # where one is missing, the look at start fails and Textual paints
    from rich.cells import split_graphemes
    from textual._compositor import ChopsUpdate, LayoutUpdate

ReturnType = TypeVar("ReturnType")

JOINED_GAP = 6
"""Equal cells between two runs up to which sending them costs no more than moving the cursor over them."""

UNKNOWN = "\0"
"""The glyph of a cell that may show anything."""

JOINER, WIDENER = "\u200d", "\ufe0f"
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
DISPUTED_WIDTH = re.compile("[\u200d\ufe0e\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")
"""Joiners, variation selectors, flag letters and skin tones: terminals do not agree how wide they make a glyph."""

PAINTS_NOTHING = re.compile(
    r"(?: \x07 | \x1b\][^\x07\x1b]*(?:\x07|\x1b\\) | \x1b\[\?(?:7|25|10[01]\d|20\d\d)(?:[hl]|\$p) | \x1b\[[<>=]\d*u )*",
    re.VERBOSE,
).fullmatch
"""Bell, title, clipboard, pointer shape, and the modes that leave cells alone: not that of the alternate screen."""

PRIVATE_PARTS = ("_batch_count", "_running", "_closed", "_begin_update", "_end_update", "_previous_cursor_position")
CLOSE_LINK = "\x1b]8;;\x1b\\"


class UnbreakableFile:
    """The terminal as a file that outlasts it.

    Once a terminal is closed every write fails. The thread that writes for Textual ends with the first failure, its
    queue fills up, and then the app waits for ever for room in it, deaf to every signal.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write, while there is a terminal."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Hand over what was written, while there is a terminal."""
        with suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class NotCells(Exception):
    """Something in the update, such as a control code, is more than characters in cells."""


@lru_cache(4096)
def opening(style: Style | None, colors: ColorSystem) -> str:
    """Return the sequence that sets this style, and nothing of the one before it, from here on.

    Rich takes styles for equal whose links differ in nothing but their random id; so are these cells.
    """
    if style is None:
        return "\x1b[0m"
    ansi = Strip.render_ansi(style, colors)
    link = f"\x1b]8;id={style._link_id};{style._link}\x1b\\" if style._link else ""
    return f"\x1b[0;{ansi}m{link}" if ansi else f"\x1b[0m{link}"


@lru_cache(4096)
def split_glyphs(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what the text adds to the glyph before it, such as a mark, and a glyph for each of its own cells.

    What is left where Textual cut a glyph in two, and then did not measure, is dropped: a joiner would join whatever is
    sent next, a variation selector would push it aside.
    """
    if CONTROLS.search(text):
        raise NotCells(text)
    spans = split_graphemes(f"x{text}")[0]  # behind a letter, as each text but the first of a row is
    glyphs: list[str] = []
    for start, end, width in spans[1:]:
        glyphs += [text[start - 1 : end - 1].rstrip(JOINER), *[""] * (width - 1)]
    return text[: spans[0][1] - 1].lstrip(WIDENER).rstrip(JOINER), tuple(glyphs)


class PaintedRow:
    """The cells of one line of the screen.

    Two lists of strings, because a tuple for each cell keeps Python's garbage collector busy: milliseconds per update.
    """

    def __init__(self, glyphs: list[str], looks: list[str]) -> None:
        self.glyphs = glyphs
        """What stands in each cell; nothing in the right half of a double-width glyph."""
        self.looks = looks
        """The sequence that sets each cell's style."""

    @classmethod
    def of(cls, segments: Iterable[Segment], colors: ColorSystem) -> PaintedRow:
        """Return the cells that the segments fill from left to right."""
        glyphs: list[str] = []
        looks: list[str] = []
        for text, style, _ in segments:
            if text.isascii() and text.isprintable():
                glyphs += text
            else:
                marks, new_glyphs = split_glyphs(text)
                if marks and glyphs:  # a mark in another style, as under a cursor, still stands on the glyph before
                    glyphs[-1 if glyphs[-1] else -2] += marks
                glyphs += new_glyphs
            looks += [opening(style, colors)] * (len(glyphs) - len(looks))
        return cls(glyphs, looks)

    def overwritten(self, start: int, piece: PaintedRow) -> PaintedRow:
        """Return this row with a piece written over it; of a double-width glyph that loses a half, a space is left."""
        end = start + len(piece.glyphs)
        glyphs = [*self.glyphs[:start], *piece.glyphs, *self.glyphs[end:]]
        if start and not self.glyphs[start]:
            glyphs[start - 1] = " "
        if end < len(self.glyphs) and not self.glyphs[end]:
            glyphs[end] = " "
        return PaintedRow(glyphs, [*self.looks[:start], *piece.looks, *self.looks[end:]])

    def runs_unlike(self, shown: PaintedRow) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each run of cells to send where another row is shown.

        No double-width glyph is cut: its empty right half differs only where the glyph does, and starts no run.
        """
        if self.glyphs == shown.glyphs and self.looks == shown.looks:
            return  # as most rows of most updates, and ten times as fast as to look at each column
        unlike = map(or_, map(ne, self.glyphs, shown.glyphs), map(ne, self.looks, shown.looks))
        columns = [x for x in compress(count(), unlike) if self.glyphs[x]]
        # A terminal that draws a disputed glyph wider or narrower has shifted all that follows. That is sent in one go,
        # as Textual does, lest old and new stand at odds.
        disputed = min(self.disputed_from(), shown.disputed_from())
        if columns[-1] >= disputed:
            rest = range(disputed, len(self.glyphs))
            columns = [x for x in columns if x < disputed] + [x for x in rest if self.glyphs[x] != UNKNOWN]
        start = end = columns[0]
        for x in columns:
            if x - end >= JOINED_GAP or UNKNOWN in self.glyphs[end:x]:
                yield start, end
                start = x
            end = x + 1
        yield start, end

    def disputed_from(self) -> int:
        """Return the column from which terminals may not agree where this row's glyphs stand, or the row's width."""
        if not DISPUTED_WIDTH.search("".join(self.glyphs)):
            return len(self.glyphs)
        return next(x for x, glyph in enumerate(self.glyphs) if DISPUTED_WIDTH.search(glyph))


def screen_size(update: LayoutUpdate | ChopsUpdate) -> Size:
    """Return the size of the screen that is updated."""
    if isinstance(update, LayoutUpdate):
        return update.region.size
    return Size(update.chop_ends[0][-1], len(update.chops))


class ShownCells:
    """The cells that a terminal shows, row by row: at first, anything."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.rows = [PaintedRow([UNKNOWN] * size.width, [""] * size.width) for _ in range(size.height)]

    def difference(self, update: LayoutUpdate | ChopsUpdate, colors: ColorSystem) -> str:
        """Return what turns these cells into those of the update, and take it as sent.

        Raises NotCells for an update that does not fit; the cells are then worth nothing any more.
        """
        sequences: list[str] = []
        looks = ""
        for y, row in self.updated_rows(update, colors):
            shown = self.rows[y]
            if len(row.glyphs) != self.size.width:
                raise NotCells(update)
            self.rows[y] = row
            for start, end in row.runs_unlike(shown):
                sequences.append(f"\x1b[{y + 1};{start + 1}H")
                for new_looks, columns in groupby(range(start, end), row.looks.__getitem__):
                    if new_looks != looks:
                        sequences.append(CLOSE_LINK + new_looks if looks.endswith("\\") else new_looks)
                        looks = new_looks
                    sequences.extend(row.glyphs[x] for x in columns)
        if sequences:
            sequences.append(CLOSE_LINK + "\x1b[0m" if looks.endswith("\\") else "\x1b[0m")
        return "".join(sequences)

    def updated_rows(self, update: LayoutUpdate | ChopsUpdate, colors: ColorSystem) -> Iterator[tuple[int, PaintedRow]]:
        """Yield the number and the cells of every row that the update touches."""
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips):
                # Written over what is shown: where Textual cut a glyph and miscounted, a row can be a cell too short.
                yield y, self.rows[y].overwritten(0, PaintedRow.of(chain.from_iterable(strips), colors))
            return
        rows: dict[int, PaintedRow] = {}
        for y, x1, x2 in update.spans:
            row = rows.get(y, self.rows[y])
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip and x < x2 and end > x1:
                    row = row.overwritten(x, PaintedRow.of(strip.crop(0, min(end, x2) - x), colors))
            rows[y] = row
        yield from rows.items()


def textual_is_as_expected(app: App[Any]) -> bool:
    """Return whether the private parts of Textual that the cell diff rests on are those it was written for."""
    try:
        strip = Strip([Segment("a漢", Style(bold=True))])
        for update in (LayoutUpdate([[strip]], Region(0, 0, 3, 1)), ChopsUpdate([{0: strip}], [(0, 0, 3)], [[3]])):
            ours = ShownCells(screen_size(update)).difference(update, ColorSystem.TRUECOLOR)
            theirs = update.render_segments(app.console)
            if (ours, theirs) != ("\x1b[1;1H\x1b[0;1ma漢\x1b[0m", "\x1b[1;1H\x1b[1ma漢\x1b[0m"):
                return False
        color_system = app.console._color_system
    except Exception:  # whatever it is that fails, it is not as expected
        return False
    return (
        [*signature(App._display).parameters] == ["self", "screen", "renderable"]
        and (color_system is None or isinstance(color_system, ColorSystem))
        and all(hasattr(app, part) for part in PRIVATE_PARTS)
    )


class CellDiff(App[ReturnType]):
    """An app that sends the terminal only the cells that differ from what it shows."""

    _shown: ShownCells | None = None  # None from any doubt about what the terminal shows to the next update
    _write: Callable[[str], None] | None = None  # None: Textual paints all the time

    def forget_shown_cells(self) -> None:
        """Take it that the terminal may show anything, so that all that the next updates contain is sent."""
        self._shown = None

    def on_resize(self, event: Resize) -> None:
        """Terminals move, cut or clear their cells at a resize, even at one that ends at the size before."""
        self.forget_shown_cells()

    def _build_driver(self, *args: Any, **kwargs: Any) -> Driver:
        driver = super()._build_driver(*args, **kwargs)
        if (file := getattr(driver, "_file", None)) is not None:
            driver._file = UnbreakableFile(file)  # type: ignore[attr-defined]
        self.forget_shown_cells()
        self._write = None
        stock = sys.platform == "win32" or driver.is_inline or os.environ.get("WIZARD_PAINT") == "stock"
        if stock or not textual_is_as_expected(self):
            return driver
        write = self._write = driver.write

        def write_of_others(data: str) -> None:
            # The painter has `write` to itself, so this is anybody else: a resume, an image, Textual's own painting.
            if not PAINTS_NOTHING(data):
                self.forget_shown_cells()
            write(data)

        driver.write = write_of_others  # type: ignore[method-assign]  # all other ways to the terminal end in this one
        return driver

    def _display(self, *args: Any, **kwargs: Any) -> None:
        text = None if self._write is None else self._difference(args[-1])
        if text is None or self._write is None or self._driver is None:
            super()._display(*args, **kwargs)
            return
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        move = Control.move_to(*cursor).segment.text
        try:
            if text:
                self._begin_update()
                self._write(text + move)
                self._end_update()
            elif cursor != self._previous_cursor_position:
                self._write(move)
            else:
                return
            self._previous_cursor_position = cursor
            self._driver.flush()
        finally:
            self.post_display_hook()

    def _difference(self, update: object) -> str | None:
        """Return what to send for an update, or None where Textual has to paint it or to drop it."""
        if self._batch_count or not self._running or self._closed or self.is_headless:
            return None
        if not isinstance(update, LayoutUpdate | ChopsUpdate):
            return None
        # A signal may make the app forget at any time, so the memory is looked at once, and never put back.
        shown, size = self._shown, screen_size(update)
        if shown is None or shown.size != size:
            shown = self._shown = ShownCells(size)
        try:
            return shown.difference(update, self.console._color_system or ColorSystem.TRUECOLOR)
        except (NotCells, LookupError):  # the latter where an update does not fit the screen it is for
            self.forget_shown_cells()
            return None
