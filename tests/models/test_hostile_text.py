"""Hostile text in every field of every step: stored as it was written or refused by name, and never obeyed.

The fields are read from the declarations, so a new question is covered by itself.
"""

from __future__ import annotations

import asyncio
import json
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from textual.events import Paste
from textual.widgets import Static

from models.access import IntegratedMembership
from models.account import Connection, ConnectionKind
from models.characters import harmful, quoted
from screens.form_dialog import FormDialog
from screens.page import Page
from screens.product import ProductScreen
from screens.widgets.controls import LineControl, TextControl
from screens.widgets.field import Field
from screens.widgets.form import Form
from tests.support.fields import DIALOGUES, FORMS, PAGES, WORDS, WRITTEN, Sitting, written
from tests.support.hostile import LEGITIMATE, MARKUP, REFUSED, TEXTS
from tests.support.seller import Seller, seller_at
from tests.support.watched import Watched, assert_harmless, clicks_on
from wizard import flow
from wizard.documents import DocumentError, apply
from wizard.editing.cabinet import KINDS
from wizard.flow import Question
from wizard.session import Session
from wizard.settings import Settings
from wizard.store import open_store


def test_what_is_quoted_is_never_cut_within_what_may_be_a_secret() -> None:
    assert quoted("a short one\n\twith a break\x1b[2J") == "a short one with a break‹U+001B›[2J"
    assert quoted("your key is abcdefghij and more", 20) == "your key is…"
    assert quoted("your key is abcdefghij", 12) == "your key is…"
    assert quoted("x" * 30, 20) == "…"
    assert quoted("値" * 30, 20) == "値" * 20 + "…"
    assert quoted("キーはsecret-of-thine", 12) == "キーは…"


# --- every field, from the declarations -------------------------------------------------------------------------------


def test_every_written_question_is_on_a_page_or_in_a_dialogue_here() -> None:
    here = {f"{path}" for _, sitting in PAGES for path in sitting.paths}
    for name, model in FORMS.items():
        mine = [path for sitting in DIALOGUES if sitting.name.split()[0] == name for path in sitting.paths]
        assert sorted(mine) == sorted(question.id for question in written(flow.questions_of(model)))
        here |= {f"{name}.{path}" for path in mine}

    product = {question.id for question in flow.all_questions() if question.ask.kind in WRITTEN}
    mails = {question.id for question in product_questions("post_sale.notifications")}
    assert product - mails == {path for path in here if path in product}
    kinds = {sitting.scope.kind for sitting in DIALOGUES if isinstance(sitting.scope, Connection)}
    assert kinds >= set(ConnectionKind) - {ConnectionKind.SANDBOX}


def product_questions(module_id: str) -> Iterator[Question]:
    module = next(module for module in flow.modules() if module.id == module_id)
    return flow.all_questions(module.questions)


FOREIGN = {"user", "role", "tier", "label", "grant_event", "revoke_event", "product_or_level"}

NAMED_ELSEWHERE = [
    flow.question_at("post_sale.access.integrated_membership.level").ask,
    *(question.ask for question in flow.questions_of(Connection) if question.name in FOREIGN),
]
"""What somebody else has named: of two ways to write it only theirs is the name."""


def as_taken(question: Question, text: str) -> str:
    return text if question.ask in NAMED_ELSEWHERE else unicodedata.normalize("NFC", text)


def kept(question: Question, text: str) -> Any:
    """What is stored of a text when it is stored: what was written, in Unicode's composed form."""
    composed = as_taken(question, text)
    match question.ask.kind:
        case "text":
            return "\n".join(composed.splitlines()).strip()
        case "path":
            return text  # a file's name is its bytes: there is no other way to write it
        case "secret":
            return SecretStr(text)
        case "words":
            return tuple(word.strip() for word in composed.split(",") if word.strip())
    return composed.strip()


def said(field: Field) -> str:
    """What stands under a field."""
    return str(field.query_one(".message", Static).visual)


async def paste_everywhere(seller: Seller, form: Form, paths: list[str], text: str) -> None:
    """Paste a text over what stands in each field, and give it, as leaving the field does."""
    fields = [form.fields[path] for path in paths]
    for field in fields:
        control = field.control
        assert isinstance(control, LineControl | TextControl)
        control.clear()
        form.forget(field.path)
        control._forward_event(Paste(text))  # as the app does with what the terminal sends
    await soon(lambda: all(standing_in(field) == as_lines(field, text) for field in fields), (text, paths))
    seller.app.set_focus(None)  # a field that is being written in keeps what stands there
    for field in fields:
        field.control.give()  # type: ignore[attr-defined]
    # What is the same as before is not given again, what was refused stays, and the rest is stored.
    await soon(lambda: all(field.is_refused or not field.control.is_dirty for field in fields), (text, paths))  # type: ignore[attr-defined]


async def soon(holds: Callable[[], bool], what: object = "") -> None:
    """Wait in small steps: this is done thousands of times."""
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.001)


def standing_in(field: Field) -> str:
    return field.control.text if isinstance(field.control, TextControl) else field.control.value  # type: ignore[attr-defined]


def as_lines(field: Field, text: str) -> str:
    """A text as it stands in a field after a paste: a line separator is a line break where there are several lines."""
    return "\n".join(text.splitlines()) if isinstance(field.control, TextControl) else text


def assert_kept_or_refused(field: Field, before: Any, now: Any, text: str) -> None:
    question = field.question
    if field.error is None:
        levels = question.ask.label == "Levels"  # their names are made into slugs, and shown so
        assert now == kept(question, text) or levels, (field.path, text, now)
        seen = as_lines(field, text)
        assert seen not in REFUSED.values() or levels or question.ask.kind in ("secret", "path")
    else:
        assert now == before, (field.path, text, now)
        assert field.error in said(field), (field.path, text, said(field))


# --- pasted -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "sitting"), PAGES, ids=[sitting.name for _, sitting in PAGES])
async def test_what_is_pasted_on_a_page_is_stored_as_written_or_refused_at_the_field(
    module: str, sitting: Sitting
) -> None:
    async with seller_at("80x24", Watched(Settings())) as seller:
        store = seller.app.shelf
        store.create("Hostile", "ada")
        session = Session(store, "hostile")
        screen = ProductScreen(session)
        await seller.app.push_screen(screen)
        scope = sitting.scope.model_copy(update={"general": session.answers.general})
        await seller.app.desk.do(session.replace, scope)
        await screen.open_page(module)
        await seller.settled()
        page = screen.page
        assert isinstance(page, Page)
        assert all(page.form.fields[path].display for path in sitting.paths)
        for text in TEXTS.values():
            before = session.answers
            await paste_everywhere(seller, page.form, sitting.paths, text)
            for path in sitting.paths:
                old, new = flow.value_at(before, path), flow.value_at(session.answers, path)
                assert_kept_or_refused(page.form.fields[path], old, new, text)
            assert_harmless(seller)
        assert store.load("hostile").answers == session.answers


@pytest.mark.parametrize("sitting", DIALOGUES, ids=lambda sitting: sitting.name)
async def test_what_is_pasted_in_a_dialogue_is_kept_as_written_or_refused_at_the_field(sitting: Sitting) -> None:
    async with seller_at("80x24", Watched(Settings())) as seller:
        store = seller.app.shelf
        store.create("Hostile", "ada")
        screen = ProductScreen(Session(store, "hostile"))
        await seller.app.push_screen(screen)
        await seller.settled()

        async def accept(model: Any) -> None:
            raise AssertionError(model)

        dialogue = FormDialog("[/nope] a dialogue", sitting.scope, screen.things, accept)
        await seller.app.push_screen(dialogue)
        await seller.until(lambda: dialogue.form.is_mounted, "the dialogue is open")
        for text in TEXTS.values():
            before = dialogue.draft.model
            await paste_everywhere(seller, dialogue.form, sitting.paths, text)
            for path in sitting.paths:
                old, new = flow.value_at(before, path), flow.value_at(dialogue.draft.model, path)
                assert_kept_or_refused(dialogue.form.fields[path], old, new, text)
            assert_harmless(seller)


async def test_what_is_typed_is_stored_as_it_was_written() -> None:
    async with seller_at("80x24", Watched(Settings())) as seller:
        await seller.press("n")
        await seller.sees("A new product")
        await seller.write(CLICK)
        await seller.press("enter")
        await seller.sees("What do you sell?")
        await seller.settled()
        assert_harmless(seller)
        await clicks_on(seller, "press")
        await seller.press("tab")
        await seller.write("[/nope] Zoë")
        await seller.press("enter")
        await seller.settled()
        [row] = seller.app.shelf.products().rows
        answers = seller.app.shelf.load(row.slug).answers.general
        assert (answers.name, answers.official_name) == (CLICK, "[/nope] Zoë")
        await seller.press("escape")
        await seller.sees("1 product")
        await clicks_on(seller, "press")


CLICK = MARKUP["a click action"]


# --- pasted in another shape than the field takes ---------------------------------------------------------------------


async def at_official_name(seller: Seller) -> None:
    store = seller.app.shelf
    store.create("Yoga", "ada")
    await seller.app.push_screen(ProductScreen(Session(store, "yoga")))
    await seller.sees("What do you sell?")
    await seller.goes_to("official name")


def official_name(seller: Seller) -> str | None:
    return seller.app.shelf.load("yoga").answers.general.official_name


async def pastes(seller: Seller, text: str) -> None:
    seller.app.post_message(Paste(text))
    await seller.pilot.pause()


async def test_of_several_pasted_lines_one_line_takes_the_first_and_says_so() -> None:
    async with seller_at("80x24") as seller:
        await at_official_name(seller)
        await pastes(seller, "\r\nYoga for all\r\nand a second line\r\n")
        await seller.sees("This takes one line: the first of 2 was taken.")
        await seller.press("enter")
        await seller.settled()
        assert official_name(seller) == "Yoga for all"


async def test_a_line_that_was_copied_with_its_end_is_pasted_without_a_word() -> None:
    async with seller_at("80x24") as seller:
        await at_official_name(seller)
        await pastes(seller, "Yoga for all\n")
        await seller.sees("Yoga for all")
        assert "was taken" not in seller.screen


async def test_a_pasted_escape_sequence_is_seen_as_marks_refused_by_place_and_can_be_taken_out() -> None:
    async with seller_at("80x24", Watched(Settings())) as seller:
        await at_official_name(seller)
        await pastes(seller, "Yoga\x1b[2J")
        await seller.sees("Yoga␛[2J")
        assert_harmless(seller)
        await seller.press("enter")
        await seller.settled()
        await seller.sees("character 5 is an invisible U+001B escape: take it out")
        assert official_name(seller) is None
        await seller.goes_to("official name")
        await seller.press("end", *["backspace"] * 4, "enter")
        await seller.settled()
        assert official_name(seller) == "Yoga"
        assert "✗" not in seller.screen


async def test_ten_thousand_pasted_characters_stay_in_the_field_and_the_limit_is_named() -> None:
    async with seller_at("80x24") as seller:
        await at_official_name(seller)
        await pastes(seller, "x" * 10_000)
        await seller.press("enter")
        await seller.settled()
        await seller.sees("at most 120 characters; this has 10,000")
        assert official_name(seller) is None
        await seller.goes_to("description")
        await seller.write("Something else")
        await seller.goes_to("official name")
        await seller.settled()
        field = seller.app.focused
        assert isinstance(field, LineControl)
        assert field.value == "x" * 10_000


async def test_what_was_refused_on_a_page_that_was_left_is_told_and_leaving_for_good_needs_a_second_key() -> None:
    async with seller_at("80x24") as seller:
        await at_official_name(seller)
        await seller.goes_to("support")
        await seller.write("help@")
        await seller.press("ctrl+f")
        await seller.sees("Support e-mail was not")
        await seller.settled()
        await seller.press("escape")
        await seller.sees("Esc again")
        await seller.settled()
        field = seller.app.focused
        assert isinstance(field, LineControl)
        assert field.value == "help@"
        await seller.press("escape")
        await seller.sees("1 product")


# --- applied from a document ------------------------------------------------------------------------------------------


def in_document(plain: object) -> str:
    """JSON, which YAML reads, with every harmful character escaped: so it arrives at the models."""
    written = json.dumps(plain, ensure_ascii=False)
    return "".join(f"\\U{ord(c):08x}" if harmful(c) else c for c in written)


ASKED = tuple(question for module in flow.modules() for question in module.questions)
PRODUCT_WORDS = [question for question in flow.single_questions(ASKED) if question.ask.kind in WORDS]
THING_WORDS = [
    (f"{subject}s", question)
    for subject, model in KINDS.items()
    if subject != "file"
    for question in written(flow.questions_of(model))
    if question.ask.kind in WORDS - {"secret"}
]


@pytest.mark.parametrize("case", TEXTS)
def test_what_a_document_says_is_stored_as_written_or_refused_by_file_and_line(case: str, tmp_path: Path) -> None:
    text = TEXTS[case]
    path = tmp_path / "products.yaml"
    asked: dict[tuple[str | None, str], Question] = {(None, question.id): question for question in PRODUCT_WORDS}
    asked |= {(kind, question.id): question for kind, question in THING_WORDS}
    refused: set[tuple[str | None, str]] = set()
    with open_store(Settings()) as store:
        for _ in range(4):
            path.write_text(in_document(whole_document(asked.keys() - refused, asked, text)), encoding="utf-8")
            try:
                apply([path], store)
            except DocumentError as error:
                assert store.products().rows == ()
                for mistake in error.mistakes:
                    assert mistake.file.endswith("products.yaml")
                    assert mistake.line == 1
                    assert not any(harmful(character) for character in str(mistake))
                    refused |= {place(mistake.path)} if mistake.path else set(asked)  # not even read any further
            else:
                break
        if refused == set(asked):
            # What is too long for each of them is refused by each: no name is cut in silence.
            assert text in REFUSED.values() or len(text) > 5000
            return
        account, answers = store.account().account, store.load("yoga").answers
    for key in asked.keys() - refused:
        kind, name = key
        scope = getattr(account, kind)[0] if kind else answers
        if name != "levels":  # their names are made into slugs
            assert flow.value_at(scope, name) == kept_of_document(asked[key], text), key
    if text in LEGITIMATE.values():
        assert not refused & {(None, "general.official_name"), (None, "general.description"), ("memberships", "name")}
    elif text in REFUSED.values():
        assert {key for key in asked if key[1] != "levels"} == refused - {("memberships", "levels")}


def whole_document(keys: Iterable[tuple[str | None, str]], asked: dict[Any, Question], text: str) -> dict[str, Any]:
    """One product and one thing of each kind, with the text in each of these places."""
    account: dict[str, Any] = {}
    product: dict[str, Any] = {"slug": "yoga", "general": {"name": "Yoga"}}
    for subject in ("memberships", "connections", "calendars", "webinars"):
        account[subject] = [{"slug": "one", "name": "One"}]
    for subject in ("calendars", "webinars"):
        account[subject][0]["confirmation"] = "Booked."
    for kind, path in sorted(keys, key=str):
        value = [text] if asked[kind, path].ask.kind == "words" else text
        target = account[kind][0] if kind else product
        # The options of access that are not chosen stand below `kept`.
        *above, name = path.replace("post_sale.access.", "post_sale.access.kept.").split(".")
        for part in above:
            target = target.setdefault(part, {})
        target[name] = value
    return {"wizard": 1, "account": account, "products": [product]}


def place(path: str) -> tuple[str | None, str]:
    """Which of the fields a mistake is about: `account.calendars.0.name`, `products.0.automations.tags.0`."""
    kind, _, name = path.removeprefix("account.").split(".", 2)
    return (None if kind == "products" else kind), flow.id_of(name).replace(".kept", "")


def kept_of_document(question: Question, text: str) -> Any:
    composed = as_taken(question, text).strip(" \t")
    return (composed,) if question.ask.kind == "words" else composed


@pytest.mark.parametrize(
    ("field", "kind"),
    [("user", "wordpress"), ("role", "wordpress"), ("tier", "ghost"), ("label", "ghost"), ("grant_event", "webhook"),
     ("revoke_event", "webhook"), ("product_or_level", "dap")],
)  # fmt: skip
def test_what_is_named_elsewhere_is_taken_as_it_is_written(field: str, kind: str):
    decomposed = unicodedata.normalize("NFD", "Caf\u00e9")

    taken = Connection.model_validate({"name": "My site", "kind": kind, field: f" {decomposed}"})

    assert getattr(taken, field) == decomposed
    assert IntegratedMembership(level=decomposed).level == decomposed
    with pytest.raises(ValueError, match="invisible"):
        Connection.model_validate({"name": "My site", "kind": kind, field: f"{decomposed}\u202e"})


def test_an_address_is_taken_as_it_is_written():
    decomposed = unicodedata.normalize("NFD", "https://example.com/caf\u00e9")

    assert Connection.model_validate({"name": "A", "kind": "webhook", "url": decomposed}).url == decomposed
