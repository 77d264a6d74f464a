"""The folder browser: pick a file of the seller's machine, whatever it is called."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Input, Static

from models.characters import visible
from screens.controls import Item
from screens.picker import Picker

if TYPE_CHECKING:
    from screens.app import WizardApp

MOST = 500
"""The most entries that are shown at once; writing a part of a name finds the others."""

LONGEST = 44
"""The most characters that are shown of a name; its end, which says what kind of file it is, is always among them."""

LONGEST_PATH = 60
"""The most characters that are shown of the folder: its end, where it is told apart from others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder, as it was when the folder was read."""

    path: Path
    is_folder: bool
    size: int

    def item(self) -> Item:
        """How it is listed: names come from anywhere, so what could act on a terminal is written out."""
        name = visible(self.path.name, "")
        if len(name) > LONGEST:
            name = f"{name[: LONGEST - 12]}…{name[-11:]}"
        if self.is_folder:
            return Item(str(self.path), f"{name}/", "folder")
        return Item(str(self.path), name, f"{self.size:,} bytes")


def entries_of(folder: Path, text: str) -> list[Entry]:
    """The folders, then the files, whose names hold a text; hidden ones only for a text that starts with a dot.

    Raises OSError.
    """
    wanted, found = text.casefold(), []
    with os.scandir(folder) as listed:
        for each in listed:
            if wanted in each.name.casefold() and (not each.name.startswith(".") or wanted.startswith(".")):
                try:
                    is_folder = each.is_dir()
                    size = 0 if is_folder else each.stat().st_size
                except OSError:  # it is gone again, or a link to nowhere
                    continue
                found.append(Entry(folder / each.name, is_folder, size))
    return sorted(found, key=lambda entry: (not entry.is_folder, entry.path.name.casefold()))


class FolderBrowser(Picker):
    """Lists a folder. Enter on a folder opens it, on a file gives back its path."""

    def __init__(self, folder: Path) -> None:
        super().__init__("Which file?", self._list)
        self.folder = folder
        self._folders: set[str] = set()

    async def _list(self, text: str) -> list[Item]:
        where = visible(str(self.folder), "")
        where = where if len(where) <= LONGEST_PATH else f"…{where[1 - LONGEST_PATH :]}"
        self.query_one(".heading", Static).update(Content(where))
        found: list[Entry] = []
        try:
            found = await self.wizard.desk.do(entries_of, self.folder, text)
        except OSError as error:
            self.say(f"This folder cannot be read: {error.strerror or error}.", error=True)
        if len(found) > MOST:
            self.say(f"{len(found):,} entries. These are the first {MOST}: write a part of the name.")
        above = [] if text or self.folder == self.folder.parent else [Item(str(self.folder.parent), "../", "up")]
        self._folders = {item.value for item in above} | {str(entry.path) for entry in found if entry.is_folder}
        return above + [entry.item() for entry in found[:MOST]]

    def action_choose(self) -> None:
        """Open the highlighted folder, or take the highlighted file."""
        if self.item is None or self.item.value not in self._folders:
            super().action_choose()
            return
        self.folder = Path(self.item.value)
        find = self.query_one("#find", Input)
        with self.prevent(Input.Changed):
            find.value = ""
        self.say("")
        self.show()


async def pick_file(app: WizardApp, start: str) -> str | None:
    """Open the folder browser near what is written, and give back the path of the file that was taken."""

    def folder() -> Path:
        try:
            written = Path(start).expanduser()
            near = written if written.is_dir() else written.parent
            return near.absolute() if start and near.is_dir() else Path.home()
        except (OSError, RuntimeError, ValueError):  # a name that is too long, or no home folder to start from
            return Path.cwd()

    found: str | None = await app.push_screen_wait(FolderBrowser(await app.desk.do(folder)))
    return found
