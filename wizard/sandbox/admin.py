"""The admin API of the sandbox: what a shop would ask of the places that deliver. JSON, with a bearer token.

What a run created is judged by the run's own clock where it set one, and can be removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.text import is_email
from wizard.mail.templates import one_line
from wizard.sandbox import bookings, downloads, mailbox, members, platform
from wizard.sandbox.clocks import set_clock, time_of
from wizard.sandbox.door import Reply, ShopOrder, guarded, once, taking
from wizard.sandbox.records import OF_A_RUN, files, grants, notes
from wizard.sandbox.records import members as members_table
from wizard.sandbox.world import World, address
from wizard.store.private import opened_privately


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


class Clock(BaseModel):
    """The simulated time of a run."""

    model_config = ConfigDict(extra="forbid")
    now: AwareDatetime


class Note(ShopOrder):
    """A tag, list or sequence on the buyer's record."""

    kind: str
    target: str


def routes(world: World) -> list[Route]:
    """The endpoints under `/admin`."""

    def grant(request: Request, order: AccessOrder) -> Reply:
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
        answer = _where(world, request, order.membership, order.levels)
        if reply["login_made"]:  # the password is made again from the key and never stored
            answer["login_password"] = password
        return answer

    def revoke(request: Request, order: AccessOrder) -> Reply:
        def work(connection: Connection) -> Reply:
            members.open_place(connection, order.membership, order.name, order.password_protected)
            members.shut_out(connection, order.membership, order.levels, order.email)
            return {}

        once(world, request, order, work)
        return _where(world, request, order.membership, order.levels)

    async def where(request: Request) -> Response:
        levels = tuple(request.query_params.getlist("level"))
        return JSONResponse(_where(world, request, request.path_params["membership"], levels))

    def mail(request: Request, order: MailOrder) -> Reply:
        to, subject = one_line(is_email(order.email), "the address"), one_line(order.subject, "the subject")

        def work(connection: Connection) -> Reply:
            letter = {"to": to, "subject": subject, "body": order.body, "key": order.key, "run": order.run}
            return {"message_id": mailbox.deliver(connection, world, **letter)}

        return once(world, request, order, work)

    def link(request: Request, order: Link) -> Reply:
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

    def stop(request: Request, order: Stop) -> Reply:
        def work(connection: Connection) -> Reply:
            downloads.stop(connection, order.email, order.file)
            return {}

        return once(world, request, order, work)

    def register(request: Request, order: Seat) -> Reply:
        seat = {"kind": order.kind, "slug": order.slug, "email": order.email}

        def work(connection: Connection) -> Reply:
            bookings.name(connection, order.kind, order.slug, order.name)
            return {"new": bookings.register(connection, **seat, name=order.buyer, run=order.run)}

        reply = once(world, request, order, work)
        return {**reply, "attendees": address(request, f"/attendees/{order.kind}/{order.slug}")}

    def take_off(request: Request, order: Seat) -> Reply:
        seat = {"kind": order.kind, "slug": order.slug, "email": order.email}

        def work(connection: Connection) -> Reply:
            bookings.take_off(connection, **seat)
            return {}

        once(world, request, order, work)
        return {"attendees": address(request, f"/attendees/{order.kind}/{order.slug}")}

    def show(request: Request, order: AfterPaying) -> Reply:
        def work(connection: Connection) -> Reply:
            shown = bookings.Shown(order.key, order.title, order.text, order.url, order.run)
            return {"path": bookings.show(connection, shown)}

        return {"page": address(request, once(world, request, order, work)["path"])}

    def note(request: Request, order: Note) -> Reply:
        def work(connection: Connection) -> Reply:
            row = {"email": order.email, "kind": order.kind.removeprefix("un"), "target": order.target}
            if order.kind == "unassign_tag":
                connection.execute(delete(notes).where(*(notes.c[name] == value for name, value in row.items())))
            else:
                connection.execute(insert(notes).values(**row, run=order.run).on_conflict_do_nothing())
            return {}

        return once(world, request, order, work)

    async def record(request: Request) -> Response:
        with world.reading() as connection:
            found = connection.execute(select(notes).where(notes.c.email == request.path_params["email"])).all()
        return JSONResponse({"notes": [[row.kind, row.target] for row in found]})

    async def connection_of(request: Request) -> Response:
        slug = request.path_params["connection"]
        level = request.query_params.get("level", "")
        proof_page = address(request, f"/platform/{quote(slug)}/level/{quote(level, safe='')}")
        shown = {
            "secret": world.signing_secret(slug),
            "url": address(request, f"/platform/{quote(slug)}/webhook"),
            "pages": {proof_page: world.proof(platform.place_of(slug), level)} if level else {},
        }
        return JSONResponse(shown)

    async def hand_in(request: Request) -> Response:
        sha256 = request.path_params["sha256"]
        wanted = world.files / f"{uuid4().hex}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with await run_in_threadpool(open, wanted, "xb", opener=opened_privately) as part:
                async for chunk in request.stream():
                    digest.update(chunk)
                    size += len(chunk)
                    await run_in_threadpool(part.write, chunk)
            if digest.hexdigest() != sha256:
                return JSONResponse({"error": "the bytes do not have that SHA-256"}, 422)
            await run_in_threadpool(_keep, world, wanted, sha256, size)
        finally:
            await run_in_threadpool(wanted.unlink, missing_ok=True)
        return Response(status_code=204)

    async def is_there(request: Request) -> Response:
        there = await run_in_threadpool(_is_kept, world, request.path_params["sha256"])
        return Response(status_code=204 if there else 404)

    async def clean_up(request: Request) -> Response:
        return JSONResponse({"left": _clean_up(world, request.path_params["run"])})

    async def clock(request: Request) -> Response:
        try:
            now = Clock.model_validate_json(await request.body()).now
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 422)
        with world.writing() as connection:
            set_clock(connection, request.path_params["run"], now.timestamp())
        return Response(status_code=204)

    async def health(request: Request) -> Response:
        with world.reading() as connection:
            count = connection.scalar(select(func.count()).select_from(members_table))
        return JSONResponse({"ok": True, "members": count})

    orders: list[tuple[str, type[ShopOrder], Callable[..., Reply]]] = [
        ("access/revoke", AccessOrder, revoke),
        ("mails", MailOrder, mail),
        ("links", Link, link),
        ("links/stop", Stop, stop),
        ("attendees", Seat, register),
        ("attendees/take-off", Seat, take_off),
        ("pages", AfterPaying, show),
        ("notes", Note, note),
    ]
    return [
        Route("/admin/access", taking(world, AccessOrder, grant, slow=True), methods=["POST"]),
        *(Route(f"/admin/{path}", taking(world, model, work), methods=["POST"]) for path, model, work in orders),
        Route("/admin/health", guarded(world, health)),
        Route("/admin/memberships/{membership}", guarded(world, where)),
        Route("/admin/records/{email}", guarded(world, record)),
        Route("/admin/connections/{connection}", guarded(world, connection_of)),
        Route("/admin/files/{sha256:str}", guarded(world, hand_in), methods=["PUT"]),
        Route("/admin/files/{sha256:str}", guarded(world, is_there), methods=["GET", "HEAD"]),
        Route("/admin/runs/{run}", guarded(world, clean_up), methods=["DELETE"]),
        Route("/admin/runs/{run}/clock", guarded(world, clock), methods=["PUT"]),
    ]


def _where(world: World, request: Request, membership: str, levels: tuple[str, ...]) -> Reply:
    """Where members log in, and what stands on each gated page."""
    home = f"/m/{quote(membership)}"
    pages = {address(request, members.path_of(membership, level)): world.proof(membership, level) for level in levels}
    return {"login_page": address(request, f"{home}/login"), "pages": pages}


def _keep(world: World, part: Path, sha256: str, size: int) -> None:
    part.replace(world.files / sha256)
    with world.writing() as connection:
        connection.execute(insert(files).values(sha256=sha256, size=size).on_conflict_do_nothing())


def _is_kept(world: World, sha256: str) -> bool:
    """Whether a file is there and known: after a crash between the two it is handed in again."""
    with world.reading() as connection:
        known = connection.scalar(select(files.c.sha256).where(files.c.sha256 == sha256)) is not None
    return known and (world.files / sha256).is_file()


def _clean_up(world: World, run: str) -> list[str]:
    """Remove what a run created; logins that another run gave access to are left, and named."""
    left = []
    with world.writing() as connection:
        for table in OF_A_RUN:
            connection.execute(delete(table).where(table.c.run == run))
        for email in connection.scalars(select(members_table.c.email).where(members_table.c.run == run)).all():
            if connection.scalar(select(grants.c.id).where(grants.c.email == email).limit(1)) is None:
                connection.execute(delete(members_table).where(members_table.c.email == email))
            else:
                left.append(email)
    return left
