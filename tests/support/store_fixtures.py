"""Where the tests of the records work: on SQLite, and on PostgreSQL where WIZARD_TEST_POSTGRES_URL names one.

A test module takes what it needs by assignment, as in `store = store_fixtures.store`: then pytest finds the fixture
there, and the rest of the tests know nothing of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, event, text

from models.account import File
from models.product import Product
from models.saved import Change, SavedProduct
from tests.support.strategies import ACCOUNT
from wizard.settings import Settings
from wizard.store.store import Store

ROOT = Path(__file__).parents[2]
POSTGRES = "WIZARD_TEST_POSTGRES_URL"


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


def furnish(store: Store, folder: Path) -> None:
    """Put the things of `ACCOUNT` into the records."""
    workbook = folder / "workbook.pdf"
    workbook.write_bytes(b"%PDF-1.7 a workbook")
    for thing in (*ACCOUNT.memberships, *ACCOUNT.connections, *ACCOUNT.calendars, *ACCOUNT.webinars):
        store.put(thing)
    store.put(File(slug="workbook", name="Workbook", path=str(workbook)))


def answers(name: str = "Yoga Masterclass", **steps: Any) -> Product:
    """The answers of a product of this name."""
    return Product.model_validate({"general": {"name": name}, **steps})


def hosted(*levels: str, membership: str | None = "yoga-club") -> dict[str, Any]:
    """The step Post sale of a product that opens these levels."""
    option = {"membership": membership, "levels": levels}
    return {"access": {"kind": "hosted_membership", "hosted_membership": option}}


def saved_with(store: Store, product: SavedProduct, who: str = "ada", **steps: Any) -> SavedProduct:
    """The product after some of its steps were answered anew."""
    plain = product.answers.model_dump(mode="json")
    new = Product.model_validate({**plain, **steps})
    changes = [Change(path=step, old=plain[step], new=value) for step, value in steps.items()]
    return store.save(product.slug, product.revision, new, changes, who, complete=False)


def in_another_process(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python script beside this process, with pipes to talk through."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
