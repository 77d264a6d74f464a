"""Every field is seen to be a field: in 256 colours, as over SSH, in 16 colours, and without any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from rich.color import Color as Paint
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from screens.theme import THEMES
from screens.widgets.choices import Dropdown, Reference, Toggle
from screens.widgets.controls import LineControl, TextControl
from tests.support.pictures import Snap, frame, opens
from tests.support.seller import Seller, SteadyApp, seller_at
from tests.support.terminal import terminal
from wizard.sample import fill
from wizard.settings import Settings
from wizard.store import open_store

SYSTEMS = {"256": ColorSystem.EIGHT_BIT, "16": ColorSystem.STANDARD}
BOXES = (LineControl, TextControl, Reference, Toggle, Dropdown)
"""The controls that are told from the page by what they are painted on; lists bear marks."""


class Fewer(LineFilter):
    """Paints what a terminal with fewer colours would show."""

    def __init__(self, system: ColorSystem) -> None:
        super().__init__()
        self._system = system

    def _fewer(self, paint: Paint | None) -> Paint | None:
        return Paint.from_triplet(paint.downgrade(self._system).get_truecolor()) if paint else None

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in the nearest colours that there are."""
        return [
            Segment(text, style + Style(color=self._fewer(style.color), bgcolor=self._fewer(style.bgcolor)), control)
            if style
            else Segment(text, style, control)
            for text, style, control in segments
        ]


class FewerColours(SteadyApp):
    """The app in a terminal with fewer colours."""

    def __init__(self, colours: str, theme: str | None = None) -> None:
        super().__init__(Settings(), theme)
        self._fewer = [Fewer(SYSTEMS[colours])] if colours in SYSTEMS else []

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last one takes away the colours that this terminal has not."""
        return [*super().get_line_filters(), *self._fewer]


@pytest.fixture(autouse=True)
def sample(data_dir: Path) -> None:
    """An account with the sample data."""
    with open_store(Settings()) as store:
        fill(store)


@pytest.fixture(params=[*SYSTEMS, "none"])
def colours(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How many colours the terminal has."""
    if request.param == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    return str(request.param)


def painted_on(seller: Seller, x: int, y: int) -> object:
    """The background of a cell as it reaches the terminal."""
    for segment in seller.app.screen._compositor.render_strips()[y].crop(x, x + 1):
        line = [segment]
        for each in seller.app.get_line_filters():
            line = each.apply(line, Color.parse("black"))
        return line[0].style.bgcolor.get_truecolor() if line[0].style and line[0].style.bgcolor else None
    raise AssertionError(f"no cell at {x}, {y}")


def unseen(seller: Seller) -> Iterable[str]:
    """The fields that cannot be told from what is around them, by their last cell and the one above or below."""
    for box, (region, clip) in seller.app.screen._compositor.visible_widgets.items():
        at = region.intersection(clip)
        if not isinstance(box, BOXES) or not at.area:
            continue
        inside, beside = (painted_on(seller, x, at.bottom - 1) for x in (at.right - 6, at.x - 2))
        if inside == beside:
            yield str(box.id)


PAGES = (
    "general.product",
    "pricing.product_pricing",
    "post_sale.access",
    "post_sale.thank_you",
    "automations.on_purchase",
)


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_field_of_a_page_and_of_a_dialogue_is_told_from_what_is_around_it(colours: str, theme: str) -> None:
    async with seller_at("80x24", FewerColours(colours, theme)) as seller:
        await opens(seller)
        for page in PAGES:
            await seller.app.screen.open_page(page)  # type: ignore[attr-defined]
            await seller.settled()
            assert list(unseen(seller)) == [], page
        await seller.goes_to("pricing: product")
        await seller.press("tab", "enter")
        await seller.sees("Price point 1")
        assert list(unseen(seller)) == []


@pytest.mark.parametrize("page", ["general.product", "post_sale.access"])
def test_a_page_with_few_colours(snap_compare: Snap, colours: str, page: str) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.app.screen.open_page(page)  # type: ignore[attr-defined]
        await seller.settled()

    frame(snap_compare, "80x24", play, FewerColours(colours))


def test_a_dialogue_with_few_colours(snap_compare: Snap, colours: str) -> None:
    async def play(seller: Seller) -> None:
        await opens(seller)
        await seller.goes_to("pricing: product")
        await seller.press("tab", "enter")
        await seller.sees("Price point 1")
        await seller.pilot.pause(0.2)

    frame(snap_compare, "80x24", play, FewerColours(colours))


def test_over_ssh_a_field_is_grey_on_a_darker_grey_and_nothing_is_navy(data_dir: Path) -> None:
    with terminal(env={"COLORTERM": "", "TEXTUAL_COLOR_SYSTEM": "auto", "WIZARD_DATA_DIR": str(data_dir)}) as ssh:
        ssh.sees("Coaching Hour")
        ssh.press("enter")
        ssh.sees("What do you sell?")
        ssh.settle()
        row = next(y for y, line in enumerate(ssh.screen.display) if "Official name" in line)
        cells = ssh.screen.buffer[row]
        assert (cells[40].bg, cells[2].bg) == ("303030", "121212")
