"""What the wizard reads before it loads the backend: its name, what it can do, and what can be set.

Import nothing here that takes long or reaches the network: this is read whenever backends are listed.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from wizard.delivery.backend import BackendSettings, Manifest


class LibrarySettings(BackendSettings):
    """The table `[backends.lending-library]` of config.toml."""

    folder: Path
    """Where the library keeps its JSON files. It is made when it is missing."""
    stamp: SecretStr = Field(min_length=16)
    """What the numbers of readers' cards are made with: 16 characters or more, known to nobody else."""


LENDING_LIBRARY = Manifest(
    name="lending-library",
    label="Lending library: a folder of JSON files",
    can=frozenset({"grant_access", "revoke_access", "send_email", "show_page", "keep_access"}),
    leaves_out=frozenset({"integrated_membership"}),
    backend="lending_library.backend:LibraryBackend",
    settings=LibrarySettings,
)
