"""When two e-mail addresses are one buyer's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models.addresses import in_ascii, names_buyer, one_spelling, same_buyer, spellings

SAME = [
    ("Bob@example.com", "bob@example.com"),
    ("bob@EXAMPLE.com", "bob@example.com"),
    ("J\u00dcRGEN@example.com", "j\u00fcrgen@example.com"),
    ("ju\u0308rgen@example.com", "j\u00fcrgen@example.com"),
    ("bob@b\u00fccher.example", "bob@xn--bcher-kva.example"),
    ("bob@B\u00dcCHER.example", "Bob@XN--BCHER-KVA.example"),
    (" bob@example.com ", "bob@example.com"),
]
DIFFERENT = [
    ("bob@example.com", "bob@example.org"),
    ("bob@example.com", "b.ob@example.com"),
    ("bob+shop@example.com", "bob@example.com"),
    ("bob@stra\u00dfe.example", "bob@strasse.example"),
    ("jimbob@example.com", "bob@example.com"),
    ("bob@xn--\u00fc.example", "bob@xn--.example"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_are_one_buyer(one: str, other: str):
    assert same_buyer(one, other)
    assert one_spelling(one_spelling(one)) == one_spelling(one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_addresses_are_two_buyers(one: str, other: str):
    assert not same_buyer(one, other)


def test_a_buyer_is_looked_up_in_each_spelling_that_others_may_have_kept():
    assert spellings("Bob@b\u00fccher.example") == (
        "Bob@b\u00fccher.example", "bob@b\u00fccher.example", "bob@xn--bcher-kva.example",
    )  # fmt: skip
    assert spellings("bob@example.com") == ("bob@example.com",)
    assert in_ascii("Bob@b\u00fccher.example") == "Bob@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("E-mail: Bob@Example.com", True),
        ("<bob@example.com>, please.", True),
        ("Write to bob@example.com.", True),
        ("\u201cbob@example.com\u201d", True),
        ("?bob@example.com!", True),
        ("jimbob@example.com", False),
        ("bob@example.com.evil.example", False),
        ("", False),
    ],
)
def test_a_text_names_a_buyer_in_whichever_spelling(text: str, is_named: bool):
    assert names_buyer(text, "bob@example.com") is is_named


def test_the_tables_of_other_alphabets_are_read_only_when_they_are_needed():
    code = "import sys, models.addresses as a; a.one_spelling('Bob@example.com'); sys.exit('idna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("address", ["o'brien@example.com", "!help?@example.com", "{us}@example.com"])
def test_a_buyer_is_named_whatever_marks_are_part_of_the_address(address: str):
    assert names_buyer(f"Hello <{address}>.", address)
    assert not names_buyer(f"Hello <x{address}>.", address)
