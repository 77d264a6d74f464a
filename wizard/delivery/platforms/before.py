"""What a member had before a run touched them: kept in a file, so that a run that was stopped midway and goes on takes
away what it gave and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

from wizard.delivery.errors import BackendError


class Before:
    """The memory of one connection in one run."""

    def __init__(self, data_dir: Path, run: str, connection: str) -> None:
        self._path = data_dir / "platforms" / f"{run}.{connection}.json"

    def remember(self, member: str, held: list[str]) -> list[str]:
        """Note what a member holds, on the first call for this member; give back what was noted then. Raises
        BackendError when the folder cannot be used."""
        try:
            known = self._read()
            if member not in known:
                known[member] = held
                self._path.parent.mkdir(parents=True, exist_ok=True)
                # Whole or not at all: half a memory would be none.
                fresh = self._path.with_suffix(f".{os.getpid()}")
                fresh.write_text(json.dumps(known), encoding="utf-8")
                fresh.replace(self._path)
        except OSError as error:
            raise BackendError(f"{self._path.parent} cannot be used: {error.strerror or error}.") from error
        return known[member]

    def recall(self, member: str) -> list[str] | None:
        """What was noted of a member; None when this run never met them."""
        return self._read().get(member)

    def forget(self) -> None:
        """The run is cleaned up."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, list[str]]:
        if not self._path.exists():
            return {}
        known: dict[str, list[str]] = json.loads(self._path.read_text(encoding="utf-8"))
        return known
