"""The seller's things, line by line: listed, chosen by number or name, created, changed and removed on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from models.access import HostedMembership
from models.account import Account, Owned
from models.characters import quoted
from models.text import SLUG
from wizard import flow
from wizard.flow import Question
from wizard.plain.forms import Draft
from wizard.plain.lines import Back, Leave, Lines, number_in
from wizard.progress import missing
from wizard.session import Session
from wizard.store.errors import NotFound, StoreError
from wizard.store.lookup import products_named

if TYPE_CHECKING:
    from wizard.store import Store
    from wizard.store.account import OwnedKind


LISTED = 50
"""How many products are written as a list to choose from; the others are called by name or slug."""


class NotThere(Exception):
    """What was typed names none of the seller's things."""


def kind_of(subject: str) -> type[Owned] | None:
    """The model of a thing that can be created on the way; None for levels and products."""
    field = Account.model_fields.get(f"{subject}s")
    return cast("type[Owned]", field.annotation.__args__[0]) if field and field.annotation else None


class Things:
    """What references refer to, for one product."""

    def __init__(self, lines: Lines, store: Store, session: Session, ask_all: Callable[[Draft], None]) -> None:
        self._lines = lines
        self._store = store
        self._session = session
        self._ask_all = ask_all

    def show(self, question: Question, scope: Any) -> None:
        """Write what can be chosen."""
        subject = question.ask.subject or ""
        for number, (slug, label) in enumerate(self._offered(subject, scope), start=1):
            self._lines.say(f"  {number} {label}" + ("" if label == slug else f" ({slug})"))
        if subject == "product" and (more := self._store.products(limit=LISTED).total - LISTED) > 0:
            self._lines.say(f"  and {more:,} more: write the name or the slug of one")
        if kind_of(subject):
            self._lines.say(f"  n new {subject}; e or d and a number change or remove one")

    def chosen(self, question: Question, scope: Any, text: str) -> Any:
        """The slug, or slugs, that a line names. Raises NotThere, Leave."""
        subject = question.ask.subject or ""
        if question.ask.kind == "references":
            named = (self._slugs(subject, scope, part.strip()) for part in text.split(",") if part.strip())
            return tuple(slug for slugs in named for slug in slugs)
        word, _, rest = text.partition(" ")
        if kind_of(subject):
            if word == "n" and not rest:
                return self._create(subject)
            if word in ("e", "d") and rest:
                self._change_or_remove(subject, word, self._slug(subject, scope, rest))
                raise NotThere(f"choose a {subject} now")
        return self._slug(subject, scope, text)

    def _offered(self, subject: str, scope: Any) -> list[tuple[str, str]]:
        if subject == "level":
            slug = scope.membership if isinstance(scope, HostedMembership) else None
            membership = self._session.around.membership(slug)
            return [(level, level) for level in membership.levels] if membership else []
        if subject == "product":
            rows = self._store.products(limit=LISTED).rows
            return [(row.slug, row.name) for row in rows if row.slug != self._session.saved.slug]
        things: tuple[Owned, ...] = getattr(self._session.account.account, f"{subject}s")
        return [(thing.slug, thing.name) for thing in things]

    def _slugs(self, subject: str, scope: Any, text: str) -> tuple[str, ...]:
        """What stands between two commas: a name, which may have spaces, or several words. Raises NotThere."""
        try:
            return (self._slug(subject, scope, text),)
        except NotThere:
            words = text.split()
            if len(words) == 1:
                raise
            return tuple(self._slug(subject, scope, word) for word in words)

    def _slug(self, subject: str, scope: Any, text: str) -> str:
        offered = self._offered(subject, scope)
        if number := number_in(text, len(offered)):
            return offered[number - 1][0]
        for slug, label in offered:
            if text in (slug, label):
                return slug
        if subject == "product" and (found := self._product(text)):
            return found
        if not offered:
            raise NotThere(f"there is no {subject} yet" + (": write n to create one" if kind_of(subject) else ""))
        raise NotThere(f"there is no {subject} {quoted(text, 60)}: write one of the numbers")

    def _product(self, text: str) -> str | None:
        """Another product by its slug or its name, listed or not."""
        this = self._session.saved.slug
        if SLUG.fullmatch(text) and text != this:
            try:
                return self._store.load(text).slug
            except NotFound:
                pass
        return next((row.slug for row in products_named(self._store, text) if row.slug != this), None)

    def _create(self, subject: str) -> str:
        model = kind_of(subject)
        assert model is not None
        filled = self._filled(Draft(model()), subject)
        stored: Owned = self._kept(lambda: self._store.add(filled))
        return stored.slug

    def _change_or_remove(self, subject: str, word: str, slug: str) -> None:
        if word == "d":
            self._kept(lambda: self._store.remove(cast("OwnedKind", subject), slug))
            self._lines.say(f"  The {subject} {slug} is removed.")
            return
        things: tuple[Owned, ...] = getattr(self._session.account.account, f"{subject}s")
        filled = self._filled(Draft(next(thing for thing in things if thing.slug == slug)), subject)
        self._kept(lambda: self._store.put(filled))

    def _filled(self, draft: Draft, subject: str) -> Any:
        """Ask for a thing until nothing that it needs is missing. Going back before its first question drops it."""
        while True:
            try:
                self._ask_all(draft)
            except Back:
                raise NotThere(f"the {subject} was not saved") from None
            except Leave:
                raise Leave(f"The {subject} was not saved: it was not finished. Everything else is.") from None
            lacking = [problem.message for problem in missing(draft.thing, flow.questions_of(type(draft.thing)))]
            if not lacking:
                return draft.thing
            self._lines.say(f"  ! {'; '.join(lacking)}: the {subject} cannot be saved without. < drops it.")

    def _kept(self, change: Callable[[], Any]) -> Any:
        try:
            return change()
        except StoreError as error:
            raise NotThere(str(error)) from None
        finally:
            self._session.look_again()
