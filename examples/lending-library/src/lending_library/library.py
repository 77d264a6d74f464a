"""The library itself: the place that delivers. It knows readers, cards and shelves, and nothing of the wizard.

Yours is a server somewhere; this one is a folder, so that the example runs without one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any


class TurnedAway(Exception):
    """The reading room does not let this card in. The message says why."""


class Library:
    """A folder with a JSON file for each card, letter and page."""

    def __init__(self, folder: Path, stamp: str) -> None:
        self._folder = folder
        self._stamp = stamp.encode()

    # --- the desk, where the shop comes -------------------------------------------------------------------------------

    def card_number(self, reader: str) -> str:
        """The number of a reader's card. It is derived, so it is the same every time and nobody has to store it."""
        number = base64.b32encode(hmac.digest(self._stamp, reader.encode(), "sha256"))[:16].decode().lower()
        return "-".join(number[at : at + 4] for at in range(0, 16, 4))

    def lend(self, reader: str, shelves: list[str], run: str, key: str) -> bool:
        """Open shelves to a reader, with a new card for one who has none. Gives whether this key made the card."""
        place = self._card(self.card_number(reader))
        card = self._read(place) or {"reader": reader, "made_with": key, "shelves": {}}
        for shelf in shelves:
            lent_by = card["shelves"].setdefault(shelf, [])
            if run not in lent_by:
                lent_by.append(run)
        self._write(place, card)
        return bool(card["made_with"] == key)

    def close(self, reader: str, shelves: list[str]) -> None:
        """Close shelves to a reader, whoever opened them. One that is closed stays closed."""
        place = self._card(self.card_number(reader))
        if card := self._read(place):
            card["shelves"] = {shelf: runs for shelf, runs in card["shelves"].items() if shelf not in shelves}
            self._write(place, card)

    def put_up(self, kind: str, key: str, content: dict[str, str]) -> None:
        """Keep a letter or a page, under the key it was asked for with."""
        self._write(self._folder / kind / f"{key}.json", content)

    def forget(self, run: str) -> list[str]:
        """Remove what a run made and nothing else. Gives the readers whose card is left, because others use it."""
        left = []
        for kind in ("letters", "pages"):
            for place in (self._folder / kind).glob("*.json"):
                if (self._read(place) or {}).get("run") == run:
                    place.unlink()
        for place in (self._folder / "cards").glob("*.json"):
            card = self._read(place) or {"shelves": {}}
            shelves = {shelf: [by for by in runs if by != run] for shelf, runs in card["shelves"].items()}
            card["shelves"] = {shelf: runs for shelf, runs in shelves.items() if runs}
            was_made_here = str(card.get("made_with", "")).startswith(f"{run}-")
            if was_made_here and not card["shelves"]:
                place.unlink()
            else:
                self._write(place, card)
                left.extend([card["reader"]] if was_made_here else [])
        return left

    # --- the reading room, where the reader comes ---------------------------------------------------------------------

    def read(self, card_number: str, shelf: str) -> str:
        """Read what stands on a shelf. Raises `TurnedAway`."""
        card = self._read(self._card(card_number))
        if card is None:
            raise TurnedAway("The library does not know this card.")
        if shelf not in card["shelves"]:
            raise TurnedAway(f"This card does not open {shelf}.")
        return f"The books on {shelf}."

    def letters_to(self, reader: str) -> list[dict[str, str]]:
        """The letters in a reader's box."""
        letters = [self._read(place) or {} for place in sorted((self._folder / "letters").glob("*.json"))]
        return [letter for letter in letters if letter.get("to") == reader]

    def page(self, key: str) -> dict[str, str] | None:
        """A page that was put up, if it was."""
        return self._read(self._folder / "pages" / f"{key}.json")

    # --- the folder ---------------------------------------------------------------------------------------------------

    def prove_usable(self) -> None:
        """See whether the folder can be written. Raises OSError."""
        self._write(self._folder / "open.json", {})

    def _card(self, number: str) -> Path:
        # By a sum of its number: whoever sees the folder cannot use a card.
        return self._folder / "cards" / f"{hashlib.sha256(number.encode()).hexdigest()}.json"

    def _read(self, place: Path) -> dict[str, Any] | None:
        try:
            return dict(json.loads(place.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def _write(self, place: Path, content: dict[str, Any]) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content, indent=2), encoding="utf-8")
        os.replace(unfinished, place)
