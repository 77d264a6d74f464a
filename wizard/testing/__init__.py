"""The conformance test of backends: whoever writes one subclasses `BackendContract` in a test module of theirs.

    class TestLibrary(BackendContract):
        manifest = LIBRARY
        gives = (GrantAccess(target="yoga-club", levels=("gold",)),)
        takes = (RevokeAccess(target="yoga-club", levels=("gold",)),)

        @pytest.fixture
        def make(self, tmp_path):
            return lambda: LibraryBackend(surroundings(tmp_path, folder=str(tmp_path / "library")))

        @pytest.fixture
        def make_broken(self, tmp_path):
            (tmp_path / "a-file").touch()
            return lambda: LibraryBackend(surroundings(tmp_path, folder=str(tmp_path / "a-file")))

A backend that does several things is tested with a class for each. The actions are carried out by the real runner, as
in a test-fire: mails are filled in from earlier receipts, and every step is checked as the buyer. It needs pytest and
nothing else: `pip install 'product-wizard[testing]'`.
"""

from __future__ import annotations

from wizard.testing.contract import ActionsContract, BackendContract, known_actions, surroundings

__all__ = ["ActionsContract", "BackendContract", "known_actions", "surroundings"]
