"""What a shop orders of the places that deliver, and what comes of each order."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import AwareDatetime
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert
from starlette.requests import Request

from models.text import is_email
from wizard.mail.templates import one_line
from wizard.sandbox import bookings, downloads, mailbox, members
from wizard.sandbox.clocks import time_of
from wizard.sandbox.door import Reply, ShopOrder, once
from wizard.sandbox.records import files, notes
from wizard.sandbox.world import World, address


class AccessOrder(ShopOrder):
    """Levels of a hosted membership."""

    membership: str
    name: str = ""
    levels: tuple[str, ...]
    password_protected: bool = True
    create_login: bool = True
    until: AwareDatetime | None = None


class MailOrder(ShopOrder):
    """A mail, ready to be read."""

    subject: str
    body: str


class Link(ShopOrder):
    """A download link."""

    file: str
    sha256: str
    filename: str
    media_type: str
    download_limit: int | None
    link_lifetime: int
    """Seconds from when the link is made: a try that is repeated later must ask for the very same."""
    access_until: AwareDatetime | None = None


class Stop(ShopOrder):
    """A file whose links are to be stopped."""

    file: str


class Seat(ShopOrder):
    """A place on a calendar or webinar."""

    kind: str
    slug: str
    name: str = ""
    """What buyers call it."""


class AfterPaying(ShopOrder):
    """A page after paying."""

    title: str
    text: str
    url: str | None = None


class Note(ShopOrder):
    """A tag, list or sequence on the buyer's record."""

    kind: str
    target: str


def grant(world: World, request: Request, order: AccessOrder) -> Reply:
    """Let the buyer in, and make a login where one is wanted and there is none."""
    password = world.password_for(order.email, order.key)
    # Hashed before the transaction: it takes as long as a hundred of them.
    needed = order.create_login and not members.has_login(world, order.email)
    hashed = world.hasher.hash(password) if needed else None

    def work(connection: Connection) -> Reply:
        members.open_place(connection, order.membership, order.name, order.password_protected)
        until = order.until.timestamp() if order.until else None
        granting = members.Granting(order.membership, order.levels, order.email, until, order.run)
        members.let_in(connection, granting)
        made = hashed is not None and members.add_login(connection, order.email, order.buyer, hashed, order.run)
        return {"login_made": made}

    reply = once(world, request, order, work)
    answer = gated(world, request, order.membership, order.levels)
    if reply["login_made"]:  # the password is made again from the key and never stored
        answer["login_password"] = password
    return answer


def revoke(world: World, request: Request, order: AccessOrder) -> Reply:
    """Shut the buyer out of these levels."""

    def work(connection: Connection) -> Reply:
        members.open_place(connection, order.membership, order.name, order.password_protected)
        members.shut_out(connection, order.membership, order.levels, order.email)
        return {}

    once(world, request, order, work)
    return gated(world, request, order.membership, order.levels)


def mail(world: World, request: Request, order: MailOrder) -> Reply:
    """Deliver a mail."""
    to, subject = one_line(is_email(order.email), "the address"), one_line(order.subject, "the subject")

    def work(connection: Connection) -> Reply:
        letter = {"to": to, "subject": subject, "body": order.body, "key": order.key, "run": order.run}
        return {"message_id": mailbox.deliver(connection, world, **letter)}

    return once(world, request, order, work)


def link(world: World, request: Request, order: Link) -> Reply:
    """Make a download link for a file that was handed in."""

    def work(connection: Connection) -> Reply:
        if connection.scalar(select(files.c.sha256).where(files.c.sha256 == order.sha256)) is None:
            raise ValueError("the file has not been handed in")
        expires_at = time_of(connection, world, order.run) + order.link_lifetime
        if order.access_until is not None:
            expires_at = min(expires_at, order.access_until.timestamp())
        issuing = downloads.Issuing(
            id=order.key,
            email=order.email,
            file=order.file,
            sha256=order.sha256,
            filename=order.filename,
            media_type=order.media_type,
            download_limit=order.download_limit,
            expires_at=expires_at,
            run=order.run,
        )
        return {"path": downloads.issue(connection, world, issuing), "expires_at": expires_at}

    reply = once(world, request, order, work)
    return {"download_link": address(request, reply["path"]), "expires_at": reply["expires_at"]}


def stop(world: World, request: Request, order: Stop) -> Reply:
    """Stop the links of a file."""

    def work(connection: Connection) -> Reply:
        downloads.stop(connection, order.email, order.file)
        return {}

    return once(world, request, order, work)


def register(world: World, request: Request, order: Seat) -> Reply:
    """Give the buyer a seat."""
    seat = {"kind": order.kind, "slug": order.slug, "email": order.email}

    def work(connection: Connection) -> Reply:
        bookings.name(connection, order.kind, order.slug, order.name)
        return {"new": bookings.register(connection, **seat, name=order.buyer, run=order.run)}

    reply = once(world, request, order, work)
    return {**reply, "attendees": address(request, f"/attendees/{order.kind}/{order.slug}")}


def take_off(world: World, request: Request, order: Seat) -> Reply:
    """Take the buyer's seat back."""
    seat = {"kind": order.kind, "slug": order.slug, "email": order.email}

    def work(connection: Connection) -> Reply:
        bookings.take_off(connection, **seat)
        return {}

    once(world, request, order, work)
    return {"attendees": address(request, f"/attendees/{order.kind}/{order.slug}")}


def show(world: World, request: Request, order: AfterPaying) -> Reply:
    """Keep the page that the buyer is shown after paying."""

    def work(connection: Connection) -> Reply:
        shown = bookings.Shown(order.key, order.title, order.text, order.url, order.run)
        return {"path": bookings.show(connection, shown)}

    return {"page": address(request, once(world, request, order, work)["path"])}


def note(world: World, request: Request, order: Note) -> Reply:
    """Write a tag, list or sequence on the buyer's record, or take a tag off."""

    def work(connection: Connection) -> Reply:
        row = {"email": order.email, "kind": order.kind.removeprefix("un"), "target": order.target}
        if order.kind == "unassign_tag":
            connection.execute(delete(notes).where(*(notes.c[name] == value for name, value in row.items())))
        else:
            connection.execute(insert(notes).values(**row, run=order.run).on_conflict_do_nothing())
        return {}

    return once(world, request, order, work)


def gated(world: World, request: Request, membership: str, levels: tuple[str, ...]) -> Reply:
    """Where members log in, and what stands on each gated page."""
    home = f"/m/{quote(membership)}"
    pages = {address(request, members.path_of(membership, level)): world.proof(membership, level) for level in levels}
    return {"login_page": address(request, f"{home}/login"), "pages": pages}
