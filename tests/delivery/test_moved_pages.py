"""A page that moved to its own other name, with www or by https, is followed as a browser does, where the seller named
that host; and a gate in front of a site is not taken for the site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from models.events import Verdict
from models.fulfillment import Evidence, GrantAccess
from tests.support import endpoint
from tests.support.endpoint import Wrong, fired
from tests.support.guarded import SITE, Heard, always, says, trusting
from tests.support.guarded import certificate as certified
from tests.support.listening import reply, saying, served
from wizard.delivery.browser import is_other_name
from wizard.delivery.buyer.proof import Visit
from wizard.delivery.errors import ActionRequired
from wizard.delivery.outgoing import GuardedTransport, Outgoing

shop = endpoint.shop

WWW = f"www.{SITE}"
GRANT = GrantAccess(target="club", levels=("gold",))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("http://a.example/x", "https://a.example/x", True),
        ("http://a.example/x", "https://www.a.example/x/", True),
        ("https://www.a.example/x?p=1", "https://a.example/x?p=1", True),
        ("http://a.example:8080/x", "https://a.example/x", True),
        ("https://a.example/x", "https://a.example:443/x", False),  # the very same
        ("http://a.example/x", "https://a.example/login", False),
        ("http://a.example/x?p=1", "https://a.example/x?p=2", False),
        ("http://a.example/x", "https://login.a.example/x", False),
        ("http://a.example/x", "https://b.example/x", False),
    ],
)
def test_another_name_of_a_page_differs_in_www_and_the_scheme_alone(one: str, other: str, is_same: bool):
    assert is_other_name(other, one) is is_same


async def page(request: Request) -> Response:
    """A site that is at home at www, and moves whoever comes otherwise."""
    host = request.headers["host"]
    if not host.startswith("www."):
        return RedirectResponse(str(request.url.replace(netloc=f"www.{host}")), 301)
    if request.url.path == "/in":
        inside = RedirectResponse("/lesson")
        inside.set_cookie("member", "yes")
        return inside
    if request.cookies.get("member"):
        return HTMLResponse("<p>Breathe in through the left nostril.</p>")
    return HTMLResponse("<p>Members only.</p>", 403)


@asynccontextmanager
async def visited(*named: str) -> AsyncIterator[tuple[Visit, str]]:
    """A buyer who is in and a stranger at the door of that site, on hosts that the seller named."""
    guard = GuardedTransport(named, allow_private=True, resolve=always("127.0.0.1"))
    way_out = Outgoing(guard)
    with served(Starlette(routes=[Route("/{path:path}", page)])) as home:
        port = home.rpartition(":")[2]
        yield (
            Visit(way_out.browser(), way_out.browser(), f"http://{SITE}:{port}/lesson", "the connection “Mine”", "Ada"),
            f":{port}",
        )
    await guard.aclose()


async def seen(visit: Visit, port: str) -> Evidence:
    await visit.buyer.open(f"http://{WWW}{port}/in")
    return await visit.read(GRANT, "signed in")


async def test_a_proof_page_that_moved_to_www_is_followed_to_a_host_that_the_seller_named():
    async with visited(SITE, WWW) as (visit, port):
        evidence = await seen(visit, port)

    assert evidence.allowed
    assert evidence.detail == f"Ada signed in and read {visit.url}; a stranger was turned away."


async def test_a_proof_page_that_moved_to_a_host_that_nobody_named_says_which_address_to_write():
    async with visited(SITE) as (visit, port):
        with pytest.raises(ActionRequired) as moved:
            await visit.read(GRANT, "signed in")

    to = f"http://{WWW}{port}/lesson"
    assert str(moved.value) == f"{visit.url} has moved to {to}: write that address in its place."


async def test_a_page_that_moved_to_https_is_followed_without_being_asked(tmp_path: Path):
    async with saying(Heard(), certified(tmp_path, SITE)) as secure:
        moved = says(status="301 Moved", headers=f"location: https://{SITE}:{secure}/lesson\r\n")
        async with saying(moved) as plain:
            guard = GuardedTransport(
                {SITE}, allow_private=True, resolve=always("127.0.0.1"), tls=trusting(tmp_path, [])
            )
            seen = await Outgoing(guard).browser().open(f"http://{SITE}:{plain}/lesson")
            await guard.aclose()

    assert (seen.status, seen.location, seen.url) == (200, None, f"https://{SITE}:{secure}/lesson")


async def test_a_page_that_leads_to_another_page_elsewhere_is_not_followed():
    away = says(status="302 Found", headers=f"location: http://{WWW}/login\r\n")
    async with saying(away) as port:
        guard = GuardedTransport({SITE, WWW}, allow_private=True, resolve=always("127.0.0.1"))
        seen = await Outgoing(guard).browser().open(f"http://{SITE}:{port}/lesson")
        await guard.aclose()

    assert seen.location == f"http://{WWW}/login"


@pytest.mark.parametrize(("status", "again"), [("307 Moved", "POST"), ("308 Moved", "POST"), ("303 Other", "GET")])
async def test_a_form_is_sent_once_more_where_the_redirect_says_so(status: str, again: str):
    heard = Heard()

    async def answer(head: bytes, writer: object) -> None:
        heard.heads.append(head.decode().partition(" ")[0])
        moved = reply(status=status, headers="location: /there\r\n")
        writer.write(moved if b" /login " in head else reply(b"in"))  # type: ignore[attr-defined]

    async with saying(answer) as port:
        guard = GuardedTransport({SITE}, allow_private=True, resolve=always("127.0.0.1"))
        browser = Outgoing(guard).browser()
        form = await browser.open(f"http://{SITE}:{port}/form")
        form.url = f"http://{SITE}:{port}/login"
        await browser.submit(form, {"user": "ada"})
        await guard.aclose()

    assert heard.heads == ["GET", "POST", again]


GATE = {"www-authenticate": 'Basic realm="Staging"'}
BEHIND = "is behind a password of its own (Basic authentication, “Staging”): it stands in front of the site"


async def test_a_gate_in_front_of_the_endpoint_is_not_taken_for_its_secret(shop: Wrong, tmp_path: Path):
    shop.instead["grant_access"] = lambda _: HTMLResponse("401 Authorization Required", 401, GATE)
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert BEHIND in run.reason
    assert "secret" not in run.reason


@pytest.mark.parametrize("what", ["log_in", "page"])
async def test_a_gate_in_front_of_the_buyers_pages_is_not_taken_for_a_refusal(what: str, shop: Wrong, tmp_path: Path):
    shop.shows[what] = lambda _: HTMLResponse("401 Authorization Required", 401, GATE)
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert BEHIND in run.reason


@pytest.mark.parametrize("asked", ["Bearer", 'Bearer realm="api"', "", "Signature"])
async def test_a_401_of_the_endpoint_itself_leads_to_its_secret(asked: str, shop: Wrong, tmp_path: Path):
    shop.instead["grant_access"] = lambda _: HTMLResponse("", 401, {"www-authenticate": asked} if asked else None)
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "answered 401. Check the signing secret" in run.reason
