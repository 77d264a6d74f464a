"""The first page of the sandbox, which leads to all others, and a page for what one run did."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, Table, func, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wizard.invocation import command
from wizard.sandbox.clocks import now_by, time_of
from wizard.sandbox.platform import place_of
from wizard.sandbox.records import attendees, bookables, clocks, grants, links, mails, notes, pages, places, runs
from wizard.sandbox.world import World, page, refusal

NEWEST = 20
"""How many runs the first page lists."""

PLATFORM = place_of("")
"""How the grants' names of platforms begin."""


def routes(world: World) -> list[Route]:
    """The first page, and one for each run."""

    async def home(request: Request) -> Response:
        with world.reading() as connection:

            def rows(query: Select[Any]) -> Any:
                return connection.execute(query).all()

            platforms = select(grants.c.place).where(grants.c.place.startswith(PLATFORM)).distinct()
            shown = {
                "mails": connection.scalar(select(func.count()).select_from(mails)),
                "runs": rows(select(runs).order_by(runs.c.at.desc(), runs.c.run.desc()).limit(NEWEST)),
                "places": rows(select(places).order_by(places.c.name)),
                "platforms": [name.removeprefix(PLATFORM) for name in connection.scalars(platforms)],
                "bookables": rows(select(bookables).order_by(bookables.c.kind, bookables.c.name)),
            }
        # What was fired and how it ended is not of this world: whoever serves it may know.
        told = await run_in_threadpool(world.told_of_runs)
        return page(request, "home.html", told=told, fire=command("fire", "PRODUCT"), **shown)

    async def one_run(request: Request) -> Response:
        run = request.path_params["run"]
        with world.reading() as connection:
            found = connection.execute(select(runs).where(runs.c.run == run)).first()
            shown = _of_a_run(connection, world, run)
        if found is None:
            return refusal(request, 404, "There is no such run", "It may have been cleaned up.", ("/", "All runs"))
        told = await run_in_threadpool(world.told_of_runs)
        return page(request, "run.html", run=found, told=told.get(run), **shown)

    return [Route("/", home), Route("/runs/{run}", one_run)]


def _of_a_run(connection: Connection, world: World, run: str) -> dict[str, Any]:
    """What a run created that is there now. No token of a link is in it: those are only in the mails."""

    def rows(table: Table) -> Any:
        return connection.execute(select(table).where(table.c.run == run)).all()

    lasts = grants.c.until.is_(None) | (grants.c.until > now_by(world, grants.c.clock))
    held = (
        select(grants.c.place, grants.c.level, grants.c.until, lasts.label("lasts"), places.c.name)
        .outerjoin(places, places.c.slug == grants.c.place)
        .where(grants.c.run == run)
        .order_by(grants.c.id)
    )
    seats = (
        select(attendees.c.kind, attendees.c.slug, bookables.c.name)
        .outerjoin(bookables, (bookables.c.kind == attendees.c.kind) & (bookables.c.slug == attendees.c.slug))
        .where(attendees.c.run == run)
        .order_by(attendees.c.id)
    )
    return {
        "clock": connection.scalar(select(clocks.c.now).where(clocks.c.run == run)),
        "now": time_of(connection, world, run),
        "mails": rows(mails),
        "grants": connection.execute(held).all(),
        "links": rows(links),
        "seats": connection.execute(seats).all(),
        "pages": rows(pages),
        "notes": rows(notes),
    }
