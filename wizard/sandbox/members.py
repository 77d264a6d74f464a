"""The host's memberships as their members see them: a login form, and pages that open by level."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from argon2.exceptions import VerificationError
from itsdangerous import BadData
from sqlalchemy import Connection, delete, or_, select
from sqlalchemy.dialects.sqlite import insert
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wizard.sandbox.attempts import Attempt, TooMany
from wizard.sandbox.clocks import now_by
from wizard.sandbox.guard import fields_of
from wizard.sandbox.records import ended, grants, members, places
from wizard.sandbox.world import TEMPLATES, World, page, refusal

TEMPLATES.env.globals["path_of"] = lambda membership, level: path_of(membership, level)
SESSION = "member"
FORM = "form"
SESSION_LASTS = 12 * 3600
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Granting:
    """What somebody is let into. `place` is a membership's slug, or `platform:` and a connection's."""

    place: str
    levels: tuple[str, ...]
    email: str
    until: float | None
    run: str


def let_in(connection: Connection, granting: Granting) -> None:
    """Give levels to somebody; what is held already stays, with the new end."""
    for level in granting.levels:
        row = {"email": granting.email, "place": granting.place, "level": level, "run": granting.run}
        end = {"until": granting.until, "clock": granting.run}
        adding = insert(grants).values(**row, **end)
        same = [grants.c.email, grants.c.place, grants.c.level]
        connection.execute(adding.on_conflict_do_update(index_elements=same, set_=end))


def shut_out(connection: Connection, place: str, levels: tuple[str, ...], email: str) -> None:
    """Take levels away; none held is fine."""
    held = (grants.c.email == email, grants.c.place == place, grants.c.level.in_(levels))
    connection.execute(delete(grants).where(*held))


def may_see(connection: Connection, world: World, place: str, level: str, email: str) -> bool:
    """Whether somebody holds a level now."""
    return level in open_levels(connection, world, place, email)


def open_levels(connection: Connection, world: World, place: str, email: str) -> list[str]:
    """The levels that somebody holds now, by the clock of the run that gave each."""
    lasts = or_(grants.c.until.is_(None), grants.c.until > now_by(world, grants.c.clock))
    held = select(grants.c.level).where(grants.c.email == email, grants.c.place == place, lasts)
    return list(connection.scalars(held.order_by(grants.c.id)))


def has_login(world: World, email: str) -> bool:
    """Whether there is a login for an address."""
    with world.reading() as connection:
        return connection.scalar(select(members.c.email).where(members.c.email == email)) is not None


def add_login(connection: Connection, email: str, name: str, hashed: str, run: str) -> bool:
    """Make a login unless there is one; say whether it was made."""
    adding = insert(members).values(email=email, name=name, password=hashed, run=run).on_conflict_do_nothing()
    return connection.execute(adding).rowcount == 1


def open_place(connection: Connection, slug: str, name: str, password_protected: bool) -> None:
    """Make a membership, or bring it up to date."""
    now = {"name": name or slug, "password_protected": password_protected}
    connection.execute(insert(places).values(slug=slug, **now).on_conflict_do_update(index_elements=["slug"], set_=now))


def set_cookie(response: Response, name: str, value: str, path: str = "/") -> None:
    """Set a cookie that no script reads and no other site sends."""
    response.set_cookie(name, value, path=path, httponly=True, samesite="lax", max_age=SESSION_LASTS)


def end_session(world: World, token: str) -> None:
    """Have the server know that a session is over: whoever kept its cookie is not let in by it any more."""
    with world.writing() as connection:
        connection.execute(delete(ended).where(ended.c.at <= world.now - SESSION_LASTS))
        row = {"session": _digest(token), "at": world.now}
        connection.execute(insert(ended).values(**row).on_conflict_do_nothing())


def has_ended(world: World, token: str) -> bool:
    """Whether somebody logged out of a session."""
    with world.reading() as connection:
        return connection.scalar(select(ended.c.at).where(ended.c.session == _digest(token))) is not None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def leaving_token(world: World, request: Request, cookie: str) -> str:
    """What the form for logging out carries: only a page of this session can know it."""
    return world.derived("log out", request.cookies.get(cookie, "")).hex()


async def leave(world: World, request: Request, cookie: str, path: str, said: tuple[str, str]) -> Response:
    """Log out, if a page of this session asked for it. `path` is the cookie's; `said` a title and whose pages."""
    token = (await fields_of(request)).get("token", "")
    title, name = said
    # Without a cookie the request may come from another site: those are sent without.
    ours = cookie in request.cookies
    if not ours or not secrets.compare_digest(token.encode(), leaving_token(world, request, cookie).encode()):
        return refusal(request, 400, "Not logged out", "Please press the button on the page again.", (path, "Back"))
    end_session(world, request.cookies[cookie])
    answer = page(request, "message.html", title=title, text=f"You have left {name}.", ways=())
    answer.delete_cookie(cookie, path=path, httponly=True, samesite="lax")
    return answer


def new_session(world: World, purpose: str, email: str) -> str:
    """The cookie of a session: no two are alike, so that ending one leaves another that began in the same second."""
    return world.sealed(purpose).dumps([email, secrets.token_hex(8)])


def session_in(world: World, purpose: str, token: str) -> str | None:
    """Whose session a cookie holds; None for none, one that is too old, and one that ended."""
    try:
        email, _ = world.sealed(purpose).loads(token, max_age=SESSION_LASTS)
    except (BadData, ValueError, TypeError):
        return None
    return None if has_ended(world, token) else str(email)


def session_of(world: World, request: Request) -> str | None:
    """The address of whoever is logged in."""
    email = session_in(world, SESSION, request.cookies.get(SESSION, ""))
    return email if email is not None and has_login(world, email) else None


def _check_password(world: World, email: str, password: str) -> bool:
    with world.reading() as connection:
        hashed = connection.scalar(select(members.c.password).where(members.c.email == email))
    try:
        return world.hasher.verify(hashed or world.decoy, password) and hashed is not None
    except VerificationError:
        return False


def path_of(membership: str, level: str) -> str:
    """Where a level's page is. A level may be called as one of the pages beside it is."""
    below = "level/" if level in ("login", "log-out", "level") or "/" in level else ""
    return f"/m/{quote(membership, safe='')}/{below}{quote(level)}"


def _place(world: World, slug: str) -> Any:
    with world.reading() as connection:
        return connection.execute(select(places).where(places.c.slug == slug)).first()


def _no_such_place(request: Request) -> Response:
    reason = "Check the address in your mail."
    return refusal(request, 404, "There is no such membership", reason, ("/mailbox", "Open the mailbox"))


def _form(world: World, request: Request, status: int = 200, problem: str = "", email: str = "") -> Response:
    place = _place(world, request.path_params["membership"])
    if place is None:
        return _no_such_place(request)
    # Double submit: the form's token must match the one in a cookie that another site can neither read nor set.
    nonce = secrets.token_urlsafe(16)
    token = world.sealed(FORM).dumps(nonce)
    answer = page(request, "login.html", status, name=place.name, token=token, problem=problem, email=email)
    set_cookie(answer, FORM, nonce, request.url.path)
    return answer


def _is_our_form(world: World, request: Request, token: str) -> bool:
    try:
        nonce = str(world.sealed(FORM).loads(token, max_age=3600))
    except BadData:
        return False
    # As bytes: texts are only compared when they are ASCII, and a visitor may send anything.
    return secrets.compare_digest(nonce.encode(), request.cookies.get(FORM, "").encode())


def routes(world: World) -> list[Route]:
    """The pages of the host's memberships."""

    async def login_form(request: Request) -> Response:
        return _form(world, request)

    async def login(request: Request) -> Response:
        form = await fields_of(request)
        token, email, password = (form.get(name, "") for name in ("token", "email", "password"))
        if not _is_our_form(world, request, token):
            return _form(world, request, 400, "This form is too old. Please try again.", email)
        try:
            attempt = Attempt(world, email.strip(), request.client.host if request.client else "")
        except TooMany as error:
            refused = _form(world, request, 429, str(error), email)
            refused.headers["retry-after"] = str(error.after)
            return refused
        if not await run_in_threadpool(_check_password, world, email.strip(), password):
            attempt.failed()
            return _form(world, request, 401, "E-mail or password is wrong.", email)
        attempt.succeeded()
        slug = request.path_params["membership"]
        answer = RedirectResponse(f"/m/{slug}", status_code=303)
        set_cookie(answer, SESSION, new_session(world, SESSION, email.strip()))
        return answer

    async def overview(request: Request) -> Response:
        slug = request.path_params["membership"]
        place, email = _place(world, slug), session_of(world, request)
        if place is None:
            return _no_such_place(request)
        if email is None:
            return RedirectResponse(f"/m/{slug}/login", status_code=303)
        with world.reading() as connection:
            mine = connection.scalars(
                select(grants.c.level).where(grants.c.email == email, grants.c.place == slug).order_by(grants.c.id)
            ).all()
        return page(request, "levels.html", **_shown(request, place, email), slug=slug, levels=mine)

    async def level_page(request: Request) -> Response:
        slug, level = request.path_params["membership"], request.path_params["level"]
        place = _place(world, slug)
        if place is None:
            return _no_such_place(request)
        email = session_of(world, request)
        if place.password_protected:
            if email is None:
                return RedirectResponse(f"/m/{slug}/login", status_code=303)
            with world.reading() as connection:
                welcome = may_see(connection, world, slug, level, email)
            if not welcome:
                reason = f"Your membership does not include “{level}”, or has ended."
                return refusal(request, 403, "Not for you", reason, (f"/m/{quote(slug)}", "Your membership"))
        text = world.proof(slug, level)
        return page(request, "level.html", **_shown(request, place, email), level=level, text=text)

    async def log_out(request: Request) -> Response:
        place = _place(world, request.path_params["membership"])
        if place is None:
            return _no_such_place(request)
        return await leave(world, request, SESSION, "/", ("Logged out", place.name))

    def _shown(request: Request, place: Any, email: str | None) -> dict[str, Any]:
        token = leaving_token(world, request, SESSION)
        return {"name": place.name, "home": f"/m/{quote(place.slug)}", "email": email, "token": token}

    return [
        Route("/m/{membership}/login", login_form),
        Route("/m/{membership}/login", login, methods=["POST"]),
        Route("/m/{membership}/log-out", log_out, methods=["POST"]),
        Route("/m/{membership}", overview),
        Route("/m/{membership}/level/{level:path}", level_page),
        Route("/m/{membership}/{level}", level_page),
    ]
