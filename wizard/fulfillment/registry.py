"""Which backends are installed, and loading the one that is chosen.

A third party adds a backend with an entry point in the group `wizard.backends`: its name, and a class that is called
with `Surroundings`. Nothing of a backend is imported before it is chosen or listed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from wizard.fulfillment.backend import Backend, Manifest, Surroundings

GROUP = "wizard.backends"


class NoSuchBackend(LookupError):
    """No backend has that name, or it cannot be loaded. The message says why, and which there are."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A backend that is installed: its manifest, or the reason why it cannot be loaded."""

    name: str
    package: str
    """The distribution that brings it, with its version."""
    manifest: Manifest | None
    problem: str = ""


def installed() -> list[Installed]:
    """Every installed backend, by name. Loads each to read its manifest."""
    return [_described(entry) for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)]


def backend_class(name: str) -> Callable[[Surroundings], Backend]:
    """The class of a backend. Raises NoSuchBackend."""
    return _loaded(_entry(name))


@cache
def _entry(name: str) -> EntryPoint:
    # Kept: reading what is installed takes 7 ms, and what is installed does not change under a running process.
    found = entry_points(group=GROUP)
    if name not in found.names:
        names = ", ".join(sorted(found.names))
        raise NoSuchBackend(f"No backend is called “{name}”. Installed are: {names or 'none'}.")
    return found[name]


def _loaded(entry: EntryPoint) -> Callable[[Surroundings], Backend]:
    try:
        loaded = entry.load()
    except Exception as error:
        raise NoSuchBackend(f"The backend “{entry.name}” cannot be loaded: {error}") from error
    if not isinstance(getattr(loaded, "manifest", None), Manifest):
        raise NoSuchBackend(f"The backend “{entry.name}” cannot be used: {entry.value} has no manifest.")
    return cast("Callable[[Surroundings], Backend]", loaded)


def _described(entry: EntryPoint) -> Installed:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
    try:
        manifest = getattr(_loaded(entry), "manifest", None)
    except NoSuchBackend as error:
        return Installed(entry.name, package, None, str(error))
    return Installed(entry.name, package, manifest)
