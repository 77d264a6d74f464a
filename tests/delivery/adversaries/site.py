"""An honest place of every kind that the wizard delivers to, which a fault strikes where it is told to.

Its endpoint, member pages and files are real as far as they go. What it plays of WordPress and of Ghost is a fake: as
much of their APIs as a run asks for. The real ones are met in `tests/servers`.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from wizard.sandbox.drills import answered
from wizard.sandbox.faults import Fault
from wizard.testing.products import WORKBOOK

OWNER = {
    "id": 1, "username": "owner", "email": "owner@example.com", "roles": ["administrator"],
    "capabilities": dict.fromkeys(("list_users", "create_users", "promote_users", "delete_users"), True),
}  # fmt: skip
"""The user of WordPress whose password the connection has."""

TIER = {"id": "t1", "slug": "gold", "name": "Gold"}


class Site:
    """The place, and what it knows."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As if it had just been opened."""
        self.url = ""
        self.fault: Fault | None = None
        self.strikes = ""
        """How the path begins at which the fault strikes."""
        self.tries: Counter[str] = Counter()
        self.members: dict[str, dict[str, Any]] = {}
        """Who is let in, by address, with what their platform knows of them."""
        self.people: dict[str, str] = {}
        """Whose each cookie is."""
        self.users: dict[str, dict[str, Any]] = {}
        """Those of WordPress or Ghost, by address."""
        self.links: set[str] = set()
        self.kept: dict[str, Response] = {}
        """What a cache in front has kept, by address."""
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(f"{request.method} {request.url.path}")
        answer = partial(self._answer, request)
        if self.fault is None or not request.url.path.startswith(self.strikes):
            response = await answer()
        elif self.fault is Fault.CACHE:
            response = await self._from_the_cache(request, answer)
        else:
            response = await answered(self.fault, self.strikes, self.tries, answer)
        await response(scope, receive, send)

    async def _from_the_cache(self, request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
        at = str(request.url)
        if at not in self.kept:
            fresh = await answer()
            if fresh.status_code != 200:
                return fresh
            self.kept[at] = fresh
        old = self.kept[at]
        headers = {**dict(old.headers), "age": "7", "x-cache": "HIT"}
        headers.pop("set-cookie", None)
        return Response(bytes(old.body), old.status_code, headers)

    async def _answer(self, request: Request) -> Response:
        for begins, answer in self._places():
            if request.url.path.startswith(begins):
                return await answer(request)
        return HTMLResponse("<p>Nothing is here.</p>", 404)

    def _places(self) -> Iterator[tuple[str, Callable[[Request], Awaitable[Response]]]]:
        yield "/hook", self.hook
        yield "/sign-in", self.sign_in
        yield "/welcome", self.welcome
        yield "/members", self.page
        yield "/files/", self.file
        yield "/index.php", self.wordpress
        yield "/wp-login.php", self.login
        yield "/ghost/api/admin/", self.ghost

    # --- an endpoint --------------------------------------------------------------------------------------------------

    async def hook(self, request: Request) -> Response:
        """Takes a message, and obeys it."""
        told = json.loads(await request.body())
        data = told.get("data", {})
        email = data.get("email") or data.get("buyer", {}).get("email", "")
        reply: dict[str, Any] = {}
        match told.get("type"):
            case "grant_access" | "access.granted":
                self.members[email] = {}
                reply = {"sign_in_url": f"{self.url}/sign-in?email={quote(email)}", "proof_url": f"{self.url}/members"}
            case "revoke_access" | "access.revoked" if self.fault is not Fault.LIES_ABOUT_REVOKING:
                self.members.pop(email, None)
            case "issue_download_link":
                self.links.add("workbook-for-ada")
                reply = {"download_link": f"{self.url}/files/workbook-for-ada"}
            case "revoke_download_link" if self.fault is not Fault.LIES_ABOUT_REVOKING:
                self.links.clear()
        return JSONResponse(reply)

    # --- what buyers see ----------------------------------------------------------------------------------------------

    async def sign_in(self, request: Request) -> Response:
        """Signs the bearer of a link in."""
        return self._signed_in(request.query_params["email"], "/welcome?success=true")

    async def welcome(self, request: Request) -> Response:
        """Where a link leads."""
        return HTMLResponse("<p>Welcome back.</p>")

    async def page(self, request: Request) -> Response:
        """For members alone."""
        if self.people.get(request.cookies.get("session", "")) in self.members:
            return HTMLResponse("<p>Breathe in through the left nostril.</p>")
        return HTMLResponse("<p>For members.</p>", 403)

    async def file(self, request: Request) -> Response:
        """A file, by a link that works."""
        if request.url.path.rpartition("/")[2] in self.links:
            return Response(WORKBOOK, media_type="application/pdf")
        return HTMLResponse("<p>This link was stopped.</p>", 410)

    def _signed_in(self, email: str, to: str) -> Response:
        token = secrets.token_urlsafe()
        self.people[token] = email
        response = RedirectResponse(to, 303)
        response.set_cookie("session", token)
        return response

    # --- a fake of WordPress ------------------------------------------------------------------------------------------

    async def wordpress(self, request: Request) -> Response:
        """Users, as its REST API has them."""
        route = request.query_params["rest_route"]
        if route.startswith(("/wp/v2/pages", "/wp/v2/posts")):
            return JSONResponse([])
        if route.startswith("/wp/v2/types"):
            return JSONResponse({})
        if route == "/wp/v2/users/me":
            return JSONResponse(OWNER)
        if request.method == "GET":
            wanted = request.query_params.get("search", "")
            found = [user for email, user in self.users.items() if wanted in (email, user["username"])]
            return JSONResponse(found)
        if request.method == "DELETE":
            self.users = {}
            self.members = {}
            return JSONResponse({"deleted": True})
        about = json.loads(await request.body())
        if about.get("username") == OWNER["username"]:
            return JSONResponse({"code": "existing_user_login", "message": "Sorry, that username exists."}, 500)
        if route == "/wp/v2/users":
            user = {"id": 7, "username": about["username"], "email": about["email"], "roles": about["roles"]}
            self.users[about["email"]] = user
            self.members[about["email"]] = user
            return JSONResponse(user, 201)
        [(email, user)] = self.users.items()
        if self.fault is Fault.LIES_ABOUT_REVOKING:
            return JSONResponse({**user, "roles": about["roles"]})
        user["roles"] = about["roles"]
        if not user["roles"]:
            self.members.pop(email, None)
        return JSONResponse(user)

    async def login(self, request: Request) -> Response:
        """The form, which takes any password."""
        if request.method == "GET":
            fields = "<input name=log><input name=pwd type=password><input name=redirect_to><button>Log in</button>"
            return HTMLResponse(f"<form method=post action=/wp-login.php>{fields}</form>")
        form = await request.form()
        email = next(email for email, user in self.users.items() if user["username"] == form["log"])
        return self._signed_in(email, str(form["redirect_to"]))

    # --- a fake of Ghost ----------------------------------------------------------------------------------------------

    async def ghost(self, request: Request) -> Response:
        """Members and tiers, as its Admin API has them."""
        path = request.url.path.removeprefix("/ghost/api/admin/").strip("/")
        if path == "tiers":
            return JSONResponse({"tiers": [TIER]})
        if path.endswith("signin_urls"):
            [email] = self.users
            return JSONResponse({"member_signin_urls": [{"url": f"{self.url}/sign-in?email={quote(email)}"}]})
        if not path.startswith("members"):
            return JSONResponse({"errors": [{"message": "Resource not found"}]}, 404)
        if request.method == "DELETE":
            self.users, self.members = {}, {}
            return Response(status_code=204)
        if request.method != "GET":
            [about] = json.loads(await request.body())["members"]
            self._take_member(about)
        return JSONResponse({"members": list(self.users.values())})

    def _take_member(self, about: dict[str, Any]) -> None:
        email = about.get("email") or next(iter(self.users))
        known = self.users.setdefault(email, {"id": "m1", "status": "free", "tiers": [], "labels": [], **about})
        known["tiers"] = [TIER for _ in about.get("tiers", ())]
        if known["tiers"]:
            self.members[email] = known
        elif self.fault is not Fault.LIES_ABOUT_REVOKING:
            self.members.pop(email, None)
