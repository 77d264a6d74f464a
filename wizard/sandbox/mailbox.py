"""The buyers' mailbox: every mail of this world arrives here, and is listed and read in a browser."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wizard.mail.mime import message
from wizard.mail.templates import Mail
from wizard.sandbox.clocks import time_of
from wizard.sandbox.records import mails
from wizard.sandbox.world import World, page, refusal

SENDER = "shop@sandbox.example"
NEWEST = 200
"""How many mails one page lists."""


def deliver(
    connection: Connection, world: World, *, to: str, subject: str, body: str, key: str, run: str, sender: str = SENDER
) -> str:
    """Put a mail into the mailbox, once for each key; give back its Message-ID."""
    message_id = f"<{key}@sandbox.example>"
    at = time_of(connection, world, run)
    row = {"sender": sender, "recipient": to, "subject": subject, "body": body, "at": at, "run": run}
    connection.execute(insert(mails).values(**row, message_id=message_id).on_conflict_do_nothing())
    return message_id


def routes(world: World) -> list[Route]:
    """The pages of the mailbox."""

    async def listing(request: Request) -> Response:
        wanted = request.query_params.get("to")
        query = select(mails).order_by(mails.c.id.desc()).limit(NEWEST)
        with world.reading() as connection:
            found = connection.execute(query.where(mails.c.recipient == wanted) if wanted else query).all()
        return page(request, "mailbox.html", mails=found, to=wanted)

    async def one(request: Request) -> Response:
        with world.reading() as connection:
            mail = connection.execute(select(mails).where(mails.c.id == request.path_params["id"])).first()
        if mail is None:
            return refusal(request, 404, "There is no such mail", "It may have been cleaned up.")
        return page(request, "mail.html", mail=mail)

    async def source(request: Request) -> Response:
        with world.reading() as connection:
            mail = connection.execute(select(mails).where(mails.c.id == request.path_params["id"])).first()
        if mail is None:
            return Response("There is no such mail.", 404, media_type="text/plain")
        letter = message(
            Mail(mail.subject, mail.body),
            sender=mail.sender,
            to=mail.recipient,
            message_id=mail.message_id,
            at=datetime.fromtimestamp(mail.at, UTC),
        )
        return Response(letter.as_bytes(), media_type="text/plain; charset=utf-8")

    return [
        Route("/mailbox", listing),
        Route("/mailbox/{id:int}", one),
        Route("/mailbox/{id:int}/source", source),
    ]
