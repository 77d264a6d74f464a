"""What a set of documents wants to be true: the seller's things and products, checked against each other and the store.

Nothing is changed here. Whatever could refuse a document later is looked for now, so that applying is all or nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from models.account import Account, Connection, File, Owned
from models.ask import Answers
from models.product import Product
from models.saved import SavedAccount, SavedProduct
from models.text import slug_of
from wizard.documents import shape
from wizard.documents.answers import answers_of, place_of, references
from wizard.documents.checking import Loaded
from wizard.documents.mistakes import DocumentError, Mistake
from wizard.documents.places import file_at, secret_of
from wizard.problems import problems_of
from wizard.store import NotFound
from wizard.store.names import is_same_name, products_named
from wizard.store.rule_targets import rule_targets

if TYPE_CHECKING:
    from wizard.store import Store

ORDER = ("memberships", "files", "calendars", "webinars", "connections")
"""The lists of an account in the order in which they are written and applied."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing or product that a document describes, and where it does."""

    kind: str
    """`membership`, `file`, … or `product`."""
    slug: str
    value: Any
    """The thing of the seller's, or the product's answers."""
    source: Loaded
    path: str
    """Where it stands in its document, as in `products.0`."""
    sha256: str = ""
    """For a file: of its bytes as they are now."""

    def mistake(self, inner: str, message: str) -> Mistake:
        """A mistake at a key below this one."""
        return self.source.mistake(f"{self.path}.{inner}" if inner else self.path, message)


@dataclass(slots=True)
class Gathered:
    """Everything that the documents want, and what the store holds of it now."""

    account: SavedAccount
    things: list[Wanted] = field(default_factory=list)
    products: list[Wanted] = field(default_factory=list)
    stored: dict[str, SavedProduct | None] = field(default_factory=dict)
    """The products that the documents describe or name, as they stand, by slug; None for one that is not there."""

    def owned(self) -> Iterator[Owned]:
        """The seller's things as they stand now."""
        for name in ORDER:
            yield from getattr(self.account.account, name)

    def thing(self, kind: str, slug: str) -> Owned | None:
        """A thing of the seller's as it stands now."""
        return next((t for t in getattr(self.account.account, f"{kind}s") if t.slug == slug), None)


def gather(
    loaded: Sequence[Loaded], store: Store, environment: Mapping[str, str], product: type[Product] = Product
) -> Gathered:
    """Put documents together and check them against each other and the store. Raises DocumentError."""
    found = Gathered(store.account())
    mistakes: list[Mistake] = []
    for document in loaded:
        for thing in _things(document, environment, mistakes):
            _once(found.things, thing, mistakes)
        for wanted in _products(document, product, mistakes):
            _once(found.products, wanted, mistakes)
    named = {slug for p in found.products for _, subject, slug in references(p.value) if subject == "product"}
    for slug in named | {wanted.slug for wanted in found.products}:
        found.stored[slug] = _stored(store, slug)
    for wanted in found.products:
        mistakes.extend(_unknown(wanted, found))
    mistakes.extend(_names_taken(found, store))
    mistakes.extend(_slugs_taken(found, store))
    mistakes.extend(_levels_in_use(found, store))
    if mistakes:
        raise DocumentError(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line)))
    return found


def _once(into: list[Wanted], wanted: Wanted, mistakes: list[Mistake]) -> None:
    for other in into:
        if (other.kind, other.slug) == (wanted.kind, wanted.slug):
            first = other.mistake("", "")
            mistakes.append(
                wanted.mistake("", f"{wanted.kind} {wanted.slug} is there twice, first in {first.file}:{first.line}")
            )
            return
    into.append(wanted)


def _things(document: Loaded, environment: Mapping[str, str], mistakes: list[Mistake]) -> Iterator[Wanted]:
    for name in ORDER:
        model = next(shape.models_in(Account.model_fields[name].annotation))
        for number, form in enumerate(getattr(document.form.account, name)):
            path = f"account.{name}.{number}"
            try:
                yield _thing(document, model, form, path, environment)
            except DocumentError as error:
                mistakes.extend(error.mistakes)


def _thing(document: Loaded, model: type[Answers], form: Any, path: str, environment: Mapping[str, str]) -> Wanted:
    values = {name: getattr(form, name) for name in model.model_fields}
    given = document.tree.at(path.split(".")).value
    mistakes, sha256 = [], ""
    for name, info in model.model_fields.items():
        mark = shape.mark_of(info)
        try:
            if mark is not None and mark.kind == "secret" and values[name] is not None:
                values[name] = secret_of(values[name], environment)
            elif model is File and name == "path":
                real = file_at(values[name], document.folder)
                values[name], sha256 = str(real), digest(real)
        except ValueError as error:
            mistakes.append(document.mistake(f"{path}.{name}", str(error)))
    if mistakes:
        raise DocumentError(mistakes)
    try:
        thing = model.model_validate(values)
    except ValidationError as error:
        found = problems_of(error)
        raise DocumentError(document.mistake(f"{path}.{p.path}".rstrip("."), p.message) for p in found) from None
    if isinstance(thing, Connection) and isinstance(given, dict):
        mistakes = [document.mistake(f"{path}.{key}", told) for key, told in _foreign_keys(thing, list(given))]
        if mistakes:
            raise DocumentError(mistakes)
    assert isinstance(thing, Owned)
    return Wanted(model.__name__.lower(), thing.slug, thing, document, path, sha256)


def _foreign_keys(connection: Connection, given: list[str]) -> Iterator[tuple[str, str]]:
    """The keys of another kind of connection."""
    asked = [
        name
        for name, info in Connection.model_fields.items()
        if (mark := shape.mark_of(info)) is None or mark.when(connection)
    ]
    for key in given:
        if key not in asked:
            own = ", ".join(name for name in asked if name not in ("slug", "name", "kind"))
            beside = f"its own keys are {own}" if own else "it has no keys of its own"
            yield key, f"a {connection.kind} connection like this has no {key}; {beside}"


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises ValueError when it cannot be read."""
    try:
        with path.open("rb") as opened:
            return file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None


def _products(document: Loaded, product: type[Product], mistakes: list[Mistake]) -> Iterator[Wanted]:
    for number, form in enumerate(document.form.products):
        path = f"products.{number}"
        try:
            answers = answers_of(form, product)
        except ValidationError as error:
            mistakes.extend(document.mistake(f"{path}.{p.path}", p.message) for p in problems_of(error))
            continue
        if answers.general.name is None:
            mistakes.append(document.mistake(f"{path}.general.name", "a product needs a name"))
            continue
        yield Wanted("product", form.slug or slug_of(answers.general.name), answers, document, path)


def _stored(store: Store, slug: str) -> SavedProduct | None:
    try:
        return store.load(slug)
    except NotFound:
        return None


def _unknown(wanted: Wanted, found: Gathered) -> Iterator[Mistake]:
    """The references of a product that lead nowhere."""
    kind = wanted.value.post_sale.access.kind
    ruled = [(target.field, "membership", target.membership) for target in rule_targets(wanted.value.automations)]
    for path, subject, slug in [*references(wanted.value), *ruled]:
        if subject == "level":
            continue
        if subject == "product":
            known = {p.slug for p in found.products} | {s for s, stored in found.stored.items() if stored}
            if slug == wanted.slug:
                yield wanted.mistake(place_of(path, kind), "a product cannot be offered on top of itself")
        else:
            known = {t.slug for t in found.things if t.kind == subject}
            known |= {t.slug for t in getattr(found.account.account, f"{subject}s")}
        if slug not in known:
            close = difflib.get_close_matches(slug, sorted(known), n=1)
            way = (
                f"did you mean {close[0]}?" if close else f"describe it in this document, or apply its {HOME[subject]}"
            )
            yield wanted.mistake(place_of(path, kind), f"there is no {subject} {slug}; {way}")


HOME = dict.fromkeys(("membership", "file", "calendar", "webinar", "connection"), "document first") | {
    "product": "document with this one"
}


def _names_taken(found: Gathered, store: Store) -> Iterator[Mistake]:
    """Products whose name another one has. Two that swap their names do it in two goes."""
    seen: list[Wanted] = []
    for wanted in found.products:
        name = wanted.value.general.name
        other = next((other for other in seen if is_same_name(other.value.general.name, name)), None)
        seen.append(wanted)
        if other is not None:
            yield wanted.mistake("general.name", f"{other.slug} is called {name} too; choose another name")
        for row in products_named(store, name):
            if row.slug != wanted.slug:
                way = f"write slug: {row.slug} to change that one, or choose another name"
                yield wanted.mistake("general.name", f"the product {row.slug} is called {name} already; {way}")


def _slugs_taken(found: Gathered, store: Store) -> Iterator[Mistake]:
    """Products whose slug still belongs to a deleted one."""
    for wanted in found.products:
        if found.stored[wanted.slug] is None and _is_deleted(wanted.slug, store):
            yield wanted.mistake("slug", f"a deleted product is called {wanted.slug}: restore it, or take another slug")


def _is_deleted(slug: str, store: Store) -> bool:
    """Whether a deleted product has this slug."""
    after = None
    while True:
        page = store.products(search=slug, after=after, deleted=True)
        if any(row.slug == slug for row in page.rows):
            return True
        if (after := page.after) is None:
            return False


def _levels_in_use(found: Gathered, store: Store) -> Iterator[Mistake]:
    """Levels that a membership would lose while a product outside these documents uses them."""
    for wanted in found.things:
        before = found.thing(wanted.kind, wanted.slug)
        gone = set(getattr(before, "levels", ())) - set(getattr(wanted.value, "levels", ()))
        if wanted.kind != "membership" or not gone:
            continue
        for slug in store.used_by("membership", wanted.slug):
            product = next((p.value for p in found.products if p.slug == slug), None)
            stored = product or getattr(_stored(store, slug), "answers", None)
            for level in sorted(gone & (_levels_used(stored, wanted.slug) if stored else set())):
                yield wanted.mistake(
                    "levels", f"{level} is used by the product {slug}; choose another level there first"
                )


def _levels_used(product: Product, membership: str) -> set[str]:
    """The levels of a membership that a product opens, or that its rules name."""
    hosted = product.post_sale.access.hosted_membership
    ruled = {target.level for target in rule_targets(product.automations) if target.membership == membership}
    return ruled | set(hosted.levels if hosted.membership == membership else ())
