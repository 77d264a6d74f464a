"""A shelf in memory, with what a session, documents and the preflight need of a store."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.account import Account, ConnectionCheck, File, Membership, Owned, StoredFile
from models.product import Mode, Product
from models.saved import (
    Change,
    HistoryEntry,
    KnownProduct,
    NewProduct,
    ProductPage,
    ProductRow,
    RunRow,
    SavedAccount,
    SavedProduct,
)
from models.text import slug_of
from wizard.documents.answers import references
from wizard.documents.gathering import levels_used
from wizard.store.errors import InUse, NameTaken, NotFound, Stale, UnknownReference

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Shelf:
    """Products and things by their slugs, with the store's own errors."""

    def __init__(self) -> None:
        self.saved: dict[str, SavedProduct] = {}
        self.complete: dict[str, bool] = {}
        self.entries: dict[str, list[HistoryEntry]] = {}
        self.things: dict[str, dict[str, Owned]] = {name: {} for name in Account.model_fields}
        self.checks: dict[str, ConnectionCheck] = {}
        self.files: dict[str, StoredFile] = {}
        self.tries: dict[tuple[str, int], RunRow] = {}

    def load(self, slug: str) -> SavedProduct:
        if slug not in self.saved:
            raise NotFound("product", slug)
        return self.saved[slug]

    def create(
        self, name: str, who: str, answers: Product | None = None, slug: str | None = None, *, complete: bool = False
    ) -> SavedProduct:
        answers = answers or Product()
        answers = answers.model_copy(update={"general": answers.general.model_copy(update={"name": name})})
        self._look_at("", answers)
        slug = slug or slug_of(name)
        self.saved[slug] = SavedProduct(slug=slug, answers=answers, updated_at=NOON)
        self.complete[slug], self.entries[slug] = complete, []
        return self.saved[slug]

    def create_all(self, wanted: Sequence[NewProduct], who: str) -> list[SavedProduct]:
        return [
            self.create(new.answers.general.name or "", who, new.answers, new.slug, complete=new.complete)
            for new in wanted
        ]

    def load_all(self, slugs: Collection[str]) -> dict[str, SavedProduct]:
        return {slug: self.saved[slug] for slug in slugs if slug in self.saved}

    def known_products(self) -> tuple[KnownProduct, ...]:
        return tuple(KnownProduct(slug, saved.answers.general.name, False) for slug, saved in self.saved.items())

    @contextmanager
    def together(self) -> Iterator[Shelf]:
        yield self

    def save(
        self, slug: str, base_revision: int, answers: Product, changes: Sequence[Change], who: str, complete: bool
    ) -> SavedProduct:
        saved = self._current(slug, base_revision)
        self._look_at(slug, answers)
        self.complete[slug] = complete
        return self._write(saved, who, changes, answers=answers)

    def switch(
        self, slug: str, base_revision: int, who: str, *, mode: Mode | None = None, published: bool | None = None
    ) -> SavedProduct:
        saved = self._current(slug, base_revision)
        wanted = {"mode": mode, "published": published}
        return self._write(saved, who, (), **{name: value for name, value in wanted.items() if value is not None})

    def remember_place(self, slug: str, question: str) -> None:
        self.saved[slug] = self.load(slug).model_copy(update={"place": question})

    def products(self, search: str = "", *, deleted: bool = False, **_: Any) -> ProductPage:
        rows = [
            ProductRow(
                slug=saved.slug,
                name=saved.answers.general.name or "",
                mode=saved.mode,
                published=saved.published,
                access=saved.answers.post_sale.access.kind,
                complete=self.complete[saved.slug],
                revision=saved.revision,
                updated_at=saved.updated_at,
            )
            for saved in sorted(self.saved.values(), key=lambda saved: saved.slug)
            if not deleted and search.lower() in f"{saved.slug} {saved.answers.general.name}".lower()
        ]
        return ProductPage(rows=tuple(rows), before=None, after=None, total=len(rows))

    def account(self) -> SavedAccount:
        lists = {name: tuple(things.values()) for name, things in self.things.items()}
        return SavedAccount(account=Account.model_validate(lists), checks=self.checks, files=self.files)

    def put(self, thing: Owned, slug: str | None = None) -> Owned:
        assert slug in (None, thing.slug), "nothing is renamed here"
        things = self.things[f"{type(thing).__name__.lower()}s"]
        if isinstance(thing, Membership) and isinstance(before := things.get(thing.slug), Membership):
            for slug, saved in self.saved.items():
                hosted = saved.answers.post_sale.access.hosted_membership
                if hosted.membership == thing.slug and set(hosted.levels) & (set(before.levels) - set(thing.levels)):
                    raise InUse(thing.name, [slug])
        if isinstance(thing, File):
            content = Path(thing.path).read_bytes()
            name, sha256 = Path(thing.path).name, hashlib.sha256(content).hexdigest()
            kept: dict[str, Any] = {
                "filename": name,
                "size": len(content),
                "sha256": sha256,
                "media_type": "application/pdf",
            }
            self.files[thing.slug] = StoredFile(slug=thing.slug, **kept)
        things[thing.slug] = thing
        return thing

    add = put

    def remove(self, kind: str, slug: str) -> None:
        if users := self.used_by(kind, slug):
            raise InUse(slug, users)
        del self.things[f"{kind}s"][slug]

    def used_by(self, kind: str, slug: str) -> tuple[str, ...]:
        return tuple(
            saved.slug
            for saved in self.saved.values()
            if any((subject, named) == (kind, slug) for _, subject, named in references(saved.answers))
        )

    def level_users(self, membership: str) -> dict[str, list[tuple[str, bool]]]:
        users: dict[str, list[tuple[str, bool]]] = {}
        for saved in self.saved.values():
            for level in levels_used(saved.answers, membership):
                users.setdefault(level, []).append((saved.slug, False))
        return users

    def file_state(self, slug: str) -> str:
        return "ready"

    def open_file(self, slug: str) -> Path:
        file = self.things["files"][slug]
        assert isinstance(file, File)
        return Path(file.path)

    def last_try(self, slug: str, revision: int) -> RunRow | None:
        return self.tries.get((slug, revision))

    def _current(self, slug: str, base_revision: int) -> SavedProduct:
        saved = self.load(slug)
        if saved.revision != base_revision:
            raise Stale(saved, [entry for entry in self.entries[slug] if entry.revision > base_revision])
        return saved

    def _write(self, saved: SavedProduct, who: str, changes: Sequence[Change], **update: Any) -> SavedProduct:
        revision = saved.revision + 1
        self.saved[saved.slug] = saved.model_copy(update={**update, "revision": revision})
        told = [HistoryEntry(**change.model_dump(), revision=revision, at=NOON, who=who) for change in changes]
        self.entries[saved.slug] += told
        return self.saved[saved.slug]

    def _look_at(self, slug: str, answers: Product) -> None:
        for other in self.saved.values():
            if other.slug != slug and other.answers.general.name == answers.general.name:
                raise NameTaken(answers.general.name or "")
        for path, subject, named in references(answers):
            known = self.saved if subject == "product" else self.things.get(f"{subject}s", {named: None})
            if named not in known:
                raise UnknownReference(path, subject, named)


def new_shelf() -> Any:
    """A shelf that passes for a store where one is asked for."""
    return Shelf()
