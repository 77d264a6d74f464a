"""A third front end, smaller than any that people would use: all that it does with answers is `wizard.editing`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.product import Mode
from tests.support.shop import NOW
from wizard import flow
from wizard.editing import rows, settling
from wizard.editing.answering import Answering, ProductAnswers
from wizard.editing.cabinet import KINDS, Cabinet, NotThere
from wizard.editing.draft import Draft
from wizard.editing.going_live import turn_switch
from wizard.editing.switches import PUBLISH, Turn, change_of, standing
from wizard.problems import Misfits
from wizard.session import ChangedElsewhere, Session
from wizard.settings import Settings
from wizard.store import Store, open_store
from wizard.store.errors import StoreError
from wizard.wording import from_text


class Telegraph:
    """Takes one line at a time and wires one back: PATH = TEXT · PATH + FIELD=TEXT … · PATH - N · PATH ^ N · PATH new
    NAME · PATH drop NAME · mine · theirs · publish."""

    def __init__(self, store: Store, slug: str) -> None:
        self.session = Session(store, slug)
        self.store, self.cabinet = store, Cabinet(store, self.session)
        self.answers: Answering = ProductAnswers(self.session)
        self.changed: ChangedElsewhere | None = None

    def send(self, line: str) -> str:
        """Do what a line says; what comes back is always one line."""
        if line in ("mine", "theirs"):
            return self.settle(line == "mine")
        if line == "publish":
            return self.turn(PUBLISH)
        path, what, text = line.split(" ", 2)
        question = flow.question_at(path)
        subject = question.ask.subject or ""
        now: Any = self.answers.value(path)
        answer: Any
        try:
            match what:
                case "=" if question.ask.kind == "reference":
                    answer = self.cabinet.slug_of(subject, self.answers.scope(path), text)
                case "=" if question.ask.kind == "references":
                    answer = tuple(self.cabinet.slug_of(subject, self.answers.scope(path), t) for t in text.split(", "))
                case "=":
                    answer = from_text(question, text)
                case "+":
                    assert question.row is not None
                    draft = Draft(question.row())
                    for name, value in (pair.split("=") for pair in text.split()):
                        draft.answer(name, value)
                    answer = rows.with_row(now, len(now), draft.whole())
                case "-":
                    answer = rows.without(now, int(text) - 1)
                case "^":
                    answer, _ = rows.moved(now, int(text) - 1, -1)
                case "new":
                    thing = Draft(KINDS[subject]())
                    thing.give("name", text)
                    answer = self.cabinet.add(thing.whole())
                case _:
                    self.cabinet.remove(subject, self.cabinet.slug_of(subject, None, text))
                    return f"{text} is gone"
            return self.told(path, self.answers.answer(path, answer))
        except Misfits as misfits:
            return f"no: {misfits.problems[0].message}"
        except ChangedElsewhere as changed:
            self.changed = changed
            said = [f"{d.label}: {d.mine} or {d.theirs} ({d.who})" for d in settling.differences(changed, "Kartra")]
            return f"changed elsewhere: {'; '.join(said)}"
        except (NotThere, StoreError) as error:
            return f"no: {error}"

    def told(self, path: str, notes: tuple[str, ...]) -> str:
        """The answer as it is stored, with what the wizard did on its own."""
        value, question = self.answers.value(path), flow.question_at(path)
        listed = [
            f"{rows.name_of(row)} {rows.charge_of(row, self.session.answers.pricing.currency, NOW.date())}"
            if rows.is_price(row)
            else rows.told(question, row)
            for row in (value if question.ask.kind == "rows" else ())
        ]
        return " / ".join([*(listed or [str(value)]), *notes])

    def settle(self, mine: bool) -> str:
        """Keep what was being answered, or take what somebody else stored."""
        assert self.changed is not None
        keep = {d.path for d in settling.differences(self.changed, "Kartra") if mine and d.is_given}
        self.changed = settling.go_on(self.session, self.changed, keep)
        return "changed again" if self.changed else f"revision {self.session.saved.revision}"

    def turn(self, turn: Turn) -> str:
        """Turn a switch."""
        before = change_of(turn, self.session.saved)
        refused = turn_switch(self.store, self.session, turn, NOW)
        return refused[0].message if refused else f"{before} {standing(self.session.saved)[0]}"


def test_it_edits_rows_things_and_what_was_changed_elsewhere(tmp_path: Path) -> None:
    with open_store(Settings(data_dir=tmp_path)) as store:
        slug = store.create("Yoga", "ada").slug
        wire, access = Telegraph(store, slug), "post_sale.access"

        assert wire.send("pricing.prices + type=one_time amount=29.00") == "One-time $29.00 today"
        wire.send("pricing.prices + type=one_time amount=19.00 label=Early")
        assert wire.send("pricing.prices ^ 2") == "Early $19.00 today / One-time $29.00 today"
        assert wire.send("pricing.prices - 2") == "Early $19.00 today"
        assert wire.send("pricing.prices + type=one_time amount=abc").startswith("no: ")
        assert wire.send(f"{access}.kind = hosted_membership") == "hosted_membership"
        assert wire.send(f"{access}.hosted_membership.membership = Club") == (
            "no: there is no membership yet: write n to create one"
        )
        assert wire.send(f"{access}.hosted_membership.membership new Yoga Club") == "yoga-club"
        assert wire.session.answers.post_sale.access.hosted_membership.levels == ("member",)  # it has only one
        assert wire.send(f"{access}.hosted_membership.levels = gold").startswith("no: there is no level gold")
        assert wire.send(f"{access}.hosted_membership.membership drop Yoga Club").startswith("no: ")  # it is in use

        Session(store, slug, "bob").answer("general.name", "Yoga for all")
        assert wire.send("general.name = Yoga today") == (
            "changed elsewhere: Product name: Yoga today or Yoga for all (bob)"
        )
        wire.send("mine")
        assert store.load(slug).answers.general.name == "Yoga today"
        assert wire.send("publish") == (
            "Buyers will see it, but every order is a test until you go live. Published in Demo"
        )
        assert (store.load(slug).published, store.load(slug).mode) == (True, Mode.DEMO)
