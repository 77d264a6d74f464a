"""An endpoint for the backend `webhook`, whole and in one file: a shop that is told of everything by signed requests.

    export ENDPOINT_SECRET=whsec_$(head -c 24 /dev/urandom | base64)
    .venv/bin/python examples/signed_endpoint.py folder-with-your-files

It keeps everything in memory; yours has a database. What yours must do as well is said where it is done.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import uvicorn
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route


@dataclass
class Link:
    """A way to a file, for one buyer."""

    email: str
    run: str
    target: str
    path: Path
    left: float
    """Downloads that are left."""
    ends: float


@dataclass
class Shop:
    """What the shop knows, and what it answers."""

    secret: str
    files: Path
    url: str = ""
    """Where it is reached."""
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each request was answered, by its `webhook-id`."""
    held: dict[tuple[str, str], str] = field(default_factory=dict)
    """Who holds what, and the run that gave it."""
    logins: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The password of each buyer, and the run that made it."""
    sessions: dict[str, str] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    mails: list[dict[str, Any]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        """The shop as a web application."""
        return Starlette(
            routes=[
                Route("/wizard", self.take, methods=["POST"]),
                Route("/in/{token}", self.sign_in),
                Route("/login", self.log_in, methods=["GET", "POST"]),
                Route("/of/{what:path}", self.page),
                Route("/files/{token}", self.download),
            ]
        )

    # --- what the wizard says -----------------------------------------------------------------------------------------

    async def take(self, request: Request) -> Response:
        """Take a signed request."""
        body = (await request.body()).decode()
        try:
            # The library compares the signature, and refuses what is older than five minutes.
            told = Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError as error:
            return JSONResponse({"error": str(error)}, 401)
        key = request.headers["webhook-id"]
        # The same id is the same request, sent again: it is answered as the first time, and nothing is done twice.
        if key not in self.replies:
            act = getattr(self, told["type"], None) if told["type"] in TYPES else None
            if buyer := told["data"].get("buyer"):  # Bob@example.com and bob@example.com are one buyer
                buyer["email"] = buyer["email"].lower()
            self.replies[key] = act(**told["data"]) if act else {}
        return JSONResponse(self.replies[key])

    def grant_access(self, buyer: Any, run: str, target: str, levels: Any, create_login: bool, **_: Any) -> Any:
        """Let the buyer in. The reply says where, and gives a link that signs them in."""
        email = buyer["email"]
        for level in levels:
            self.held.setdefault((email, f"{target}/{level}"), run)
        reply = self.way_in(email, *(f"{target}/{level}" for level in levels))
        if create_login and email not in self.logins:
            self.logins[email] = secrets.token_urlsafe(12), run
            reply |= {"login_page": f"{self.url}/login", "login_email": email, "login_password": self.logins[email][0]}
        return reply

    def revoke_access(self, buyer: Any, target: str, levels: Any, **_: Any) -> Any:
        """Shut the buyer out."""
        for level in levels:
            self.held.pop((buyer["email"], f"{target}/{level}"), None)
        return {}

    def register_attendee(self, buyer: Any, run: str, kind: str, target: str, **_: Any) -> Any:
        """Give the buyer a seat. The reply leads to the page of their booking."""
        self.held.setdefault((buyer["email"], f"{kind}/{target}"), run)
        return self.way_in(buyer["email"], f"{kind}/{target}")

    def cancel_registration(self, buyer: Any, kind: str, target: str, **_: Any) -> Any:
        """Take the seat back."""
        self.held.pop((buyer["email"], f"{kind}/{target}"), None)
        return {}

    def issue_download_link(
        self, buyer: Any, run: str, target: str, filename: str, link_lifetime: int, **data: Any
    ) -> Any:
        """Make a link to a file."""
        path = self.files / Path(filename).name
        ends, left = time.time() + link_lifetime, data.get("download_limit") or float("inf")
        return {"download_link": self.link(Link(buyer["email"], run, target, path, left, ends))}

    def revoke_download_link(self, buyer: Any, target: str, **_: Any) -> Any:
        """Stop every link of this buyer to the file."""
        self.links = {
            token: link for token, link in self.links.items() if (link.email, link.target) != (buyer["email"], target)
        }
        return {}

    def try_link(self, buyer: Any, run: str, target: str, how: str, **_: Any) -> Any:
        """Nobody can wait for a link to expire: the reply to `expired` holds one that has."""
        if how != "expired":
            return {}
        return {"download_link": self.link(Link(buyer["email"], run, target, self.files, 1, time.time() - 1))}

    def send_email(self, **mail: Any) -> Any:
        """Send a mail. Here it is kept; send yours."""
        self.mails.append(mail)
        return {}

    def clean_up(self, run: str, **_: Any) -> Any:
        """Remove what a run made, and nothing else."""
        self.held = {what: by for what, by in self.held.items() if by != run}
        self.logins = {email: login for email, login in self.logins.items() if login[1] != run}
        self.links = {token: link for token, link in self.links.items() if link.run != run}
        return {}

    def way_in(self, email: str, *held: str) -> dict[str, Any]:
        """A link that signs the buyer in, and the pages that only who holds this can read."""
        token = secrets.token_urlsafe()
        self.sessions[token] = email
        return {"sign_in_url": f"{self.url}/in/{token}", "proof_url": [f"{self.url}/of/{what}" for what in held]}

    def link(self, link: Link) -> str:
        """Keep a link; give back its address."""
        token = secrets.token_urlsafe()
        self.links[token] = link
        return f"{self.url}/files/{token}"

    # --- what the buyer sees ------------------------------------------------------------------------------------------

    async def sign_in(self, request: Request) -> Response:
        """Sign the bearer of a link in."""
        token = request.path_params["token"]
        if token not in self.sessions:
            return _page("This link signs nobody in.", 404)
        return self._signed_in(token, "/login")

    async def log_in(self, request: Request) -> Response:
        """Log in with the mailed password."""
        if request.method == "POST":
            form = await request.form()
            email, password = str(form.get("email")).lower(), str(form.get("password"))
            known = self.logins.get(email, ("", ""))[0]
            if known and hmac.compare_digest(known.encode(), password.encode()):
                token = secrets.token_urlsafe()
                self.sessions[token] = email
                return self._signed_in(token, "/login")
        email = self.sessions.get(request.cookies.get("session", ""), "")
        hello = f"<p>You are {escape(email)}.</p>" if email else ""
        fields = '<input name="email"><input name="password" type="password"><button>Log in</button>'
        return HTMLResponse(f'{hello}<form method="post">{fields}</form>')

    async def page(self, request: Request) -> Response:
        """A page for those who hold something."""
        what = request.path_params["what"]
        email = self.sessions.get(request.cookies.get("session", ""), "")
        if (email, what) not in self.held:
            return _page("This is not yours, or not any more.", 403)
        return _page(f"Welcome to {escape(what)}, {escape(email)}.")

    async def download(self, request: Request) -> Response:
        """Give the file, or say why not."""
        link = self.links.get(request.path_params["token"])
        if link is None:
            return _page("This link does not exist, or was stopped.", 404)
        if link.ends < time.time():
            return _page("This link has expired.", 410)
        if link.left < 1:
            return _page("This link was used as often as it may be.", 429)
        # HEAD asks whether the link works, and uses nothing up.
        link.left -= request.method == "GET"
        return FileResponse(link.path)

    def _signed_in(self, token: str, to: str) -> Response:
        found = RedirectResponse(to, 303)
        found.set_cookie("session", token, httponly=True, samesite="lax")
        return found


TYPES = (
    "grant_access", "revoke_access", "register_attendee", "cancel_registration", "issue_download_link",
    "revoke_download_link", "try_link", "send_email", "clean_up",
)  # fmt: skip
"""The requests that it does something about. It takes every other one too, such as `assign_tag`, and says 200."""


def _page(text: str, status: int = 200) -> Response:
    return HTMLResponse(f"<!doctype html><title>Shop</title><p>{text}</p>", status)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="A shop that the backend “webhook” delivers through.")
    asked.add_argument("files", type=Path, help="the folder with the files that you sell")
    asked.add_argument("--port", type=int, default=8100)
    given = asked.parse_args()
    if not os.environ.get("ENDPOINT_SECRET"):
        asked.error("set ENDPOINT_SECRET to the secret that stands in the wizard's settings")
    if not given.files.is_dir():
        asked.error(f"{given.files} is no folder")
    shop = Shop(os.environ["ENDPOINT_SECRET"], given.files, f"http://127.0.0.1:{given.port}")
    print(f"url = {json.dumps(f'{shop.url}/wizard')}")
    uvicorn.run(shop.app, port=given.port)
