"""Opening a database of any age: created, brought up to date after a backup, or refused with a way out."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, inspect, text

from models.records import Record
from tests.support.records import in_another_process
from wizard.settings import Settings
from wizard.store import Corrupt, MigrationFailed, NewerDatabase, schema
from wizard.store.store import Store

ADDS_A_TABLE = f"""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9998", "{schema.NEWEST}", None, None

def upgrade() -> None:
    op.create_table("coupon", sa.Column("code", sa.String(), primary_key=True))
"""
FAILS_HALFWAY = f"{ADDS_A_TABLE}\n    op.execute('INSERT INTO nowhere VALUES (1)')\n"


def next_version(monkeypatch: pytest.MonkeyPatch, folder: Path, migration: str) -> None:
    """Let the wizard be a version that brings one migration more."""
    migrations = shutil.copytree(schema.MIGRATIONS, folder / "migrations")
    (migrations / "versions" / "9998_next.py").write_text(migration)
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "NEWEST", "9998")


def test_a_new_database_has_the_tables_that_the_records_describe(store: Store, engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Record.metadata) == []


def test_a_new_database_has_the_checks_that_the_records_describe(sqlite_settings: Settings) -> None:
    # PostgreSQL writes a check down in words of its own; SQLite keeps ours, and both come from the same migration.
    with Store.open(sqlite_settings) as store:
        found = inspect(store._database._engine)
        for table in Record.metadata.sorted_tables:
            checks = {c.name: str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)}
            assert {c["name"]: c["sqltext"] for c in found.get_check_constraints(table.name)} == checks, table.name


def test_the_newest_migration_is_the_one_that_the_store_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)

    assert scripts.get_current_head() == schema.NEWEST
    assert {script.revision for script in scripts.walk_revisions()} == schema.known_revisions()


OPENS_AGAIN = """
import sys
from pathlib import Path
from wizard.settings import Settings
import wizard.store
assert not [name for name in sys.modules if name.split(".")[0] in ("sqlalchemy", "sqlmodel")], "imported too early"
with wizard.store.open_store(Settings(data_dir=Path(sys.argv[1]))) as store:
    print(store.products().total, sorted({name.split(".")[0] for name in sys.modules} & {"alembic", "psycopg"}))
"""


def test_a_current_database_is_opened_without_alembic_and_without_the_driver_of_another(
    sqlite_settings: Settings,
) -> None:
    with Store.open(sqlite_settings) as store:
        store.create("Yoga", "ada")

    output, errors = in_another_process(OPENS_AGAIN, str(sqlite_settings.data_dir)).communicate(timeout=60)

    assert output == "1 []\n", errors


def test_an_older_database_is_brought_up_to_date_and_keeps_what_it_holds(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(settings) as store:
        product = store.create("Yoga", "ada")
    next_version(monkeypatch, tmp_path, ADDS_A_TABLE)

    with Store.open(settings) as store:
        assert store.load("yoga") == product

    assert inspect(engine).has_table("coupon")


def test_an_embedded_database_is_copied_before_it_is_migrated(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema.NEWEST
    with Store.open(sqlite_settings) as store:
        store.create("Yoga", "ada")
        next_version(monkeypatch, tmp_path, ADDS_A_TABLE)
        # While the first one is open, its write-ahead log holds what the copy must have too.
        Store.open(sqlite_settings).close()

    [copy] = (sqlite_settings.data_dir / "backups").iterdir()
    assert copy.name.startswith(f"wizard-{before}-")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT slug FROM product").fetchall() == [("yoga",)]
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(before,)]
    connection.close()


def test_a_new_database_is_not_copied(sqlite_settings: Settings) -> None:
    Store.open(sqlite_settings).close()

    assert not (sqlite_settings.data_dir / "backups").exists()


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(settings) as store:
        product = store.create("Yoga", "ada")
    with monkeypatch.context() as newer:
        next_version(newer, tmp_path, FAILS_HALFWAY)
        with pytest.raises(MigrationFailed, match="nowhere"):
            Store.open(settings)

    assert not inspect(engine).has_table("coupon")
    with Store.open(settings) as store:
        assert store.load("yoga") == product


def test_a_database_of_a_newer_version_is_refused_and_not_touched(settings: Settings, engine: Engine) -> None:
    Store.open(settings).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))

    with pytest.raises(NewerDatabase, match="Update the wizard"):
        Store.open(settings)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0099"


def test_somebody_elses_tables_are_left_alone(settings: Settings, engine: Engine) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE product (sku INTEGER)"))

    with pytest.raises(Corrupt, match="not the wizard's"):
        Store.open(settings)

    assert inspect(engine).get_table_names() == ["product"]


OPENS_FIRST = """
import sys
from pathlib import Path
from pydantic import SecretStr
from wizard.settings import Settings
from wizard.store import open_store
url = sys.argv[2]
settings = Settings(data_dir=Path(sys.argv[1]), database_url=SecretStr(url) if url else None)
import wizard.store.store, alembic.command
print("ready", flush=True)
sys.stdin.readline()
with open_store(settings) as store:
    store.create(sys.argv[3], "ada")
"""


def test_processes_that_open_a_new_database_at_once_all_find_it_whole(settings: Settings) -> None:
    names = ["ada", "grace", "mary"]
    arguments = [str(settings.data_dir), settings.database_address or ""]
    processes = [in_another_process(OPENS_FIRST, *arguments, name) for name in names]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    errors: list[Any] = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        errors.append(process.communicate(timeout=60)[1])

    with Store.open(settings) as store:
        assert [row.name for row in store.products().rows] == names, errors
