"""A membership platform of a third party, played: it takes signed requests, mails sign-in links, and gates pages."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from itsdangerous import BadData
from sqlalchemy import Connection, select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from wizard.sandbox.door import begin_run
from wizard.sandbox.drills import NoSuchFault, acted_out, lies
from wizard.sandbox.mailbox import deliver
from wizard.sandbox.members import (
    Granting,
    leave,
    leaving_token,
    let_in,
    may_see,
    new_session,
    open_levels,
    session_in,
    set_cookie,
    shut_out,
)
from wizard.sandbox.records import grants
from wizard.sandbox.world import World, address, page, refusal

LINK_LASTS = 7 * 86_400
"""Seconds that a sign-in link works."""

COOKIE = "platform"

MAILBOX = ("/mailbox", "Open the mailbox")


class BadRequest(ValueError):
    """A signed request that makes no sense."""


def place_of(connection: str) -> str:
    """How the grants name a platform."""
    return f"platform:{connection}"


def verified(world: World, connection: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    """Check the signature of a request and read it. Raises WebhookVerificationError."""
    try:
        message = Webhook(world.signing_secret(connection)).verify(body.decode(), headers)
    except ValueError as error:  # the library lets a malformed signature header through as a ValueError
        raise WebhookVerificationError(str(error)) from None
    if not isinstance(message, dict):
        raise BadRequest("the body must be a JSON object")
    return message


def obey(world: World, connection: str, message: dict[str, Any], key: str, home: str, lies: bool) -> None:
    """Do what a verified request asks. A member who is new to the platform gets its sign-in link by mail. A platform
    that `lies` takes nothing away."""
    data = message.get("data")
    kind = message.get("type")
    if kind == "ping":
        return
    if not isinstance(data, dict) or kind not in ("access.granted", "access.revoked"):
        raise BadRequest("type must be ping, access.granted or access.revoked, with data")
    email, level, run = (data.get(name) for name in ("email", "level", "run"))
    if not (isinstance(email, str) and isinstance(level, str) and isinstance(run, str) and email and level):
        raise BadRequest("data needs email, level and run")
    until = data.get("until")
    place = place_of(connection)
    with world.writing(keep=not (lies and kind == "access.revoked")) as database:
        begin_run(database, world, run, email, str(data.get("name") or ""))
        if kind == "access.revoked":
            shut_out(database, place, (level,), email)
            return
        new = not _is_member(database, place, email)
        let_in(database, Granting(place, (level,), email, float(until) if until else None, run))
        if new:
            token = world.sealed(place).dumps(email)
            deliver(
                database,
                world,
                to=email,
                subject=f"Sign in to {connection}",
                body=f"Welcome. Sign in here:\n\n{home}/platform/{connection}/sign-in?token={token}\n",
                key=f"{key}-sign-in",
                run=run,
                sender=f"members@{connection}.example",
            )


def _sign_in_first(request: Request) -> Response:
    return refusal(request, 401, "Please sign in", "Open the sign-in link in your mail.", MAILBOX)


def _is_member(database: Connection, place: str, email: str) -> bool:
    held = select(grants.c.id).where(grants.c.place == place, grants.c.email == email)
    return database.scalar(held.limit(1)) is not None


def routes(world: World) -> list[Route]:
    """The platform's endpoint and its members' pages."""

    async def webhook(request: Request) -> Response:
        body = await request.body()
        connection = request.path_params["connection"]
        try:
            message = verified(world, connection, body, dict(request.headers))
            key, home = request.headers["webhook-id"], address(request, "")

            async def answer() -> Response:
                obey(world, connection, message, key, home, lies(request))
                return Response(status_code=204)

            return await acted_out(request, world, key, answer)
        except WebhookVerificationError:
            return JSONResponse({"error": "the signature is wrong or too old"}, 401)
        except (BadRequest, NoSuchFault, json.JSONDecodeError) as error:
            return JSONResponse({"error": str(error)}, 422)

    async def sign_in(request: Request) -> Response:
        connection = request.path_params["connection"]
        try:
            email = world.sealed(place_of(connection)).loads(request.query_params.get("token", ""), max_age=LINK_LASTS)
        except BadData:
            return refusal(request, 403, "You cannot sign in", "This sign-in link is damaged or too old.", MAILBOX)
        answer = RedirectResponse(f"/platform/{connection}", status_code=303)
        session_cookie = new_session(world, f"session:{connection}", email)
        set_cookie(answer, COOKIE, session_cookie, f"/platform/{connection}")
        return answer

    def session(request: Request) -> str | None:
        return session_in(world, f"session:{request.path_params['connection']}", request.cookies.get(COOKIE, ""))

    async def home(request: Request) -> Response:
        connection, email = request.path_params["connection"], session(request)
        if email is None:
            return _sign_in_first(request)
        with world.reading() as database:
            mine = open_levels(database, world, place_of(connection), email)
        return page(request, "platform.html", **_shown(request, email), levels=mine)

    async def level_page(request: Request) -> Response:
        connection, level = request.path_params["connection"], request.path_params["level"]
        email = session(request)
        if email is None:
            return _sign_in_first(request)
        place = place_of(connection)
        with world.reading() as database:
            welcome = may_see(database, world, place, level, email)
        if not welcome:
            reason = "Your membership does not include this page, or has ended."
            return refusal(request, 403, "Not for you", reason, (f"/platform/{quote(connection)}", "Your membership"))
        return page(request, "level.html", **_shown(request, email), level=level, text=world.proof(place, level))

    async def log_out(request: Request) -> Response:
        connection = request.path_params["connection"]
        return await leave(world, request, COOKIE, f"/platform/{connection}", ("Signed out", connection))

    def _shown(request: Request, email: str) -> dict[str, Any]:
        connection = request.path_params["connection"]
        token = leaving_token(world, request, COOKIE)
        return {"name": connection, "home": f"/platform/{quote(connection)}", "email": email, "token": token}

    return [
        Route("/platform/{connection}/webhook", webhook, methods=["POST"]),
        Route("/platform/{connection}/sign-in", sign_in),
        Route("/platform/{connection}/log-out", log_out, methods=["POST"]),
        Route("/platform/{connection}", home),
        Route("/platform/{connection}/level/{level:path}", level_page),
    ]
