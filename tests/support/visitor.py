"""Whoever visits the sandbox, and what the shop asks of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from tests.support.shop import NOW, SHA256
from wizard.sandbox.world import HOME

ADA = "ada@example.com"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def visitor(app: Starlette, **more: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME, follow_redirects=True, **more)


def order(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "run": "run1", "email": ADA, "buyer": "Ada", **more}


def access(key: str, **more: Any) -> dict[str, Any]:
    return order(key, membership="yoga-club", name="Yoga Club", levels=["gold"]) | more


async def asked(shop: httpx.AsyncClient, path: str, what: dict[str, Any]) -> dict[str, Any]:
    answer = await shop.post(f"/admin/{path}", json=what)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def log_in(client: httpx.AsyncClient, password: str, email: str = ADA) -> httpx.Response:
    token = token_in(await client.get("/m/yoga-club/login"))
    return await client.post("/m/yoga-club/login", data={"token": token, "email": email, "password": password})


def link(key: str, **more: Any) -> dict[str, Any]:
    common = {"file": "workbook", "sha256": SHA256, "filename": "work bök.pdf", "media_type": "application/pdf"}
    return order(key, **{**common, "download_limit": 2, "link_lifetime": 3600, **more})


HOSTILE = "<script>alert(1)</script>[/nope] {{ 7*7 }} 'Ada' & \"co\""
