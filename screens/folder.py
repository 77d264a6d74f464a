"""The folder browser: pick a file of the seller's machine, whatever it is called."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Input, Static

from models.characters import visible
from screens.picker import Picker
from screens.widgets.controls import Item

if TYPE_CHECKING:
    from screens.host import Host

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


def place_of(text: str, folder: Path) -> tuple[Path, str]:
    """The folder that a text leads to from another one, and the part of a name that is left to find there.

    A text without a slash is a part of a name; `books/`, `~/books/gui` or `/srv/gui` lead anywhere.
    """
    head, slash, tail = text.rpartition("/")
    if not slash:
        return (Path.home(), "") if text == "~" else (folder, text)
    return (folder / Path(f"{head}/").expanduser()).resolve(), tail


class FolderBrowser(Picker):
    """Lists a folder. Enter on a folder opens it, on a file gives back its path; a path that is written leads there."""

    def __init__(self, folder: Path) -> None:
        super().__init__("Which file?", self._list)
        self.folder = folder
        self._folders: set[str] = set()

    async def _list(self, text: str) -> list[Item]:
        found: list[Entry] = []
        folder, wanted = self.folder, text
        try:
            folder, wanted = await self.wizard.desk.do(place_of, text, self.folder)
            found = await self.wizard.desk.do(entries_of, folder, wanted)
        except (OSError, RuntimeError, ValueError) as error:  # no such folder or user, or a name too long for any
            self.say(f"This folder cannot be read: {getattr(error, 'strerror', None) or error}.", error=True)
        where = visible(str(folder), "")
        where = where if len(where) <= LONGEST_PATH else f"…{where[1 - LONGEST_PATH :]}"
        self.query_one(".heading", Static).update(Content(where))
        if len(found) > MOST:
            self.say(f"{len(found):,} entries. These are the first {MOST}: write a part of the name.")
        above = [] if wanted or folder == folder.parent else [Item(str(folder.parent), "../", "up")]
        self._folders = {item.value for item in above} | {str(entry.path) for entry in found if entry.is_folder}
        return above + [entry.item() for entry in found[:MOST]]

    def action_choose(self) -> None:
        """Open the highlighted folder, or take the highlighted file."""
        if self.item is None or self.item.value not in self._folders:
            if self.item is not None:
                self.wizard.last_folder = Path(self.item.value).parent
            super().action_choose()
            return
        self.folder = Path(self.item.value)
        find = self.query_one("#find", Input)
        with self.prevent(Input.Changed):
            find.value = ""
        self.say("")
        self.show()


def start_from(written: str, last: Path | None) -> Path:
    """The folder to begin with: near what is written, where the last file was, or the first that has something in it
    of the seller's home and the folder that the program was started in."""
    try:
        if written:
            path = Path(written).expanduser()
            near = path if path.is_dir() else path.parent
            if near.is_dir():
                return near.absolute()
        if last is not None and last.is_dir():
            return last
        return next((folder for folder in (Path.home(), Path.cwd()) if entries_of(folder, "")), Path.home())
    except (OSError, RuntimeError, ValueError):  # a name that is too long, or no home folder to start from
        return Path.cwd()


async def pick_file(app: Host, start: str) -> str | None:
    """Open the folder browser near what is written, and give back the path of the file that was taken."""
    folder = await app.desk.do(start_from, start, app.last_folder)
    found: str | None = await app.push_screen_wait(FolderBrowser(folder))
    return found
