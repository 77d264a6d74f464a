"""A product of the store as a document, with what it needs and nothing else."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.account import Connection, File, Owned
from models.product import Product
from models.saved import SavedAccount
from wizard.documents.answers import default_of, references, without_bumps, written
from wizard.documents.gathering import ORDER, digest
from wizard.documents.places import is_place, placeholder_of
from wizard.documents.shape import VERSION, mark_of
from wizard.documents.writing import write
from wizard.failure import Failure
from wizard.store.errors import NotFound
from wizard.store.rule_targets import rule_targets

if TYPE_CHECKING:
    from wizard.store import Store


@dataclass(frozen=True, slots=True)
class Exported:
    """A document, and the files that it names: the path it gives each, and the file's slug."""

    text: str
    files: dict[str, str]
    secrets: tuple[str, ...]
    """The environment variables that applying it needs."""
    others: tuple[str, ...]
    """The products beside the one asked for: its bump offers, and theirs."""
    left_out: tuple[str, ...] = ()
    """The bump offers that are not in it, since they were deleted."""


class NotExportable(Failure):
    """A document would lack something without which it could not be applied."""


class FileInTheWay(NotExportable):
    """Something that is not ours to replace stands where an exported file belongs."""


def export(store: Store, slug: str) -> str:
    """The document of a product. Raises the store's NotFound."""
    return exported(store, slug).text


def exported(store: Store, slug: str, document_name: str = "") -> Exported:
    """The document of a product, its bump offers and all they need, and what must go with it. Raises NotFound,
    NotExportable.

    `document_name` is what the document itself will be called: no file gets that place.
    """
    account = store.account()
    products, left_out = _with_bumps(store, slug)
    needed = {thing for answers in products.values() for thing in _needed(answers)}
    if broken := sorted(set(account.broken) & {f"{kind} {thing}" for kind, thing in needed}):
        raise NotExportable(
            f"The {broken[0]} cannot be read, so the document would lack it. {account.broken[broken[0]]}"
        )
    places = _places(account, {slug for kind, slug in needed if kind == "file"}, document_name)
    things: dict[str, Any] = {}
    secrets: list[str] = []
    for name in ORDER:
        listed = [t for t in getattr(account.account, name) if (name.removesuffix("s"), t.slug) in needed]
        if listed:
            things[name] = [_thing(thing, places, secrets) for thing in listed]
    document: dict[str, Any] = {"wizard": VERSION}
    if things:
        document["account"] = things
    document["products"] = [{"slug": slug, **written(answers)} for slug, answers in products.items()]
    files = {place: s for s, place in places.items()}
    return Exported(write(document), files, tuple(secrets), tuple(products)[1:], left_out)


def _with_bumps(store: Store, slug: str) -> tuple[dict[str, Product], tuple[str, ...]]:
    """A product and its bump offers, and theirs; and those that were deleted, which no product offers any more."""
    products = {slug: store.load(slug).answers}
    waiting, gone = [slug], dict[str, None]()
    while waiting:
        for other in products[waiting.pop()].checkout.bumps:
            if other in products or other in gone:
                continue
            try:
                products[other] = store.load(other).answers
            except NotFound:
                gone[other] = None
            else:
                waiting.append(other)
    return {slug: without_bumps(answers, set(gone)) for slug, answers in products.items()}, tuple(gone)


def export_to(store: Store, slug: str, file: Path) -> Exported:
    """Write a product's document to a file, and beside it the files that it names.

    A link is followed to the file that it names. A pipe or a device is written to, and its folder gets no files: they
    are left out of what this gives. Raises NotFound, FileRefused, FileInTheWay, OSError; a document that stood there is
    replaced whole or not at all.
    """
    found = exported(store, slug, file.name)
    file = file.resolve()
    if file.is_dir():
        raise FileInTheWay(f"{file} is a folder; name the document in it, such as {file / slug}.yaml")
    if not file.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(file.parent))
    if file.exists() and not file.is_file():
        with file.open("w", encoding="utf-8", newline="\n") as opened:
            opened.write(found.text)
        return replace(found, files={})
    sources = {file.parent / place: store.open_file(stored) for place, stored in found.files.items()}
    for target, source in sources.items():
        if target.is_symlink():
            raise FileInTheWay(f"{target} is a link; choose another folder for the document")
        if target.exists() and (not target.is_file() or not _is_same(target, source)):
            raise FileInTheWay(f"{target} is there already with other contents; choose another folder for the document")
    for target, source in sources.items():
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with _whole(target) as unfinished:
                shutil.copyfile(source, unfinished)
    with _whole(file) as unfinished:
        unfinished.write_text(found.text, encoding="utf-8", newline="\n")
    return found


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A place to write what stands at `file` once all of it is there; what stood there keeps its permissions."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:50]}")
    os.close(handle)
    unfinished = Path(temporary)
    try:
        yield unfinished
        unfinished.chmod(stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o644)
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _is_same(one: Path, other: Path) -> bool:
    try:
        return digest(one) == digest(other)
    except ValueError:  # it cannot be read, so nobody can tell
        return False


def _needed(answers: Product) -> Iterator[tuple[str, str]]:
    """What a product names, as (kind, slug); also in its rules, where a membership may stand with its level."""
    for _, subject, slug in references(answers):
        if subject == "level" and "/" in slug:
            yield "membership", slug.partition("/")[0]
        elif subject not in ("level", "product"):
            yield subject, slug
    yield from (("membership", target.membership) for target in rule_targets(answers.automations))


def _places(account: SavedAccount, slugs: set[str], document_name: str) -> dict[str, str]:
    """Where each file goes, beside the document: under its own name, or in a folder of its own.

    A folder is needed where two files share a name, or one has the document's; some systems take no notice of case.
    """
    names = {slug: _name_of(account.files[slug].filename, slug) for slug in sorted(slugs) if slug in account.files}
    shared = Counter(name.casefold() for name in names.values()) + Counter([document_name.casefold()])
    taken = set(shared)
    places = {}
    for slug, name in names.items():
        if shared[name.casefold()] == 1:
            places[slug] = name
            continue
        folder = slug
        while folder in taken:
            folder += "-file"
        taken.add(folder)
        places[slug] = f"{folder}/{name}"
    return places


def _name_of(filename: str, slug: str) -> str:
    """A file's own name where a document may name it, or else one made from its slug and its suffix."""
    name = unicodedata.normalize("NFC", Path(filename).name)
    try:
        if is_place(name) == name:
            return name
    except ValueError:
        pass
    suffix = Path(name.strip()).suffix
    return slug + (suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,16}", suffix) else "")


def _thing(thing: Owned, places: dict[str, str], secrets: list[str]) -> dict[str, Any]:
    plain = thing.model_dump(mode="json")
    found = {"slug": plain.pop("slug"), "name": plain.pop("name")}
    if isinstance(thing, Connection):
        found["kind"] = plain.pop("kind")
    for name, value in plain.items():
        mark = mark_of(type(thing).model_fields[name])
        if getattr(thing, name) == default_of(type(thing), name) or (mark and not mark.when(thing)):
            continue
        if mark is not None and mark.kind == "secret":
            found[name] = placeholder_of(thing.slug, name)
            secrets.append(found[name][2:-1])
        elif isinstance(thing, File) and name == "path":
            found[name] = places[thing.slug]
        else:
            found[name] = value
    return found
