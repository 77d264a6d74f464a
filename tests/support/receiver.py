"""A receiver of webhooks that checks every signature with the specification's own library."""

from __future__ import annotations

import base64
import json
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models.account import Connection

OLD = "whsec_" + base64.b64encode(b"the old secret, which is long").decode()


NEW = "whsec_" + base64.b64encode(b"the new secret, which is long").decode()


class Receiver:
    """A membership site of somebody's own: it takes signed requests, and signs its members in by a link."""

    def __init__(self) -> None:
        self.secret: str | bytes = NEW
        self.answer = Response(status_code=204)
        self.gives_link = False
        self.link_works_once = False
        self.forgets_to_revoke = False
        self.taken: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.members: set[str] = set()
        self.used: set[str] = set()
        self.url = ""
        hook = Route("/hook", self.take, methods=["POST"])
        pages = [Route("/in", self.sign_in), Route("/members", self.page), Route("/open", self.open_to_all)]
        self.app = Starlette(routes=[hook, *pages])

    async def take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except WebhookVerificationError as error:
            return JSONResponse({"error": str(error)}, 401)
        told = json.loads(body)
        self.taken.append((dict(request.headers), told))
        email = told["data"].get("email", "")
        if self.answer.status_code < 300 and told["type"].endswith("granted"):
            self.members.add(email)
        elif not self.forgets_to_revoke:
            self.members.discard(email)
        if self.gives_link and told["type"].endswith("granted"):
            return JSONResponse({"sign_in_url": f"{self.url}/in?email={email}&token=onetime{len(self.taken)}"})
        return self.answer

    async def sign_in(self, request: Request) -> Response:
        token = request.query_params["token"]
        if self.link_works_once and token in self.used:
            return HTMLResponse("<p>This link was used already.</p>", 410)
        self.used.add(token)
        signed_in = RedirectResponse("/members")
        signed_in.set_cookie("email", request.query_params["email"])
        return signed_in

    async def page(self, request: Request) -> Response:
        if request.cookies.get("email", "").strip('"') in self.members:
            return HTMLResponse("<p>Breathe in through the left nostril.</p>")
        return HTMLResponse("<p>Members only.</p>", 403)

    async def open_to_all(self, request: Request) -> Response:
        return HTMLResponse("<p>Come in, everybody.</p>")

    def connection(self, **changes: Any) -> Connection:
        described = {"slug": "own", "name": "My own site", "kind": "webhook", "url": f"{self.url}/hook", "secret": NEW}
        return Connection.model_validate(described | changes)
