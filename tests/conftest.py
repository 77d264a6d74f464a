"""What every test starts from: a steady environment, a data folder of its own, frames in their place."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

# Frames must not depend on who runs the tests and where, so this comes before anything of ours or of Textual's.
# What is set here is inherited by the processes that pytest-xdist starts.
for name in list(os.environ):
    ours = name.startswith("WIZARD_") and not name.startswith("WIZARD_TEST_") and name != "WIZARD_REQUIRE_SERVICES"
    locale = name.startswith("LC_") or name == "LANGUAGE"
    if ours or locale or name in {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TEXTUAL_THEME"}:
        del os.environ[name]
os.environ.update(
    TZ="UTC", LANG="C.UTF-8", TERM="xterm-256color", TEXTUAL_ANIMATIONS="none", TEXTUAL_COLOR_SYSTEM="truecolor"
)
time.tzset()

# The snapshot plugin has imported Textual by now, and Textual reads its environment only then.
if "textual.constants" in sys.modules:
    importlib.reload(sys.modules["textual.constants"])

from pydantic import SecretStr  # noqa: E402
from pytest_textual_snapshot import SVGImageExtension  # noqa: E402
from sqlalchemy import Engine, create_engine, event, text  # noqa: E402
from syrupy.location import PyTestLocation  # noqa: E402

from tests.support.records import furnish  # noqa: E402
from wizard.settings import Settings  # noqa: E402
from wizard.store.store import Store  # noqa: E402

POSTGRES = "WIZARD_TEST_POSTGRES_URL"

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


def frames_folder(cls: type[SVGImageExtension], *, test_location: PyTestLocation) -> str:
    """The folder of a test module's frames: `snapshots/<test module>`, not one beside the tests."""
    return str(SNAPSHOTS / test_location.basename)


SVGImageExtension.dirname = classmethod(frames_folder)


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder and a configuration folder for this test alone, so that nobody's own products are touched."""
    folder = tmp_path / "data"
    monkeypatch.setenv("WIZARD_DATA_DIR", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


# --- records, on SQLite and on PostgreSQL where WIZARD_TEST_POSTGRES_URL names one ------------------------------------


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> Settings:
    """A data folder with the embedded database."""
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def postgresql_settings(tmp_path: Path) -> Iterator[Settings]:
    """A schema of its own on PostgreSQL, which is gone after the test."""
    url = os.environ.get(POSTGRES)
    if not url:
        pytest.skip(f"{POSTGRES} names no PostgreSQL")
    schema = f"test_{uuid4().hex}"
    server = create_engine(url)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
    yield Settings(data_dir=tmp_path / "data", database_url=SecretStr(own))
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings that name a database which nobody has used, on each kind of database in turn."""
    found = request.getfixturevalue(f"{request.param}_settings")
    assert isinstance(found, Settings)
    return found


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Open records without anything in them."""
    with Store.open(settings) as store:
        yield store


@pytest.fixture
def furnished(store: Store, tmp_path: Path) -> Store:
    """Open records with everything that `ACCOUNT` names."""
    furnish(store, tmp_path)
    return store


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The same database past the store, to see what stands in it and what it refuses."""
    engine = create_engine(settings.database_address or f"sqlite:///{settings.data_dir / 'wizard.db'}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    yield engine
    engine.dispose()


# Where every server is installed (`.ci/run`), a skipped test has proved nothing: it fails, with the reason it gave.


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("WIZARD_REQUIRE_SERVICES") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"nothing may skip under WIZARD_REQUIRE_SERVICES=1, but: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the skip of a test into a failure where nothing may skip."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turns the skip of a whole module into a failure where nothing may skip."""
    report = yield
    _refuse_skip(report)
    return report
