"""The sandbox's pages for people: the way to all of them, what one run did, and what keeps strangers out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from models.events import Event, Verdict
from tests.support.served import served
from tests.support.shop import NOW, sold, workbook
from tests.support.visitor import ADA, HOSTILE, Clock, access, asked, log_in, order, visitor
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.runs.fire import Workplace, fire

OPTIONS = ("hosted", "integrated", "file", "calendar", "webinar", "physical")


def links_in(page: httpx.Response) -> list[str]:
    return re.findall(r'href="(/[^"]*)"', page.text)


async def test_the_first_page_says_what_this_is_before_anything_was_delivered(ada: httpx.AsyncClient):
    page = await ada.get("/")

    assert page.status_code == 200
    assert "Nothing was delivered yet." in page.text
    assert "nobody is charged, nothing leaves this machine" in page.text


async def test_the_first_page_leads_to_every_place_and_every_run(
    app: Starlette, ada: httpx.AsyncClient, tmp_path: Path
):
    path = workbook(tmp_path)
    runs = [
        await fire(
            sold(option),
            at=Workplace(tmp_path, path_of_file=lambda slug: path),
            backend=lambda around: SandboxBackend(around, app),
        )
        for option in OPTIONS
    ]
    assert {run.verdict for run in runs} == {Verdict.PASSED}

    found = links_in(await ada.get("/"))

    places = ["/m/yoga-club", "/platform/my-site", "/attendees/calendar/coaching", "/attendees/webinar/intro"]
    assert {"/mailbox", *places, *(f"/runs/{run.id}" for run in runs)} <= set(found)
    for link in found:
        assert (await ada.get(link)).status_code in (200, 401), link


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        ("hosted", ["Yoga Club: silver", "/m/yoga-club/gold", "Your login for Yoga Club"]),
        ("integrated", ["my-site: gold", "/platform/my-site/level/gold", "Sign in to my-site"]),
        ("file", ["workbook.pdf", "1 download of 5"]),
        ("calendar", ["Coaching call", "/attendees/calendar/coaching", "Your booking"]),
        ("webinar", ["Introduction", "/attendees/webinar/intro", "Your webinar"]),
        ("physical", ["Thank you"]),
    ],
)
async def test_a_run_has_a_page_with_what_its_buyer_has(
    option: str, shown: list[str], app: Starlette, ada: httpx.AsyncClient, tmp_path: Path
):
    path = workbook(tmp_path)
    run = await fire(
        sold(option),
        at=Workplace(tmp_path, path_of_file=lambda slug: path),
        backend=lambda around: SandboxBackend(around, app),
    )

    page = await ada.get(f"/runs/{run.id}")

    assert run.buyer.email in page.text
    for text in shown:
        assert text in page.text
    assert "/d/" not in page.text
    assert "token=" not in page.text
    for link in set(links_in(page)) - {"/style.css"}:
        assert (await ada.get(link)).status_code in (200, 401), link


async def test_a_run_that_took_access_away_shows_none(app: Starlette, ada: httpx.AsyncClient, tmp_path: Path):
    run = await fire(
        sold("hosted"), Event.REFUND, at=Workplace(tmp_path), backend=lambda around: SandboxBackend(around, app)
    )

    assert "No membership." in (await ada.get(f"/runs/{run.id}")).text


async def test_a_run_that_was_cleaned_up_has_no_page(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "mails", order("k1", subject="Hi", body="x"))
    before = (await ada.get("/runs/run1")).status_code
    await shop.delete("/admin/runs/run1")
    after = await ada.get("/runs/run1")

    assert (before, after.status_code) == (200, 404)
    assert "It may have been cleaned up." in after.text


async def test_a_page_of_a_run_is_judged_by_the_runs_clock(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "access", access("k1", until=(NOW + timedelta(days=3)).isoformat()))
    before = (await ada.get("/runs/run1")).text
    await shop.put("/admin/runs/run1/clock", json={"now": (NOW + timedelta(days=4)).isoformat()})
    after = (await ada.get("/runs/run1")).text

    assert ">open until <time" in before
    assert ">ended <time" in after
    assert "its own clock stands at" in after


async def test_hostile_text_is_text_on_the_pages_of_runs(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "access", access("k1", name=HOSTILE, buyer=HOSTILE, levels=[HOSTILE]))
    await asked(shop, "attendees", order("k2", kind="webinar", slug="intro", name=HOSTILE))
    await asked(shop, "notes", order("k3", kind="assign_tag", target=HOSTILE))
    await asked(shop, "mails", order("k4", subject=HOSTILE, body="x"))
    await asked(shop, "pages", order("k5", title=HOSTILE, text="x", url="javascript:alert(1)"))

    for path in ("/", "/runs/run1", "/attendees/webinar/intro"):
        page = await ada.get(path)
        assert "<script" not in page.text, path
        assert "&lt;script&gt;" in page.text, path
        assert 'href="javascript:' not in page.text


# --- logging out -----------------------------------------------------------------------------------------------------


def leaving_token(page: httpx.Response) -> str:
    (token,) = re.findall(r'name="token" value="([0-9a-f]{64})"', page.text)
    return str(token)


async def test_who_logs_out_is_out(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))
    inside = await log_in(ada, granted["login_password"])

    left = await ada.post("/m/yoga-club/log-out", data={"token": leaving_token(inside)})

    assert "You have left Yoga Club." in left.text
    assert (await ada.get("/m/yoga-club/gold")).url.path == "/m/yoga-club/login"


@pytest.mark.parametrize("token", ["", "0" * 64, "ÿ"])
async def test_another_site_cannot_log_anybody_out(token: str, shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))
    await log_in(ada, granted["login_password"])

    refused = await ada.post("/m/yoga-club/log-out", data={"token": token})

    assert refused.status_code == 400
    assert "set-cookie" not in refused.headers
    assert (await ada.get("/m/yoga-club/gold")).status_code == 200


async def test_the_token_of_one_session_logs_no_other_out(
    app: Starlette, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    await log_in(ada, granted["login_password"])
    other = await asked(shop, "access", access("k2", email="eve@example.com"))
    async with visitor(app) as eve:
        token = leaving_token(await log_in(eve, other["login_password"], "eve@example.com"))

    assert (await ada.post("/m/yoga-club/log-out", data={"token": token})).status_code == 400


# --- too many tries --------------------------------------------------------------------------------------------------


def from_client(app: Starlette, host: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", follow_redirects=True)


@pytest.fixture
async def eve(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at another client."""
    async with from_client(app, "eve") as client:
        yield client


async def test_after_ten_failures_an_address_is_closed_for_a_quarter_of_an_hour(
    clock: Clock, shop: httpx.AsyncClient, ada: httpx.AsyncClient, eve: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    tries = [(await log_in(eve, "wrong", ADA.upper() if number % 2 else ADA)).status_code for number in range(10)]
    clock.now += timedelta(minutes=5)

    refused = await log_in(ada, granted["login_password"])

    assert tries == [401] * 10
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "600"
    assert "Too many tries. Try again in 10 minutes." in refused.text
    clock.now += timedelta(minutes=10)
    assert "You are logged in" in (await log_in(ada, granted["login_password"])).text


async def test_after_ten_failures_a_client_is_closed_and_no_other(
    shop: httpx.AsyncClient, ada: httpx.AsyncClient, eve: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    for number in range(10):
        assert (await log_in(eve, "wrong", f"somebody{number}@example.com")).status_code == 401

    assert (await log_in(eve, granted["login_password"])).status_code == 429
    assert (await log_in(ada, granted["login_password"])).status_code == 200


async def test_a_client_cannot_say_that_it_is_another(app: Starlette, shop: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))
    with served(app) as home:
        async with httpx.AsyncClient(base_url=home, trust_env=False, follow_redirects=True) as eve:
            for number in range(10):
                eve.headers["x-forwarded-for"] = f"192.0.2.{number}"
                await log_in(eve, "wrong", f"somebody{number}@example.com")
            eve.headers["x-forwarded-for"] = "192.0.2.99"
            assert (await log_in(eve, "wrong")).status_code == 429


async def test_who_gets_in_begins_anew(shop: httpx.AsyncClient, ada: httpx.AsyncClient, app: Starlette):
    granted = await asked(shop, "access", access("k1"))
    for host in ("one", "two", "three"):
        async with from_client(app, host) as client:
            assert [(await log_in(client, "wrong")).status_code for _ in range(4)] == [401] * 4
        assert (await log_in(ada, granted["login_password"])).status_code == 200


async def test_a_failed_login_keeps_the_address_and_never_the_password(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))

    page = await log_in(ada, "hunter2-is-wrong", 'a"><script>@example.com')

    assert 'value="a&#34;&gt;&lt;script&gt;@example.com"' in page.text
    assert "hunter2" not in page.text


async def test_no_page_tells_another_site_where_the_buyer_was(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))

    for path in ("/", "/mailbox", "/m/yoga-club/login", "/platform/my-site/sign-in?token=x", "/d/x", "/runs/x"):
        headers = (await ada.get(path)).headers
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "form-action 'self'" in headers["content-security-policy"]
