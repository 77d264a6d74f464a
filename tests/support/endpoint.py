"""The endpoint of the examples for tests: served on loopback, and told to do something wrong; and runs on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from examples.signed_endpoint import Shop
from models.events import Event
from models.fulfillment import Run
from tests.support.listening import served
from tests.support.shop import sold, workbook
from wizard.runs.fire import Workplace, fire
from wizard.runs.tries import Patience
from wizard.sale.lives import Life
from wizard.sale.sold import Sale

SECRET = "whsec_" + base64.b64encode(b"a secret of the endpoint").decode()
OTHER = "whsec_" + base64.b64encode(b"another one, from before").decode()

QUICK = Patience(tries=2, one_try=20, first_wait=0, longest_wait=0.1, jitter=0)


class Wrong(Shop):
    """A shop that can be told to do something wrong."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.told: list[dict[str, Any]] = []
        self.instead: dict[str, Callable[[dict[str, Any]], Response | None]] = {}
        """What answers a type of request in place of the shop; None leaves it to the shop."""
        self.shows: dict[str, Callable[[Request], Response | None]] = {}
        """What a buyer is shown in place of the shop's own `sign_in`, `log_in`, `page` or `download`."""
        self.forgets_ids = False
        self.bodies: dict[str, set[bytes]] = {}
        """What came with each `webhook-id`."""
        self.away = ""

    @property
    def app(self) -> Starlette:
        app = super().app
        app.routes.append(Route("/away", lambda _: RedirectResponse(self.away)))
        return app

    async def sign_in(self, request: Request) -> Response:
        return self._shown("sign_in", request) or await super().sign_in(request)

    async def log_in(self, request: Request) -> Response:
        return self._shown("log_in", request) or await super().log_in(request)

    async def page(self, request: Request) -> Response:
        return self._shown("page", request) or await super().page(request)

    async def download(self, request: Request) -> Response:
        return self._shown("download", request) or await super().download(request)

    def _shown(self, what: str, request: Request) -> Response | None:
        shown = self.shows.get(what)
        return shown(request) if shown else None

    async def take(self, request: Request) -> Response:
        told = json.loads(await request.body())
        self.bodies.setdefault(request.headers["webhook-id"], set()).add(await request.body())
        self.told.append({**told, "id": request.headers["webhook-id"], "mark": request.headers["wizard-simulation"]})
        if self.forgets_ids:
            self.replies.clear()
        instead = self.instead.get(told["type"], lambda _: None)(told["data"])
        return instead or await super().take(request)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Wrong]:
    folder = tmp_path / "files"
    folder.mkdir()
    workbook(folder)
    made = Wrong(SECRET, folder)
    with served(made.app) as url:
        made.url = url
        yield made
    assert all(len(bodies) == 1 for bodies in made.bodies.values()), "one id came with several bodies"


def place(shop: Shop, folder: Path, **more: str) -> Workplace:
    settings = {"url": f"{shop.url}/wizard", "secret": SECRET, **more}
    return Workplace(folder, backends={"webhook": settings}, allow_private=True)


async def fired(shop: Shop, folder: Path, option: str | Sale, what: Event | Life = Event.PURCHASE, **more: str) -> Run:
    product = sold(option) if isinstance(option, str) else option
    return await fire(product, what, at=place(shop, folder, **more), backend="webhook", patience=QUICK)
