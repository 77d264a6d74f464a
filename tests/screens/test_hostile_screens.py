"""Hostile text on every screen that shows it: seen as it is, never obeyed, and nothing falls over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, cycle
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from rich.cells import cell_len
from textual.containers import VerticalScroll

from models.account import File
from models.characters import visible
from models.events import Event, Status, Verdict
from models.fulfillment import Buyer, Evidence, Exchange, GrantAccess, Receipt, Run, RunStep, SendEmail, ShownPage
from models.pricing import PricePoint
from models.product import Product
from screens.changed import ChangedDialog
from screens.dialog import Question
from screens.fire import FireScreen, page_of
from screens.folder import FolderBrowser
from screens.go_to import GoTo
from screens.help import HelpScreen
from screens.picker import Picker
from screens.preview import PreviewScreen
from screens.product import ProductScreen
from screens.runs import RunsScreen
from screens.widgets.choices import Reference, Rows
from tests.support.fields import ROWS, written
from tests.support.hostile import LEGITIMATE, MARKUP, REFUSED, TEXTS
from tests.support.seller import Seller, seller_at
from tests.support.terminal import terminal
from tests.support.watched import Watched, assert_harmless, clicks_on
from wizard import flow
from wizard.cli import main
from wizard.editing.cabinet import KINDS
from wizard.problems import Misfits
from wizard.session import ChangedElsewhere, Difference, Session
from wizard.settings import Settings
from wizard.store import Store, open_store
from wizard.wording import from_text

CLICK = MARKUP["a click action"]
TABLES = {
    "a crash and a click in every field": [f"{CLICK} [/nope]"],
    "every text in turn": list(LEGITIMATE.values()),
}
"""Which texts the fields are filled with, one after the other."""

WHEN = datetime(2026, 11, 23, 12, tzinfo=UTC)


Texts = Iterator[str]


def in_turn(table: str) -> Texts:
    return cycle(TABLES[table])


def filled(scope: Any, below: str, questions: tuple[flow.Question, ...], texts: Texts) -> Any:
    """The model with the next text in each of its fields that takes one."""
    for question in written(questions):
        path, text = question.id.removeprefix(below), next(texts)
        try:
            scope = flow.with_value(scope, path, from_text(question, text))
        except Misfits:
            texts = chain([text], texts)
    return scope


def product_of(texts: Texts) -> Product:
    """A product with hostile text wherever it may be, in rows too."""
    product = Product.model_validate({"general": {"name": next(texts)}, "affiliates": {"commission": {}}})
    asked = tuple(question for module in flow.modules() for question in module.questions)
    product = filled(product, "", asked, texts)
    for path, model in ROWS.items():
        row: Any = {"prices": PricePoint(amount="29.00")}.get(path.rpartition(".")[2]) or model()
        rows = (filled(row, "", flow.questions_of(model), texts),)
        product = flow.with_value(product, path, rows)
    return Product.model_validate(product)


def furnish(store: Store, texts: Texts, folder: Path) -> None:
    """Things of the seller's with hostile text, and a product that uses them."""
    slugs = {}
    for subject, model in KINDS.items():
        plain = {"name": next(texts), "slug": subject, "confirmation": CLICK}
        thing: Any = model.model_validate({name: plain[name] for name in plain if name in model.model_fields})
        if isinstance(thing, File):
            path = folder / "[@click=app.quit()]\x1b[31m.pdf"
            path.write_bytes(b"%PDF")
            thing = thing.model_copy(update={"path": str(path)})
        else:
            thing = filled(thing, "", flow.questions_of(model), texts)
        slugs[subject] = store.put(thing).slug
    store.record_check("connection", False, "[/nope] \x1b[31mno", WHEN)
    answers = product_of(texts)
    for reference, subject in REFERENCES.items():
        answers = flow.with_value(answers, reference, slugs[subject or ""])
    store.create(answers.general.name or "", "ada", answers, "hostile")
    for text in dict.fromkeys(next(texts) for _ in LEGITIMATE):
        store.create(f"{text} too", "ada")


REFERENCES = {
    question.id: question.ask.subject
    for question in flow.all_questions()
    if question.ask.kind == "reference" and question.ask.subject in KINDS
}


def hostile_run(texts: dict[str, str]) -> Run:
    """A run whose platform answered with every hostile text."""
    said = "\n".join(texts.values())
    exchange = Exchange(request=f"GET /{said}", status=200, sent=said, received=said, ms=1.0)
    evidence = Evidence(allowed=False, proven_by="buyer", detail=said, facts=dict(texts), exchanges=(exchange,))
    actions: list[Any] = [
        GrantAccess(target=said, levels=(said,), name=said),
        SendEmail(target=said, subject=said, body=said),
    ]
    steps = tuple(
        RunStep(position=n, action=action, status=Status.FAILED, ms=1, detail=said, evidence=evidence,
                receipt=Receipt(reference=said, detail=said, exchanges=(exchange,)))
        for n, action in enumerate(actions, start=1)
    )  # fmt: skip
    return Run(
        id="hostile1", product="hostile", revision=1, event=Event.PURCHASE, backend="sandbox", buyer=Buyer(), price=1,
        started_at=WHEN, finished_at=WHEN, verdict=Verdict.FAILED, reason=said, steps=steps,
        page=ShownPage(source="product", text=said),
    )  # fmt: skip


# --- in the app -------------------------------------------------------------------------------------------------------


async def looks(seller: Seller, seen: list[str]) -> None:
    """Look at the screen as it stands now, down to its end."""
    await seller.settled()
    for scroll in seller.app.screen.query(VerticalScroll):
        for y in range(0, scroll.max_scroll_y, max(1, scroll.size.height)):
            scroll.scroll_to(y=y, animate=False)
            await seller.pilot.pause()
            seen.append(seller.screen)
            assert_harmless(seller)
        scroll.scroll_end(animate=False)
    await seller.pilot.pause()
    seen.append(seller.screen)
    assert_harmless(seller)


@pytest.mark.parametrize("table", TABLES)
async def test_every_screen_shows_hostile_text_as_it_is(table: str, tmp_path: Path) -> None:
    texts = TABLES[table]
    with open_store(Settings()) as store:
        furnish(store, in_turn(table), tmp_path)
    seen: list[str] = []
    async with seller_at("120x40", Watched(Settings())) as seller:
        await seller.sees(" products")
        await looks(seller, seen)
        seller.app.say(f"Said: {texts[0]}", title=texts[0], severity="error")
        screen = await opened(seller)
        for module in [*flow.modules()]:
            await screen.open_page(module.id)
            await looks(seller, seen)
        await screen.open_page("review")
        await looks(seller, seen)
        for over in overlays(screen, texts):
            await seller.app.push_screen(over)
            await looks(seller, seen)
            over.dismiss(None)
            await seller.pilot.pause()
        await every_dialogue(seller, screen, seen)
        await seller.press("escape")
        await seller.sees("Buyers receive it by")
        await seller.press("x")
        await looks(seller, seen)
    everything = "\n".join(seen)
    assert texts[0][:20] in everything
    if table.startswith("every text"):
        assert [text for text in texts if normalize("NFC", text)[:8] not in everything] == []


async def opened(seller: Seller) -> ProductScreen:
    screen = ProductScreen(Session(seller.app.shelf, "hostile"))
    await seller.app.push_screen(screen)
    await seller.sees("What your buyer gets")
    return screen


def overlays(screen: ProductScreen, texts: list[str]) -> list[Any]:
    """Everything that opens over a product, but for the dialogues that its fields open."""
    session, text = screen.session, texts[0]
    differences = tuple(
        Difference(path, text, text[::-1], text, bool(at % 2))
        for at, path in enumerate(("general.description", "automations.tags", "pricing.prices"))
    )
    changed = ChangedElsewhere(session.saved, session.answers, differences, frozenset())
    return [
        ChangedDialog(changed),
        GoTo(session, screen.current),
        HelpScreen.of(screen),
        PreviewScreen(session),
        Question(f"Remove {text}?", text),
        FireScreen(session.saved),
        RunsScreen(page_of, "hostile"),
        *(screen.things._picker(subject, None) for subject in KINDS),
    ]


async def every_dialogue(seller: Seller, screen: ProductScreen, seen: list[str]) -> None:
    """Open what each field opens: its list to choose from, its rows, the mails."""
    for module in flow.modules():
        await screen.open_page(module.id)
        await seller.settled()
        if module.id == "post_sale.notifications":
            await seller.press("enter")
            await looks(seller, seen)
            await seller.press("escape")
            continue
        for field in screen.page.form.every_field():  # type: ignore[union-attr]
            if field.display and isinstance(field.control, Reference | Rows):
                field.control.focus()
                await seller.pilot.pause()
                await seller.press("enter")
                await seller.until(lambda: len(seller.app.screen_stack) == 4, field.path)
                await looks(seller, seen)
                if isinstance(seller.app.screen, Picker) and seller.app.screen.check_action("change", ()):
                    await seller.press("f2")
                    await seller.until(lambda: len(seller.app.screen_stack) == 5, field.path)
                    await looks(seller, seen)
                    await seller.press("escape")
                await seller.press("escape")
                await seller.until(lambda: len(seller.app.screen_stack) == 3, field.path)


async def test_even_a_text_that_nobody_made_harmless_is_painted_without_effect_and_moves_no_cell() -> None:
    said = " ".join(REFUSED.values())
    async with seller_at("120x40", Watched(Settings())) as seller:
        seller.app.say(said, title=said)
        await seller.app.push_screen(Question(said, said))
        await seller.sees("Yes")
        await seller.settled()
        assert_harmless(seller)
        assert "red [31malert" in seller.screen
        for strip in seller.app.screen._compositor.render_strips():
            assert cell_len("".join(segment.text for segment in strip)) == 120


async def test_what_a_platform_answered_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    with open_store(Settings()) as store:
        furnish(store, cycle([CLICK]), tmp_path)
        store.open_run(hostile_run(MARKUP | REFUSED))
    async with seller_at("120x40", Watched(Settings())) as seller:
        seen: list[str] = []
        await seller.sees(" products")
        await seller.press("f7")
        await seller.sees("Failed")
        await looks(seller, seen)
        await seller.press("enter")
        await seller.sees("Test-fire")
        await looks(seller, seen)
        await clicks_on(seller, "press me")
        await seller.press("down")
        await looks(seller, seen)
        await seller.press("escape", "escape")
        screen = await opened(seller)
        await screen.open_page("review")
        await looks(seller, seen)
        everything = "".join(line.strip() for screen in seen for line in screen.splitlines())
        for text in (*MARKUP.values(), *REFUSED.values()):
            for shown in visible(text).splitlines():
                assert shown[:20].strip() in everything, text


async def test_a_text_that_came_from_a_file_is_marked_in_a_field(tmp_path: Path) -> None:
    """A path may hold what no name may: it is the file's own."""
    path = tmp_path / "a\x1b[31mred\u202e.pdf"
    path.write_bytes(b"%PDF")
    async with seller_at("80x24", Watched(Settings())) as seller:
        seller.app.shelf.create("Yoga", "ada")
        screen = ProductScreen(Session(seller.app.shelf, "yoga"))
        await seller.app.push_screen(screen)
        await seller.settled()
        seller.app.run_worker(screen.things._create("file"))
        await seller.sees("A new file")
        await seller.write("Workbook")
        await seller.press("tab")
        seller.app.focused.value = str(tmp_path)  # type: ignore[union-attr]
        await seller.press("f4")
        await seller.sees("a‹U+001B›[31mred‹U+202E›.pdf")
        assert_harmless(seller)
        await seller.write("red")
        await seller.pilot.pause(0.2)
        await seller.press("enter")
        await seller.sees("␛[31mred")
        assert_harmless(seller)
        await seller.press("ctrl+o")
        await seller.until(lambda: "A new file" not in seller.screen, "it is stored")
        await seller.settled()
    with open_store(Settings()) as store:
        assert store.open_file("workbook").read_bytes() == b"%PDF"


# --- the folder browser -----------------------------------------------------------------------------------------------

NAMES = [b"[@click=app.quit()]x.pdf", b"[bold", b"a\x1b[31mred.pdf", b"bell\x07.pdf", b"rtl\xe2\x80\xaefdp.exe",
         b"line\nbreak.pdf", b"not\xffutf-8.pdf", b"q" * 200 + b".pdf", b"**", b"~"]  # fmt: skip


def strange_files(folder: Path) -> None:
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"x")
    (folder / "to nowhere").symlink_to(folder / "gone")
    (folder / "round").symlink_to(folder / "round")


async def test_the_folder_browser_shows_any_name_and_obeys_none(tmp_path: Path) -> None:
    folder = tmp_path / "[@click=app.quit()]folder [" / "nope]"
    folder.mkdir(parents=True)
    strange_files(folder)
    async with seller_at("120x40", Watched(Settings())) as seller:
        taken: list[str | None] = []
        await seller.app.push_screen(FolderBrowser(folder), taken.append)
        await seller.sees("[@click=app.quit()]x.pdf")
        for shown in (
            "a‹U+001B›[31mred.pdf",
            "bell‹U+0007›.pdf",
            "line‹U+000A›break.pdf",
            "not‹U+DCFF›utf-8.pdf",
            "**",
        ):
            assert shown in seller.screen
        assert "to nowhere" not in seller.screen
        assert_harmless(seller)
        await clicks_on(seller, "folder [/nope]")
        for written in ("**", "[", "~", "\x00", "x" * 10_000):
            seller.app.screen.query_one("#find").value = written  # type: ignore[attr-defined]
            await seller.pilot.pause(0.1)
            assert_harmless(seller)
        seller.app.screen.query_one("#find").value = "utf-8"  # type: ignore[attr-defined]
        await seller.sees("not‹U+DCFF›utf-8.pdf")
        await seller.press("enter")
        await seller.until(lambda: bool(taken), "it is taken")
        assert taken == [os.fsdecode(os.fsencode(folder) + b"/not\xffutf-8.pdf")]


async def test_the_folder_browser_goes_up_and_down_and_says_when_a_folder_is_gone(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    (tmp_path / "here.pdf").write_bytes(b"x")
    async with seller_at("80x24") as seller:
        await seller.app.push_screen(FolderBrowser(below))
        await seller.sees("../")
        await seller.press("enter")
        await seller.sees("here.pdf")
        below.rmdir()
        await seller.press("down", "enter")
        await seller.sees("This folder cannot be read: No such file or directory.")
        await seller.press("enter")
        await seller.sees("here.pdf")


# --- outside the app --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [["products"], ["show", "hostile"], ["check", "hostile"], ["runs"], ["run", "hostile1"]], ids=" ".join
)
def test_a_command_writes_nothing_that_acts_on_a_terminal(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(Settings()) as store:
        furnish(store, cycle([CLICK]), tmp_path)
        store.open_run(hostile_run(TEXTS))

    main(command)

    out, err = capsys.readouterr()
    assert out
    assert out + err == visible(out + err)


def test_the_terminal_is_sent_no_title_no_clipboard_and_no_bell(tmp_path: Path) -> None:
    with open_store(Settings()) as store:
        furnish(store, cycle([CLICK]), tmp_path)
        store.open_run(hostile_run(REFUSED))
    with terminal(env={"WIZARD_DATA_DIR": str(Settings().data_dir)}) as opened:
        opened.sees("2 products")
        opened.press("f7")
        opened.sees("Failed")
        opened.press("enter")
        opened.settle()
        assert "‹U+001B›" in opened.text
        assert "owned" not in opened.screen.title
        opened.press("escape")
        opened.press("escape")
        opened.send(b"q")
        assert opened.end() == 0
