"""What a run gave to members who were there before it: all that may be taken from them again."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from urllib.parse import quote

from wizard.fulfillment.backend import BackendError


class Given:
    """The gifts of one run over one connection, in a small file in the data folder.

    A gift is noted before it is made. Whoever is killed in between and performed again finds either the note or a
    member who has nothing, and never takes for a gift what a member held before. Platforms keep no such note for us
    without changing something that a member can see.
    """

    def __init__(self, data_dir: Path, run: str, connection: str) -> None:
        self._path = data_dir / "given" / f"{quote(run, safe='')}.{connection}.json"

    async def all(self) -> list[tuple[str, str]]:
        """Every gift, as the member's id and the role or tier. Raises BackendError."""
        return await asyncio.to_thread(self._read)

    async def note(self, member: str, what: str) -> None:
        """Remember a gift that is about to be made. Raises BackendError."""
        await asyncio.to_thread(self._add, member, what)

    async def forget(self) -> None:
        """Remember nothing more. Raises BackendError."""
        await asyncio.to_thread(self._remove)

    def _read(self) -> list[tuple[str, str]]:
        try:
            return [(member, what) for member, what in json.loads(self._path.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise self._unusable(error) from error

    def _add(self, member: str, what: str) -> None:
        gifts = self._read()
        if (member, what) in gifts:
            return
        new = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps([*gifts, (member, what)]), encoding="utf-8")
            os.replace(new, self._path)
        except OSError as error:
            raise self._unusable(error) from error

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> BackendError:
        return BackendError(
            f"{self._path} cannot be used ({error}), and without it nothing may be taken from a member."
        )
