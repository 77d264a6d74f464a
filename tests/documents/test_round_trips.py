"""What was exported applies elsewhere, what `--dry-run` lets through applies, and what cannot be is said in words."""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from models.account import Connection, ConnectionKind, Membership
from models.product import Product
from wizard.documents import DocumentError, NotExportable, apply, export_to, exported
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(Settings(data_dir=tmp_path / "data")) as store:
        yield store


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Store]:
    with open_store(Settings(data_dir=tmp_path / "elsewhere")) as store:
        yield store


def answered(store: Store, slug: str, **answers: Any) -> None:
    session = Session(store, slug)
    for path, value in answers.items():
        session.answer(path.replace("__", "."), value)


def opening(levels: tuple[str, ...], membership: str = "club") -> dict[str, Any]:
    at = "post_sale__access__hosted_membership__"
    return {"post_sale__access__kind": "hosted_membership", f"{at}membership": membership, f"{at}levels": levels}


def document(folder: Path, text: str) -> Path:
    path = folder / "products.yaml"
    path.write_text(f"wizard: 1\n{text}")
    return path


def named(*levels: str) -> str:
    return ", ".join(levels)


OLD, NEW = tuple(f"old-{n}" for n in range(6)), tuple(f"new-{n}" for n in range(6))


def test_all_levels_of_a_membership_are_exchanged_at_once(store: Store, tmp_path: Path) -> None:
    store.add(Membership(name="Club", levels=OLD))
    store.create("Yoga", "ada")
    answered(store, "yoga", **opening(("old-0",)))
    path = document(
        tmp_path,
        f"account:\n  memberships: [{{slug: club, name: Club, levels: [{named(*NEW)}]}}]\n"
        "products: [{slug: yoga, general: {name: Yoga}, post_sale: {access: "
        "{kind: hosted_membership, membership: club, levels: [new-0]}}}]\n",
    )

    assert [each.change for each in apply([path], store)] == ["updated", "updated"]
    assert store.account().account.memberships[0].levels == NEW
    assert [each.change for each in apply([path], store)] == ["unchanged", "unchanged"]


def test_more_levels_than_a_membership_may_have_for_a_moment_are_refused_in_words(store: Store, tmp_path: Path) -> None:
    store.add(Membership(name="Club", levels=OLD))
    store.create("Yoga", "ada")
    answered(store, "yoga", **opening(OLD))
    path = document(
        tmp_path,
        f"account:\n  memberships: [{{slug: club, name: Club, levels: [{named(*NEW)}]}}]\n"
        "products: [{slug: yoga, general: {name: Yoga}, post_sale: {access: "
        f"{{kind: hosted_membership, membership: club, levels: [{named(*NEW)}]}}}}}}]\n",
    )

    for dry_run in (True, False):
        with pytest.raises(DocumentError, match=r"account\.memberships\.0\.levels: .* in two goes"):
            apply([path], store, dry_run=dry_run)
    assert store.account().account.memberships[0].levels == OLD


def test_a_level_of_another_membership_takes_its_membership_along(
    store: Store, elsewhere: Store, tmp_path: Path
) -> None:
    store.add(Membership(name="Club", levels=("gold",)))
    store.add(Membership(name="Other", levels=("silver", "gold")))
    store.create("Yoga", "ada")
    answered(store, "yoga", **opening(("gold", "other/silver")))
    path = tmp_path / "yoga.yaml"
    export_to(store, "yoga", path)

    apply([path], elsewhere)

    assert elsewhere.load("yoga").answers == store.load("yoga").answers
    assert {each.slug for each in elsewhere.account().account.memberships} == {"club", "other"}


def test_a_level_of_a_membership_that_there_is_not_is_a_mistake(store: Store, tmp_path: Path) -> None:
    store.add(Membership(name="Club", levels=("gold",)))
    path = document(
        tmp_path,
        "products: [{slug: yoga, general: {name: Yoga}, post_sale: {access: "
        "{kind: hosted_membership, membership: club, levels: [gold, gone/silver]}}}]\n",
    )

    for dry_run in (True, False):
        with pytest.raises(DocumentError, match="there is no membership gone"):
            apply([path], store, dry_run=dry_run)


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_a_dry_run_lets_through_applies(is_deleted: bool, store: Store, tmp_path: Path) -> None:
    """A level that a product names with its membership, or that a deleted product has, is in use as any other."""
    store.add(Membership(name="Club", levels=("gold",)))
    store.add(Membership(name="Other", levels=("silver", "gold")))
    store.create("Yoga", "ada")
    answered(store, "yoga", **opening(("silver",), "other") if is_deleted else opening(("gold", "other/silver")))
    if is_deleted:
        store.delete("yoga", "ada")
    path = document(tmp_path, "account: {memberships: [{slug: other, name: Other, levels: [gold]}]}\n")

    for dry_run in (True, False):
        with pytest.raises(DocumentError, match=r"silver is used by the .*product yoga"):
            apply([path], store, dry_run=dry_run)


def test_a_bump_offer_that_was_deleted_is_left_out_and_named(store: Store, elsewhere: Store, tmp_path: Path) -> None:
    for name in ("Yoga", "Mat"):
        store.create(name, "ada")
    answered(store, "yoga", checkout__bumps=("mat",))
    for slug in ("yoga", "mat"):
        store.delete(slug, "ada")
    store.restore("yoga", "ada")

    found = export_to(store, "yoga", tmp_path / "yoga.yaml")
    apply([tmp_path / "yoga.yaml"], elsewhere)

    assert found.left_out == ("mat",)
    assert elsewhere.load("yoga").answers == Product.model_validate({"general": {"name": "Yoga"}})


def test_a_rule_about_a_membership_that_is_still_to_come_is_taken_and_told(store: Store, tmp_path: Path) -> None:
    path = document(
        tmp_path,
        "products: [{slug: yoga, general: {name: Yoga}, automations: "
        "{rules: [{when: buys, then: grant_membership, target: club/gold}]}}]\n",
    )

    [told] = apply([path], store)

    assert [each.field for each in told.warnings] == ["automations.rules.0.target"]
    assert "there is no membership club yet" in told.warnings[0].message
    assert store.load("yoga").answers.automations.rules[0].target == "club/gold"


def test_what_cannot_be_read_is_not_left_out_silently(store: Store, tmp_path: Path) -> None:
    store.add(Membership(name="Club", levels=("gold",)))
    store.create("Yoga", "ada")
    answered(store, "yoga", **opening(("gold",)))
    with closing(sqlite3.connect(tmp_path / "data" / "wizard.db")) as database, database:
        database.execute("update membership set name = ''")

    with pytest.raises(NotExportable, match="membership club"):
        exported(store, "yoga")


def test_one_of_two_things_of_one_name_is_not_taken_for_the_other(store: Store, tmp_path: Path) -> None:
    for level in ("gold", "silver"):
        store.add(Membership(name="Club", levels=(level,)))
    text = "account: {memberships: [{%sname: Club, levels: [bronze]}]}\n"

    with pytest.raises(DocumentError, match="club and club-2 are both called Club; write slug: club"):
        apply([document(tmp_path, text % "")], store)
    apply([document(tmp_path, text % "slug: club-2, ")], store)

    assert [each.levels for each in store.account().account.memberships] == [("gold",), ("bronze",)]


def test_the_secrets_of_another_kind_of_connection_stay_where_a_document_does_not_speak_of_them(
    store: Store, tmp_path: Path
) -> None:
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    kept = Connection(name="My site", kind=ConnectionKind.SANDBOX, secret=secret)
    store.add(kept)
    path = document(tmp_path, "account: {connections: [{slug: my-site, name: My site, kind: sandbox}]}\n")

    [same] = apply([path], store)

    assert same.change == "unchanged"
    assert store.account().account.connections[0].secret == secret


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_document_that_is_written_anew_keeps_its_permissions(mode: int, store: Store, tmp_path: Path) -> None:
    store.create("Yoga", "ada")
    path = tmp_path / "yoga.yaml"
    path.touch(mode)
    path.chmod(mode)

    export_to(store, "yoga", path)

    assert path.stat().st_mode & 0o777 == mode
    assert path.read_text().startswith("wizard: 1")


def test_a_file_that_could_not_be_copied_whole_is_not_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "workbook.pdf"
    source.write_bytes(b"%PDF " * 1000)
    store.add_file(source, "Workbook")
    store.create("Book", "ada")
    answered(
        store,
        "book",
        post_sale__access__kind="downloadable_file",
        post_sale__access__downloadable_file__file="workbook",
    )

    def full(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(OSError, match="No space left"):
        export_to(store, "book", folder / "book.yaml")

    assert list(folder.iterdir()) == []


def test_a_text_with_line_breaks_of_windows_is_taken(store: Store, tmp_path: Path) -> None:
    told = {"slug": "yoga", "general": {"name": "Yoga", "description": "Hi\r\nyou"}}
    path = tmp_path / "products.json"
    path.write_text(json.dumps({"wizard": 1, "products": [told]}))

    apply([path], store)

    assert store.load("yoga").answers.general.description == "Hi\nyou"
