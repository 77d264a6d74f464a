"""Calendars and webinars with who is registered, and the pages that buyers are shown after paying."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wizard.sandbox.records import attendees, bookables, pages
from wizard.sandbox.world import World, page, refusal


def name(connection: Connection, kind: str, slug: str, name: str) -> None:
    """Note what a calendar or webinar is called now."""
    naming = insert(bookables).values(kind=kind, slug=slug, name=name or slug)
    connection.execute(
        naming.on_conflict_do_update(index_elements=["kind", "slug"], set_={"name": naming.excluded.name})
    )


def register(connection: Connection, *, kind: str, slug: str, email: str, name: str, run: str) -> bool:
    """Put somebody on the list unless they are on it; say whether they were new."""
    row = {"kind": kind, "slug": slug, "email": email, "name": name, "run": run}
    return connection.execute(insert(attendees).values(**row).on_conflict_do_nothing()).rowcount == 1


def take_off(connection: Connection, *, kind: str, slug: str, email: str) -> None:
    """Take somebody off the list; not being on it is fine."""
    same = (attendees.c.kind == kind, attendees.c.slug == slug, attendees.c.email == email)
    connection.execute(delete(attendees).where(*same))


@dataclass(frozen=True, slots=True)
class Shown:
    """A page after paying; with `url` the buyer is sent there instead."""

    id: str
    title: str
    text: str
    url: str | None
    run: str


def show(connection: Connection, shown: Shown) -> str:
    """Make the page that a buyer is shown; give back its path."""
    connection.execute(insert(pages).values(**asdict(shown)).on_conflict_do_nothing())
    return f"/after/{shown.id}"


def routes(world: World) -> list[Route]:
    """The lists of attendees, and the pages after paying."""

    async def listing(request: Request) -> Response:
        kind, slug = request.path_params["kind"], request.path_params["slug"]
        if kind not in ("calendar", "webinar"):
            return refusal(request, 404, "There is no such page", "Check the address.")
        query = select(attendees).where(attendees.c.kind == kind, attendees.c.slug == slug).order_by(attendees.c.id)
        with world.reading() as connection:
            found = connection.execute(query).all()
            known = select(bookables.c.name).where(bookables.c.kind == kind, bookables.c.slug == slug)
            called = connection.scalar(known) or slug
        return page(request, "attendees.html", kind=kind, name=called, attendees=found)

    async def after_paying(request: Request) -> Response:
        with world.reading() as connection:
            shown = connection.execute(select(pages).where(pages.c.id == request.path_params["id"])).first()
        if shown is None:
            return refusal(request, 404, "There is no such page", "Check the address.")
        if shown.url:
            return RedirectResponse(shown.url, status_code=303)
        return page(request, "after.html", title=shown.title, text=shown.text)

    return [Route("/after/{id}", after_paying), Route("/attendees/{kind}/{slug}", listing)]
