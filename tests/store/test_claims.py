"""Claims on runs: one holder at a time, and none that outlives its process."""

from __future__ import annotations

import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.support.records import in_another_process
from wizard.runs.ledger import Ledger, MemoryLedger
from wizard.settings import Settings
from wizard.store import NotCreatable
from wizard.store.store import Store

HOLDS = """
import sys
from pathlib import Path
from pydantic import SecretStr
from wizard.settings import Settings
from wizard.store import open_store
url = sys.argv[2]
settings = Settings(data_dir=Path(sys.argv[1]), database_url=SecretStr(url) if url else None)
with open_store(settings) as store, store.claim(sys.argv[3]) as is_mine:
    print(is_mine, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(settings: Settings) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts processes that hold a run until a line is written to them."""
    started: list[subprocess.Popen[str]] = []

    def hold(run: str) -> subprocess.Popen[str]:
        process = in_another_process(HOLDS, str(settings.data_dir), settings.database_address or "", run)
        started.append(process)
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said in ("True\n", "False\n"), process.communicate(timeout=60)
        return process

    yield hold
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A ledger of every kind in turn."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    with Store.open(request.getfixturevalue(f"{request.param}_settings")) as store:
        yield store


def is_free(ledger: Ledger, run: str) -> bool:
    with ledger.claim(run) as is_mine:
        return is_mine


# --- in one process --------------------------------------------------------------------------------------------------


def test_a_run_is_held_while_the_body_lasts(ledger: Ledger) -> None:
    assert not ledger.is_claimed("r1")
    with ledger.claim("r1") as is_mine:
        assert is_mine
        assert ledger.is_claimed("r1")
    assert not ledger.is_claimed("r1")
    assert is_free(ledger, "r1")


def test_whoever_comes_second_gets_false_and_does_not_end_the_first_ones_claim(ledger: Ledger) -> None:
    with ledger.claim("r1") as is_mine:
        for _ in range(2):
            assert not is_free(ledger, "r1")
        assert is_mine
        assert ledger.is_claimed("r1")


def test_another_run_is_free(ledger: Ledger) -> None:
    with ledger.claim("r1"):
        assert is_free(ledger, "r2")
        assert not ledger.is_claimed("r2")


def test_an_error_in_the_body_ends_the_claim_and_is_raised(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.claim("r1"):
        _ = 1 / 0

    assert is_free(ledger, "r1")


def test_another_thread_gets_false(ledger: Ledger) -> None:
    found: list[bool] = []
    with ledger.claim("r1"):
        thread = threading.Thread(target=lambda: found.append(is_free(ledger, "r1")))
        thread.start()
        thread.join()

    assert found == [False]


def test_another_thread_may_let_go_of_it(ledger: Ledger) -> None:
    claim = ledger.claim("r1")
    assert claim.__enter__()
    thread = threading.Thread(target=lambda: claim.__exit__(None, None, None))
    thread.start()
    thread.join()

    assert is_free(ledger, "r1")


def test_of_many_threads_one_gets_it(ledger: Ledger) -> None:
    found: list[bool] = []
    together, all_asked = threading.Barrier(8), threading.Barrier(8)

    def ask() -> None:
        together.wait(60)
        with ledger.claim("r1") as is_mine:
            found.append(is_mine)
            all_asked.wait(60)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [False] * 7 + [True]


def test_there_is_never_a_second_holder_however_often_it_changes_hands(ledger: Ledger) -> None:
    holders: list[int] = []
    most: list[int] = []

    def take_turns() -> None:
        for _ in range(100):
            with ledger.claim("r1") as is_mine:
                if is_mine:
                    holders.append(1)
                    most.append(len(holders))
                    holders.pop()

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(most) == {1}


def test_whoever_only_looks_keeps_nobody_from_claiming(ledger: Ledger) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            ledger.is_claimed("r1")

    looking = threading.Thread(target=look)
    looking.start()
    try:
        assert all(is_free(ledger, "r1") for _ in range(200))
    finally:
        stop.set()
        looking.join()


@pytest.mark.parametrize("run", ["../../escaped", "a/b", "..", "", "nul", "ünï cöde"])
def test_a_name_that_is_no_run_escapes_nowhere(ledger: Ledger, run: str, tmp_path: Path) -> None:
    with ledger.claim(run) as is_mine:
        assert is_mine
        assert ledger.is_claimed(run)
        assert not ledger.is_claimed(f"{run}x")
        locks = [path for path in tmp_path.rglob("*.lock") if path.parent.name != "claims"]

    assert locks == []


def test_a_claim_takes_none_of_the_connections_that_work_goes_through(store: Store) -> None:
    claims = [store.claim(f"r{number}") for number in range(20)]  # more than the pool of connections has
    for claim in claims:
        assert claim.__enter__()

    assert store.create("Yoga", "ada").slug == "yoga"
    for claim in claims:
        claim.__exit__(None, None, None)


# --- between processes ------------------------------------------------------------------------------------------------


def test_a_second_process_gets_false(store: Store, holder: Callable[[str], subprocess.Popen[str]]) -> None:
    first = holder("r1")

    assert store.is_claimed("r1")
    assert not is_free(store, "r1")

    first.communicate("done\n", timeout=60)
    assert not store.is_claimed("r1")
    assert is_free(store, "r1")


def test_a_claim_dies_with_a_process_that_is_killed(
    store: Store, settings: Settings, holder: Callable[[str], subprocess.Popen[str]]
) -> None:
    for _ in range(5):
        process = holder("r1")
        assert store.is_claimed("r1")

        process.kill()
        process.wait()

        if settings.database_address is None:
            assert not store.is_claimed("r1")
        else:
            # The server ends the session when it next looks at the connection; nothing of ours has to be done for it.
            until = time.monotonic() + 60
            while store.is_claimed("r1") and time.monotonic() < until:
                time.sleep(0.001)
        assert is_free(store, "r1")


def test_a_process_that_is_stopped_still_holds_it(store: Store, holder: Callable[[str], subprocess.Popen[str]]) -> None:
    process = holder("r1")
    process.send_signal(signal.SIGSTOP)

    assert not is_free(store, "r1")
    process.send_signal(signal.SIGCONT)


# --- where the locks are ----------------------------------------------------------------------------------------------


def test_a_claim_that_ended_leaves_no_file(sqlite_settings: Settings) -> None:
    with Store.open(sqlite_settings) as store:
        with store.claim("r1"):
            [held] = (sqlite_settings.data_dir / "claims").iterdir()
            assert stat.S_IMODE(held.stat().st_mode) == 0o600
        store.is_claimed("r1")

        assert list((sqlite_settings.data_dir / "claims").iterdir()) == []


def test_looking_makes_no_folder(sqlite_settings: Settings) -> None:
    with Store.open(sqlite_settings) as store:
        assert not store.is_claimed("r1")

    assert not (sqlite_settings.data_dir / "claims").exists()


def test_a_folder_that_cannot_be_made_is_said_to_be_impossible(sqlite_settings: Settings) -> None:
    with Store.open(sqlite_settings) as store:
        (sqlite_settings.data_dir / "claims").write_text("in the way")

        with pytest.raises(NotCreatable, match="claims cannot be made"), store.claim("r1"):
            pass


def test_two_installations_in_one_database_do_not_disturb_each_other(postgresql_settings: Settings) -> None:
    with Store.open(postgresql_settings) as one:
        address = postgresql_settings.database_address or ""
        schema = f"test_{uuid4().hex}"
        with one._database.transaction(writing=True) as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        try:
            other = Settings(
                data_dir=postgresql_settings.data_dir,
                database_url=address.partition("options=")[0] + f"options=-csearch_path%3D{schema}",  # type: ignore[arg-type]
            )
            with Store.open(other) as two, one.claim("r1"):
                assert not two.is_claimed("r1")
                assert is_free(two, "r1")
        finally:
            with one._database.transaction(writing=True) as connection:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
