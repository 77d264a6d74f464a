"""The door to the records: every method is one transaction, done whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Self, cast

from pydantic import ValidationError

from models.account import File, StoredFile
from models.events import Verdict
from models.fulfillment import Run, RunStep, ShownPage
from models.product import Mode, Product
from models.saved import (
    Change,
    HistoryEntry,
    KnownProduct,
    NewProduct,
    ProductPage,
    RunRow,
    SavedAccount,
    SavedProduct,
)
from wizard.settings import Settings
from wizard.store import account, catalogue, claims, files, ledger, products
from wizard.store.account import OwnedKind, Thing
from wizard.store.database import Database, Work
from wizard.store.errors import Corrupt, StoreError
from wizard.store.files import FileState
from wizard.store.keys import Keys
from wizard.store.sealing import Rotation, seal_anew


class Store:
    """A seller's products, things and runs. It is a `wizard.runs.ledger.Ledger` and a `wizard.session.Shelf`.

    Synchronous and safe to call from any thread; never call it on an event loop. Every method raises `StoreError`
    and, when it does, has changed nothing.
    """

    blocks = True
    """As a ledger it waits for a disk, and perhaps for another program."""

    def __init__(self, database: Database, folder: Path, seller: int, form: type[Product]) -> None:
        self._database = database
        self._folder = folder
        self._library = folder / "files"
        self._form = form
        self._seller = seller

    @classmethod
    def open(
        cls, settings: Settings, *, seller: str = "local", form: type[Product] | None = None, patience: float = 5.0
    ) -> Self:
        """Open the records that the settings name, creating or migrating them first where needed.

        `form` is the model that answers are read into, the product's own if none is given. `patience` is how many
        seconds to wait for another process.
        Raises `Unavailable`.
        """
        keys = Keys.of(settings)
        database = Database.open(settings.data_dir, settings.database_address, patience, keys)
        try:
            return cls(database, settings.data_dir, database.seller_id(seller), form or Product)
        except BaseException:
            database.close()
            raise

    @property
    def notice(self) -> str:
        """What the seller should know of how the records were found; empty where all was well."""
        if not self._database.was_open:
            return ""
        named = self._database.was_open[0]
        return f"Others on this machine could read {named}. It is closed to them now: nothing is left to do."

    def close(self) -> None:
        """Let go of the database. A closed store opens it again when it is used again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- products ---------------------------------------------------------------------------------------------------

    def products(
        self,
        search: str = "",
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
        deleted: bool = False,
    ) -> ProductPage:
        """One page of the list, in the order of names; `deleted` shows what can be restored instead.

        `search` finds products whose name or slug contains it, without regard to case and accents. `after` and
        `before` are the cursors of a page seen earlier.
        """
        with self._reading() as work:
            return catalogue.page(work, search, after, before, limit, deleted)

    def create(
        self,
        name: str,
        who: str,
        answers: Product | None = None,
        slug: str | None = None,
        *,
        complete: bool = False,
    ) -> SavedProduct:
        """Create a product in Demo, Unpublished, at revision 1.

        Without `slug`, one is made from the name and numbered until it is free. Raises `NameTaken`, `SlugTaken`,
        `UnknownReference`.
        """
        with self._writing() as work:
            return products.create(work, name, who, answers, slug, complete)

    def create_all(self, wanted: Sequence[NewProduct], who: str) -> list[SavedProduct]:
        """Create products, all or none, in the same order. Raises as `create` does."""
        with self._writing() as work:
            return products.create_all(work, wanted, who)

    def load(self, slug: str) -> SavedProduct:
        """The product as it stands. Raises `NotFound` also when it is deleted."""
        with self._reading() as work:
            return products.load(work, slug)

    def load_all(self, slugs: Collection[str]) -> dict[str, SavedProduct]:
        """Those of these products that there are, by slug, in a few questions however many they are."""
        with self._reading() as work:
            return products.load_all(work, slugs)

    def known_products(self) -> tuple[KnownProduct, ...]:
        """Every slug that is taken, with its product's name; deleted products are among them."""
        with self._reading() as work:
            return products.known(work)

    def save(
        self, slug: str, base_revision: int, answers: Product, changes: Sequence[Change], who: str, complete: bool
    ) -> SavedProduct:
        """Store new answers and the history of what changed, one revision further.

        Raises `Stale` when the stored revision is not `base_revision`; `NotFound`, `NameTaken`, `UnknownReference`.
        """
        with self._writing() as work:
            return products.save(work, slug, base_revision, answers, changes, who, complete)

    def switch(
        self,
        slug: str,
        base_revision: int,
        who: str,
        *,
        mode: Mode | None = None,
        published: bool | None = None,
    ) -> SavedProduct:
        """Turn one or both switches, one revision further. Raises `Stale`, `NotFound`."""
        with self._writing() as work:
            return products.switch(work, slug, base_revision, who, mode, published)

    def remember_place(self, slug: str, question: str) -> None:
        """Note the question the seller is at, without a new revision."""
        with self._writing() as work:
            products.remember_place(work, slug, question)

    def duplicate(self, slug: str, who: str) -> SavedProduct:
        """Copy a product's answers into a new one, in Demo and Unpublished."""
        with self._writing() as work:
            return products.duplicate(work, slug, who)

    def delete(self, slug: str, who: str) -> None:
        """Take a product off the list; `restore` brings it back. Raises `InUse` while another offers it as a bump."""
        with self._writing() as work:
            products.delete(work, slug, who)

    def restore(self, slug: str, who: str) -> SavedProduct:
        """Bring a deleted product back, unpublished. If its name is taken by now, it gets a number."""
        with self._writing() as work:
            return products.restore(work, slug, who)

    def purge(self, slug: str) -> None:
        """Remove a deleted product for good, with its history and its runs. Raises `InUse`, `NotFound`."""
        with self._writing() as work:
            products.purge(work, slug)

    def history(self, slug: str, limit: int = 100, before: int | None = None) -> tuple[HistoryEntry, ...]:
        """What changed, the newest first: at most `limit` entries, of revisions below `before`."""
        with self._reading() as work:
            return products.history_of(work, slug, limit, before)

    # --- the seller's things ----------------------------------------------------------------------------------------

    def account(self) -> SavedAccount:
        """Everything the seller owns, each kind in the order of names, with the last checks of connections."""
        found = self._read_account()
        # A rotation may have sealed anew between reading a secret and reading the keys. It is over soon, but another
        # may have begun meanwhile: so a few times more. A key that is missing is missing each time.
        for _ in range(5):
            if not found.unreadable:
                break
            found = self._read_account()
        return found

    def _read_account(self) -> SavedAccount:
        with self._reading() as work:
            return account.read(work)

    def add(self, thing: Thing) -> Thing:
        """Create a thing; if its slug is taken, it gets a number. A file's bytes are copied from its `path`."""
        if isinstance(thing, File):
            return cast(Thing, files.add(self._writing, self._library, thing, unique=True))
        with self._writing() as work:
            return account.add(work, thing)

    def put(self, thing: Thing, old_slug: str | None = None) -> Thing:
        """Create the thing of this slug, or update it; with `old_slug`, rename that one.

        A file's bytes are copied anew when its `path` is another. Raises `InUse` when a level in use would go,
        `SlugTaken`, `NotFound`, `FileRefused`.
        """
        if isinstance(thing, File):
            return cast(Thing, files.put(self._writing, self._library, thing, old_slug))
        with self._writing() as work:
            return account.put(work, thing, old_slug)

    def remove(self, kind: OwnedKind, slug: str) -> None:
        """Remove a thing: a `membership`, `connection`, `file`, `calendar` or `webinar`. Raises `InUse`, `NotFound`."""
        with self._writing() as work:
            if kind == "file":
                files.remove(work, slug)
            else:
                account.remove(work, kind, slug)

    def used_by(self, kind: OwnedKind, slug: str) -> tuple[str, ...]:
        """The slugs of the products that use a thing, whichever access option they have chosen."""
        with self._reading() as work:
            return account.used_by(work, kind, slug)

    def level_users(self, membership: str) -> dict[str, list[tuple[str, bool]]]:
        """Of each level of a membership that is in use, the products that use it, each with whether it is deleted."""
        with self._reading() as work:
            return account.level_users(work, membership)

    def record_check(
        self, connection: str, ok: bool, detail: str, at: datetime, levels: Mapping[str, str] | None = None
    ) -> None:
        """Note the result of a check, and of each level that it asked about: until the settings change."""
        with self._writing() as work:
            account.record_check(work, connection, ok, detail, at, levels)

    # --- the file library -------------------------------------------------------------------------------------------

    def add_file(self, path: Path, name: str, slug: str | None = None) -> StoredFile:
        """Copy a file into the library. Raises `FileRefused`, `SlugTaken`, `DiskFull`."""
        thing = File(slug=slug or "", name=name, path=str(path))
        added = files.add(self._writing, self._library, thing, unique=slug is None)
        with self._reading() as work:
            return files.stored(work, added.slug)

    def open_file(self, slug: str) -> Path:
        """Where the library keeps a file's bytes: open it for reading only. Raises `NotFound`, `FileRefused`."""
        with self._reading() as work:
            return files.locate(work, self._library, slug)

    def file_state(self, slug: str) -> FileState:
        """Whether a file's bytes are still what was added: `ready`, `missing`, `empty` or `changed`."""
        with self._reading() as work:
            kept = files.stored(work, slug)
        return files.state(self._library, kept)

    # --- the ledger of test-fires -----------------------------------------------------------------------------------

    def open_run(self, run: Run) -> None:
        """Record a run that begins, with its planned steps. Raises `RunExists`, `NotFound` for its product."""
        with self._writing() as work:
            ledger.open_run(work, run)

    def write_steps(self, run: str, *steps: RunStep) -> None:
        """Record how far steps have come, all or none; each replaces the one at its position. Raises `NotFound`."""
        with self._writing() as work:
            ledger.write_steps(work, run, steps)

    def close_run(
        self, run: str, *, verdict: Verdict, reason: str, finished_at: datetime, page: ShownPage | None
    ) -> None:
        """Record how a run ended. One that was interrupted may be closed again. Raises `NotFound`."""
        with self._writing() as work:
            ledger.close_run(work, run, verdict, reason, finished_at, page)

    def read_run(self, run: str) -> Run:
        """One run with its steps, in the order of their positions. Raises `NotFound`."""
        with self._reading() as work:
            return ledger.read(work, run)

    run = read_run

    def runs(self, product: str | None = None, limit: int = 50, before: str | None = None) -> tuple[RunRow, ...]:
        """Runs, the newest first, of one product or of all; `before` is the id of the last one seen."""
        with self._reading() as work:
            rows = ledger.rows(work, product, limit, before)
        return tuple(
            row.model_copy(update={"is_running": self.is_claimed(row.id)}) if row.verdict in (None, Verdict.INTERRUPTED)
            else row for row in rows
        )  # fmt: skip

    def claim(self, run: str) -> AbstractContextManager[bool]:
        """Hold a run while the body lasts, which nobody else can do meanwhile. Gives False when somebody holds it.

        The run need not be recorded yet. A claim ends with its process. Raises `Unavailable`.
        """
        return claims.claim(self._database, self._folder, run)

    def is_claimed(self, run: str) -> bool:
        """Whether somebody is carrying out a run at this moment. Raises `Unavailable`."""
        return claims.is_claimed(self._database, self._folder, run)

    def last_try(self, slug: str, revision: int) -> RunRow | None:
        """The last run in which somebody bought the product with these answers; None when nobody has tried.

        Turning a switch raises the revision and changes no answer, so a run from before it still counts.
        """
        with self._reading() as work:
            return ledger.last_try(work, slug, revision)

    # --- the keys ---------------------------------------------------------------------------------------------------

    @property
    def keys(self) -> Keys:
        """The keys that secrets are sealed with, and that others are derived from."""
        return self._database.keys

    def rotate_keys(self) -> Rotation:
        """Seal every secret in this database, whosever it is, with a new key, and forget the old ones.

        Whenever the process ends, every secret can still be read. With keys from the settings, seal with the first of
        them. Secrets that no key opens are left as they are. Raises `KeysUnusable`, `Locked`.
        """
        with self._database.keys.rotating(), self._database.alone() as connection:
            return seal_anew(connection, self._database.keys)

    # --- transactions -----------------------------------------------------------------------------------------------

    @contextmanager
    def together(self) -> Iterator[Store]:
        """Do several things in one transaction: all that is done with the store that this gives, or none of it.

        An error that leaves the body undoes everything, and so does the end of the process. While it lasts nobody else
        can write, and only the store that it gives may be used here.
        """
        with self._writing() as work:
            yield _Joined(self, work)

    @contextmanager
    def _reading(self) -> Iterator[Work]:
        try:
            with self._database.work(self._seller, self._form, writing=False) as work:
                yield work
        except ValidationError as error:
            # Edited by hand, or by another version: whatever is read was right once.
            where = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
            raise Corrupt(
                f"A stored {error.title.lower()} breaks a rule of this version at {where}. Go on with the version that "
                "wrote it, or put a copy from the folder `backups` in place of the database."
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[Work]:
        loose: list[str] = []
        try:
            with self._database.work(self._seller, self._form, writing=True) as work:
                loose = work.loose
                yield work
        finally:
            if loose:
                # Bytes that stay because they could not be removed now take up room and do no harm.
                with suppress(StoreError, OSError), self._database.work(self._seller, self._form, writing=True) as work:
                    files.sweep(work, self._library, loose)


class _Joined(Store):
    """The store as it is from inside a transaction: whatever is done with it joins that one."""

    def __init__(self, store: Store, work: Work) -> None:
        super().__init__(store._database, store._folder, store._seller, store._form)
        self._work = work

    def _reading(self) -> AbstractContextManager[Work]:  # type: ignore[override]
        return nullcontext(self._work)

    def _writing(self) -> AbstractContextManager[Work]:  # type: ignore[override]
        return nullcontext(self._work)
