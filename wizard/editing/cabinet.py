"""The seller's things, as a question about one of them needs them: offered, found, made, changed and removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from models.account import Account, Calendar, Connection, File, Membership, Owned
from models.characters import quoted
from models.text import SLUG
from wizard.session import Session
from wizard.store.errors import NotFound

if TYPE_CHECKING:
    from wizard.store import Store
    from wizard.store.account import OwnedKind

LISTED = 50
"""How many products are offered as a list to choose from; the others are found by name or slug."""


class NotThere(Exception):
    """What was named is none of the seller's things. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be chosen."""

    slug: str
    name: str
    hint: str = ""


KINDS: dict[str, type[Owned]] = {
    name.removesuffix("s"): get_args(field.annotation)[0] for name, field in Account.model_fields.items()
}
"""The models of the things that can be made on the way, by what questions call them: all but levels and products."""


class Cabinet:
    """What references refer to, for one product. What reads or changes the records waits for them: call it where that
    does no harm."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store = store
        self._session = session

    def owned(self, subject: str) -> tuple[Owned, ...]:
        """The seller's things of a kind, as they were when last looked at."""
        return getattr(self._session.account.account, f"{subject}s", ())

    def levels(self, scope: Any) -> tuple[str, ...]:
        """The levels of the membership that is chosen beside a question. `scope`: the model of its answer."""
        membership = self._session.around.membership(getattr(scope, "membership", None))
        return membership.levels if membership else ()

    def offered(self, subject: str, scope: Any = None) -> list[Offer]:
        """What can be chosen, in the order in which it is listed; of products the first ones."""
        if subject == "level":
            return [Offer(level, level) for level in self.levels(scope)]
        if subject == "product":
            return self.products(limit=LISTED)
        return [Offer(thing.slug, thing.name, self.hint(thing)) for thing in self.owned(subject)]

    def products(self, text: str = "", limit: int = LISTED) -> list[Offer]:
        """Other products whose name contains this."""
        rows = self._store.products(text, limit=limit).rows
        this = self._session.saved.slug
        return [Offer(r.slug, r.name, "" if r.published else "unpublished") for r in rows if r.slug != this]

    def beyond(self) -> int:
        """How many products are not among those that are listed."""
        return max(0, self._store.products(limit=LISTED).total - LISTED)

    def hint(self, thing: Owned) -> str:
        """What tells a thing from others of its kind."""
        match thing:
            case Membership():
                return ", ".join(thing.levels)
            case Connection():
                check = self._session.account.checks.get(thing.slug)
                state = "not checked yet" if check is None else "works" if check.works else "does not work"
                return f"{thing.kind.label}, {state}"
            case File():
                stored = self._session.account.files.get(thing.slug)
                return f"{stored.filename}, {stored.size:,} bytes" if stored else ""
            case Calendar():
                return thing.kind.label
        return ""

    def slug_of(self, subject: str, scope: Any, text: str) -> str:
        """The thing that a text names, by its slug or its name. Raises NotThere."""
        offers = self.offered(subject, scope)
        for offer in offers:
            if text in (offer.slug, offer.name):
                return offer.slug
        if subject == "product" and (found := self._product(text)):
            return found
        if not offers:
            raise NotThere(f"there is no {subject} yet" + (": write n to create one" if subject in KINDS else ""))
        raise NotThere(f"there is no {subject} {quoted(text, 60)}: write one of the numbers")

    def _product(self, text: str) -> str | None:
        """Another product by its slug or its name, listed or not."""
        from wizard.store.lookup import products_named

        this = self._session.saved.slug
        if SLUG.fullmatch(text) and text != this:
            try:
                return self._store.load(text).slug
            except NotFound:
                pass
        return next((row.slug for row in products_named(self._store, text) if row.slug != this), None)

    # --- the things themselves --------------------------------------------------------------------------------------

    def new(self, subject: str) -> Owned:
        """A thing of a kind with nothing filled in."""
        return KINDS[subject]()

    def thing(self, subject: str, slug: str) -> Owned | None:
        """A thing by its slug; None for one that is gone."""
        return next((thing for thing in self.owned(subject) if thing.slug == slug), None)

    def add(self, thing: Owned) -> str:
        """Store a new thing; give back its slug. Raises the store's errors."""
        try:
            return self._store.add(thing).slug
        finally:
            self._session.look_again()

    def put(self, thing: Owned, slug: str) -> str:
        """Store a thing as it is now, in place of the one of that slug. Raises the store's errors."""
        try:
            return self._store.put(thing, slug).slug
        finally:
            self._session.look_again()

    def remove(self, subject: str, slug: str) -> None:
        """Remove a thing. Raises the store's errors: `InUse` where a product uses it."""
        try:
            self._store.remove(cast("OwnedKind", subject), slug)
        finally:
            self._session.look_again()

    def look_again(self) -> None:
        """Read the things anew."""
        self._session.look_again()
