"""Secrets at rest: what stands in the database says nothing without the keys, and no kill and no rotation loses one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, text

from models.account import Connection
from models.events import Event
from models.product import Product
from tests.support.records import ROOT, in_another_process
from tests.support.shop import NOW
from wizard import documents
from wizard.cli import main
from wizard.preflight import check, inspect
from wizard.sale.plan import plan
from wizard.sale.sold import Held, NotReady, Sale
from wizard.settings import BadSettings, Settings, load
from wizard.store import KeysUnusable, schema
from wizard.store.keys import Keys
from wizard.store.private import write_private_file
from wizard.store.store import Store

ZEROS = "A" * 43 + "="
OTHER = "B" * 43 + "="
SECRET = "0123456789abcdef01234567:89abcdef"


def blog(**changes: object) -> Connection:
    plain = {"slug": "blog", "name": "Blog", "kind": "ghost", "url": "https://blog.example.com", "tier": "gold"}
    return Connection.model_validate({**plain, "admin_api_key": SECRET, **changes})


def secret_in(store: Store, slug: str = "blog") -> str | None:
    found = next(c for c in store.account().account.connections if c.slug == slug)
    return found.admin_api_key.get_secret_value() if found.admin_api_key else None


def token_in(engine: Engine, slug: str = "blog") -> bytes:
    with engine.connect() as connection:
        query = text("SELECT secrets FROM connection WHERE slug = :slug")
        return bytes(connection.execute(query, {"slug": slug}).scalar_one())


def key_file(settings: Settings) -> Path:
    return settings.data_dir / "keys"


# --- where the keys are ----------------------------------------------------------------------------------------------


def test_the_first_secret_makes_a_key_that_only_the_owner_can_read(store: Store, settings: Settings) -> None:
    store.put(Connection(slug="my-site", name="My site"))
    assert not key_file(settings).exists()

    store.put(blog())

    assert stat.S_IMODE(key_file(settings).stat().st_mode) == 0o600
    [line] = key_file(settings).read_text().splitlines()
    Fernet(line)


def test_what_stands_in_the_database_is_a_token_that_the_key_opens(
    store: Store, settings: Settings, engine: Engine
) -> None:
    store.put(blog())

    token = token_in(engine)
    assert SECRET.encode() not in token
    plain = Fernet(key_file(settings).read_text().strip()).decrypt(token)
    assert json.loads(plain) == {"admin_api_key": SECRET}


def test_a_connection_without_secrets_has_nothing_sealed(store: Store, engine: Engine) -> None:
    store.put(Connection(slug="my-site", name="My site"))

    assert token_in(engine, "my-site") == b""


def test_keys_from_the_environment_take_the_place_of_the_file(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZARD_SECRET_KEYS", f"{ZEROS}, {OTHER}")

    with Store.open(load()) as store:
        store.put(blog())
        assert secret_in(store) == SECRET
        token = token_in(store._database._engine)

    assert json.loads(Fernet(ZEROS).decrypt(token)) == {"admin_api_key": SECRET}
    assert not (data_dir / "keys").exists()


def test_a_key_that_is_none_in_the_environment_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIZARD_SECRET_KEYS", f"{ZEROS},hunter2")

    with pytest.raises(BadSettings, match="WIZARD_SECRET_KEYS: write one or more Fernet keys") as wrong:
        load()

    assert "hunter2" not in str(wrong.value)


def test_no_key_shows_when_things_are_printed(settings: Settings) -> None:
    given = load(secret_keys=ZEROS)
    keys = Keys.of(given)

    assert ZEROS not in f"{given!r} {given.model_dump_json()} {keys!r} {keys._read()!r} {vars(keys)!r}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_open_is_refused_with_the_way_out(
    store: Store, settings: Settings, mode: int
) -> None:
    store.put(blog())
    key_file(settings).chmod(mode)

    with pytest.raises(KeysUnusable, match=f"chmod 600 {key_file(settings)}"):
        store.put(blog(admin_api_key="another:one"))

    assert "is open to others" in store.account().unreadable["blog"]
    key_file(settings).chmod(0o600)
    assert secret_in(store) == SECRET


DAMAGED = {
    "an empty file": (b"", "there is no key in it"),
    "only a root": (b"root " + ZEROS.encode() + b"\n", "there is no key in it"),
    "a line cut short": (ZEROS.encode() + b"\n" + ZEROS.encode()[:20], "line 2 is no key"),
    "bytes": (b"\xff\xfe\x00", "line 1 is no key"),
    "an empty line": (b"\n" + ZEROS.encode(), "line 1 is no key"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_key_file_is_said_to_be_one_and_is_not_written_over(case: str, sqlite_settings: Settings) -> None:
    content, why = DAMAGED[case]
    with Store.open(sqlite_settings) as store:
        store.put(blog())
        key_file(sqlite_settings).write_bytes(content)

        with pytest.raises(KeysUnusable, match=f"is damaged: {why}"):
            store.put(blog(admin_api_key="another:one"))
        with pytest.raises(KeysUnusable, match="is damaged"):
            store.rotate_keys()

        assert why in store.account().unreadable["blog"]
    assert key_file(sqlite_settings).read_bytes() == content


def test_a_folder_in_the_place_of_the_key_file_is_said_to_be_unreadable(sqlite_settings: Settings) -> None:
    key_file(sqlite_settings).mkdir(parents=True)

    with pytest.raises(KeysUnusable, match="Is a directory"):
        Keys.of(sqlite_settings).seal(b"x")


SEALS = """
import sys
from pathlib import Path
from wizard.store.keys import Keys
keys = Keys(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(keys.seal(b"plain").decode(), keys.derived("x").hex())
"""


def test_processes_that_need_the_first_key_at_once_share_one(tmp_path: Path) -> None:
    processes = [in_another_process(SEALS, str(tmp_path)) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].split() for process in processes]

    keys = Keys(tmp_path)
    assert [keys.unseal(token.encode()) for token, _ in said] == [b"plain"] * 4
    assert {derived for _, derived in said} == {keys.derived("x").hex()}
    assert len(keys.fingerprints()) == 1


# --- a secret that cannot be read ------------------------------------------------------------------------------------


@pytest.fixture
def lost(store: Store, settings: Settings) -> bytes:
    """Records with a product that needs a connection whose key was lost. Gives what the key file held."""
    store.put(Connection(slug="my-site", name="My site"))
    store.put(blog())
    store.record_check("blog", True, "It works.", NOW)
    integrated = {"kind": "integrated_membership", "integrated_membership": {"connection": "blog", "level": "gold"}}
    answers = {"general": {"name": "Yoga"}, "pricing": {"prices": [{"type": "one_time", "amount": "9.00"}]}}
    store.create("Yoga", "ada", Product.model_validate({**answers, "post_sale": {"access": integrated}}))
    held = key_file(settings).read_bytes()
    key_file(settings).unlink()
    return held


def test_without_the_key_everything_else_still_works(store: Store, lost: bytes) -> None:
    account = store.account()

    assert [row.slug for row in store.products().rows] == ["yoga"]
    assert [c.slug for c in account.account.connections] == ["blog", "my-site"]
    assert list(account.unreadable) == ["blog"]
    assert store.load("yoga").answers.post_sale.access.integrated_membership.connection == "blog"


def test_the_connection_says_that_its_secret_must_be_written_again_or_the_key_brought_back(
    store: Store, settings: Settings, lost: bytes
) -> None:
    last = store.account().checks["blog"]

    assert not last.ok
    assert last.detail == (
        f"Its secret cannot be read: no key in the file {key_file(settings)} opens it. "
        "Write it again, or bring the key back."
    )
    [finding] = [f for f in check(inspect(store, "yoga", NOW)) if f.rule == "PF-03"]
    assert "Its secret cannot be read" in finding.message


def test_a_fire_with_it_says_so_before_anything_is_sent(store: Store, lost: bytes) -> None:
    with pytest.raises(NotReady, match=r"“Blog” cannot be asked. Its secret cannot be read") as refused:
        plan(Sale(product=store.load("yoga"), account=store.account()), Event.PURCHASE, Held(), NOW)

    assert refused.value.field == "post_sale.access.integrated_membership.connection"


def test_the_commands_say_so(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(load()) as store:
        store.put(blog())
        integrated = {"kind": "integrated_membership", "integrated_membership": {"connection": "blog", "level": "gold"}}
        answers = {"general": {"name": "Yoga"}, "pricing": {"prices": [{"type": "one_time", "amount": "9.00"}]}}
        store.create("Yoga", "ada", Product.model_validate({**answers, "post_sale": {"access": integrated}}))
    (data_dir / "keys").write_text(f"{OTHER}\n")

    assert main(["fire", "yoga"]) == 1
    assert "post_sale.access.integrated_membership.connection: “Blog” cannot be asked." in capsys.readouterr().err
    assert main(["connections", "check", "blog"]) == 1
    assert "blog does not work: Its secret cannot be read: no key in the file" in capsys.readouterr().out
    assert main(["products"]) == 0


def test_the_key_brought_back_reads_it_again(store: Store, settings: Settings, lost: bytes) -> None:
    store.put(blog(slug="other", name="Other"))  # has made a new key meanwhile
    new = key_file(settings).read_bytes()
    key_file(settings).write_bytes(new + lost)

    assert (secret_in(store), secret_in(store, "other")) == (SECRET, SECRET)
    assert store.account().checks["blog"].detail == "It works."


def test_written_again_it_is_sealed_with_the_key_at_hand(store: Store, lost: bytes) -> None:
    store.put(blog(admin_api_key="written:again"))

    assert secret_in(store) == "written:again"
    assert store.account().unreadable == {}
    assert store.account().checks == {}


def test_another_change_keeps_what_cannot_be_read_until_the_key_is_back(
    store: Store, settings: Settings, lost: bytes
) -> None:
    [seen, _] = store.account().account.connections
    store.put(seen.model_copy(update={"name": "Our blog"}))
    write_private_file(key_file(settings), lost)

    assert [c.name for c in store.account().account.connections] == ["My site", "Our blog"]
    assert secret_in(store) == SECRET


def test_a_change_that_is_none_to_the_secret_writes_no_other_token(store: Store, engine: Engine) -> None:
    store.put(blog())
    before = token_in(engine)

    store.put(blog(name="Our blog"))

    assert token_in(engine) == before


# --- databases from before -------------------------------------------------------------------------------------------


def write_as_before(settings: Settings, engine: Engine) -> None:
    """Make a database whose secrets stand there as they are, by a version that knew no keys."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with engine.begin() as connection:
        schema.migrate(connection, Keys.of(settings), schema.PLAIN)
        connection.execute(
            text("INSERT INTO seller (id, slug, name, created_at) VALUES (7, 'local', 'local', '2026-01-01 00:00:00')")
        )
        settings_of = '{"url": "https://blog.example.com", "tier": "gold"}'
        insert = text(
            "INSERT INTO connection (seller_id, slug, name, kind, settings, secrets, check_detail) "
            "VALUES (7, :slug, 'One', :kind, :settings, :secrets, '')"
        )
        secrets = json.dumps({"admin_api_key": SECRET}).encode()
        connection.execute(insert, {"slug": "blog", "kind": "ghost", "settings": settings_of, "secrets": secrets})
        connection.execute(insert, {"slug": "my-site", "kind": "sandbox", "settings": "{}", "secrets": b"{}"})
    engine.dispose()


@pytest.fixture
def plain_database(settings: Settings, engine: Engine) -> None:
    write_as_before(settings, engine)


def test_a_database_with_plain_secrets_is_sealed_when_it_is_opened(
    settings: Settings, engine: Engine, plain_database: None
) -> None:
    with Store.open(settings) as store:
        assert secret_in(store) == SECRET

    assert Fernet(key_file(settings).read_text().strip()).decrypt(token_in(engine))
    assert token_in(engine, "my-site") == b""


def test_no_plain_secret_is_left_in_the_data_folder_not_even_in_the_backup(sqlite_settings: Settings) -> None:
    folder = sqlite_settings.data_dir
    write_as_before(sqlite_settings, create_engine(f"sqlite:///{folder / 'wizard.db'}"))
    assert SECRET.encode() in (folder / "wizard.db").read_bytes()

    with Store.open(sqlite_settings):
        holding = [file.name for file in folder.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]

    assert holding == []
    [copy] = (folder / "backups").iterdir()
    copied = create_engine(f"sqlite:///{copy}")
    with copied.connect() as connection:
        found = connection.execute(text("SELECT slug, secrets FROM connection ORDER BY slug")).all()
    copied.dispose()
    assert found == [("blog", b"{}"), ("my-site", b"{}")]


def test_a_database_is_not_brought_up_to_date_with_keys_that_cannot_be_used(
    settings: Settings, engine: Engine, plain_database: None
) -> None:
    key_file(settings).write_text("damaged")
    key_file(settings).chmod(0o600)

    with pytest.raises(KeysUnusable, match="is damaged"):
        Store.open(settings)

    assert json.loads(token_in(engine)) == {"admin_api_key": SECRET}


# --- what is derived -------------------------------------------------------------------------------------------------


def test_what_is_derived_follows_rfc_5869(tmp_path: Path) -> None:
    # openssl kdf -keylen 32 -kdfopt digest:SHA2-256 -kdfopt hexkey:00…00 -kdfopt salt:product-wizard
    #   -kdfopt 'info:["password", "r1"]' HKDF
    expected = "c87e8ca540cbad85e0d6b2634e3adb2950fbdbd4a10bd53fcf432ac7efcee025"

    assert Keys(tmp_path, SecretStr(ZEROS)).derived("password", "r1").hex() == expected


def test_no_two_purposes_derive_the_same(tmp_path: Path) -> None:
    purposes = [("a", "b"), ("ab",), ("a", "b", ""), ("a\0b",), ("b", "a"), ('a", "b',), ()]

    assert len({Keys(tmp_path).derived(*purpose) for purpose in purposes}) == len(purposes)


def test_what_is_derived_stays_the_same_through_rotations(store: Store, settings: Settings) -> None:
    before = store.keys.derived("password", "r1")
    for _ in range(3):
        store.rotate_keys()

    assert store.keys.derived("password", "r1") == before
    assert Keys.of(settings).derived("password", "r1") == before


def test_the_root_that_a_rotation_leaves_is_none_of_the_keys_that_were(store: Store, settings: Settings) -> None:
    store.put(blog())
    old = key_file(settings).read_text().strip()

    store.rotate_keys()

    assert old not in key_file(settings).read_text()


def test_with_keys_from_the_settings_the_last_one_decides(tmp_path: Path) -> None:
    one, both = Keys(tmp_path, SecretStr(ZEROS)), Keys(tmp_path, SecretStr(f"{OTHER},{ZEROS}"))

    assert both.derived("x") == one.derived("x")
    assert both.derived("x") != Keys(tmp_path, SecretStr(OTHER)).derived("x")


# --- rotating --------------------------------------------------------------------------------------------------------


def test_a_rotation_seals_everybodys_secrets_anew_and_forgets_the_old_key(
    store: Store, settings: Settings, engine: Engine
) -> None:
    store.put(blog())
    with Store.open(settings, seller="grace") as hers:
        hers.put(blog(slug="hers", admin_api_key="her:own"))
        old, [fingerprint] = key_file(settings).read_bytes(), store.keys.fingerprints()

        assert store.rotate_keys() == (2, ())

        assert (secret_in(store), secret_in(hers, "hers")) == (SECRET, "her:own")
    [now] = store.keys.fingerprints()
    assert now != fingerprint
    key_file(settings).write_bytes(old)
    assert list(store.account().unreadable) == ["blog"]


def test_a_rotation_leaves_what_no_key_opens_as_it_is_and_names_it(store: Store, engine: Engine, lost: bytes) -> None:
    store.put(blog(slug="other", name="Other"))
    before = token_in(engine)

    assert store.rotate_keys() == (1, ("blog",))

    assert token_in(engine) == before
    assert secret_in(store, "other") == SECRET


KILLED = """
import os, signal, sys
from pathlib import Path
from pydantic import SecretStr
from models.account import Connection
from wizard.settings import Settings
from wizard.store.store import Store
import cryptography.fernet, filelock

url = sys.argv[2]
settings = Settings(data_dir=Path(sys.argv[1]), database_url=SecretStr(url) if url else None)
# What only reads leaves nothing behind.
WATCHED = "rotating _write write_private_file sync_folder rotate_keys seal_anew alone transaction".split()

def rotate_and_die_at(line):
    left = line
    def trace(frame, kind, _):
        nonlocal left
        if frame.f_code.co_name not in WATCHED or "/wizard/" not in frame.f_code.co_filename:
            return None
        if kind == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    with Store.open(settings) as store:
        sys.settrace(trace)
        store.rotate_keys()
        sys.settrace(None)
    os._exit(0)

def is_whole(store):
    found = store.account()
    assert not found.unreadable, found.unreadable
    assert [c.admin_api_key.get_secret_value() for c in found.account.connections] == ["secret:0", "secret:1"]
    return store.keys.derived("x")

with Store.open(settings) as store:
    for number in range(2):
        store.put(Connection(slug=f"c{number}", name=f"C{number}", kind="ghost", admin_api_key=f"secret:{number}"))
    derived = is_whole(store)
line, keys = 0, set()
while True:
    line += 1
    child = os.fork()
    if not child:
        rotate_and_die_at(line)
    _, status = os.waitpid(child, 0)
    with Store.open(settings) as store:
        assert is_whole(store) == derived, line
        keys.add(len(store.keys.fingerprints()))
        if os.waitstatus_to_exitcode(status) == 0:
            print(line > 40, keys)
            break
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, status
        # The next one has nothing to put right and leaves one key: else every kill would make the next one longer.
        store.rotate_keys()
        assert is_whole(store) == derived, line
"""


def test_killed_at_any_line_of_a_rotation_every_secret_can_be_read(settings: Settings) -> None:
    arguments = (str(settings.data_dir), settings.database_address or "")

    output, errors = in_another_process(KILLED, *arguments).communicate(timeout=300)

    assert output == "True {1, 2}\n", errors


def test_whoever_writes_and_reads_during_rotations_notices_nothing(settings: Settings) -> None:
    stop = threading.Event()
    wrong: list[object] = []

    def write() -> None:
        with Store.open(settings) as store:
            number = 0
            while not stop.is_set():
                number += 1
                store.put(blog(slug="busy", name="Busy", admin_api_key=f"number:{number}"))
                if secret_in(store, "busy") != f"number:{number}":
                    wrong.append(number)

    def read() -> None:
        with Store.open(settings) as store:
            while not stop.is_set():
                wrong.extend(store.account().unreadable.items())

    with Store.open(settings) as store:
        store.put(blog())
        threads = [threading.Thread(target=work) for work in (write, read)]
        for thread in threads:
            thread.start()
        for _ in range(25):
            assert store.rotate_keys().unreadable == ()
        stop.set()
        for thread in threads:
            thread.join()

        assert wrong == []
        assert store.account().unreadable == {}


# --- the commands ----------------------------------------------------------------------------------------------------


def test_keys_says_where_they_are_and_shows_none(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys"]) == 0
    assert "There is no key yet." in capsys.readouterr().out
    with Store.open(load()) as store:
        store.put(blog())
    [key] = (data_dir / "keys").read_text().splitlines()

    assert main(["keys"]) == 0
    said = capsys.readouterr().out
    assert main(["keys", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert said.startswith(f"1 key in the file {data_dir / 'keys'}:\n")
    assert found["file"] == str(data_dir / "keys")
    [fingerprint] = [one["fingerprint"] for one in found["keys"]]
    assert fingerprint in said
    assert key[:8] not in said + json.dumps(found)


def test_rotate_says_how_many_were_sealed(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(load()) as store:
        store.put(blog())
    assert main(["keys", "rotate"]) == 0
    assert capsys.readouterr().out.startswith("1 secret sealed anew with the key ")

    assert main(["keys", "rotate", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert (found["sealed"], found["unreadable"], len(found["keys"])) == (1, [], 1)


def test_rotate_is_not_good_when_a_secret_could_not_be_read(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(load()) as store:
        store.put(blog())
    (data_dir / "keys").write_text(f"{OTHER}\n")

    assert main(["keys", "rotate"]) == 1

    assert "No key opens the secret of blog: write it again." in capsys.readouterr().out


def test_keys_from_the_environment_are_rotated_there_and_what_they_seal_here(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIZARD_SECRET_KEYS", ZEROS)
    with Store.open(load()) as store:
        store.put(blog())
    assert main(["keys", "rotate"]) == 2
    assert "Put a new key and a comma in front of it" in capsys.readouterr().err

    monkeypatch.setenv("WIZARD_SECRET_KEYS", f"{OTHER},{ZEROS}")
    assert main(["keys", "rotate"]) == 0
    assert "take them out of the setting secret_keys" in capsys.readouterr().out

    monkeypatch.setenv("WIZARD_SECRET_KEYS", OTHER)
    with Store.open(load()) as store:
        assert secret_in(store) == SECRET


def test_a_key_file_that_others_may_read_is_something_outside(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Keys(data_dir).seal(b"x")
    (data_dir / "keys").chmod(0o644)

    assert main(["keys"]) == 3
    assert "chmod 600" in capsys.readouterr().err


def test_a_document_that_is_applied_again_changes_nothing(data_dir: Path, tmp_path: Path) -> None:
    document = tmp_path / "blog.yaml"
    document.write_text(
        "wizard: 1\naccount:\n  connections:\n    - {slug: blog, name: Blog, kind: ghost, "
        'url: "https://blog.example.com", admin_api_key: "${BLOG_KEY}", tier: gold}\n'
    )
    os.environ["BLOG_KEY"] = SECRET
    try:
        with Store.open(load()) as store:
            changes = [documents.apply([document], store)[0].change for _ in range(2)]
    finally:
        del os.environ["BLOG_KEY"]

    assert changes == ["created", "unchanged"]


LISTS = """
import sys
from pathlib import Path
from wizard.settings import Settings
from wizard.store import open_store
with open_store(Settings(data_dir=Path(sys.argv[1]))) as store:
    store.products()
    store.load("yoga")
    heavy = lambda: sorted({name.split(".")[0] for name in sys.modules} & {"cryptography", "filelock"})
    print(heavy())
    store.account()
    print(heavy())
"""


def test_cryptography_is_imported_only_when_a_secret_is_unsealed(sqlite_settings: Settings) -> None:
    with Store.open(sqlite_settings) as store:
        store.put(blog())
        store.create("Yoga", "ada")

    done = subprocess.run(
        [sys.executable, "-c", LISTS, str(sqlite_settings.data_dir)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert done.stdout == "[]\n['cryptography']\n", done.stderr
