"""Documents: what they say becomes true, and what is true can be written down again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from ruamel.yaml import YAML

from models.access import Access, AccessKind, DownloadableFile, HostedMembership
from models.account import Connection, ConnectionKind, File, Membership
from models.ask import Answers, Ask, ModuleHeading
from models.characters import visible
from models.general import General
from models.product import Product
from tests.support.hostile import LEGITIMATE
from tests.support.shelf import new_shelf
from tests.support.strategies import products
from wizard import flow
from wizard.documents import DocumentError, FileInTheWay, ObjectChange, apply, export, export_to, exported, schema
from wizard.documents.answers import answers_of, written
from wizard.documents.checking import load
from wizard.documents.reading import read
from wizard.documents.shape import document_model
from wizard.documents.writing import write
from wizard.problems import Misfits
from wizard.sample import DOCUMENT, fill
from wizard.settings import Settings
from wizard.store import open_store

EXAMPLE = """\
wizard: 1
account:
  memberships:
    - {slug: yoga-club, name: Yoga Club, password_protected: true, levels: [silver, gold]}
  files:
    - {slug: workbook, name: Course workbook, path: workbook.pdf}
  calendars:
    - {slug: coaching, name: Coaching call, confirmation: "You are booked. See you on the call."}
products:
  - slug: yoga-masterclass
    general: {name: Yoga Masterclass, kind: membership, support_email: help@example.com}
    pricing:
      currency: USD
      prices:
        - {type: recurring, amount: "29.00", period: monthly, initial_payment: {amount: "0", days: 14}}
    checkout: {gateways: [stripe]}
    post_sale:
      access: {kind: hosted_membership, membership: yoga-club, levels: [gold]}
      thank_you: {mode: hosted, message: "Welcome to the club!"}
      policy: {on_refund: revoke}
"""
"""The example of the specification."""

SCHEMA = jsonschema.Draft202012Validator(schema())


@pytest.fixture
def shelf() -> Any:
    return new_shelf()


def document(folder: Path, text: str, name: str = "products.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def example(folder: Path) -> Path:
    (folder / "workbook.pdf").write_bytes(b"%PDF-1.4 a workbook")
    return document(folder, EXAMPLE)


def told(changes: list[ObjectChange]) -> list[tuple[str, str, str]]:
    return [(change.object, change.name, change.change) for change in changes]


# --- apply ------------------------------------------------------------------------------------------------------------


def test_the_specifications_example_creates_what_it_describes(shelf: Any, tmp_path: Path) -> None:
    changes = apply([example(tmp_path)], shelf)

    assert told(changes) == [
        ("membership", "yoga-club", "created"),
        ("file", "workbook", "created"),
        ("calendar", "coaching", "created"),
        ("product", "yoga-masterclass", "created"),
    ]
    product = shelf.load("yoga-masterclass").answers
    assert product.general.name == "Yoga Masterclass"
    assert product.pricing.prices[0].initial_payment is not None
    assert product.post_sale.access.hosted_membership.levels == ("gold",)
    assert product.post_sale.thank_you.message == "Welcome to the club!"
    assert shelf.complete == {"yoga-masterclass": True}


def test_applying_twice_changes_nothing(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)
    before = dict(shelf.saved)

    changes = apply([example(tmp_path)], shelf)

    assert {change.change for change in changes} == {"unchanged"}
    assert shelf.saved == before


def test_a_dry_run_says_the_same_and_changes_nothing(shelf: Any, tmp_path: Path) -> None:
    planned = apply([example(tmp_path)], shelf, dry_run=True)

    assert not shelf.saved
    assert not shelf.things["memberships"]
    assert planned == apply([example(tmp_path)], shelf)


def test_a_change_names_the_answers_that_change(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)
    text = EXAMPLE.replace("levels: [gold]", "levels: [silver]").replace("name: Yoga Club", "name: The Yoga Club")

    changes = {change.name: change for change in apply([document(tmp_path, text)], shelf)}

    assert changes["yoga-club"].fields == ("name",)
    assert changes["yoga-masterclass"].fields == ("post_sale.access.hosted_membership.levels",)
    assert shelf.load("yoga-masterclass").revision == 2


def test_a_key_that_is_taken_out_goes_back_to_its_default(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)

    apply([document(tmp_path, EXAMPLE.replace("    checkout: {gateways: [stripe]}\n", ""))], shelf)

    assert shelf.load("yoga-masterclass").answers.checkout == Product().checkout


def test_a_file_is_copied_again_when_its_bytes_are_others(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)
    (tmp_path / "workbook.pdf").write_bytes(b"%PDF-1.4 a better workbook")

    changes = {change.name: change for change in apply([document(tmp_path, EXAMPLE)], shelf)}

    assert (changes["workbook"].change, changes["workbook"].fields) == ("updated", ("path",))


def test_a_product_without_a_slug_gets_one_from_its_name(shelf: Any, tmp_path: Path) -> None:
    path = document(tmp_path, "wizard: 1\nproducts:\n  - general: {name: Café Crème}\n")

    assert told(apply([path], shelf)) == [("product", "cafe-creme", "created")]
    assert told(apply([path], shelf)) == [("product", "cafe-creme", "unchanged")]


CIRCLE = """\
wizard: 1
products:
  - {slug: a, general: {name: A}, checkout: {bumps: [b]}}
  - {slug: b, general: {name: B}, checkout: {bumps: [c, a]}}
  - {slug: c, general: {name: C}, checkout: {bumps: [a]}}
"""


def test_products_that_offer_each_other_are_created_in_any_order(shelf: Any, tmp_path: Path) -> None:
    apply([document(tmp_path, CIRCLE)], shelf)

    assert {slug: saved.answers.checkout.bumps for slug, saved in shelf.saved.items()} == {
        "a": ("b",),
        "b": ("c", "a"),
        "c": ("a",),
    }


def test_several_files_are_one_apply(shelf: Any, tmp_path: Path) -> None:
    text = 'wizard: 1\naccount:\n  webinars: [{slug: evening, name: Evening, confirmation: "See you."}]\n'
    product = "post_sale: {access: {kind: no_access_page, reason: webinar, webinar: evening}}"
    first = document(tmp_path, f"wizard: 1\nproducts:\n  - general: {{name: Talk}}\n    {product}\n", "a.yaml")

    changes = apply([first, document(tmp_path, text, "b.yaml")], shelf)

    assert told(changes) == [("webinar", "evening", "created"), ("product", "talk", "created")]


# --- what is refused as a whole --------------------------------------------------------------------------------------

WHOLE = {
    "a membership that is not there": (
        EXAMPLE.replace("membership: yoga-club", "membership: yoga-clubs"),
        "products.yaml:18: products.0.post_sale.access.membership: there is no membership yoga-clubs; "
        "did you mean yoga-club?",
    ),
    "a kept thing that is not there": (
        EXAMPLE.replace("levels: [gold]}", "levels: [gold], kept: {downloadable_file: {file: book}}}"),
        "products.yaml:18: products.0.post_sale.access.kept.downloadable_file.file: there is no file book; ",
    ),
    "a bump that is not there": (
        EXAMPLE.replace("[stripe]}", "[stripe], bumps: [mat]}"),
        "products.yaml:16: products.0.checkout.bumps: there is no product mat; ",
    ),
    "a bump on itself": (
        EXAMPLE.replace("[stripe]}", "[stripe], bumps: [yoga-masterclass]}"),
        "products.yaml:16: products.0.checkout.bumps: a product cannot be offered on top of itself",
    ),
    "a thing twice": (
        EXAMPLE.replace("  files:", "    - {slug: yoga-club, name: Other}\n  files:"),
        "products.yaml:5: account.memberships.1: membership yoga-club is there twice, first in ",
    ),
    "a name twice": (
        EXAMPLE + "  - {slug: other, general: {name: yoga masterclass}}\n",
        "products.yaml:21: products.1.general.name: yoga-masterclass is called yoga masterclass too; ",
    ),
    "a product without a name": (
        "wizard: 1\nproducts:\n  - {slug: nameless}\n",
        "products.yaml:3: products.0.general.name: a product needs a name",
    ),
    "a file that is not there": (
        EXAMPLE.replace("path: workbook.pdf", "path: workbok.pdf"),
        "products.yaml:6: account.files.0.path: there is no file workbok.pdf; ",
    ),
    "a variable that is not set": (
        'wizard: 1\naccount:\n  connections: [{name: Blog, kind: webhook, secret: "${BLOG_SECRET}"}]\n',
        "products.yaml:3: account.connections.0.secret: the environment variable BLOG_SECRET is not set; ",
    ),
    "a key of another platform": (
        "wizard: 1\naccount:\n  connections: [{name: Blog, kind: sandbox, url: https://example.com}]\n",
        "products.yaml:3: account.connections.0.url: a sandbox connection like this has no url; it has no keys",
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_one_mistake_keeps_everything_from_being_changed(case: str, shelf: Any, tmp_path: Path) -> None:
    text, expected = WHOLE[case]
    example(tmp_path)

    with pytest.raises(DocumentError) as refused:
        apply([document(tmp_path, text)], shelf, environment={})

    assert expected in str(refused.value).replace(f"{tmp_path}/", "")
    assert not shelf.saved
    assert not any(shelf.things.values())


def test_a_name_that_another_product_has_is_refused_with_both_ways_out(shelf: Any, tmp_path: Path) -> None:
    shelf.create("Yoga", "seller", slug="first")

    with pytest.raises(DocumentError, match="the product first is called Yoga already; write slug: first to change"):
        apply([document(tmp_path, "wizard: 1\nproducts: [{slug: second, general: {name: Yoga}}]\n")], shelf)


COMMISSIONS = """\
wizard: 1
products:
  - slug: yoga
    general: {name: Yoga}
    pricing: {currency: JPY}
    affiliates:
      on_sale: true
      commission: {amount: "500"}
      tiers:
        - {name: Partners, commission: {amount: "900"}}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "path"),
    [
        ('{amount: "500"}', '{amount: "500.50"}', "commission.amount: 500.50"),
        ('{amount: "900"}', '{amount: "9.5"}', "tiers.0.commission.amount: 9.5"),
    ],
)
def test_a_commission_with_more_decimals_than_the_currency_has_is_refused(
    right: str, wrong: str, path: str, shelf: Any, tmp_path: Path
) -> None:
    with pytest.raises(DocumentError) as refused:
        apply([document(tmp_path, COMMISSIONS.replace(right, wrong))], shelf)

    assert f"products.0.affiliates.{path} has too many decimals: JPY has no decimals" in str(refused.value)
    assert not shelf.saved


def test_the_currency_is_not_switched_to_one_that_a_commission_does_not_fit(shelf: Any, tmp_path: Path) -> None:
    apply([document(tmp_path, COMMISSIONS)], shelf)
    yen = shelf.load("yoga").answers
    dollars = flow.with_value(flow.with_value(yen, "pricing.currency", "USD"), "affiliates.commission.amount", "5.50")

    assert flow.with_value(yen, "pricing.currency", "KWD").pricing.currency == "KWD"
    with pytest.raises(Misfits) as refused:
        flow.with_value(dollars, "pricing.currency", "JPY")

    assert [problem.path for problem in refused.value.problems] == ["affiliates.commission.amount"]


def test_a_name_and_a_deleted_slug_are_found_among_any_number_of_products(tmp_path: Path) -> None:
    with open_store(Settings(data_dir=tmp_path / "data")) as store:
        for number in range(60):
            store.create(f"A mat {number}", "seller")
        for number in range(60):
            store.delete(store.create(f"A gone strap {number}", "seller").slug, "seller")
        store.create("Mat", "seller")
        store.delete(store.create("Strap", "seller").slug, "seller")

        with pytest.raises(DocumentError, match="the product mat is called MAT already"):
            apply([document(tmp_path, "wizard: 1\nproducts: [{slug: second, general: {name: MAT}}]\n")], store)
        with pytest.raises(DocumentError, match="a deleted product is called strap: restore it"):
            apply([document(tmp_path, "wizard: 1\nproducts: [{slug: strap, general: {name: New}}]\n")], store)


def test_a_level_that_another_product_uses_cannot_be_dropped(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)
    text = "wizard: 1\naccount:\n  memberships: [{slug: yoga-club, name: Yoga Club, levels: [silver]}]\n"

    with pytest.raises(DocumentError, match="gold is used by the product yoga-masterclass"):
        apply([document(tmp_path, text)], shelf)


RULED = """\
wizard: 1
account:
  memberships: [{slug: yoga-club, name: Yoga Club, levels: [silver, gold]}]
products:
  - slug: yoga
    general: {name: Yoga}
    automations:
      rules:
        - {when: buys, then: grant_membership, target: yoga-club/gold}
"""


def test_a_rule_about_a_membership_that_is_not_there_is_refused(shelf: Any, tmp_path: Path) -> None:
    text = RULED.replace("target: yoga-club/gold", "target: yoga-clubs/gold")

    with pytest.raises(DocumentError, match=r"rules\.0\.target: there is no membership yoga-clubs; "):
        apply([document(tmp_path, text)], shelf)

    assert not shelf.saved


def test_a_level_that_another_products_rule_names_cannot_be_dropped(tmp_path: Path) -> None:
    with open_store(Settings(data_dir=tmp_path / "data")) as store:
        apply([document(tmp_path, RULED)], store)
        text = "wizard: 1\naccount:\n  memberships: [{slug: yoga-club, name: Yoga Club, levels: [silver]}]\n"

        with pytest.raises(DocumentError, match="gold is used by the product yoga"):
            apply([document(tmp_path, text)], store)


def test_a_level_is_dropped_together_with_its_last_use(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)
    text = EXAMPLE.replace("[silver, gold]", "[silver, bronze]").replace("levels: [gold]", "levels: [bronze]")

    apply([document(tmp_path, text)], shelf)

    membership = shelf.things["memberships"]["yoga-club"]
    assert isinstance(membership, Membership)
    assert membership.levels == ("silver", "bronze")
    assert shelf.load("yoga-masterclass").answers.post_sale.access.hosted_membership.levels == ("bronze",)


def test_a_secret_is_read_from_the_environment(shelf: Any, tmp_path: Path) -> None:
    text = 'wizard: 1\naccount:\n  connections: [{name: Hook, kind: webhook, secret: "${HOOK_SECRET}"}]\n'

    [change] = apply([document(tmp_path, text)], shelf, environment={"HOOK_SECRET": "whsec_hush"})

    hook = shelf.things["connections"]["hook"]
    assert isinstance(hook, Connection)
    assert hook.secret is not None
    assert hook.secret.get_secret_value() == "whsec_hush"
    assert "hush" not in change.model_dump_json()


# --- export -----------------------------------------------------------------------------------------------------------


def test_export_reads_like_the_specifications_example(shelf: Any, tmp_path: Path) -> None:
    apply([example(tmp_path)], shelf)

    assert export(shelf, "yoga-masterclass") == (
        "wizard: 1\n"
        "account:\n"
        "  memberships:\n"
        "    - {slug: yoga-club, name: Yoga Club, levels: [silver, gold]}\n"
        "products:\n"
        "  - slug: yoga-masterclass\n"
        "    general: {name: Yoga Masterclass, kind: membership, support_email: help@example.com}\n"
        "    pricing:\n"
        "      prices:\n"
        '        - {type: recurring, amount: "29.00", period: monthly, initial_payment: {amount: "0", days: 14}}\n'
        "    checkout: {gateways: [stripe]}\n"
        "    post_sale:\n"
        "      access: {kind: hosted_membership, membership: yoga-club, levels: [gold]}\n"
        '      thank_you: {message: "Welcome to the club!"}\n'
    )


@pytest.mark.parametrize("slug", [form.slug for form in load(DOCUMENT).form.products])
def test_every_sample_product_survives_the_way_out_and_back(slug: str, shelf: Any, tmp_path: Path) -> None:
    fill(shelf)
    other = new_shelf()

    found = export_to(shelf, slug, tmp_path / "one.yaml")
    apply([tmp_path / "one.yaml"], other)

    assert other.load(slug).answers == shelf.load(slug).answers
    assert export(other, slug) == found.text
    jsonschema.validate(load(tmp_path / "one.yaml").tree.plain(), schema())


def test_the_other_options_answers_are_kept(shelf: Any, tmp_path: Path) -> None:
    shelf.put(Membership(name="Club", levels=("gold",)))
    access = Access(
        kind=AccessKind.DOWNLOADABLE_FILE,
        downloadable_file=DownloadableFile(download_limit=None),
        hosted_membership=HostedMembership(membership="club", levels=("gold",)),
    )
    product = Product(general=General(name="Both"))
    product = product.model_copy(update={"post_sale": product.post_sale.model_copy(update={"access": access})})
    shelf.create("Both", "seller", product)

    text = export(shelf, "both")

    assert "kind: downloadable_file\n" in text
    assert "download_limit: unlimited\n" in text
    assert "kept: {hosted_membership: {membership: club, levels: [gold]}}\n" in text
    other = new_shelf()
    apply([document(tmp_path, text)], other)
    assert other.load("both").answers == product


def test_a_secret_leaves_as_the_name_of_a_variable(shelf: Any) -> None:
    hook = Connection(slug="my-hook", name="Hook", kind=ConnectionKind.WEBHOOK, secret=SecretStr("whsec_hush"))
    shelf.put(hook)
    product = flow.with_value(Product(general=General(name="A")), "post_sale.access.kind", "integrated_membership")
    product = flow.with_value(product, "post_sale.access.integrated_membership.connection", "my-hook")
    shelf.create("A", "seller", product)

    found = exported(shelf, "a")

    assert 'secret: "${MY_HOOK_SECRET}"' in found.text
    assert found.secrets == ("MY_HOOK_SECRET",)
    assert "hush" not in found.text


def test_two_files_of_one_name_do_not_overwrite_each_other(shelf: Any, tmp_path: Path) -> None:
    for slug in ("one", "two"):
        (tmp_path / slug).mkdir()
        (tmp_path / slug / "book.pdf").write_text(f"book {slug}")
        shelf.put(File(slug=slug, name=slug, path=str(tmp_path / slug / "book.pdf")))
        product = flow.with_value(Product(), "post_sale.access.downloadable_file.file", slug)
        shelf.create(slug, "seller", product)
    shelf.save("one", 1, flow.with_value(shelf.load("one").answers, "checkout.bumps", ("two",)), (), "seller", False)
    out = tmp_path / "out"
    out.mkdir()

    export_to(shelf, "one", out / "one.yaml")

    assert (out / "one" / "book.pdf").read_text() == "book one"
    assert (out / "two" / "book.pdf").read_text() == "book two"


def with_file(shelf: Any, folder: Path, name: str, slug: str = "workbook") -> None:
    """A product that sells a file of this name."""
    folder.mkdir()
    (folder / name).write_text("the workbook")
    shelf.put(File(slug=slug, name="Workbook", path="x").model_copy(update={"path": str(folder / name)}))
    access = {"kind": "downloadable_file", "downloadable_file": {"file": slug}}
    shelf.create("Yoga", "seller", Product.model_validate({"post_sale": {"access": access}}))


@pytest.mark.parametrize(
    ("name", "document_name", "place"),
    [
        ("doc.yaml", "doc.yaml", "workbook/doc.yaml"),
        ("Doc.YAML", "doc.yaml", "workbook/Doc.YAML"),
        ("workbook", "workbook", "workbook-file/workbook"),
        ("doc.pdf", "doc.yaml", "doc.pdf"),
    ],
)
def test_a_file_and_its_document_never_take_each_others_place(
    name: str, document_name: str, place: str, shelf: Any, tmp_path: Path
) -> None:
    with_file(shelf, tmp_path / "library", name)
    out = tmp_path / "out"
    out.mkdir()
    other = new_shelf()

    found = export_to(shelf, "yoga", out / document_name)
    apply([out / document_name], other)

    assert list(found.files) == [place]
    assert (out / place).read_text() == "the workbook"
    assert other.load("yoga").answers == shelf.load("yoga").answers


def test_two_files_of_the_documents_name_get_a_folder_each(shelf: Any, tmp_path: Path) -> None:
    with_file(shelf, tmp_path / "library", "doc.yaml")
    (tmp_path / "doc.yaml").write_text("another")
    shelf.put(File(slug="other", name="Other", path=str(tmp_path / "doc.yaml")))
    shelf.create(
        "Mat",
        "seller",
        Product.model_validate(
            {
                "checkout": {"bumps": ["yoga"]},
                "post_sale": {"access": {"kind": "downloadable_file", "downloadable_file": {"file": "other"}}},
            }
        ),
    )

    assert set(exported(shelf, "mat", "doc.yaml").files) == {"workbook/doc.yaml", "other/doc.yaml"}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("~draft.pdf", "workbook.pdf"),
        (" lead.pdf", "workbook.pdf"),
        ("trail.pdf ", "workbook.pdf"),
        ("evil\u202efdp.exe", "workbook.exe"),
        ("\x1b[2Jbook.pdf", "workbook.pdf"),
        ("new\nline", "workbook"),
        ("book.p\u202edf", "workbook"),
        ("..\\book.pdf", "workbook.pdf"),
        ("C:book.pdf", "workbook.pdf"),
        ("cafe\u0301.pdf", "caf\u00e9.pdf"),
        ("Work book.pdf", "Work book.pdf"),
    ],
)
def test_a_file_of_any_name_survives_the_way_out_and_back(name: str, place: str, shelf: Any, tmp_path: Path) -> None:
    with_file(shelf, tmp_path / "library", name)
    out = tmp_path / "out"
    out.mkdir()
    other = new_shelf()

    found = export_to(shelf, "yoga", out / "yoga.yaml")
    apply([out / "yoga.yaml"], other)

    assert list(found.files) == [place]
    assert found.text == visible(found.text)
    assert Path(other.things["files"]["workbook"].path).read_text() == "the workbook"


@pytest.mark.parametrize(
    "text", ["a\x1b[2J", "a\u202eb", "a\u200bb\nc", "tab\there", "line\u2028end", "\x85", "\U000e0041"]
)
def test_no_character_of_a_document_acts_on_the_terminal_that_it_is_written_to(text: str) -> None:
    document = write({"wizard": 1, "name": text})

    assert document == visible(document)
    assert YAML(typ="safe").load(document)["name"] == text


def test_a_file_in_the_way_is_not_overwritten(shelf: Any, tmp_path: Path) -> None:
    fill(shelf)
    (tmp_path / "workbook.pdf").write_text("mine")

    with pytest.raises(FileInTheWay, match="is there already with other contents"):
        export_to(shelf, "morning-yoga-workbook", tmp_path / "one.yaml")

    assert (tmp_path / "workbook.pdf").read_text() == "mine"
    assert not (tmp_path / "one.yaml").exists()


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), max_size=60) | st.sampled_from(
    [
        *LEGITIMATE.values(),
        "yes",
        "null",
        "~",
        "1",
        "1.0",
        "0x1F",
        "- a",
        "a: b",
        "a #b",
        " x",
        "é",
        "|",
        "2026-11-23",
        "=",
        "<<",
    ]
)


@st.composite
def answered(draw: st.DrawFn) -> Product:
    """A product with arbitrary texts in every kind of place."""
    product: Product = flow.with_value(Product(), "general.name", "Anything")
    lines = st.lists(TEXTS, max_size=4).map("\n".join)
    for path, values in {
        "general.description": lines,
        "post_sale.thank_you.message": lines,
        "post_sale.notifications.refund_full.body": lines,
        "post_sale.notifications.payment_failed.subject": TEXTS,
        "post_sale.notifications.payment_failed.enabled": st.booleans(),
        "post_sale.access.no_access_page.instructions": lines,
        "post_sale.access.downloadable_file.download_limit": st.none() | st.integers(1, 1000),
        "post_sale.access.downloadable_file.link_lifetime": st.integers(60, 604_800),
        "post_sale.access.kind": st.none() | st.sampled_from(AccessKind),
        "post_sale.policy.expires_after_days": st.none() | st.integers(1, 36_500),
        "pricing.prices": st.lists(
            st.fixed_dictionaries(
                {"amount": st.none() | st.integers(1, 10**6).map(str)},
                optional={
                    "type": st.sampled_from(["recurring", "installments"]),
                    "initial_payment": st.fixed_dictionaries({}, optional={"days": st.integers(1, 730)}),
                    "label": TEXTS,
                },
            ),
            max_size=3,
        ).map(tuple),
        "automations.tags": st.lists(TEXTS.filter(lambda text: text.strip(" \t")), max_size=3).map(tuple),
        "automations.rules": st.lists(st.fixed_dictionaries({"target": TEXTS}), max_size=2).map(tuple),
        "affiliates.commission.percent": st.none() | st.integers(0, 100).map(str),
    }.items():
        value = draw(values)
        try:
            product = flow.with_value(product, path, value)
        except ValueError:
            continue  # refused by its rule: then the default stands
    return product


@given(answered())
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_was_answered_survives_the_way_out_and_back(tmp_path: Path, product: Product) -> None:
    text = write({"wizard": 1, "products": [{"slug": "anything", **written(product)}]})

    found = load(document(tmp_path, text))

    assert answers_of(found.form.products[0]) == product
    SCHEMA.validate(found.tree.plain())


@given(products())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_every_product_that_the_wizard_can_hold_survives_the_way_out_and_back(tmp_path: Path, product: Product) -> None:
    text = write({"wizard": 1, "products": [{"slug": "anything", **written(product)}]})

    found = load(document(tmp_path, text))

    assert answers_of(found.form.products[0]) == product


# --- schema -----------------------------------------------------------------------------------------------------------


def valid(text: str, folder: Path) -> bool:
    return bool(SCHEMA.is_valid(read(document(folder, text), "products.yaml").plain()))


def test_the_schema_is_one_and_the_example_follows_it(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())

    assert valid(EXAMPLE, tmp_path)
    assert valid(DOCUMENT.read_text(), tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("wizard: 1", "wizard: 2"),
        ("wizard: 1", "wizrad: 1"),
        ("currency: USD", "curency: USD"),
        ('"29.00"', "29.00"),
        ("recurring", "recuring"),
        ("days: 14", "days: 0"),
        ("kind: hosted_membership", "kind: downloadable_file"),
        ("kind: hosted_membership", "kind: nothing"),
        ("levels: [gold]", "levels: gold"),
        ("{gateways: [stripe]}", "{gateways: [bank]}"),
        ("path: workbook.pdf", "file: workbook.pdf"),
        ("{slug: coaching, name: Coaching call,", "{slug: coaching,"),
    ],
)
def test_what_apply_refuses_the_schema_refuses_too(right: str, wrong: str, tmp_path: Path) -> None:
    assert right in EXAMPLE

    assert not valid(EXAMPLE.replace(right, wrong), tmp_path)
    with pytest.raises(DocumentError):
        load(document(tmp_path, EXAMPLE.replace(right, wrong)))


def test_every_key_in_the_schema_says_what_it_is() -> None:
    silent = [
        f"{name}.{key}"
        for name, model in schema()["$defs"].items()
        for key, field in model.get("properties", {}).items()
        if name in ("General", "Pricing", "Checkout", "ConnectionDocument") and not field.get("description")
    ]

    assert silent == ["ConnectionDocument.slug"]


# --- one declaration --------------------------------------------------------------------------------------------------


class GeneralWithColour(General):
    colour: Annotated[str, ModuleHeading("look", "Look"), Ask("Colour", "Which colour it has.", placeholder="blue")] = (
        ""
    )


class ColourfulProduct(Product):
    general: Annotated[GeneralWithColour, *Product.model_fields["general"].metadata] = GeneralWithColour()


def test_a_question_that_is_declared_once_is_a_key_of_documents_and_of_their_schema(tmp_path: Path) -> None:
    text = "wizard: 1\nproducts: [{slug: mat, general: {name: Mat, colour: blue}}]\n"

    found = load(document(tmp_path, text), ColourfulProduct)
    product = answers_of(found.form.products[0], ColourfulProduct)

    assert isinstance(product, ColourfulProduct)
    assert product.general.colour == "blue"
    assert written(product) == {"general": {"name": "Mat", "colour": "blue"}}
    asked: dict[str, Any] = schema(ColourfulProduct)["$defs"]["GeneralWithColour"]["properties"]["colour"]
    assert (asked["title"], asked["description"]) == ("Colour", "Which colour it has.")
    assert issubclass(document_model(ColourfulProduct), Answers)
    with pytest.raises(DocumentError, match="there is no key colour"):
        load(document(tmp_path, text))
