"""The seller's things, line by line: listed, chosen by number or name, created, changed and removed on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from models.account import Owned
from wizard import flow
from wizard.editing.cabinet import KINDS, Cabinet, NotThere
from wizard.editing.draft import Draft
from wizard.flow import Question
from wizard.plain.lines import Back, Console, Leave, number_in
from wizard.progress import missing
from wizard.store.errors import StoreError

Result = TypeVar("Result")


class Things:
    """What references refer to, for one product. `ask_all` asks every question of a draft."""

    def __init__(self, lines: Console, cabinet: Cabinet, ask_all: Callable[[Draft[Owned]], None]) -> None:
        self._lines = lines
        self._cabinet = cabinet
        self._ask_all = ask_all

    def show(self, question: Question, scope: Any) -> None:
        """Write what can be chosen."""
        subject = question.ask.subject or ""
        for number, offer in enumerate(self._cabinet.offered(subject, scope), start=1):
            self._lines.say(f"  {number} {offer.name}" + ("" if offer.name == offer.slug else f" ({offer.slug})"))
        if subject == "product" and (more := self._cabinet.beyond()):
            self._lines.say(f"  and {more:,} more: write the name or the slug of one")
        if subject in KINDS:
            self._lines.say(f"  n new {subject}; e or d and a number change or remove one")

    def chosen(self, question: Question, scope: Any, text: str) -> Any:
        """The slug, or slugs, that a line names. Raises NotThere, Leave."""
        subject = question.ask.subject or ""
        if question.ask.kind == "references":
            named = (self._slugs(subject, scope, part.strip()) for part in text.split(",") if part.strip())
            return tuple(slug for slugs in named for slug in slugs)
        word, _, rest = text.partition(" ")
        if subject in KINDS:
            if word == "n" and not rest:
                return self._create(subject)
            if word in ("e", "d") and rest:
                self._change_or_remove(subject, word, self._slug(subject, scope, rest))
                raise NotThere(f"choose a {subject} now")
        return self._slug(subject, scope, text)

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
        offered = self._cabinet.offered(subject, scope)
        if number := number_in(text, len(offered)):
            return offered[number - 1].slug
        return self._cabinet.slug_of(subject, scope, text)

    def _create(self, subject: str) -> str:
        filled = self._filled(Draft(self._cabinet.new(subject)), subject)
        return self._kept(lambda: self._cabinet.add(filled))

    def _change_or_remove(self, subject: str, word: str, slug: str) -> None:
        if word == "d":
            self._kept(lambda: self._cabinet.remove(subject, slug))
            self._lines.say(f"  The {subject} {slug} is removed.")
            return
        thing = self._cabinet.thing(subject, slug)
        assert thing is not None
        filled = self._filled(Draft(thing), subject)
        self._kept(lambda: self._cabinet.put(filled, slug))

    def _filled(self, draft: Draft[Owned], subject: str) -> Owned:
        """Ask for a thing until nothing that it needs is missing. Going back before its first question drops it."""
        while True:
            try:
                self._ask_all(draft)
            except Back:
                raise NotThere(f"the {subject} was not saved") from None
            except Leave:
                raise Leave(f"The {subject} was not saved: it was not finished. Everything else is.") from None
            lacking = [problem.message for problem in missing(draft.model, flow.questions_of(type(draft.model)))]
            if not lacking:
                return draft.model
            self._lines.say(f"  ! {'; '.join(lacking)}: the {subject} cannot be saved without. < drops it.")

    def _kept(self, change: Callable[[], Result]) -> Result:
        try:
            return change()
        except StoreError as error:
            raise NotThere(str(error)) from None
