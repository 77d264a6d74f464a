"""The lending library keeps what every backend promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lending_library.backend import LibraryBackend
from lending_library.manifest import LENDING_LIBRARY

from models.fulfillment import GrantAccess, RevokeAccess, SendEmail, ShowPage
from wizard.delivery.backend import Backend
from wizard.testing import BackendContract, surroundings

STAMP = "a stamp that nobody else knows"


class TestLendingLibrary(BackendContract):
    manifest = LENDING_LIBRARY
    gives = (
        GrantAccess(target="yoga-club", levels=("silver", "gold")),
        SendEmail(target="membership_welcome", subject="Your card", body="Your card: {login_password}"),
        ShowPage(target="yoga-masterclass", source="product", text="Welcome to the club!"),
    )
    takes = (RevokeAccess(target="yoga-club", levels=("silver", "gold")),)
    secrets = (STAMP,)

    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[[], Backend]:
        return lambda: LibraryBackend(surroundings(tmp_path, folder=str(tmp_path / "library"), stamp=STAMP))

    @pytest.fixture
    def make_broken(self, tmp_path: Path) -> Callable[[], Backend]:
        (tmp_path / "a-file").touch()
        return lambda: LibraryBackend(surroundings(tmp_path, folder=str(tmp_path / "a-file"), stamp=STAMP))
