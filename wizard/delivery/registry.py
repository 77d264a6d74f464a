"""Which backends are installed, and loading the one that is chosen.

A third party adds a backend with an entry point in the group `wizard.backends`. It names a `Manifest`, which stands in
a small module of its own; the manifest says where the backend's class is, a class that is called with `Surroundings`.
So a backend is listed, and its settings are checked, before anything of its network code is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pkgutil import resolve_name
from typing import Any, cast

from pydantic import ValidationError

from wizard.delivery.backend import Backend, BackendSettings, Manifest, Surroundings
from wizard.failure import Failure
from wizard.settings import BadSettings, config_file, first_mistake

GROUP = "wizard.backends"


class NoSuchBackend(Failure, LookupError):
    """No backend has that name, or it cannot be loaded. The message says why, and which there are."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A backend that is installed: its manifest, or the reason why that cannot be read."""

    name: str
    package: str
    """The distribution that brings it, with its version."""
    manifest: Manifest | None
    problem: str = ""


def installed() -> list[Installed]:
    """Every installed backend, by name. Reads the manifests and nothing else of them."""
    return [_described(entry) for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)]


def manifest_of(name: str) -> Manifest:
    """The manifest of a backend. Raises `NoSuchBackend`."""
    return _manifest(_entry(name))


def class_of(manifest: Manifest) -> Callable[[Surroundings], Backend]:
    """The class that a manifest names, with all that it imports. Raises `NoSuchBackend`."""
    try:
        return cast("Callable[[Surroundings], Backend]", resolve_name(manifest.backend))
    except Exception as error:
        raise NoSuchBackend(f"The backend “{manifest.name}” cannot be loaded: {error}") from error


def check_settings(manifest: Manifest, given: Mapping[str, Any]) -> BackendSettings:
    """Check a backend's own settings; give them back as its manifest declares them.

    Raises `BadSettings` with the key that is wrong, and never with its value.
    """
    try:
        return manifest.settings.model_validate(dict(given))
    except ValidationError as error:
        key, wrong = first_mistake(error, manifest.settings)
        where = f"{key} in [backends.{manifest.name}] of {config_file()}"
        raise BadSettings(f"{where}: {wrong}") from None


@cache
def _entry(name: str) -> EntryPoint:
    # Kept: reading what is installed takes 7 ms, and what is installed does not change under a running process.
    found = entry_points(group=GROUP)
    if name not in found.names:
        names = ", ".join(sorted(found.names))
        raise NoSuchBackend(f"No backend is called “{name}”. Installed are: {names or 'none'}.")
    return found[name]


def _manifest(entry: EntryPoint) -> Manifest:
    try:
        loaded = entry.load()
    except Exception as error:
        raise NoSuchBackend(f"The backend “{entry.name}” cannot be loaded: {error}") from error
    if not isinstance(loaded, Manifest):
        raise NoSuchBackend(f"The backend “{entry.name}” cannot be used: {entry.value} is no manifest.")
    if loaded.name != entry.name:
        raise NoSuchBackend(f"The backend “{entry.name}” cannot be used: its manifest calls it “{loaded.name}”.")
    return loaded


def _described(entry: EntryPoint) -> Installed:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
    try:
        return Installed(entry.name, package, _manifest(entry))
    except NoSuchBackend as error:
        return Installed(entry.name, package, None, str(error))
