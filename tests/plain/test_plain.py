"""The wizard line by line: a seller's whole way, typed as lines, with every kind of question on it."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from models.characters import visible
from models.events import Verdict
from models.product import Mode
from tests.support.hostile import REFUSED
from tests.support.shelf import NOON, new_shelf
from wizard import flow
from wizard.plain import run
from wizard.plain.lines import Console
from wizard.sample import fill
from wizard.sample import fill as sample
from wizard.settings import Settings, load
from wizard.store import open_store

GENERAL, PRICING, CHECKOUT, POST_SALE, AUTOMATIONS, AFFILIATES, REVIEW = "1234567"
KEEP = ""


@pytest.fixture
def shelf() -> Any:
    return new_shelf()


def sit(shelf: Any, *lines: str) -> str:
    """One sitting: these lines are typed, and what was said comes back."""
    said = io.StringIO()
    run(shelf, io.StringIO("".join(f"{line}\n" for line in lines)), said, clock=lambda: NOON)
    return said.getvalue()


def test_a_product_is_made_from_the_first_question_to_the_last(shelf: Any) -> None:
    said = sit(
        shelf,
        *("n", "Yoga"),
        *(GENERAL, KEEP, KEEP, "2", "help@example.com", "Forty lessons.", "One a week.", "."),
        *(PRICING, "EUR", "a", "recurring", "29.00", "monthly", "y", "0", "14", KEEP, "Monthly", KEEP, KEEP),
        *(CHECKOUT, "1 2", KEEP, "https://example.com/terms", KEEP, KEEP),
        *(POST_SALE, "1", "n", "Club", "Silver, Gold", "y", KEEP, "2", KEEP),
        *(KEEP, "Welcome!", ".", *[KEEP] * 9, "revoke", "keep", "14", "365"),
        *(AUTOMATIONS, "yoga, new", KEEP, KEEP, "a", "buys", "assign_tag", "member", KEEP),
        *(AFFILIATES, "y", "30", "a", "Partners", "y", "40", KEEP, KEEP),
        *(REVIEW, KEEP, KEEP),
        ":q",
    )

    product = shelf.load("yoga").answers
    assert product.general.description == "Forty lessons.\nOne a week."
    assert product.general.kind == "membership"
    [price] = product.pricing.prices
    assert (price.type, price.amount, price.period, price.label) == ("recurring", "29.00", "monthly", "Monthly")
    assert price.initial_payment is not None
    assert (price.initial_payment.amount, price.initial_payment.days) == ("0", 14)
    assert product.checkout.gateways == ("stripe", "paypal")
    assert product.post_sale.access.hosted_membership.membership == "club"
    assert product.post_sale.access.hosted_membership.levels == ("gold",)
    assert product.post_sale.thank_you.message == "Welcome!"
    assert (product.post_sale.policy.grace_days, product.post_sale.policy.expires_after_days) == (14, 365)
    assert product.automations.tags == ("yoga", "new")
    assert [rule.target for rule in product.automations.rules] == ["member"]
    assert product.affiliates.commission.percent == "30"
    assert product.affiliates.tiers[0].commission.percent == "40"
    assert "(PF-13)" in said
    assert shelf.complete["yoga"]


def test_a_switch_that_is_always_on_says_why_and_takes_no_answer(shelf: Any) -> None:
    fill(shelf)
    said = sit(shelf, "yoga-masterclass", POST_SALE, KEEP, "y", KEEP, KEEP, "n", ":q")
    said = " ".join(said.split())

    assert "[membership yoga-club, levels gold, login mail yes] (y to change)" in said
    assert "Login mail [yes: always, since it is password-protected] (Enter goes on):" in said
    assert "Login mail (y or n)" not in said


def test_a_variable_that_nobody_fills_is_told_as_soon_as_it_is_written(shelf: Any) -> None:
    fill(shelf)

    said = sit(shelf, "/cork", "1", POST_SALE, *[KEEP] * 4, "y", KEEP, "Dear %NAME%", KEEP, ".")

    assert "! buyers would read %NAME% as it stands; write {buyer_name}." in said


def test_every_question_is_asked_with_its_label(shelf: Any) -> None:
    fill(shelf)
    walk = [line for step in "123456" for line in (step, *[KEEP] * 40)]

    said = sit(shelf, "yoga-masterclass", *walk)

    product = shelf.load("yoga-masterclass").answers
    for question in (q for module in flow.modules() for q in module.questions):
        if flow.is_asked(product, question.id):
            assert question.ask.label in said, question.id


def test_enter_keeps_every_answer(shelf: Any) -> None:
    fill(shelf)
    before = dict(shelf.saved)

    sit(shelf, "yoga-masterclass", *[line for step in "123456" for line in (step, *[KEEP] * 40)])

    assert {slug: saved.answers for slug, saved in shelf.saved.items()} == {s: p.answers for s, p in before.items()}


def test_a_refused_answer_is_explained_and_asked_again(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", GENERAL, KEEP, KEEP, KEEP, "nobody", "help@example.com")

    assert "! not an e-mail address" in said
    assert said.count("Support e-mail [") == 2
    assert shelf.load("yoga").answers.general.support_email == "help@example.com"


def test_a_question_mark_explains_and_asks_again(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", GENERAL, "?")

    assert "no two products share it" in said
    assert said.count("Product name [Yoga]") == 2


def test_the_way_back_leads_to_the_question_before_and_out_of_the_step(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", GENERAL, KEEP, "<", "<", GENERAL, "Pilates")

    assert said.count("Product name [Yoga]") == 3
    assert shelf.load("yoga").answers.general.name == "Pilates"


def test_a_skipped_question_is_skipped_on_the_way_back_too(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", PRICING, KEEP, "a", "one_time", "9", "n", "<", "<", "19")

    assert "Period" not in said
    assert shelf.load("yoga").answers.pricing.prices[0].amount == "19"


@pytest.mark.parametrize("ending", [[":q"], []])
def test_leaving_or_the_end_of_the_input_loses_nothing(ending: list[str], shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", GENERAL, "Pilates", *ending)

    assert shelf.load("yoga").answers.general.name == "Pilates"
    assert said.endswith("Saved. Until next time.\n")


def test_a_dash_empties_an_answer(shelf: Any) -> None:
    fill(shelf)

    sit(shelf, "cork-mat", GENERAL, KEEP, KEEP, KEEP, "-")

    assert shelf.load("cork-mat").answers.general.support_email is None


def test_rows_are_added_changed_and_removed(shelf: Any) -> None:
    fill(shelf)

    sit(
        shelf,
        "yoga-masterclass",
        PRICING,
        KEEP,
        "d 1",
        "1",
        KEEP,
        "300.00",
        KEEP,
        KEEP,
        KEEP,
        "Once a year",
        KEEP,
        KEEP,
    )

    [price] = shelf.load("yoga-masterclass").answers.pricing.prices
    assert (price.amount, price.label) == ("300.00", "Once a year")


def test_a_group_is_removed_with_a_dash(shelf: Any) -> None:
    fill(shelf)

    sit(shelf, "yoga-masterclass", PRICING, KEEP, "1", KEEP, KEEP, KEEP, "-")

    assert shelf.load("yoga-masterclass").answers.pricing.prices[0].initial_payment is None


def test_a_thing_in_use_is_not_removed_and_the_refusal_says_who_uses_it(shelf: Any) -> None:
    fill(shelf)

    said = sit(shelf, "yoga-masterclass", POST_SALE, KEEP, "y", "d 1")

    assert "used by yoga-masterclass" in said
    assert "yoga-club" in shelf.things["memberships"]


def test_a_thing_is_changed_without_leaving_the_step(shelf: Any) -> None:
    fill(shelf)

    said = sit(
        shelf,
        "yoga-masterclass",
        POST_SALE,
        KEEP,
        "y",
        "e 1",
        "The Yoga Club",
        "silver, gold, platinum",
        KEEP,
        KEEP,
        "1",
    )

    assert "3 platinum" in said
    assert shelf.things["memberships"]["yoga-club"].name == "The Yoga Club"


@pytest.mark.parametrize(
    ("kind", "answers", "owned", "field"),
    [
        (
            ["4", "calendar", "n", "Coaching", KEEP, "Booked.", ".", KEEP, KEEP],
            "calendars",
            "coaching",
            "no_access_page.calendar",
        ),
        (
            ["4", "webinar", "n", "Evening", KEEP, "See you.", ".", KEEP],
            "webinars",
            "evening",
            "no_access_page.webinar",
        ),
        (["2", "n", "Studio", "sandbox"], "connections", "studio", "integrated_membership.connection"),
    ],
)
def test_a_thing_is_created_and_chosen_on_the_way(
    kind: list[str], answers: str, owned: str, field: str, shelf: Any
) -> None:
    sit(shelf, "n", "Yoga", POST_SALE, *kind)

    assert list(shelf.things[answers]) == [owned]
    assert flow.value_at(shelf.load("yoga").answers, f"post_sale.access.{field}") == owned


def test_a_file_is_added_from_its_path(shelf: Any, tmp_path: Path) -> None:
    (tmp_path / "book.pdf").write_text("a book")

    sit(shelf, "n", "Yoga", POST_SALE, "3", "n", "Book", str(tmp_path / "book.pdf"), "unlimited", "2d")

    answers = shelf.load("yoga").answers.post_sale.access.downloadable_file
    assert (answers.file, answers.download_limit, answers.link_lifetime) == ("book", None, 172_800)


def test_going_back_from_a_new_thing_drops_it(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", POST_SALE, "1", "n", "<")

    assert "the membership was not saved" in said
    assert not shelf.things["memberships"]


def test_it_goes_live_only_once_no_error_is_left(shelf: Any) -> None:
    fill(shelf)

    refused = sit(shelf, "summer-retreat", REVIEW, "y")
    sit(shelf, "yoga-masterclass", REVIEW, "y", "y")

    assert "It cannot go live yet: first the" in refused
    assert shelf.load("summer-retreat").mode is Mode.DEMO
    assert (shelf.load("yoga-masterclass").mode, shelf.load("yoga-masterclass").published) == (Mode.LIVE, True)


@pytest.mark.parametrize(
    ("typed", "bumps"),
    [("zafu", ("zafu",)), ("Zafu Deluxe, zafu", ("zafu-deluxe", "zafu")), ("zafu mat-0", ("zafu", "mat-0"))],
)
def test_a_bump_offer_beyond_the_listed_products_is_called_by_name_or_slug(
    typed: str, bumps: tuple[str, ...], tmp_path: Path
) -> None:
    with open_store(Settings(data_dir=tmp_path / "data")) as store:
        for number in range(51):
            store.create(f"Mat {number}", "seller")
        store.create("Zafu", "seller")
        store.create("Zafu Deluxe", "seller")

        said = sit(store, "mat-1", CHECKOUT, KEEP, KEEP, KEEP, KEEP, "zafus", typed)

        assert "and 3 more: write the name or the slug of one" in said
        assert "! there is no product zafus" in said
        assert store.load("mat-1").answers.checkout.bumps == bumps


def test_a_product_is_found_by_search_and_a_name_that_is_taken_is_refused(shelf: Any) -> None:
    fill(shelf)

    said = sit(shelf, "/mat", "1", ":q")
    taken = sit(shelf, "n", "Cork Mat", "Cork Mat 2")

    assert "Cork Mat – Demo" in said
    assert "! Another product is already called 'Cork Mat'" in taken
    assert "cork-mat-2" in shelf.saved


def test_what_somebody_else_changed_meanwhile_is_shown_and_either_may_be_taken(shelf: Any) -> None:
    fill(shelf)
    whole, kept = shelf.save, list[bool]()

    def changed_first(slug: str, base: int, answers: Any, *rest: Any) -> Any:
        if not kept:
            kept.append(True)
            theirs = flow.with_value(shelf.load(slug).answers, "general.description", "theirs")
            shelf.save = whole
            shelf.save(slug, base, theirs, (), "Ben", True)
        return whole(slug, base, answers, *rest)

    shelf.save = changed_first

    said = sit(shelf, "cork-mat", GENERAL, "Mat of cork", "y", KEEP)

    assert "Somebody else changed this product meanwhile" in said
    assert shelf.load("cork-mat").answers.general.name == "Mat of cork"


def changed_before(shelf: Any, method: str, *descriptions: str) -> None:
    """Let somebody else change the description each time before the seller's own change is stored."""
    own, save, waiting = getattr(shelf, method), shelf.save, list(descriptions)

    def changed_first(slug: str, *rest: Any, **switches: Any) -> Any:
        if waiting:
            stored = shelf.load(slug)
            theirs = flow.with_value(stored.answers, "general.description", waiting.pop(0))
            save(slug, stored.revision, theirs, (), "Ben", True)
        return own(slug, *rest, **switches)

    setattr(shelf, method, changed_first)


def test_a_change_by_somebody_else_during_the_review_is_shown_and_the_review_begins_anew(shelf: Any) -> None:
    fill(shelf)
    changed_before(shelf, "switch", "theirs")

    said = sit(shelf, "yoga-masterclass", REVIEW, "y", "y", KEEP, ":q")

    product = shelf.load("yoga-masterclass")
    assert said.count("Somebody else changed this product meanwhile") == 1
    assert "Keep yours or theirs?" not in said, "the seller was not answering anything"
    assert said.endswith("Saved. Until next time.\n")
    assert (product.mode, product.answers.general.description) == (Mode.LIVE, "theirs")


def test_a_switch_that_somebody_else_turned_during_the_review_is_told(shelf: Any) -> None:
    fill(shelf)
    own, once = shelf.switch, [True]

    def turned_first(slug: str, base: int, who: str, **switches: Any) -> Any:
        if once:
            once.pop()
            own(slug, base, "Ben", published=True)
        return own(slug, base, who, **switches)

    shelf.switch = turned_first

    said = sit(shelf, "yoga-masterclass", REVIEW, KEEP, "y", KEEP, KEEP, ":q")

    assert "Somebody else turned a switch of this product meanwhile." in said
    assert "Unpublish it?" in said
    assert shelf.load("yoga-masterclass").published


@pytest.mark.parametrize(("typed", "description"), [("y", "mine"), ("t", "theirs again")])
def test_what_is_changed_again_while_it_is_being_settled_is_settled_again(
    typed: str, description: str, shelf: Any
) -> None:
    fill(shelf)
    changed_before(shelf, "save", "theirs", "theirs again")

    said = sit(shelf, "cork-mat", GENERAL, KEEP, KEEP, KEEP, KEEP, "mine", ".", "y", typed, *[KEEP] * 6, ":q")

    assert said.count("Somebody else changed this product meanwhile") == 2
    assert said.endswith("Saved. Until next time.\n")
    assert shelf.load("cork-mat").answers.general.description == description


@pytest.mark.parametrize("case", REFUSED)
def test_hostile_text_is_refused_and_never_written_out(case: str, shelf: Any) -> None:
    text = REFUSED[case]
    shelf.create("Yoga", "seller")

    said = sit(shelf, "yoga", GENERAL, text.replace("\x85", "\u2028"), ":q")

    assert said == visible(said)
    assert shelf.load("yoga").answers.general.name == "Yoga"


def test_a_new_row_is_made_with_the_key_that_makes_a_new_product_and_is_read_back_as_a_charge(shelf: Any) -> None:
    said = sit(
        shelf,
        *("n", "Yoga", PRICING, "EUR"),
        *("n", "recurring", "29.00", "monthly", "y", "0", "14", KEEP, "Monthly", KEEP),
    )

    assert "Price points (n for a new one, Enter goes on):" in said
    assert "1 Monthly: €0.00 today, then €29.00 monthly from 7 Dec 2026" in said


def test_a_price_that_is_not_complete_says_what_it_lacks(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", PRICING, KEEP, "n", "recurring", KEEP, "monthly", KEEP, KEEP, KEEP, KEEP)

    assert "1 Recurring: not complete: " in said


class Terminal(io.StringIO):
    """Where lines are written for a person, who sees as many columns as the environment says."""

    def isatty(self) -> bool:
        return True


def test_long_lines_break_between_words_on_a_terminal_and_stay_whole_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = "  error: add a real gateway, since the product is to be sold for money (PF-06)"
    terminal, pipe = Terminal(), io.StringIO()

    Console(io.StringIO(), terminal).say(text)
    Console(io.StringIO(), pipe).say(text)

    broken = terminal.getvalue().splitlines()
    assert [word for line in broken for word in line.split()] == text.split()
    assert max(map(len, broken)) < 40
    assert pipe.getvalue() == f"{text}\n"


def test_a_purchase_is_test_fired_line_by_line(data_dir: Path) -> None:
    settings, said = load(), io.StringIO()
    lines = "".join(f"{line}\n" for line in ("coaching-hour", REVIEW, "y", ":q"))
    with open_store(settings) as store:
        sample(store)
        run(store, io.StringIO(lines), said, settings=settings)

        [fired] = store.runs("coaching-hour")
    assert fired.verdict is Verdict.PASSED
    assert "Test-fire a purchase in the sandbox, to see what a buyer gets?" in said.getvalue()
    assert "Passed: " in said.getvalue()


def test_after_a_test_fire_that_failed_it_does_not_go_live(data_dir: Path) -> None:
    said = io.StringIO()
    settings = load().model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:587?ca=/nowhere.pem")})
    lines = "".join(f"{line}\n" for line in ("coaching-hour", REVIEW, "y", "y", "y", ":q"))
    with open_store(settings) as store:
        sample(store)
        run(store, io.StringIO(lines), said, settings=settings)

        assert store.load("coaching-hour").mode is Mode.DEMO
    assert "It cannot go live yet: first the error above is to be put right." in said.getvalue()


def test_it_is_said_where_a_test_fire_goes_before_it_goes(data_dir: Path) -> None:
    settings, said = load().model_copy(update={"smtp_url": SecretStr("smtp://mail.example.com:587")}), io.StringIO()
    with open_store(settings) as store:
        sample(store)
        run(store, io.StringIO(f"coaching-hour\n{REVIEW}\nn\n:q\n"), said, settings=settings)

    assert "This test-fire leaves this machine. Mail server mail.example.com: the mails go to" in said.getvalue()
    assert "Test-fire a purchase there, to see what a buyer gets?" in said.getvalue()


def test_whoever_leaves_in_the_middle_of_a_thing_is_told_that_it_was_not_saved(shelf: Any) -> None:
    said = sit(shelf, "n", "Yoga", POST_SALE, "1", "n", "Club", "Silver", ":q")

    assert "The membership was not saved: it was not finished. Everything else is." in said
    assert "Saved. Until next time." not in said


def test_a_number_of_any_length_is_an_answer_like_another(shelf: Any) -> None:
    long = "9" * 5000
    said = sit(shelf, long, "n", "Yoga", long, POST_SALE, long, "1", f"n{long}", long, "<", PRICING, KEEP, f"d {long}")

    assert "there is no product 999" in said
    assert "there is no step 999" in said


def test_a_search_of_any_length_finds_nothing(data_dir: Path) -> None:
    settings, said = load(), io.StringIO()
    with open_store(settings) as store:
        sample(store)
        run(store, io.StringIO(f"/{'x' * 60_000}\n:q\n"), said, settings=settings)

    assert "Until next time." in said.getvalue()


def test_a_product_that_cannot_be_read_does_not_end_the_sitting(data_dir: Path) -> None:
    settings, said = load(), io.StringIO()
    with open_store(settings) as store:
        sample(store)
    with closing(sqlite3.connect(data_dir / "wizard.db")) as database, database:
        database.execute("update product set affiliates = '{\"on_sale\": \"perhaps\"}' where name = 'Coaching Hour'")
    with open_store(settings) as store:
        run(store, io.StringIO(f"coaching-hour\nyoga-masterclass\n{REVIEW}\n:q\n"), said, settings=settings)

    assert "  ! " in said.getvalue()
    assert "Preflight: " in said.getvalue() or "warning: " in said.getvalue()


def test_what_is_neither_yes_nor_no_is_asked_again(shelf: Any) -> None:
    fill(shelf)

    said = sit(shelf, "yoga-masterclass", REVIEW, "f", "y", KEEP, ":q")

    assert "! write y, or press Enter for no" in said
    assert shelf.load("yoga-masterclass").mode is Mode.LIVE
