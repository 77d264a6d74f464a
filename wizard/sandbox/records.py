"""The tables of the sandbox. They stand in a database file of their own and belong to no migration: it is a toy world,
and whoever changes these tables raises VERSION, which begins a new world.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, MetaData, String, Table, Text, UniqueConstraint
from sqlalchemy.types import TypeDecorator

from models.addresses import one_spelling

VERSION = 3


class BuyersAddress(TypeDecorator[str]):
    """An e-mail address, kept and looked up in the one spelling that its buyer is known by."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """See SQLAlchemy."""
        return None if value is None else one_spelling(value)


metadata = MetaData()

house = Table("house", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False))
"""The `secret` from which every key of this world is derived, and its `home`, the address where it is served."""

runs = Table(
    "runs",
    metadata,
    Column("run", String, primary_key=True),
    Column("email", BuyersAddress, nullable=False),
    Column("name", String, nullable=False),
    Column("at", Float, nullable=False),
)
"""Whose each run is, and when it first asked for something, in Unix seconds of the real time."""

clocks = Table("clocks", metadata, Column("run", String, primary_key=True), Column("now", Float, nullable=False))
"""The simulated time of a run, in Unix seconds. A run that is not listed lives in the real time."""

replies = Table(
    "replies",
    metadata,
    Column("key", String, primary_key=True),
    Column("run", String, nullable=False, index=True),
    Column("request", String, nullable=False),
    Column("reply", Text, nullable=False),
)
"""What was answered to which idempotency key. `request` is a SHA-256, to notice a key used for something else."""

places = Table(
    "places",
    metadata,
    Column("slug", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("password_protected", Boolean, nullable=False),
)
"""Hosted memberships."""

members = Table(
    "members",
    metadata,
    Column("email", BuyersAddress, primary_key=True),
    Column("name", String, nullable=False),
    Column("password", String, nullable=False),
    Column("run", String, nullable=False, index=True),
)
"""Logins. `password` is an argon2id hash."""

grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", BuyersAddress, nullable=False),
    Column("place", String, nullable=False),
    Column("level", String, nullable=False),
    Column("until", Float),
    Column("run", String, nullable=False, index=True),
    Column("clock", String, nullable=False),
    UniqueConstraint("email", "place", "level"),
)
"""Who may see what. `place` is a membership's slug, or `platform:` and a connection's. `until` in Unix seconds, by the
clock of the run that set it last: `clock` names it. `run` is the one that created the row."""

ended = Table("ended", metadata, Column("session", String, primary_key=True), Column("at", Float, nullable=False))
"""Sessions that somebody logged out of, by their SHA-256, and when in Unix seconds: no cookie opens them again."""

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("who", String, nullable=False, index=True),
    Column("at", Float, nullable=False),
)
"""Tries to log in that did not succeed, or are not decided yet: by whom, and when in Unix seconds."""

mails = Table(
    "mails",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sender", String, nullable=False),
    Column("recipient", BuyersAddress, nullable=False, index=True),
    Column("subject", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("message_id", String, nullable=False, unique=True),
    Column("run", String, nullable=False, index=True),
    sqlite_autoincrement=True,
)
"""What arrived. Numbers are never given twice, so an address of a mail always means the same one."""

files = Table(
    "files",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("size", Integer, nullable=False),
)
"""Contents that were handed in; the bytes lie in a folder, named by their sum."""

links = Table(
    "links",
    metadata,
    Column("id", String, primary_key=True),
    Column("email", BuyersAddress, nullable=False),
    Column("file", String, nullable=False),
    Column("sha256", ForeignKey("files.sha256"), nullable=False),
    Column("filename", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("download_limit", Integer),
    Column("used", Integer, nullable=False, default=0),
    Column("used_at", Float, nullable=False, default=0.0),
    Column("expires_at", Float, nullable=False),
    Column("stopped", Boolean, nullable=False, default=False),
    Column("run", String, nullable=False, index=True),
)
"""Download links. `used_at`: when the last download that counts began, in Unix seconds of the real time."""

attendees = Table(
    "attendees",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("email", BuyersAddress, nullable=False),
    Column("name", String, nullable=False),
    Column("run", String, nullable=False, index=True),
    UniqueConstraint("kind", "slug", "email"),
)

bookables = Table(
    "bookables",
    metadata,
    Column("kind", String, primary_key=True),
    Column("slug", String, primary_key=True),
    Column("name", String, nullable=False),
)
"""What calendars and webinars are called."""

pages = Table(
    "pages",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("url", String),
    Column("run", String, nullable=False, index=True),
)
"""What is shown to a buyer after paying."""

notes = Table(
    "notes",
    metadata,
    Column("email", BuyersAddress, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("run", String, nullable=False, index=True),
)
"""Tags, lists and sequences on a buyer's record."""

OF_A_RUN = (grants, mails, links, attendees, pages, notes, replies, clocks, runs)
"""What a clean-up removes outright. Members are looked at one by one."""
