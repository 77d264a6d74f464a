"""An app that is watched for what hostile text could make it do."""

from __future__ import annotations

from models.characters import harmful
from tests.support.seller import Seller, SteadyApp


class Watched(SteadyApp):
    """The app, which notes when it is told to end."""

    told_to_quit = False

    async def action_quit(self) -> None:
        self.told_to_quit = True


def assert_harmless(seller: Seller) -> None:
    """Nothing painted now acts on the terminal, or would act when it is clicked; and the app still runs."""
    assert seller.app.is_running
    assert not seller.app.told_to_quit  # type: ignore[attr-defined]
    for strip in seller.app.screen._compositor.render_strips():
        for segment in strip:
            acting = [character for character in segment.text if harmful(character)]
            assert not acting, (acting, strip.text)
            style = segment.style
            assert style is None or not (style.link or style.meta.get("@click")), (style, strip.text)


async def clicks_on(seller: Seller, text: str) -> None:
    """Click wherever a text stands on the screen."""
    lines = seller.screen.splitlines()
    places = [(line.index(text) + 1, y) for y, line in enumerate(lines) if text in line]
    assert places, seller.screen
    for place in places:
        await seller.pilot.click(offset=place)
    await seller.pilot.pause()
    assert_harmless(seller)
