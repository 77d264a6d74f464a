"""Names of people's own: in every script, compared as names, with a key each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models import text
from models.access import HostedMembership
from models.account import Membership
from models.text import is_level, slug_of
from wizard.documents import DocumentError, apply, export
from wizard.settings import Settings
from wizard.store.store import Store


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Łódź", "lodz"),
        ("Straße", "strasse"),
        ("Crème brûlée", "creme-brulee"),
        ("Smørrebrød på Ærø", "smorrebrod-pa-aero"),
        ("Золото", "zoloto"),
        ("ヨガ", "yoga"),
        ("C++ & C#", "c-c"),
        ("Cafe\u0301", "cafe"),
        ("🎉", "product"),
    ],
)
def test_letters_that_have_a_latin_form_keep_it_in_a_slug(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize(
    "levels", [["初級", "上級"], ["C", "C++", "C#"], ["Золото", "Серебро"], ["50%", "50"], ["⭐", "⭐⭐"], ["Ä", "Ä+"]]
)
def test_levels_are_compared_as_names(levels: list[str]) -> None:
    kept = Membership(name="Club", levels=levels).levels  # type: ignore[arg-type]

    assert len(set(kept)) == len(levels)
    assert Membership(name="Club", levels=kept).levels == kept
    assert HostedMembership(membership="club", levels=tuple(levels)).levels == kept


@pytest.mark.parametrize("levels", [["Gold", "gold"], ["Straße", "STRASSE"], ["Золото", "золото"]])
def test_two_levels_of_one_name_are_refused(levels: list[str]) -> None:
    with pytest.raises(ValidationError, match="two levels have the same name"):
        Membership(name="Club", levels=levels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "level"), [("Gold", "gold"), ("Gold Plus", "gold-plus"), ("Élite", "elite"), ("初級", "初級")]
)
def test_a_level_whose_name_a_slug_says_goes_by_its_slug_as_ever(name: str, level: str) -> None:
    assert is_level(name) == is_level(level) == level


@pytest.mark.parametrize("name", ["gold/silver", "gold, silver", "..", "", "a" * 64])
def test_a_level_s_name_is_refused_where_it_could_be_read_otherwise(name: str) -> None:
    with pytest.raises(ValidationError):
        Membership(name="Club", levels=[name])  # type: ignore[arg-type]


DOCUMENT = """
wizard: 1
account:
  memberships:
    - {slug: languages, name: Sprachen, levels: [C, C++, "C#"]}
    - {name: 会員, levels: [初級, 上級]}
    - {name: 会員!, levels: [初級]}
products:
  - general: {name: C++}
    post_sale: {access: {kind: hosted_membership, membership: languages, levels: [C++, "C#"]}}
  - general: {name: "C#"}
  - general: {name: C}
  - general: {name: 初級コース}
  - {slug: named, general: {name: 🎉}}
  - general: {name: 🎊}
"""


def applied(store: Store, folder: Path, text: str) -> list[Any]:
    (folder / "document.yaml").write_text(text, encoding="utf-8")
    return apply([folder / "document.yaml"], store)


def test_names_in_any_script_get_keys_of_their_own_and_are_found_by_their_names_again(
    store: Store, tmp_path: Path
) -> None:
    created = applied(store, tmp_path, DOCUMENT)
    again = applied(store, tmp_path, DOCUMENT)

    products = [change.name for change in created if change.object == "product"]
    assert products == ["c", "c-2", "c-3", "chujikosu", "named", "product"]
    assert len({change.name for change in created if change.object == "membership"}) == 3
    assert {change.change for change in again} == {"unchanged"}
    assert [change.name for change in again] == [change.name for change in created]
    assert store.load("c").answers.post_sale.access.hosted_membership.levels == ("C++", "C#")


def test_what_is_exported_gives_the_same_levels_elsewhere(store: Store, tmp_path: Path) -> None:
    applied(store, tmp_path, DOCUMENT)
    document = export(store, "c")

    with Store.open(Settings(data_dir=tmp_path / "elsewhere")) as other:
        applied(other, tmp_path, document)
        [membership] = other.account().account.memberships
        assert membership.levels == ("c", "C++", "C#")
        assert other.load("c").answers == store.load("c").answers


def test_a_product_whose_slug_an_earlier_version_made_is_found_by_its_name(store: Store, tmp_path: Path) -> None:
    store.create("Łódź", "ada", slug="odz")

    [change] = applied(store, tmp_path, "wizard: 1\nproducts: [{general: {name: Łódź, description: A city}}]\n")

    assert (change.name, change.change) == ("odz", "updated")


def test_a_level_that_its_membership_has_not_is_a_mistake_with_its_line(store: Store, tmp_path: Path) -> None:
    wrong = DOCUMENT.replace('levels: [C++, "C#"]', "levels: [D++]")

    with pytest.raises(DocumentError, match=r"yaml:10: .*levels: languages has no level D\+\+; its levels are c,"):
        applied(store, tmp_path, wrong)


@pytest.mark.parametrize("blank", ["\u3000", "\xa0", "\u3164", "\u2800", "\u115f", "\u200d", "\u200c\u200d", "\u0301"])
def test_a_name_that_nobody_can_see_is_none(blank: str):
    with pytest.raises(ValueError, match="nothing of this name can be seen"):
        text.a_name(blank)
    with pytest.raises(ValueError, match="a level needs a name"):
        text.is_level(blank)


@pytest.mark.parametrize("hidden", ["\u034f", "\u2061", "\u2064", "\u206a", "\u206f", "\ufff9", "\ufffb"])
def test_nothing_hides_in_a_name(hidden: str):
    with pytest.raises(ValueError, match="is an invisible"):
        text.a_name(f"Yo{hidden}ga")


@pytest.mark.parametrize("name", ["\U0001f9d8\u200d\u2640\ufe0f", "می\u200cخواهم", "c\u0301a", "ヨガ", "!"])
def test_what_people_call_things_is_a_name(name: str):
    assert text.a_name(name)


@pytest.mark.parametrize(
    "address", ["https://.", "https://a..b", "https://exa\u3000mple.com", "https://example.com/\xa0"]
)
def test_what_is_no_host_is_no_address(address: str):
    with pytest.raises(ValueError, match=r"host|spaces"):
        text.is_web_address(address)


def test_an_address_is_one_in_capitals_too():
    assert text.is_https_address("HTTPS://Example.com/A") == "https://Example.com/A"
    assert text.is_web_address("https://example.com./a") == "https://example.com./a"


@pytest.mark.parametrize("address", ["info@yoga教室.jp", "yogaヨガ@example.com", "yoga요가@example.com"])
def test_letters_that_look_like_no_other_stand_beside_ours(address: str):
    assert text.is_email(address) == address


@pytest.mark.parametrize("address", ["аda@example.com", "info@yоga.com"])
def test_letters_that_look_like_ours_do_not(address: str):
    with pytest.raises(ValueError, match="looks like another letter"):
        text.is_email(address)
