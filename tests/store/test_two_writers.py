"""Several real processes at the same records: nothing is silently overwritten, and nothing acknowledged is lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.records import in_another_process
from wizard.settings import Settings
from wizard.store.store import Store

WRITER = """
import sys
from pathlib import Path
from pydantic import SecretStr
from models.saved import Change
from wizard.settings import Settings
from wizard.store import Stale, open_store

folder, url, who, times, insists = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "insists"
settings = Settings(data_dir=Path(folder), database_url=SecretStr(url) if url else None)

def described(answers, words):
    return answers.model_copy(update={"general": answers.general.model_copy(update={"description": words})})

with open_store(settings, patience=30) as store:
    saved = store.load("yoga")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(times):
        words = f"{who} {number}"
        while True:
            change = Change(path="general.description", old=saved.answers.general.description, new=words)
            try:
                saved = store.save("yoga", saved.revision, described(saved.answers, words), [change], who, False)
                print("saved", saved.revision, flush=True)
            except Stale as stale:
                print("stale", stale.saved.revision, stale.entries[0].who, flush=True)
                if insists:
                    saved = stale.saved
                    continue
            break
"""


def writers(settings: Settings, times: int, insists: bool, *names: str) -> list[list[str]]:
    """What each of these writers said, who all began with the same revision and at the same time."""
    arguments = [str(settings.data_dir), settings.database_address or ""]
    more = [str(times), "insists" if insists else "gives up"]
    processes = [in_another_process(WRITER, *arguments, name, *more) for name in names]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [said(process) for process in processes]


def said(process: subprocess.Popen[str]) -> list[str]:
    """What a process printed, once it ended well."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.splitlines()


def test_of_two_writers_of_the_same_revision_one_is_told_what_the_other_changed(
    settings: Settings, store: Store
) -> None:
    store.create("Yoga", "ada")

    outcomes = {"ada": (found := writers(settings, 1, False, "ada", "grace"))[0], "grace": found[1]}

    winner = next(name for name, lines in outcomes.items() if lines == ["saved 2"])
    loser = next(name for name in outcomes if name != winner)
    assert outcomes[loser] == [f"stale 2 {winner}"]
    assert store.load("yoga").answers.general.description == f"{winner} 0"


def test_writers_who_start_over_after_each_conflict_lose_none_of_their_changes(
    settings: Settings, store: Store
) -> None:
    store.create("Yoga", "ada")

    writers(settings, 10, True, "ada", "grace", "mary")

    entries = [entry for entry in store.history("yoga", limit=100) if entry.path == "general.description"]
    assert store.load("yoga").revision == 31
    assert sorted(entry.new for entry in entries) == sorted(
        f"{who} {number}" for who in ("ada", "grace", "mary") for number in range(10)
    )
    # Each change began from the one before it: no writer overwrote what it had not seen.
    entries.reverse()
    assert [entry.old for entry in entries] == ["", *[entry.new for entry in entries[:-1]]]


KILLED = """
import json, os, random, signal, sys, time
from pathlib import Path
from models.saved import Change
from wizard.settings import Settings
from wizard.store import open_store

settings = Settings(data_dir=Path(sys.argv[1]))
with open_store(settings) as store:
    store.create("Yoga", "ada")

def save_for_ever(pipe):
    with open_store(settings) as store:
        saved = store.load("yoga")
        while True:
            general = saved.answers.general.model_copy(update={"description": f"{saved.revision + 1} " * 200})
            answers = saved.answers.model_copy(update={"general": general})
            saved = store.save("yoga", saved.revision, answers, [Change(path="x", new=saved.revision)], "ada", False)
            os.write(pipe, b"%d\\n" % saved.revision)

chance = random.Random(7)
lost, acknowledged = [], 0
for kill in range(100):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        save_for_ever(writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        first = pipe.readline()
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = (first + pipe.read()).decode().split("\\n")[:-1]
    acknowledged = int(lines[-1]) if lines else acknowledged
    with open_store(settings) as store:
        found = store.load("yoga")
        whole = found.answers.general.description == (f"{found.revision} " * 200).strip()
        newest = store.history("yoga", limit=1)[0].revision
    if found.revision < acknowledged or not whole or newest != found.revision:
        lost.append((kill, acknowledged, found.revision, newest, whole))
print(json.dumps({"lost": lost, "acknowledged": acknowledged}))
"""


def test_a_process_killed_100_times_amid_its_saves_loses_none_that_it_acknowledged(tmp_path: Path) -> None:
    found = json.loads("".join(said(in_another_process(KILLED, str(tmp_path / "data")))))

    assert found["lost"] == []
    assert found["acknowledged"] > 100
