"""What a set of documents wants to be true: the seller's things and products, checked against each other and the store.

Nothing is changed here. Whatever could refuse a document later is looked for now, so that applying is all or nothing.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from models.account import MOST_LEVELS, Account, Connection, File, Owned
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
from wizard.store.names import name_key, numbered_slugs
from wizard.store.rule_targets import rule_targets

if TYPE_CHECKING:
    from wizard.store import Store

ORDER = ("memberships", "files", "calendars", "webinars", "connections")
"""The lists of an account in the order in which they are written and applied."""


@dataclass(frozen=True, slots=True)
class Described:
    """One thing or product that a document describes, and where it does."""

    kind: str
    """`membership`, `file`, … or `product`."""
    slug: str
    """Empty while none is written and none was found yet."""
    value: Any
    """The thing of the seller's, or the product's answers."""
    source: Loaded
    path: str
    """Where it stands in its document, as in `products.0`."""
    sha256: str = ""
    """For a file: of its bytes as they are now."""

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.value.name if isinstance(self.value, Owned) else self.value.general.name)

    def mistake(self, inner: str, message: str) -> Mistake:
        """A mistake at a key below this one."""
        return self.source.mistake(f"{self.path}.{inner}" if inner else self.path, message)


@dataclass(slots=True)
class Gathered:
    """Everything that the documents want, and what the store holds of it now."""

    account: SavedAccount
    things: list[Described] = field(default_factory=list)
    products: list[Described] = field(default_factory=list)
    stored: dict[str, SavedProduct] = field(default_factory=dict)
    """The products that the documents describe or name, as they stand, by slug."""
    let_go: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The levels that a membership loses and that products still open until these documents are applied."""
    before: dict[tuple[str, str], Owned] = field(init=False)
    """The seller's things as they stand, by kind and slug."""

    def __post_init__(self) -> None:
        kinds = {name.removesuffix("s"): getattr(self.account.account, name) for name in ORDER}
        self.before = {(kind, thing.slug): thing for kind, things in kinds.items() for thing in things}

    def thing(self, kind: str, slug: str) -> Owned | None:
        """A thing of the seller's as it stands now."""
        return self.before.get((kind, slug))

    def slugs_of(self, subject: str) -> set[str]:
        """The things or products of this kind that there will be."""
        if subject == "product":
            return {wanted.slug for wanted in self.products} | self.stored.keys()
        there = {slug for kind, slug in self.before if kind == subject}
        return there | {wanted.slug for wanted in self.things if wanted.kind == subject}


def gather(
    loaded: Sequence[Loaded], store: Store, environment: Mapping[str, str], product: type[Product] = Product
) -> Gathered:
    """Put documents together and check them against each other and the store. Raises DocumentError."""
    found = Gathered(store.account())
    known = store.known_products()
    mistakes: list[Mistake] = []
    things = [thing for document in loaded for thing in _things(document, environment, mistakes)]
    products = [wanted for document in loaded for wanted in _products(document, product, mistakes)]
    for kind in dict.fromkeys(thing.kind for thing in things):
        there = {slug: thing.name for (of, slug), thing in found.before.items() if of == kind}
        keyed = _keyed([t for t in things if t.kind == kind], there, set(there), mistakes)
        found.things += [_with_kept(wanted, found) for wanted in _once(keyed, mistakes)]
    names = {each.slug: each.name for each in known if not each.is_deleted and each.name is not None}
    found.products += _once(_keyed(products, names, {each.slug for each in known}, mistakes), mistakes)
    named = {slug for p in found.products for slug in p.value.checkout.bumps}
    found.stored = store.load_all(named | {wanted.slug for wanted in found.products})
    mistakes.extend(_unknown(found))
    mistakes.extend(_names_taken(found, names))
    mistakes.extend(_slugs_taken(found, {each.slug for each in known if each.is_deleted}))
    mistakes.extend(_levels_in_use(found, store))
    if mistakes:
        raise DocumentError(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line)))
    return found


def _keyed(
    wanted: Sequence[Described], names: Mapping[str, str], taken: set[str], mistakes: list[Mistake]
) -> Iterator[Described]:
    """The same, each with its slug: the written one, or that of the name's bearer, or one that is nobody's yet. Where
    several bear the name, which of them is meant must be written.

    So a name in any script finds what it named before, and two names whose letters give one slug stay two.
    `names` are those of what there is, by slug.
    """
    written = {each.slug for each in wanted if each.slug}
    bearers = defaultdict[str, list[str]](list)
    for slug, name in names.items():
        if slug not in written:
            bearers[name_key(name)].append(slug)
    taken = taken | written
    for each in wanted:
        mine = bearers.get(name_key(each.name), [])
        if len(mine) > 1 and not each.slug:
            told = f"{' and '.join(mine)} are both called {each.name}; write slug: {mine[0]}, or whichever is meant"
            mistakes.append(each.mistake("name", told))
            continue
        slug = each.slug or (mine[0] if mine else "")
        if not slug:
            slug = next(free for free in numbered_slugs(slug_of(each.name, each.kind)) if free not in taken)
            taken.add(slug)
        yield each if each.slug else replace(each, slug=slug, value=_with_slug(each.value, slug))


def _with_kept(wanted: Described, found: Gathered) -> Described:
    """The thing with the answers to what is not asked of it now, such as the secrets of another kind of connection: a
    document does not speak of them, and whoever switches back finds them."""
    before, after = found.thing(wanted.kind, wanted.slug), wanted.value
    if not isinstance(before, Connection) or not isinstance(after, Connection):
        return wanted
    kept = {
        name: getattr(before, name)
        for name, info in Connection.model_fields.items()
        if (mark := shape.mark_of(info)) is not None and not mark.when(after)
    }
    return replace(wanted, value=after.model_copy(update=kept))


def _with_slug(value: Any, slug: str) -> Any:
    return value.model_copy(update={"slug": slug}) if isinstance(value, Owned) else value


def _once(wanted: Iterator[Described], mistakes: list[Mistake]) -> Iterator[Described]:
    """The first of each slug; another one is a mistake."""
    seen: dict[str, Described] = {}
    for each in wanted:
        if (other := seen.setdefault(each.slug, each)) is each:
            yield each
        else:
            first = other.mistake("", "")
            told = f"{each.kind} {each.slug} is there twice, first in {first.file}:{first.line}"
            mistakes.append(each.mistake("", told))


def _things(document: Loaded, environment: Mapping[str, str], mistakes: list[Mistake]) -> Iterator[Described]:
    for name in ORDER:
        model = next(shape.models_in(Account.model_fields[name].annotation))
        for number, form in enumerate(getattr(document.form.account, name)):
            path = f"account.{name}.{number}"
            try:
                yield _thing(document, model, form, path, environment)
            except DocumentError as error:
                mistakes.extend(error.mistakes)


def _thing(document: Loaded, model: type[Answers], form: Any, path: str, environment: Mapping[str, str]) -> Described:
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
    slug = thing.slug if isinstance(given, dict) and "slug" in given else ""
    return Described(model.__name__.lower(), slug, thing, document, path, sha256)


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


def _products(document: Loaded, product: type[Product], mistakes: list[Mistake]) -> Iterator[Described]:
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
        yield Described("product", form.slug or "", answers, document, path)


def _unknown(found: Gathered) -> Iterator[Mistake]:
    """The references of products that lead nowhere."""
    known = {subject: found.slugs_of(subject) for subject in HOME}
    for wanted in found.products:
        kind = wanted.value.post_sale.access.kind
        for target in rule_targets(wanted.value.automations):
            # A rule may name what is yet to be created: only a slip of the pen is told from that.
            close = difflib.get_close_matches(target.membership, sorted(known["membership"]), n=1)
            if target.membership not in known["membership"] and close:
                told = f"there is no membership {target.membership}; did you mean {close[0]}?"
                yield wanted.mistake(place_of(target.field, kind), told)
        for path, subject, slug in references(wanted.value):
            if subject == "level":
                if told := _unknown_level(wanted.value.post_sale.access.hosted_membership.membership, slug, found):
                    yield wanted.mistake(place_of(path, kind), told)
            elif subject == "product" and slug == wanted.slug:
                yield wanted.mistake(place_of(path, kind), "a product cannot be offered on top of itself")
            elif slug not in known[subject]:
                close = difflib.get_close_matches(slug, sorted(known[subject]), n=1)
                elsewhere = f"describe it in this document, or apply its {HOME[subject]}"
                way = f"did you mean {close[0]}?" if close else elsewhere
                yield wanted.mistake(place_of(path, kind), f"there is no {subject} {slug}; {way}")


def _unknown_level(membership: str | None, level: str, found: Gathered) -> str:
    """What is wrong with a level that a product opens; empty when it is one of its membership's."""
    of, _, name = level.rpartition("/")
    owner = of or membership
    if owner is None:
        return "name the membership that these levels are of"
    described = next((w.value for w in found.things if (w.kind, w.slug) == ("membership", owner)), None)
    levels = getattr(described or found.thing("membership", owner), "levels", None)
    if levels is None:
        # Where the product names it, that is said there.
        return f"there is no membership {owner}" if owner != membership else ""
    if name in levels:
        return ""
    return f"{owner} has no level {name}; its levels are {', '.join(levels)}"


HOME = dict.fromkeys(("membership", "file", "calendar", "webinar", "connection"), "document first") | {
    "product": "document with this one"
}


def _names_taken(found: Gathered, names: Mapping[str, str]) -> Iterator[Mistake]:
    """Products whose name another one has. Two that swap their names do it in two goes. `names` are those there are."""
    bearers = defaultdict(list)
    for slug, name in names.items():
        bearers[name_key(name)].append(slug)
    seen: dict[str, Described] = {}
    for wanted in found.products:
        other = seen.setdefault(name_key(wanted.name), wanted)
        if other is not wanted:
            yield wanted.mistake("general.name", f"{other.slug} is called {wanted.name} too; choose another name")
        for slug in bearers[name_key(wanted.name)]:
            if slug != wanted.slug:
                way = f"write slug: {slug} to change that one, or choose another name"
                yield wanted.mistake("general.name", f"the product {slug} is called {wanted.name} already; {way}")


def _slugs_taken(found: Gathered, deleted: set[str]) -> Iterator[Mistake]:
    """Products whose slug still belongs to a deleted one."""
    for wanted in found.products:
        if wanted.slug in deleted:
            yield wanted.mistake("slug", f"a deleted product is called {wanted.slug}: restore it, or take another slug")


def _levels_in_use(found: Gathered, store: Store) -> Iterator[Mistake]:
    """Levels that a membership would lose while a product outside these documents uses them."""
    for wanted in found.things:
        before = found.thing(wanted.kind, wanted.slug)
        gone = set(getattr(before, "levels", ())) - set(getattr(wanted.value, "levels", ()))
        if wanted.kind != "membership" or not gone:
            continue
        described = {product.slug: product.value for product in found.products}
        users = store.level_users(wanted.slug)
        for level in sorted(gone & users.keys()):
            for slug, is_deleted in users[level]:
                if slug not in described or level in levels_used(described[slug], wanted.slug):
                    whose = "deleted product" if is_deleted else "product"
                    told = f"{level} is used by the {whose} {slug}; choose another level there first"
                    yield wanted.mistake("levels", told)
        found.let_go[wanted.slug] = tuple(
            level for level in getattr(before, "levels", ()) if level in gone & users.keys()
        )
        if len(wanted.value.levels) + len(found.let_go[wanted.slug]) > MOST_LEVELS:
            told = f"a membership has at most {MOST_LEVELS} levels, also while products go from one to another"
            yield wanted.mistake("levels", f"{told}; change half of them first, in two goes")


def levels_used(product: Product, membership: str) -> set[str]:
    """The levels of a membership that a product opens, or that its rules name."""
    hosted = product.post_sale.access.hosted_membership
    ruled = {target.level for target in rule_targets(product.automations) if target.membership == membership}
    opened = [level.rpartition("/") for level in hosted.levels]
    return ruled | {level for owner, _, level in opened if (owner or hosted.membership) == membership}
