"""A document that is wrong is refused with its file, its line, its key and what would be right; it changes nothing."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

import pytest

from models.characters import visible
from tests.support.hostile import LEGITIMATE, LONG, REFUSED
from wizard.documents import DocumentError
from wizard.documents.checking import Loaded, load
from wizard.documents.places import file_at
from wizard.documents.reading import MOST_BYTES, parse

PRODUCT = """\
wizard: 1
products:
  - slug: yoga
    general: {name: Yoga}
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "products.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def loaded(folder: Path, text: str | bytes) -> Loaded:
    return load(write(folder, text))


def refusal(folder: Path, text: str | bytes) -> str:
    """The message of the refusal, without the folder."""
    with pytest.raises(DocumentError) as refused:
        loaded(folder, text)
    return str(refused.value).replace(f"{folder}/", "")


def price(text: str) -> str:
    return f"wizard: 1\nproducts:\n  - slug: yoga\n    general: {{name: Yoga}}\n    pricing:\n      {text}\n"


CASES: dict[str, tuple[str | bytes, str]] = {
    "an unknown key": (
        "wizard: 1\nproduct:\n  - slug: yoga\n",
        "products.yaml:2: product: there is no key product; did you mean products?",
    ),
    "an unknown key inside": (
        PRODUCT + "    pricng: {currency: USD}\n",
        "products.yaml:5: products.0.pricng: there is no key pricng; did you mean pricing?",
    ),
    "an unknown key of a row": (
        price("prices:\n        - type: one_time\n          amuont: '1'"),
        "products.yaml:8: products.0.pricing.prices.0.amuont: there is no key amuont; did you mean amount?",
    ),
    "an unknown key that is like none": (
        PRODUCT + "    policy: {}\n",
        "products.yaml:5: products.0.policy: there is no key policy; one of slug, general, pricing",
    ),
    "a duplicate key": (
        PRODUCT + "    general: {name: Pilates}\n",
        "products.yaml:5: 'general' is there twice, first in line 4",
    ),
    "an amount as a number": (
        price("prices: [{amount: 29.00}]"),
        'products.yaml:6: products.0.pricing.prices.0.amount: this must be text; put it in quotes: "29.00"',
    ),
    "too many decimals": (
        price('prices: [{amount: "29.001"}]'),
        "products.yaml:6: products.0.pricing.prices.0.amount: 29.001 has too many decimals: USD has at most 2 decimals",
    ),
    "an amount below 0": (
        price('prices: [{amount: "-1"}]'),
        "products.yaml:6: products.0.pricing.prices.0.amount: write the amount as digits with a point",
    ),
    "a currency that is none": (
        price("currency: BTC"),
        "products.yaml:6: products.0.pricing.currency: 'BTC' is not a currency code",
    ),
    "a choice that is none": (
        price("prices: [{type: recuring}]"),
        "products.yaml:6: products.0.pricing.prices.0.type: did you mean recurring?",
    ),
    "yes for true": (
        PRODUCT + "    affiliates: {on_sale: yes}\n",
        "products.yaml:5: products.0.affiliates.on_sale: write true or false",
    ),
    "a number in quotes": (
        PRODUCT + '    post_sale: {policy: {grace_days: "9"}}\n',
        "products.yaml:5: products.0.post_sale.policy.grace_days: write a whole number, such as 12",
    ),
    "a number out of range": (
        PRODUCT + "    post_sale: {policy: {grace_days: 61}}\n",
        "products.yaml:5: products.0.post_sale.policy.grace_days: at most 60",
    ),
    "a number beyond all range": (
        PRODUCT + "    post_sale: {policy: {grace_days: " + "9" * 5000 + "}}\n",
        "products.yaml:5: products.0.post_sale.policy.grace_days: ",
    ),
    "a word where a list belongs": (
        PRODUCT + "    checkout: {gateways: stripe}\n",
        "products.yaml:5: products.0.checkout.gateways: this must be a list",
    ),
    "a word where a group belongs": (
        PRODUCT + "    checkout: stripe\n",
        "products.yaml:5: products.0.checkout: this must be a group of keys",
    ),
    "an access option that is none": (
        PRODUCT + "    post_sale: {access: {kind: download}}\n",
        "products.yaml:5: products.0.post_sale.access: kind: did you mean downloadable_file?",
    ),
    "a key of another access option": (
        PRODUCT + "    post_sale: {access: {kind: downloadable_file, levels: [gold]}}\n",
        "products.yaml:5: products.0.post_sale.access.levels: there is no key levels; ",
    ),
    "the chosen option among the kept ones": (
        PRODUCT + "    post_sale: {access: {kind: downloadable_file, kept: {downloadable_file: {}}}}\n",
        "products.yaml:5: products.0.post_sale.access.kept.downloadable_file: there is no key downloadable_file; ",
    ),
    "an e-mail address of two alphabets": (
        PRODUCT.replace("Yoga}", "Yoga, support_email: h\u0435lp@example.com}"),
        "products.yaml:4: products.0.general.support_email: 'е' (U+0435 cyrillic small letter ie) looks like another",
    ),
    "a slug that is none": (
        "wizard: 1\nproducts:\n  - slug: Yoga Class\n",
        "products.yaml:3: products.0.slug: lower-case letters, digits and hyphens only, 63 at most, for example",
    ),
    "a bump on more than six": (
        PRODUCT + "    checkout: {bumps: [a, b, c, d, e, f, g]}\n",
        "products.yaml:5: products.0.checkout.bumps: at most 6 entries; this has 7",
    ),
    "a thing without a name": (
        "wizard: 1\naccount:\n  webinars:\n    - slug: evening\n",
        "products.yaml:4: account.webinars.0.name: this key is missing",
    ),
    "no version": (
        "products: []\n",
        "products.yaml:1: the version is missing; write this as the first line: wizard: 1",
    ),
    "another version": (
        "wizard: 2\nstrange: true\n",
        "products.yaml:1: wizard: this program reads documents of version 1; write wizard: 1",
    ),
    "a version in quotes": ('wizard: "1"\n', "products.yaml:1: wizard: write a whole number"),
    "several documents": (
        PRODUCT + "---\n" + PRODUCT,
        "products.yaml:5: one file holds one document; move the part after --- into its own file",
    ),
    "an empty file": ("", "products.yaml:1: this document is empty; its first line is: wizard: 1"),
    "a comment alone": ("# nothing\n", "products.yaml:1: this document is empty"),
    "a list": ("- wizard\n", "products.yaml:1: a document is a mapping; its first line is: wizard: 1"),
    "a word": ("wizard\n", "products.yaml:1: a document is a mapping"),
    "a tab": ("wizard: 1\nproducts:\n\t- slug: yoga\n", "products.yaml:3: there is a tab here; YAML indents with"),
    "an anchor": ("wizard: 1\nproducts: &all []\n", "products.yaml:2: anchors (&) and aliases (*) are not read"),
    "an alias": ("wizard: 1\nproducts: *all\n", "products.yaml:2: anchors (&) and aliases (*) are not read"),
    "a merge key": (
        "wizard: 1\n<<: {products: []}\n",
        "products.yaml:2: <<: there is no key <<; one of wizard, account, products",
    ),
    "a tag": ("wizard: !!python/object:os.system 1\n", "products.yaml:1: tags such as tag:yaml.org,2002:python/object"),
    "a key that is a list": ("wizard: 1\n? [a, b]\n: c\n", "products.yaml:2: a key is a word, not a list or a mapping"),
    "a bracket left open": ("wizard: 1\nproducts: [\n", "products.yaml:3: this is not YAML: "),
    "a colon in a text": (
        PRODUCT.replace("{name: Yoga}", "\n      name: Yoga: the beginning"),
        "products.yaml:5: a colon stands where none may be: check the indentation, or put the text in quotes",
    ),
    "an old version of YAML": ("%YAML 1.1\n---\nwizard: 1\n", "products.yaml:2: documents are YAML 1.2"),
    "a null": (PRODUCT.replace("Yoga}", "Yo\x00ga}"), "products.yaml:4: there is an invisible U+0000 null here"),
    "an escape sequence": (PRODUCT.replace("Yoga}", "\x1b[31mYoga}"), "products.yaml:4: there is an invisible U+001B"),
    "an escaped null": (PRODUCT.replace("Yoga", '"\\0"'), "products.yaml:4: there is an invisible U+0000 null here"),
    "half a character": (PRODUCT.replace("Yoga", '"\\ud83d"'), "products.yaml:4: "),
    "Latin-1": ("wizard: 1\n# caf\xe9\n".encode("latin-1"), "products.yaml:2: this is not UTF-8 text; save the"),
    "UTF-16": (PRODUCT.encode("utf-16"), "products.yaml:1: this is not UTF-8 text; save the document as UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "products.yaml:1: this is not UTF-8 text"),
    "the name of an option as a key": (
        "wizard: 1\nproducts:\n  - general: {name: Yoga}\n    post_sale: {access: {kind: hosted_membership, "
        "hosted_membership: {levels: [gold]}}}\n",
        "products.yaml:4: products.0.post_sale.access.hosted_membership: there is no key hosted_membership; ",
    ),
    "a literal secret": (
        "wizard: 1\naccount:\n  connections:\n    - {name: Blog, kind: webhook, secret: hunter2-hunter2-hunter2}\n",
        "products.yaml:4: account.connections.0.secret: a secret never stands in a document: write ${NAME",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_file_line_key_and_what_would_be_right(case: str, tmp_path: Path) -> None:
    text, expected = CASES[case]

    assert expected in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "written", ["hunter2-hunter2-hunter2", "12345678", "1_2345_678", "0x1234ABCD", "{a: 12345678}"]
)
def test_a_literal_secret_is_not_repeated(written: str, tmp_path: Path) -> None:
    text = CASES["a literal secret"][0]
    assert isinstance(text, str)
    told = refusal(tmp_path, text.replace("hunter2-hunter2-hunter2", written))

    assert not any(part in told for part in ("hunter2", "1234", "2345", "305441741"))


def test_every_mistake_is_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = "wizard: 1\nproducts:\n  - slug: A\n    general: {nme: x}\n  - slug: B\n"

    lines = [line.split(":")[1] for line in refusal(tmp_path, text).splitlines()]

    assert lines == ["3", "4", "5"]


def test_a_thousand_mistakes_are_counted_and_not_all_written_out(tmp_path: Path) -> None:
    message = refusal(tmp_path, "wizard: 1\nproducts:\n" + "  - {slug: A}\n" * 1000)

    assert message.splitlines()[-1] == "… and 980 more"


def test_a_document_of_50_megabytes_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "products.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    started = time.monotonic()

    with pytest.raises(DocumentError, match=f"at most {MOST_BYTES:,} bytes"):
        load(path)

    assert time.monotonic() - started < 2


BOMB = "wizard: 1\na: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BOMB, id="a bomb of aliases"),
        pytest.param("wizard: 1\nproducts: " + "[" * 200_000, id="200,000 open brackets"),
        pytest.param("wizard: 1\nproducts: " + "{a: " * 100_000, id="100,000 open braces"),
        pytest.param("wizard: 1\nproducts:\n" + "- " * 200_000, id="200,000 nested lists"),
        pytest.param("wizard: 1\nproducts: " + '"' + "x" * 1_000_000, id="an open quote"),
        pytest.param("? " * 200_000, id="200,000 nested keys"),
        pytest.param("wizard: 1\n" + "!" * 500_000, id="half a million exclamation marks"),
    ],
)
def test_a_document_that_wants_to_grow_is_refused_quickly(text: str) -> None:
    started = time.monotonic()

    with pytest.raises(DocumentError):
        parse(text.encode(), "products.yaml")

    assert time.monotonic() - started < 5


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="this is a folder; name the document in it"):
        load(tmp_path)
    with pytest.raises(DocumentError, match="there is no such file"):
        load(tmp_path / "nothing.yaml")


# --- files that a document names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("../secret.pdf", "must be in the document's folder"),
        ("files/../../secret.pdf", "must be in the document's folder"),
        ("..\\secret.pdf", "must be in the document's folder"),
        ("/etc/hostname", "write the path relative to this document"),
        ("C:\\secret.pdf", "write the path relative to this document"),
        ("\\\\server\\share\\secret.pdf", "write the path relative to this document"),
        ("~/secret.pdf", "write the path relative to this document"),
    ],
)
def test_a_path_out_of_the_folder_is_refused(place: str, told: str, tmp_path: Path) -> None:
    text = f"wizard: 1\naccount:\n  files:\n    - {{name: Secret, path: '{place}'}}\n"

    message = refusal(tmp_path, text)

    assert message.startswith("products.yaml:4: account.files.0.path: ")
    assert told in message


def test_a_link_out_of_the_folder_is_refused_and_one_inside_it_is_followed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (home / "workbook.txt").write_text("workbook")
    (home / "out").symlink_to(tmp_path / "secret.txt")
    (home / "folder").symlink_to(tmp_path, target_is_directory=True)
    (home / "round").symlink_to(home / "round")
    (home / "in").symlink_to(home / "workbook.txt")

    for place in ("out", "folder/secret.txt"):
        with pytest.raises(ValueError, match="is a link to a place outside the document's folder"):
            file_at(place, home)
    with pytest.raises(ValueError, match="cannot be read"):
        file_at("round", home)
    assert file_at("in", home) == home.resolve() / "workbook.txt"


def test_a_missing_an_empty_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "folder").mkdir()

    for place, told in (("no.pdf", "there is no file"), ("empty.pdf", "is empty"), ("folder", "is not a file")):
        with pytest.raises(ValueError, match=told):
            file_at(place, tmp_path)


# --- text that somebody might obey -----------------------------------------------------------------------------------


def quoted(text: str) -> str:
    return "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)


@pytest.mark.parametrize("case", LEGITIMATE)
def test_legitimate_text_is_read_as_it_is(case: str, tmp_path: Path) -> None:
    text = LEGITIMATE[case]

    document = loaded(tmp_path, PRODUCT.replace("{name: Yoga}", f'{{name: Yoga, description: "{quoted(text)}"}}'))

    assert document.form.products[0].general.description == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("case", [*REFUSED, *LONG])
def test_text_that_could_act_or_hide_or_is_too_long_is_refused_and_never_repeated(case: str, tmp_path: Path) -> None:
    text = (REFUSED | LONG)[case]

    message = refusal(tmp_path, PRODUCT.replace("Yoga}", f'"{quoted(text)}"}}'))

    assert message.startswith("products.yaml:4: ")
    assert message == visible(message)
    assert len(message) < 500


@pytest.mark.parametrize("case", REFUSED)
def test_a_hostile_key_is_shown_harmlessly(case: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, f'wizard: 1\n"{quoted(REFUSED[case])}": 1\n')

    assert message.startswith("products.yaml:2: ")
    assert message == visible(message)
