"""The world that the sandbox's pages share: its database, its secret, its clock, and how pages look."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
import tempfile
import threading
from base64 import b32encode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, delete, event, insert, select
from sqlalchemy.exc import DatabaseError, OperationalError
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from models.money import day_in_words
from wizard.sandbox import PORT, records
from wizard.store.errors import StoreError
from wizard.store.private import close_to_others, make_private_file, make_private_folder

OWASP = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""The least that OWASP advises for argon2id: 19 MiB, two passes, one lane."""

HOME = f"http://127.0.0.1:{PORT}"
"""Where a world is found that nobody serves yet."""

TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


def moment(seconds: float) -> str:
    """A time as a person reads it: `7 Dec 2026, 12:00 UTC`."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{day_in_words(at.date())}, {at:%H:%M} UTC"


TEMPLATES.env.filters["moment"] = moment
TEMPLATES.env.filters["iso"] = lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


class Unusable(Exception):
    """The world's database or its folder cannot be used now. The message says why and what to do."""

    def __init__(self, message: str, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing

    @classmethod
    def database(cls, path: object, error: DatabaseError) -> Unusable:
        """What a database says, with a way out."""
        reason = str(error.orig)
        if "locked" in reason or "busy" in reason:
            return cls(f"The sandbox's database {path} is held by another process: try again when that is done.", True)
        return cls(
            f"The sandbox's database {path} cannot be used ({reason}). If that stays so, move it away: "
            "a new one is made."
        )


@dataclass(frozen=True, slots=True)
class ToldOfRun:
    """What the seller's records say of a run."""

    what: str
    """What was fired, as in `Purchase`."""
    product: str
    ended: str
    """How it ended, or that it did not."""


class World:
    """One buyer's world. `folder` None makes one that lives in memory and is gone with the object."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hasher: PasswordHasher = OWASP,
    ) -> None:
        """Raises `Unusable`."""
        self.clock = clock
        self.hasher = hasher
        self.tries: Counter[str] = Counter()
        """How often each idempotency key was tried in a drill (see `drills`)."""
        self.told_of_runs: Callable[[], Mapping[str, ToldOfRun]] = dict
        """Asks the seller's records for their newest runs, by id. A world that is served alone knows of none."""
        self._temporary = tempfile.TemporaryDirectory(prefix="sandbox-") if folder is None else None
        self.files = Path(self._temporary.name) if self._temporary else folder / "sandbox-files"  # type: ignore[operator]
        try:
            if folder is not None:
                make_private_folder(folder)
                close_to_others(folder)
            make_private_folder(self.files)
        except StoreError as error:
            raise Unusable(f"The sandbox's folder {folder} cannot be used: {error}") from error
        self._alone = threading.Lock() if folder is None else None
        self._path = None if folder is None else folder / "sandbox.sqlite"
        self._engine = _engine(self._path)
        self._writer = self._engine.execution_options(immediate=True)
        try:
            self._secret = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> bytes:
        with self._in_words():
            records.metadata.create_all(self._engine)
        with self.writing() as connection:
            found = connection.scalar(select(records.house.c.value).where(records.house.c.name == "secret"))
            if found is None:
                found = secrets.token_hex(32)
                connection.execute(insert(records.house).values(name="secret", value=found))
        return bytes.fromhex(found)

    def close(self) -> None:
        """Let go of the database and of temporary files."""
        self._engine.dispose()
        if self._temporary:
            self._temporary.cleanup()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that only reads. Raises Unusable."""
        with self._in_words(), _held(self._alone), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, *, keep: bool = True) -> Iterator[Connection]:
        """A transaction that writes: all of it, or nothing; without `keep` nothing. Raises Unusable."""
        with self._in_words(), _held(self._alone), self._writer.begin() as connection:
            yield connection
            if not keep:
                connection.rollback()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            # These two are the database's trouble; their other kinds, such as IntegrityError, are ours.
            if type(error) not in (DatabaseError, OperationalError):
                raise
            raise Unusable.database(self._path or "in memory", error) from error

    @property
    def now(self) -> float:
        """The real time in Unix seconds. A run may live in another one (see `clocks`)."""
        return self.clock().timestamp()

    @property
    def home(self) -> str:
        """Where a person finds this world in a browser, without a slash at the end. Links in mails point there also
        when the sandbox runs in process, so that they can be opened later."""
        with self.reading() as connection:
            found = connection.scalar(select(records.house.c.value).where(records.house.c.name == "home"))
        return str(found or HOME)

    @contextmanager
    def served_at(self, home: str) -> Iterator[None]:
        """Remember where this world is served while it is: every process that uses it then writes that address."""
        ours = records.house.c.name == "home"
        with self.writing() as connection:
            connection.execute(delete(records.house).where(ours))
            connection.execute(insert(records.house).values(name="home", value=home))
        try:
            yield
        finally:
            # Another process may serve the same folder by now: then its address stays.
            with self.writing() as connection:
                connection.execute(delete(records.house).where(ours, records.house.c.value == home))

    def derived(self, *purpose: str) -> bytes:
        """32 bytes that only this world can make, always the same for a purpose."""
        return hmac.new(self._secret, "\0".join(purpose).encode(), hashlib.sha256).digest()

    def password_for(self, email: str, key: str) -> str:
        """The password made under an idempotency key: 80 bits, the same again for the same key."""
        letters = b32encode(self.derived("password", email, key)).decode().lower()[:16]
        return "-".join(letters[at : at + 4] for at in range(0, 16, 4))

    def proof(self, place: str, level: str) -> str:
        """A sentence that stands on one gated page and nowhere else."""
        return f"Only members of this level read this: {self.derived('proof', place, level).hex()[:16]}"

    @cached_property
    def decoy(self) -> str:
        """Checked when there is no such member, so that a stranger learns nothing from the time it takes."""
        return self.hasher.hash("nobody has this password")

    @property
    def admin_token(self) -> str:
        """What opens the admin API."""
        return self.derived("admin").hex()

    def signing_secret(self, connection: str) -> str:
        """The secret with which requests to a platform that the sandbox plays are signed (Standard Webhooks)."""
        return "whsec_" + b64encode(self.derived("webhook", connection)).decode()

    def sealed(self, purpose: str) -> URLSafeTimedSerializer:
        """Signs and reads tokens of one purpose, dated by the world's clock."""
        clock = self.clock

        class Dated(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock().timestamp())

        return URLSafeTimedSerializer(self.derived("token", purpose), salt=purpose, signer=Dated)


def page(request: Request, template: str, status: int = 200, **shown: Any) -> Response:
    """Answer with a page. Everything shown is escaped."""
    return TEMPLATES.TemplateResponse(request, template, shown, status_code=status)


def refusal(request: Request, status: int, title: str, reason: str, *ways: tuple[str, str]) -> Response:
    """Answer with a page that says why not, in words for a buyer. `ways` lead on: each an address and its label."""
    return page(request, "message.html", status, title=title, text=reason, ways=ways)


def address(request: Request, path: str) -> str:
    """The whole address of a page of this world."""
    return str(request.base_url).rstrip("/") + path


@contextmanager
def _held(lock: threading.Lock | None) -> Iterator[None]:
    if lock is None:
        yield
    else:
        with lock:
            yield


def _engine(path: Path | None) -> Engine:
    # Parameters are hidden: an error that names them would write tokens into a log.
    if path is None:
        engine = create_engine(
            "sqlite://", hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        if _is_of_another_version(path):
            for old in path.parent.glob(f"{path.name}*"):
                shutil.move(old, old.with_name(f"{old.name}.old"))
        make_private_file(path)
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": 2},
        )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, below
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"user_version={records.VERSION}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _is_of_another_version(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        header = file.read(64)
    return len(header) == 64 and int.from_bytes(header[60:64], "big") not in (0, records.VERSION)
