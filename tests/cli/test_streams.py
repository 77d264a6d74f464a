"""What comes in and goes out: standard streams, pipes, links and devices, text of every kind, errors as JSON."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wizard import documents
from wizard.cli import main
from wizard.documents.reading import read
from wizard.settings import BadSettings, Settings, config_file, load
from wizard.store import Corrupt, Unreachable
from wizard.store.database import _url
from wizard.store.store import Store

PROGRAM = Path(sys.executable).with_name("wizard")
COURSE = "wizard: 1\nproducts:\n  - {slug: course, general: {name: Course}}\n"


def called(*arguments: str, given: bytes = b"", shell: str = '"$@"') -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own, by a shell that may close its streams."""
    return subprocess.run(["sh", "-c", shell, "sh", str(PROGRAM), *arguments], input=given, capture_output=True)


@pytest.fixture
def course(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "course.yaml").write_text(COURSE)
    assert main(["apply", str(tmp_path / "course.yaml")]) == 0
    capsys.readouterr()


# --- standard streams ------------------------------------------------------------------------------------------------


def test_a_minus_is_standard_input_and_standard_output(data_dir: Path) -> None:
    applied = called("apply", "-", given=COURSE.encode())
    exported = called("export", "course", "-o", "-")
    again = called("apply", "-", "--json", given=exported.stdout)

    assert applied.stdout == b"+ product course created\n"
    assert (exported.returncode, exported.stderr) == (0, b"")
    assert json.loads(again.stdout)["changes"][0]["change"] == "unchanged"


def test_a_mistake_in_standard_input_is_named_with_its_line(data_dir: Path) -> None:
    refused = called("apply", "-", given=b"wizard: 1\nproduct: []\n")

    assert refused.returncode == 2
    assert refused.stderr.startswith(b"standard input:2: product: ")


@pytest.mark.parametrize(("closed", "arguments"), [(">&-", ["products"]), ("<&-", ["--plain"])])
def test_a_stream_that_is_closed_is_one_sentence(data_dir: Path, closed: str, arguments: list[str]) -> None:
    done = called(*arguments, shell=f'"$@" {closed}')

    assert done.returncode in (2, 3)
    assert done.stderr.count(b"\n") == 1
    assert b"is closed" in done.stderr


def test_bytes_that_are_no_text_are_told_from_text_line_by_line(data_dir: Path) -> None:
    done = called("--plain", given="n\nMüller\n".encode("latin1"))

    assert done.returncode == 0
    assert b"! This is not UTF-8. Set your terminal to UTF-8, or convert what you send" in done.stdout
    assert called("products", "--json").stdout.split() == b'{ "products": [] }'.split()


# --- errors as JSON --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["show", "nothing"], 2),
        (["nothing"], 2),
        (["fire", "course"], 1),
        (["run", "nothing"], 2),
        (["apply", "nothing.yaml"], 2),
        (["connections", "check", "nothing"], 2),
        (["export", "course", "-o", "/nowhere/course.yaml"], 3),
    ],
)
def test_with_json_an_error_is_one_document_too_with_the_same_status(
    course: None, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert main(arguments) == status
    said = capsys.readouterr().err.strip()
    assert main([*arguments, "--json"]) == status
    told = capsys.readouterr()

    assert told.err == ""
    found = json.loads(told.out)["error"]
    assert (found["message"], found["status"]) == (said, status)


def test_with_json_the_mistakes_of_a_document_are_listed(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.yaml").write_text(COURSE.replace("name: Course", "nam: Course"))

    assert main(["apply", str(tmp_path / "wrong.yaml"), "--json"]) == 2

    [mistake] = json.loads(capsys.readouterr().out)["error"]["mistakes"]
    assert (mistake["line"], mistake["path"]) == (3, "products.0.general.nam")


# --- files that are written ------------------------------------------------------------------------------------------


WITH_FILE = """
wizard: 1
account: {files: [{slug: workbook, name: Workbook, path: workbook.pdf}]}
products:
  - slug: book
    general: {name: Book}
    post_sale: {access: {kind: downloadable_file, file: workbook}}
"""


@pytest.fixture
def book(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A product with a file; and an empty folder."""
    (tmp_path / "workbook.pdf").write_bytes(b"the workbook")
    (tmp_path / "book.yaml").write_text(WITH_FILE)
    assert main(["apply", str(tmp_path / "book.yaml")]) == 0
    capsys.readouterr()
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_pipe_is_written_to_and_gets_no_files_beside_it(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe, read = book / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()

    assert main(["export", "book", "-o", str(pipe)]) == 0
    reader.join(timeout=30)

    assert "slug: book" in read[0]
    assert pipe.is_fifo()
    assert list(book.iterdir()) == [pipe]
    assert "Not included: workbook.pdf" in capsys.readouterr().err


def test_a_device_is_written_to_and_stays_one(book: Path) -> None:
    assert main(["export", "book", "-o", "/dev/null"]) == 0

    assert Path("/dev/null").is_char_device()
    assert not Path("/dev/workbook.pdf").exists()


def test_a_link_is_followed_and_the_place_it_leads_to_is_said(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (book / "real").mkdir()
    link, real = book / "link.yaml", book / "real" / "book.yaml"
    link.symlink_to(real)

    assert main(["export", "book", "-o", str(link)]) == 0

    assert link.is_symlink()
    assert "slug: book" in real.read_text()
    assert (real.parent / "workbook.pdf").read_bytes() == b"the workbook"
    assert f"{link} (a link to {real})" in capsys.readouterr().out


@pytest.mark.parametrize("leads_to", ["nowhere", "elsewhere"])
def test_nothing_is_written_through_a_link_where_a_file_of_the_product_belongs(book: Path, leads_to: str) -> None:
    target = book / "elsewhere"
    if leads_to == "elsewhere":
        target.write_bytes(b"somebody's own")
    (book / "workbook.pdf").symlink_to(target)

    assert main(["export", "book", "-o", str(book / "book.yaml")]) == 2
    assert not (book / "book.yaml").exists()
    assert not target.exists() or target.read_bytes() == b"somebody's own"


def test_a_folder_is_no_document(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "book", "-o", str(book)]) == 2
    assert "is a folder; name the document in it" in capsys.readouterr().err


# --- text ------------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_in_the_settings_is_read_past(data_dir: Path) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_bytes('\ufeffhost_name = "Acme"\n'.encode())

    assert load().host_name == "Acme"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('a = 1\nhost_name = "Café"\n'.encode("latin1"), "in line 2 this is not UTF-8 text. Save it as UTF-8."),
        ('host_name = "Acme"\n'.encode("utf-16"), "in line 1 this is not UTF-8 text. Save it as UTF-8."),
    ],
)
def test_settings_in_another_encoding_are_told_what_to_do(data_dir: Path, content: bytes, told: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_bytes(content)

    with pytest.raises(BadSettings, match=told):
        load()


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read_as_json(data_dir: Path, tmp_path: Path, indent: Any) -> None:
    document = {"wizard": 1, "products": [{"slug": "kurs", "general": {"name": "Kurs 👩", "description": "a/b\n\tc"}}]}
    text = json.dumps(document, indent=indent).replace("/", "\\/")
    assert "\\ud83d\\udc69" in text
    (tmp_path / "kurs.json").write_text(text)

    assert main(["apply", str(tmp_path / "kurs.json")]) == 0

    with Store.open(load()) as store:
        general = store.load("kurs").answers.general
    assert (general.name, general.description) == ("Kurs 👩", "a/b\n\tc")


@pytest.mark.parametrize("half", ["\\ud83d", "\\udc69"])
def test_half_of_a_character_is_still_refused(data_dir: Path, tmp_path: Path, half: str) -> None:
    (tmp_path / "kurs.json").write_text('{"wizard": 1, "products": [{"general": {"name": "Kurs ' + half + '"}}]}')

    assert main(["apply", str(tmp_path / "kurs.json")]) == 2


def test_a_path_is_taken_to_the_letter(data_dir: Path, tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Übung é.pdf")
    (tmp_path / name).write_bytes(b"a workbook")
    (tmp_path / "book.yaml").write_text(WITH_FILE.replace("workbook.pdf", name), encoding="utf-8")

    assert main(["apply", str(tmp_path / "book.yaml")]) == 0


def test_what_something_is_called_elsewhere_is_taken_to_the_letter(data_dir: Path, tmp_path: Path) -> None:
    role, address = (unicodedata.normalize("NFD", text) for text in ("élève", "https://example.com/élève"))
    connection = f"{{slug: blog, name: Blog, kind: wordpress, url: {address}, user: {role}, role: {role}}}"
    (tmp_path / "blog.yaml").write_text(f"wizard: 1\naccount: {{connections: [{connection}]}}\n", encoding="utf-8")

    assert main(["apply", str(tmp_path / "blog.yaml")]) == 0

    with Store.open(load()) as store:
        [kept] = store.account().account.connections
    assert (kept.user, kept.role, kept.url) == (role, role, address)


# --- the database's address, and what is left of one -----------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://ada:pa@sesame@db.example.com/shop",
        "postgresql+psycopg://ada:sesame@db.example.com:54x2/shop",
        "postgresql+psycopg://ada/x:sesame@db.example.com/shop",
        "postgresql+psycopg://ada:se:sa/me@sesame@db.example.com",
    ],
)
def test_an_address_that_cannot_be_read_shows_no_part_of_a_password(tmp_path: Path, address: str) -> None:
    with pytest.raises(Unreachable) as refused:
        _url(tmp_path, address)

    assert "sesame" not in str(refused.value)
    assert "the port is a number" in str(refused.value)


def test_an_empty_file_that_was_left_behind_is_not_taken_for_an_empty_account(sqlite_settings: Settings) -> None:
    sqlite_settings.data_dir.mkdir(parents=True)
    left = sqlite_settings.data_dir / "wizard.db"
    left.touch()
    hour_ago = time.time() - 3600
    os.utime(left, (hour_ago, hour_ago))

    with pytest.raises(Corrupt, match="is empty: it may be what a full disk or a broken copy left of your products"):
        Store.open(sqlite_settings)
    assert left.stat().st_size == 0


# --- what is told of a change, and of the program --------------------------------------------------------------------


def test_a_dry_run_shows_what_each_answer_was_and_will_be(
    course: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = "pricing: {currency: EUR, prices: [{amount: '29.00'}]}"
    (tmp_path / "course.yaml").write_text(COURSE.replace("name: Course}", f"name: A course}}, {changed}"))

    assert main(["apply", str(tmp_path / "course.yaml"), "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "    general.name: Course → A course\n" in said
    assert "    pricing.currency: USD → EUR\n" in said
    assert "    pricing.prices: nothing → " in said


def test_a_dry_run_shows_no_secret(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "{slug: hook, name: Hook, kind: webhook, url: 'https://example.com', secret: '${SECRET}'}"
    (tmp_path / "hook.yaml").write_text(f"wizard: 1\naccount: {{connections: [{text}]}}\n")
    for secret in ("whsec_" + "A" * 32, "whsec_" + "B" * 32):
        monkeypatch.setenv("SECRET", secret)
        assert main(["apply", str(tmp_path / "hook.yaml")]) == 0

    said = capsys.readouterr().out
    assert "    secret: a secret → another secret\n" in said
    assert "whsec" not in said


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wizard 0.")


# --- the schema ------------------------------------------------------------------------------------------------------


SCHEMA = documents.schema()
DOWNLOAD, PRICE = "post_sale: {access: {kind: downloadable_file, %s}}", "pricing: {prices: [{%s}]}"


@pytest.mark.parametrize(
    ("form", "key", "least", "most"),
    [
        (DOWNLOAD, "download_limit", 1, 1000),
        (DOWNLOAD, "link_lifetime", 60, 604_800),
        (DOWNLOAD, "access_days", 1, 36_500),
        (PRICE, "type: installments, period: monthly, payments", 2, 120),
        (PRICE, "initial_payment: {days: %s}, amount", 1, 730),
        ("post_sale: {policy: {%s}}", "grace_days", 0, 60),
    ],
)
def test_the_schema_has_the_bounds_that_apply_has(
    data_dir: Path, tmp_path: Path, form: str, key: str, least: int, most: int
) -> None:
    for value, is_right in ((least - 1, False), (least, True), (most, True), (most + 1, False)):
        said = f'{key % value}: "1"' if "%s" in key else f"{key}: {value}"
        (tmp_path / "one.yaml").write_text(COURSE.replace("name: Course}", f"name: Course}}, {form % said}"))
        tree = read(tmp_path / "one.yaml", "one.yaml").plain()

        assert jsonschema.Draft202012Validator(SCHEMA).is_valid(tree) is is_right, said
        assert (main(["apply", str(tmp_path / "one.yaml"), "--dry-run"]) == 0) is is_right, said


BOUNDS = {"minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "ge", "le"}


def test_every_bound_in_the_schema_stands_beside_its_type() -> None:
    def strays(schema: Any, is_a_name: bool = False) -> list[Any]:
        if isinstance(schema, list):
            return [stray for inner in schema for stray in strays(inner)]
        if not isinstance(schema, dict):
            return []
        own = [schema] if not is_a_name and BOUNDS & set(schema) and "type" not in schema else []
        inside = (strays(inner, key in ("properties", "$defs")) for key, inner in schema.items())
        return own + [stray for found in inside for stray in found]

    assert strays(SCHEMA) == []


# --- what is stored and breaks a rule of today -----------------------------------------------------------------------


def edited(data_dir: Path, statement: str) -> None:
    """Change the database by hand, past every rule of ours."""
    with closing(sqlite3.connect(data_dir / "wizard.db")) as database, database:
        database.execute(statement)


def test_a_stored_thing_that_breaks_a_rule_is_named_and_the_rest_is_usable(
    book: Path, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    club = "{slug: club, name: Club, levels: [gold]}"
    (tmp_path / "club.yaml").write_text(f"wizard: 1\naccount: {{memberships: [{club}]}}\n")
    assert main(["apply", str(tmp_path / "club.yaml")]) == 0
    edited(data_dir, "UPDATE membership SET login_page = 'no address'")
    capsys.readouterr()

    assert main(["show", "book"]) == 0
    told = capsys.readouterr()
    assert "Downloadable" in told.out or "Book (book)" in told.out
    assert "The stored membership 'club' breaks a rule of this version and is left out: login_page: " in told.err

    assert main(["apply", str(tmp_path / "club.yaml")]) == 0
    assert main(["show", "book"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["show", "check", "export"])
def test_a_stored_product_that_breaks_a_rule_is_one_sentence_and_the_others_are_listed(
    book: Path, data_dir: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    edited(data_dir, """UPDATE product SET checkout = '{"gateways": ["abacus"]}'""")

    assert main([command, "book"]) == 3
    told = capsys.readouterr().err
    assert told.startswith("The stored product 'book' breaks a rule of this version at checkout.gateways")
    assert told.count("\n") == 1
    assert main(["products"]) == 0
