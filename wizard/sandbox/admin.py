"""The admin API of the sandbox: what a shop would ask of the places that deliver. JSON, with a bearer token.

What a run created is judged by the run's own clock where it set one, and can be removed.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wizard.sandbox import orders, platform
from wizard.sandbox.clocks import set_clock
from wizard.sandbox.door import guarded, taking
from wizard.sandbox.records import OF_A_RUN, files, grants, notes
from wizard.sandbox.records import members as members_table
from wizard.sandbox.world import World, address
from wizard.store.private import opened_privately


class Clock(BaseModel):
    """The simulated time of a run."""

    model_config = ConfigDict(extra="forbid")
    now: AwareDatetime


ORDERS = (
    ("access/revoke", orders.AccessOrder, orders.revoke),
    ("mails", orders.MailOrder, orders.mail),
    ("links", orders.Link, orders.link),
    ("links/stop", orders.Stop, orders.stop),
    ("attendees", orders.Seat, orders.register),
    ("attendees/take-off", orders.Seat, orders.take_off),
    ("pages", orders.AfterPaying, orders.show),
    ("notes", orders.Note, orders.note),
)
"""What is ordered by which address, but for access, which takes its time."""


def routes(world: World) -> list[Route]:
    """The endpoints under `/admin`."""
    grant = taking(world, orders.AccessOrder, partial(orders.grant, world), slow=True)
    looks = (
        ("health", health, "GET"),
        ("memberships/{membership}", where, "GET"),
        ("records/{email}", record, "GET"),
        ("connections/{connection}", connection_of, "GET"),
        ("files/{sha256:str}", hand_in, "PUT"),
        ("files/{sha256:str}", is_there, "GET"),
        ("runs/{run}", clean_up, "DELETE"),
        ("runs/{run}/clock", clock, "PUT"),
    )
    return [
        Route("/admin/access", grant, methods=["POST"]),
        *(Route(f"/admin/{path}", taking(world, model, partial(work, world)), methods=["POST"])
          for path, model, work in ORDERS),
        *(Route(f"/admin/{path}", guarded(world, partial(look, world)), methods=[method])
          for path, look, method in looks),
    ]  # fmt: skip


async def where(world: World, request: Request) -> Response:
    """Where members of a place log in, and what stands on each gated page."""
    levels = tuple(request.query_params.getlist("level"))
    return JSONResponse(orders.gated(world, request, request.path_params["membership"], levels))


async def record(world: World, request: Request) -> Response:
    """What is noted on a buyer's record."""
    with world.reading() as connection:
        found = connection.execute(select(notes).where(notes.c.email == request.path_params["email"])).all()
    return JSONResponse({"notes": [[row.kind, row.target] for row in found]})


async def connection_of(world: World, request: Request) -> Response:
    """How a platform that the sandbox plays is connected."""
    slug = request.path_params["connection"]
    level = request.query_params.get("level", "")
    proof_page = address(request, f"/platform/{quote(slug)}/level/{quote(level, safe='')}")
    shown = {
        "secret": world.signing_secret(slug),
        "url": address(request, f"/platform/{quote(slug)}/webhook"),
        "pages": {proof_page: world.proof(platform.place_of(slug), level)} if level else {},
    }
    return JSONResponse(shown)


async def hand_in(world: World, request: Request) -> Response:
    """Take in a file, if its bytes have the sum that the address names."""
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


async def is_there(world: World, request: Request) -> Response:
    """Whether a file was handed in."""
    there = await run_in_threadpool(_is_kept, world, request.path_params["sha256"])
    return Response(status_code=204 if there else 404)


async def clean_up(world: World, request: Request) -> Response:
    """Remove what a run created."""
    return JSONResponse({"left": _clean_up(world, request.path_params["run"])})


async def clock(world: World, request: Request) -> Response:
    """Set the clock of a run."""
    try:
        now = Clock.model_validate_json(await request.body()).now
    except ValidationError as error:
        return JSONResponse({"error": str(error)}, 422)
    with world.writing() as connection:
        set_clock(connection, request.path_params["run"], now.timestamp())
    return Response(status_code=204)


async def health(world: World, request: Request) -> Response:
    """Whether the sandbox works."""
    with world.reading() as connection:
        count = connection.scalar(select(func.count()).select_from(members_table))
    return JSONResponse({"ok": True, "members": count})


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
