"""The only door to a product being edited.

The terminal app, `--plain`, documents and walks all knock here. A session accepts or refuses one answer at a time,
stores each accepted one at once, undoes and redoes, and says what an answer changed. It is synchronous and used by one
thread at a time; what it hands out never changes, so another thread may read it while a new answer is being stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from models.product import Mode, Product
from models.references import OtherProduct, References
from models.saved import Change, SavedAccount, SavedProduct
from wizard import flow, progress
from wizard.failure import REFUSED, Failure
from wizard.mail import templates
from wizard.problems import Misfits, Problem
from wizard.progress import State, Survey
from wizard.store.errors import Corrupt, NameTaken, NotFound, Stale, UnknownReference

SWITCHES = ("mode", "published")
"""The two switches, by their names on a saved product."""

ASKED_FIRST = {
    "mode": "It stays in Demo: going live is asked about, on Review.",
    "published": "It stays unpublished: publishing is asked about, on Review.",
}
"""What is said where a step back would turn a switch towards buyers."""


class Shelf(Protocol):
    """What a session needs of a store."""

    def load(self, slug: str) -> SavedProduct: ...
    def save(
        self, slug: str, base_revision: int, answers: Product, changes: Sequence[Change], who: str, complete: bool
    ) -> SavedProduct: ...
    def switch(
        self, slug: str, base_revision: int, who: str, *, mode: Mode | None = None, published: bool | None = None
    ) -> SavedProduct: ...
    def remember_place(self, slug: str, question: str) -> None: ...
    def account(self) -> SavedAccount: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an accepted answer led to."""

    changes: tuple[Change, ...]
    states: Mapping[str, State]
    """The modules whose state is another one now."""
    notes: tuple[str, ...] = ()
    """What the wizard did on its own, and what the seller should know of the answer, in words."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that differs between this session and the store."""

    path: str
    mine: Any
    theirs: Any
    who: str
    given: bool = False
    """Whether this seller was giving this answer when the change was noticed."""


class ChangedElsewhere(Failure):
    """Somebody else changed the product meanwhile. Nothing was stored; `differences` says what differs, and `given` are
    the answers that this seller was giving, also those on which both agree."""

    status = REFUSED

    def __init__(
        self, stored: SavedProduct, mine: Product, differences: tuple[Difference, ...], given: frozenset[str]
    ) -> None:
        self.stored = stored
        self.mine = mine
        self.differences = differences
        self.given = given
        super().__init__("this product was changed elsewhere: " + ", ".join(d.path for d in differences))

    @property
    def told(self) -> str:
        """See `Failure`."""
        return f"Nothing was overwritten: {self}. Run the command again to take both."


def said_of(changed: ChangedElsewhere) -> str:
    """The sentence for a change elsewhere that leaves nothing to choose."""
    if changed.given:
        return "Somebody else gave the same answer meanwhile: it is saved."
    return "Somebody else turned a switch of this product meanwhile. You see it as it is now: look, and do it again."


def changes_between(old: Product, new: Product) -> list[Change]:
    """The answers that differ, question by question, as plain values. A list of rows is one answer."""
    found: list[Change] = []
    for module in (m for step in flow.steps() if _differs(old, new, step) for m in step.modules):
        for question in module.questions:
            before, after = flow.value_at(old, question.id), flow.value_at(new, question.id)
            if before == after:
                continue
            inner = question.form if question.ask.kind == "group" and before is not None and after is not None else ()
            for leaf in inner or (question,):
                a, b = flow.value_at(old, leaf.id), flow.value_at(new, leaf.id)
                if a != b:
                    found.append(Change(path=leaf.id, old=flow.as_plain(a), new=flow.as_plain(b)))
    return found


def _differs(old: Product, new: Product, step: flow.Step) -> bool:
    return bool(step.modules) and flow.value_at(old, step.id) != flow.value_at(new, step.id)


def _check_essentials(product: Product) -> None:
    """Refuse answers without what nothing is stored without. Raises Misfits."""
    lacking = [each for each in flow.essential_questions() if not flow.value_at(product, each.id)]
    if lacking:
        raise Misfits([Problem(each.id, each.ask.essential) for each in lacking])


class Session:
    """One product being edited by one seller."""

    def __init__(self, shelf: Shelf, slug: str, who: str = "seller") -> None:
        self._shelf = shelf
        self._who = who
        self._saved = shelf.load(slug)
        self._account = shelf.account()
        self._undo: list[list[Change]] = []
        self._redo: list[list[Change]] = []
        self._around = self._look_around(self._saved.answers)
        self._survey = progress.survey(self.answers, self._around)

    @property
    def saved(self) -> SavedProduct:
        """The product as it was stored last."""
        return self._saved

    @property
    def answers(self) -> Product:
        """The answers as they were stored last."""
        return self._saved.answers

    @property
    def account(self) -> SavedAccount:
        """The seller's things as they were when last looked at."""
        return self._account

    @property
    def around(self) -> References:
        """What the answers refer to."""
        return self._around

    @property
    def survey(self) -> Survey:
        """How far every module has come."""
        return self._survey

    @property
    def states(self) -> Mapping[str, State]:
        """The state of every module."""
        return self._survey.states

    def problems(self) -> list[Problem]:
        """Everything that is missing or needs review, in the order of the steps."""
        lacking = [problem for module in flow.modules() for problem in progress.missing_in(self.answers, module)]
        return lacking + self.conflicts()

    def conflicts(self) -> list[Problem]:
        """The answers that no longer fit what they depend on."""
        return list(progress.conflicts(self.answers, self._around))

    def check(self, path: str, value: object) -> list[Problem]:
        """What would be wrong with an answer. Touches nothing: it may be asked with every key."""
        try:
            _check_essentials(flow.with_value(self.answers, path, value))
        except Misfits as misfits:
            return list(misfits.problems)
        return []

    def fixed(self, path: str) -> str:
        """Why a switch is on and cannot be turned; empty where it can."""
        try:
            return flow.question_at(path).ask.fixed(self.answers, self._around)
        except KeyError:  # what a row is asked
            return ""

    def answer(self, path: str, value: object) -> Outcome:
        """Accept one answer and store it.

        Raises `Misfits` when it breaks a rule, `ChangedElsewhere` when the product was changed by somebody else, and
        the store's own errors; in each case nothing is stored and the session stays as it was.
        """
        new = flow.with_value(self.answers, path, value)
        question = flow.question_at(path)
        new = question.ask.follows(self.answers, new, self._around)
        outcome = self._store(new)
        if outcome.changes:
            self._undo.append(list(outcome.changes))
            self._redo.clear()
        asked = flow.as_plain(value)
        got = flow.as_plain(flow.value_at(self.answers, path))
        noted = (question.ask.note(asked, got),) if question.id == path else ()
        return Outcome(outcome.changes, outcome.states, (*filter(None, noted), *self._read_literally(path)))

    def _read_literally(self, path: str) -> Iterator[str]:
        """What buyers would read as it is written in an answer that was just given: in a mail, or after paying."""
        found = templates.all_left_over(self.answers)
        here = (problem for problem in found if f"{problem.path}.".startswith(f"{path}."))
        yield from dict.fromkeys(f"! {problem.message}." for problem in here)

    def replace(self, answers: Product) -> Outcome:
        """Store a whole set of answers at once, as a document does. Raises as `answer` does."""
        outcome = self._store(answers)
        if outcome.changes:
            self._undo.append(list(outcome.changes))
            self._redo.clear()
        return outcome

    def undo(self) -> Outcome | None:
        """Take back the last accepted answer, or turn of a switch; None when there is none.

        Going live and publishing are never done this way: then nothing changes, and a note says so.
        """
        return self._step_back(self._undo, self._redo)

    def redo(self) -> Outcome | None:
        """Give the answer again that was taken back last; None when there is none."""
        return self._step_back(self._redo, self._undo)

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is an answer to give again."""
        return bool(self._redo)

    def switch(self, mode: Mode | None = None, published: bool | None = None) -> SavedProduct:
        """Turn one of the two switches. Whether it may be turned is the preflight's to say.

        Raises `ChangedElsewhere` as `answer` does.
        """
        turned = self._switched(mode, published)
        if turned:
            self._undo.append(turned)
            self._redo.clear()
        return self._saved

    def _switched(self, mode: Mode | None, published: bool | None) -> list[Change]:
        before, slug, revision = self._saved, self._saved.slug, self._saved.revision
        try:
            after = self._saved = self._shelf.switch(slug, revision, self._who, mode=mode, published=published)
        except Stale as stale:
            raise self._changed_elsewhere(stale, self.answers, []) from stale
        turned = [(name, getattr(before, name), getattr(after, name)) for name in SWITCHES]
        return [Change(path=name, old=old, new=new) for name, old, new in turned if old != new]

    def remember(self, path: str) -> None:
        """Note where the seller is, to come back to it."""
        self._shelf.remember_place(self._saved.slug, path)

    def look_again(self) -> None:
        """Read the seller's things anew, after one of them was created, changed or removed."""
        self._account = self._shelf.account()
        self._around = self._look_around(self.answers)
        self._survey = progress.survey(self.answers, self._around)

    def take(self, stored: SavedProduct, mine: Product, keep: set[str]) -> Outcome:
        """After `ChangedElsewhere`: go on from the stored product, with those of my answers whose paths are kept.

        Raises as `answer` does; the session then stays as it was, and the same can be taken again.
        """
        merged = stored.answers
        for path in sorted(keep):
            merged = flow.with_value(merged, path, flow.value_at(mine, path))
        before = self._saved, self._account
        self._saved, self._account = stored, self._shelf.account()
        try:
            outcome = self._store(merged)
        except Exception:
            self._saved, self._account = before
            raise
        self._around = self._look_around(self.answers)
        self._survey = progress.survey(self.answers, self._around)
        self._undo.clear()
        self._redo.clear()
        return outcome

    def _store(self, new: Product) -> Outcome:
        _check_essentials(new)
        changes = changes_between(self.answers, new)
        if not changes:
            return Outcome((), {})
        before = self.states
        around = self._look_around(new)
        survey = progress.survey(new, around)
        try:
            slug, revision = self._saved.slug, self._saved.revision
            saved = self._shelf.save(slug, revision, new, changes, self._who, survey.is_complete)
        except Stale as stale:
            raise self._changed_elsewhere(stale, new, changes) from stale
        self._saved, self._around, self._survey = saved, around, survey
        after = self.states
        return Outcome(tuple(changes), {module: state for module, state in after.items() if before[module] != state})

    def _changed_elsewhere(self, stale: Stale, mine: Product, given: Sequence[Change]) -> ChangedElsewhere:
        who = {entry.path: entry.who for entry in stale.entries}
        paths = frozenset(change.path for change in given)
        differences = tuple(
            Difference(c.path, c.old, c.new, who.get(c.path, self._who), c.path in paths)
            for c in changes_between(mine, stale.saved.answers)
        )
        return ChangedElsewhere(stale.saved, mine, differences, paths)

    def _step_back(self, source: list[list[Change]], target: list[list[Change]]) -> Outcome | None:
        if not source:
            return None
        if source[-1][0].path in SWITCHES:
            return self._turn_back(source, target)
        new = self.answers
        for change in reversed(source[-1]):
            new = flow.with_value(new, change.path, change.old)
        try:
            outcome = self._store(new)
        except (Misfits, NameTaken, UnknownReference):
            # What it named is gone, or another's by now: it can never be taken back, and must not stand in the way of
            # what came before.
            source.pop()
            raise
        source.pop()
        target.append(list(outcome.changes))
        return outcome

    def _turn_back(self, source: list[list[Change]], target: list[list[Change]]) -> Outcome:
        """Turn switches back, but only away from buyers: what brings real money is never done by one key."""
        back = {change.path: change.old for change in source[-1]}
        if refused := [said for name, said in ASKED_FIRST.items() if back.get(name) in (Mode.LIVE, True)]:
            source.pop()
            return Outcome((), {}, tuple(refused))
        turned = self._switched(back.get("mode"), back.get("published"))
        source.pop()
        target.append(turned)
        return Outcome(tuple(turned), {})

    def _look_around(self, answers: Product) -> References:
        others = {}
        for slug in answers.checkout.bumps:
            if slug != self._saved.slug:
                try:
                    other = self._shelf.load(slug)
                except (NotFound, Corrupt):
                    continue
                others[slug] = OtherProduct(
                    other.answers.general.name or slug, other.answers.pricing.currency, other.published
                )
        return References(self._saved.slug, self._account.account, others)
