"""The scenarios: whole lives of a sale under a simulated clock, each with its story."""

from __future__ import annotations

from datetime import datetime

from textual import on
from textual.widgets import OptionList

from screens.picker import Picker
from screens.widgets.controls import Item
from wizard.sale.lives import LIVES, PROOF, Life, life_named, why_not
from wizard.sale.sold import Sale


class Scenarios(Picker):
    """Choose a life of a sale. Those that the price has no place for say why, at the end."""

    def __init__(self, sold: Sale, now: datetime, chosen: str | None = None) -> None:
        lives = [PROOF, *LIVES.values()]
        why = {life.name: why_not(life, sold, now) for life in lives}
        self._listed = [
            *(Item(life.name, life.label, life.about) for life in lives if not why[life.name]),
            *(Item(life.name, life.label, f"not here: {why[life.name]}") for life in lives if why[life.name]),
        ]
        self.why = why
        super().__init__("Scenarios: a sale's whole life, fired in seconds", self._match, chosen=chosen)

    async def _match(self, text: str) -> list[Item]:
        wanted = text.casefold().strip()
        return [item for item in self._listed if wanted in f"{item.label} {item.hint}".casefold()]

    @on(OptionList.OptionHighlighted)
    def tell(self) -> None:
        """Tell the whole story of the highlighted one: beside its name it may be cut."""
        self.say(self.item.hint if self.item else "")

    @staticmethod
    def life(name: str) -> Life:
        """The life that was chosen."""
        return life_named(name)
