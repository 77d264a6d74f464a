"""Download links as buyers meet them: signed, dated, counted, and with a reason when they do not work."""

from __future__ import annotations

import re
from dataclasses import dataclass

from itsdangerous import BadData, BadSignature
from sqlalchemy import ColumnElement, Connection, insert, or_, select, true, update
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from wizard.sandbox.clocks import time_of
from wizard.sandbox.records import links
from wizard.sandbox.world import World, refusal

DAMAGED = "This link is damaged. Copy it whole from your mail, or click it there."
STOPPED = "This link has been stopped. If you think that is a mistake, write to the seller."
EXPIRED = "This link has expired. Ask the seller for a new one."
USED_UP = "This link has been used as often as it allows. Ask the seller for a new one."


RESUMES = 3600
"""Seconds after its beginning in which a download may be gone on with. Its parts count as one."""


@dataclass(frozen=True, slots=True)
class Issuing:
    """A link to be made. Times in Unix seconds, by the clock of the run."""

    id: str
    email: str
    file: str
    sha256: str
    filename: str
    media_type: str
    download_limit: int | None
    expires_at: float
    run: str


def issue(connection: Connection, world: World, issuing: Issuing) -> str:
    """Make a link and stop the buyer's older ones to the same file; give back its path."""
    stop(connection, issuing.email, issuing.file)
    fields = {name: getattr(issuing, name) for name in Issuing.__slots__}
    connection.execute(insert(links).values(**fields, used=0, stopped=False))
    return f"/d/{world.sealed('download').dumps(issuing.id)}"


def stop(connection: Connection, email: str, file: str) -> None:
    """Stop every link of a buyer to a file."""
    connection.execute(update(links).where(links.c.email == email, links.c.file == file).values(stopped=True))


def goes_on(request: Request) -> bool:
    """Whether a request asks for what follows the beginning of a file (RFC 9110, 14.2), as `curl -C -` does."""
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)(,.*)?", request.headers.get("range", "").replace(" ", ""))
    return request.method == "GET" and asked is not None and bool((asked[1] or asked[2]).strip("0")) and (not asked[3])


def routes(world: World) -> list[Route]:
    """The address that every download link leads to."""

    def download(request: Request) -> Response:
        def no(status: int, reason: str) -> Response:
            return refusal(request, status, "No download", reason, ("/mailbox", "Open the mailbox"))

        try:
            identity = world.sealed("download").loads(request.path_params["token"])
        except (BadSignature, BadData):
            return no(404, DAMAGED)
        with world.writing() as connection:
            link = connection.execute(select(links).where(links.c.id == identity)).first()
            if link is None:
                return no(404, DAMAGED)
            if link.stopped:
                return no(403, STOPPED)
            if link.expires_at <= time_of(connection, world, link.run):
                return no(410, EXPIRED)
            free: ColumnElement[bool] = or_(links.c.download_limit.is_(None), links.c.used < links.c.download_limit)
            # A HEAD request is a mail scanner's, not a download.
            more = 1 if request.method == "GET" else 0
            if goes_on(request) and world.now - link.used_at <= RESUMES:  # no other download than the one that began
                more, free = 0, true()
                # What a link leads to never changes, so the rest may always be had: not the whole, as something new.
                request.scope["headers"] = [each for each in request.scope["headers"] if each[0] != b"if-range"]
            # Counted in the same statement that checks the limit: two clicks at once cannot both be the last.
            began = {"used": links.c.used + more, "used_at": world.now if more else links.c.used_at}
            counting = update(links).where(links.c.id == identity, free).values(**began)
            if connection.execute(counting).rowcount == 0:
                return no(429, USED_UP)
        path = world.files / link.sha256
        if not path.is_file():
            return no(500, "The file is gone. Write to the seller.")
        return FileResponse(path, media_type=link.media_type, filename=link.filename)

    return [Route("/d/{token}", download)]
