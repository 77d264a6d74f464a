"""The sandbox as its visitors meet it: logins, gates, links, mails, lists, and the shop's side of it."""

from __future__ import annotations

import email
import email.policy
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette

from tests.support.shop import CHEAP, CONTENT, NOW, SHA256
from tests.support.visitor import ADA, HOSTILE, Clock, access, asked, link, log_in, order, token_in, visitor
from wizard.sandbox import records
from wizard.sandbox.app import sandbox_app, sandbox_in
from wizard.sandbox.downloads import DAMAGED, EXPIRED, STOPPED, USED_UP
from wizard.sandbox.members import FORM
from wizard.sandbox.world import HOME, OWASP, World

# --- memberships -----------------------------------------------------------------------------------------------------


async def test_a_member_logs_in_and_reads_what_the_level_opens(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))

    inside = await log_in(ada, granted["login_password"])

    ((url, proof),) = granted["pages"].items()
    assert "You are logged in as ada@example.com" in inside.text
    assert proof in (await ada.get(url)).text
    silver = await ada.get("/m/yoga-club/silver")
    assert silver.status_code == 403
    assert "does not include “silver”" in silver.text


async def test_a_visitor_without_a_session_sees_the_login_form_in_place_of_the_page(
    shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    ((url, proof),) = granted["pages"].items()

    page = await ada.get(url)

    assert proof not in page.text
    assert page.url.path == "/m/yoga-club/login"


async def test_a_wrong_password_and_an_unknown_address_are_refused_in_the_same_words(
    shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    await asked(shop, "access", access("k1"))

    wrong = await log_in(ada, "wrong")
    unknown = await log_in(ada, "wrong", "eve@example.com")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "E-mail or password is wrong." in wrong.text
    assert "E-mail or password is wrong." in unknown.text


async def test_a_form_that_comes_from_another_site_is_refused(
    app: Starlette, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    login = {"email": ADA, "password": granted["login_password"]}
    async with visitor(app) as eve:
        token_of_eve = token_in(await eve.get("/m/yoga-club/login"))

    for token in ("", "made-up", token_of_eve):
        assert (await ada.post("/m/yoga-club/login", data={**login, "token": token})).status_code == 400


async def test_a_form_with_a_cookie_that_is_not_ascii_is_refused(
    app: Starlette, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    token = token_in(await ada.get("/m/yoga-club/login"))
    form = {"token": token, "email": ADA, "password": granted["login_password"]}

    async with visitor(app, headers={"cookie": f"{FORM}=\xff".encode("latin-1")}) as eve:
        assert (await eve.post("/m/yoga-club/login", data=form)).status_code == 400


@pytest.mark.parametrize("cookie", ["", "ada@example.com", "ImFkYUBleGFtcGxlLmNvbSI.aaaa.bbbb"])
async def test_a_session_that_the_sandbox_did_not_sign_is_none(
    cookie: str, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    await asked(shop, "access", access("k1"))
    ada.cookies.set("member", cookie)

    assert (await ada.get("/m/yoga-club/gold")).url.path == "/m/yoga-club/login"


async def test_the_session_of_a_login_that_was_removed_is_none(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))
    await log_in(ada, granted["login_password"])
    await shop.delete("/admin/runs/run1")

    assert (await ada.get("/m/yoga-club")).url.path == "/m/yoga-club/login"


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))

    cookie = (await ada.get("/m/yoga-club/login")).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_who_is_shut_out_is_turned_away_also_with_an_old_session(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))
    await log_in(ada, granted["login_password"])
    await asked(shop, "access/revoke", access("k2"))

    assert (await ada.get("/m/yoga-club/gold")).status_code == 403


async def test_access_ends_when_its_time_is_over(clock: Clock, shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1", until=(NOW + timedelta(hours=1)).isoformat()))
    await log_in(ada, granted["login_password"])
    before = (await ada.get("/m/yoga-club/gold")).status_code
    clock.now += timedelta(hours=2)

    assert (before, (await ada.get("/m/yoga-club/gold")).status_code) == (200, 403)


async def test_a_second_grant_makes_no_second_login_and_adds_the_level(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    first = await asked(shop, "access", access("k1"))
    second = await asked(shop, "access", access("k2", levels=["silver"]))

    assert "login_password" not in second
    await log_in(ada, first["login_password"])
    assert (await ada.get("/m/yoga-club/gold")).status_code == 200
    assert (await ada.get("/m/yoga-club/silver")).status_code == 200


async def test_the_same_key_gives_the_same_reply_password_and_all(app: Starlette, shop: httpx.AsyncClient):
    first = await asked(shop, "access", access("k1"))
    again = await asked(shop, "access", access("k1"))

    assert again == first
    assert first["login_password"]
    with app.state.world.reading() as connection:
        stored = connection.execute(select(records.replies.c.reply)).scalars().all()
        hashed = connection.execute(select(records.members.c.password)).scalar_one()
    assert first["login_password"] not in str(stored)
    assert hashed.startswith("$argon2id$")


async def test_a_key_that_comes_back_with_something_else_is_refused(shop: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))

    assert (await shop.post("/admin/access", json=access("k1", levels=["silver"]))).status_code == 409


async def test_an_open_membership_is_read_by_anybody(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1", password_protected=False, create_login=False))
    ((url, proof),) = granted["pages"].items()

    assert "login_password" not in granted
    assert proof in (await ada.get(url)).text


def test_passwords_are_hashed_as_owasp_advises():
    assert (OWASP.memory_cost, OWASP.time_cost, OWASP.parallelism) == (19 * 1024, 2, 1)
    world = World(None)
    assert world.hasher is OWASP
    world.close()


# --- download links --------------------------------------------------------------------------------------------------


@pytest.fixture
async def handed_in(shop: httpx.AsyncClient) -> None:
    assert (await shop.put(f"/admin/files/{SHA256}", content=CONTENT)).status_code == 204


@pytest.mark.usefixtures("handed_in")
async def test_a_link_gives_the_file_with_its_name(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    url = (await asked(shop, "links", link("k1")))["download_link"]

    got = await ada.get(url)

    assert hashlib.sha256(got.content).hexdigest() == SHA256
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"] == "attachment; filename*=utf-8''work%20b%C3%B6k.pdf"


async def refused(client: httpx.AsyncClient, url: str) -> tuple[int, str]:
    page = await client.get(url)
    found = re.search(r"<p>(.*?)</p>", page.text, re.S)
    assert found, page.text
    assert CONTENT not in page.content
    return page.status_code, found[1]


@pytest.mark.usefixtures("handed_in")
async def test_a_tampered_link_says_that_it_is_damaged(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    url = (await asked(shop, "links", link("k1")))["download_link"]
    middle = url.rindex("/") + 3
    changed = url[:middle] + ("A" if url[middle] != "A" else "B") + url[middle + 1 :]

    for broken in (changed, url[:-1], f"{HOME}/d/x", f"{HOME}/d/%00"):
        assert await refused(ada, broken) == (404, DAMAGED)
    assert (await ada.get(url)).status_code == 200


@pytest.mark.usefixtures("handed_in")
async def test_an_expired_link_says_so(clock: Clock, shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    url = (await asked(shop, "links", link("k1")))["download_link"]
    clock.now += timedelta(hours=1)

    assert await refused(ada, url) == (410, EXPIRED)


@pytest.mark.usefixtures("handed_in")
async def test_a_link_ends_with_the_access_where_that_is_sooner(clock: Clock, shop: httpx.AsyncClient):
    made = await asked(shop, "links", link("k1", access_until=(NOW + timedelta(minutes=5)).isoformat()))

    assert made["expires_at"] == (NOW + timedelta(minutes=5)).timestamp()


@pytest.mark.usefixtures("handed_in")
async def test_the_same_key_gives_the_same_link_also_later(clock: Clock, shop: httpx.AsyncClient):
    first = await asked(shop, "links", link("k1"))
    clock.now += timedelta(minutes=5)

    assert await asked(shop, "links", link("k1")) == first


@pytest.mark.usefixtures("handed_in")
async def test_one_download_more_than_the_limit_is_refused(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    url = (await asked(shop, "links", link("k1")))["download_link"]
    for _ in range(5):
        assert (await ada.head(url)).status_code == 200  # a mail scanner's look is no download

    assert [(await ada.get(url)).status_code for _ in range(2)] == [200, 200]
    assert await refused(ada, url) == (429, USED_UP)


@pytest.mark.usefixtures("handed_in")
async def test_a_link_without_a_limit_is_never_used_up(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    url = (await asked(shop, "links", link("k1", download_limit=None)))["download_link"]

    assert [(await ada.get(url)).status_code for _ in range(7)] == [200] * 7


@pytest.mark.usefixtures("handed_in")
async def test_a_stopped_link_says_so_and_so_does_one_that_a_newer_one_replaced(
    shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    old = (await asked(shop, "links", link("k1")))["download_link"]
    new = (await asked(shop, "links", link("k2")))["download_link"]

    assert await refused(ada, old) == (403, STOPPED)
    assert (await ada.get(new)).status_code == 200
    await asked(shop, "links/stop", order("k3", file="workbook"))
    assert await refused(ada, new) == (403, STOPPED)


async def test_a_file_with_other_bytes_than_it_says_is_not_taken(app: Starlette, shop: httpx.AsyncClient):
    answer = await shop.put(f"/admin/files/{SHA256}", content=b"other")

    assert answer.status_code == 422
    assert list(app.state.world.files.iterdir()) == []
    assert (await shop.post("/admin/links", json=link("k1"))).status_code == 422


async def test_a_file_that_a_crash_left_half_handed_in_is_handed_in_again(app: Starlette, shop: httpx.AsyncClient):
    (app.state.world.files / SHA256).write_bytes(CONTENT)

    assert (await shop.head(f"/admin/files/{SHA256}")).status_code == 404
    assert (await shop.put(f"/admin/files/{SHA256}", content=CONTENT)).status_code == 204
    assert (await shop.head(f"/admin/files/{SHA256}")).status_code == 204
    assert (await shop.post("/admin/links", json=link("k1"))).status_code == 200


# --- mails, lists, pages ---------------------------------------------------------------------------------------------


async def test_a_mail_arrives_once_and_is_read(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    letter = order("k1", subject="Grüße", body="Hello\nhttps://example.com/x?a=1&b=2")
    for _ in range(2):
        await asked(shop, "mails", letter)

    listing = await ada.get("/mailbox", params={"to": ADA})
    assert listing.text.count("Grüße") == 1
    (number,) = re.findall(r'href="/mailbox/(\d+)"', listing.text)
    assert 'href="https://example.com/x?a=1&amp;b=2"' in (await ada.get(f"/mailbox/{number}")).text
    source = email.message_from_string((await ada.get(f"/mailbox/{number}/source")).text, policy=email.policy.default)
    assert [part.get_content_type() for part in source.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain, html = source.iter_parts()
    assert (source["Subject"], plain.get_content()) == ("Grüße", "Hello\nhttps://example.com/x?a=1&b=2")
    assert 'Hello<br><a href="https://example.com/x?a=1&amp;b=2">' in html.get_content()
    assert (await ada.get("/mailbox", params={"to": "eve@example.com"})).text.count("Grüße") == 0
    assert (await ada.get("/mailbox/999")).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"subject": "Hi\nBcc: eve@example.com"}, {"email": "ada@example.com\nBcc: eve@example.com"}, {"email": "ada"}],
)
async def test_a_mail_with_a_header_smuggled_in_is_refused(wrong: dict[str, str], shop: httpx.AsyncClient):
    letter = order("k1", subject="Hi", body="x") | wrong

    assert (await shop.post("/admin/mails", json=letter)).status_code == 422


async def test_hostile_text_is_shown_as_text_everywhere(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await asked(shop, "mails", order("k1", subject=HOSTILE, body=HOSTILE))
    await asked(shop, "attendees", order("k2", kind="webinar", slug="intro") | {"buyer": HOSTILE})
    after = await asked(shop, "pages", order("k3", title=HOSTILE, text=HOSTILE))
    await asked(shop, "access", access("k4", name=HOSTILE, password_protected=False))

    pages = ["/mailbox", "/mailbox/1", "/attendees/webinar/intro", after["page"], "/m/yoga-club/login",
             "/m/yoga-club/gold"]  # fmt: skip
    for path in pages:
        page = await ada.get(path)
        assert "<script" not in page.text, path
        assert "&lt;script&gt;" in page.text, path
        assert "[/nope] {{ 7*7 }}" in page.text, path
        assert "script" not in page.headers["content-security-policy"]


async def test_a_registered_buyer_stands_on_the_list_once_until_taken_off(
    shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    seat = {"kind": "calendar", "slug": "coaching"}
    for key in ("k1", "k2"):
        await asked(shop, "attendees", order(key, **seat))
    before = (await ada.get("/attendees/calendar/coaching")).text
    await asked(shop, "attendees/take-off", order("k3", **seat))
    await asked(shop, "attendees/take-off", order("k4", **seat))

    assert before.count(ADA) == 1
    assert "Nobody is registered." in (await ada.get("/attendees/calendar/coaching")).text
    assert (await ada.get("/attendees/party/coaching")).status_code == 404


async def test_a_page_of_ones_own_is_where_the_buyer_is_sent(app: Starlette, shop: httpx.AsyncClient):
    shown = await asked(shop, "pages", order("k1", title="t", text="", url="https://example.com/thanks"))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME) as buyer:
        page = await buyer.get(shown["page"])
    assert (page.status_code, page.headers["location"]) == (303, "https://example.com/thanks")


# --- the platform of a third party -----------------------------------------------------------------------------------


async def signed(
    shop: httpx.AsyncClient, event: str, data: dict[str, Any], *, secret: str | None = None, at: datetime | None = None
) -> httpx.Response:
    platform = (await shop.get("/admin/connections/my-site")).json()
    body = json.dumps({"type": event, "timestamp": "x", "data": data})
    at = at or datetime.now(UTC)
    headers = {
        "webhook-id": "msg1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret or platform["secret"]).sign("msg1", at, body),
    }
    return await shop.post(platform["url"], content=body, headers=headers)


GRANT = {"email": ADA, "level": "gold", "run": "run1"}


async def sign_in_link(ada: httpx.AsyncClient) -> str:
    found = re.search(r'href="([^"]*sign-in[^"]*)"', (await ada.get("/mailbox/1")).text)
    assert found
    return found[1].replace("&amp;", "&")


async def test_a_signed_request_lets_a_member_in_who_signs_in_by_mail(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    proof = (await shop.get("/admin/connections/my-site", params={"level": "gold"})).json()["pages"]
    ((url, text),) = proof.items()
    stranger = await ada.get(url)

    assert (await signed(shop, "access.granted", GRANT)).status_code == 204
    assert (await signed(shop, "access.granted", GRANT)).status_code == 204
    await ada.get(await sign_in_link(ada))

    assert stranger.status_code == 401
    assert text in (await ada.get(url)).text
    assert (await ada.get("/mailbox/2")).status_code == 404
    assert (await signed(shop, "access.revoked", GRANT)).status_code == 204
    assert (await ada.get(url)).status_code == 403


async def test_a_request_signed_with_another_secret_or_long_ago_is_refused(
    shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    other = "whsec_" + "A" * 43 + "="
    long_ago = datetime.now(UTC) - timedelta(minutes=6)

    assert (await signed(shop, "access.granted", GRANT, secret=other)).status_code == 401
    assert (await signed(shop, "access.granted", GRANT, at=long_ago)).status_code == 401
    assert "No mail has arrived" in (await ada.get("/mailbox")).text


@pytest.mark.parametrize("signature", ["", "v1", "v1,AAAA", "nonsense without commas", "v1,AAAA,BBBB"])
async def test_a_malformed_signature_is_refused(signature: str, ada: httpx.AsyncClient):
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(datetime.now(UTC).timestamp()))}

    answer = await ada.post(
        "/platform/my-site/webhook", content="{}", headers={**headers, "webhook-signature": signature}
    )

    assert answer.status_code == 401


async def test_a_signed_request_that_makes_no_sense_is_refused(shop: httpx.AsyncClient):
    assert (await signed(shop, "access.exploded", GRANT)).status_code == 422
    assert (await signed(shop, "access.granted", {"email": ADA})).status_code == 422
    assert (await signed(shop, "ping", {})).status_code == 204


async def test_a_damaged_sign_in_link_is_refused(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    await signed(shop, "access.granted", GRANT)
    link = await sign_in_link(ada)

    page = await ada.get(link[:-2])

    assert page.status_code == 403
    assert "damaged or too old" in page.text


# --- the shop's side -------------------------------------------------------------------------------------------------


async def test_the_admin_api_is_closed_without_its_token(app: Starlette, ada: httpx.AsyncClient):
    paths = [(next(iter(route.methods - {"HEAD"})), route.path) for route in app.routes if "/admin/" in route.path]  # type: ignore[attr-defined]
    assert len(paths) >= 14

    for method, path in paths:
        real = re.sub(r"\{[^}]+\}", "x", path)
        for headers in ({}, {"authorization": "Bearer wrong"}):
            assert (await ada.request(method, real, headers=headers, json={})).status_code == 401, path


async def test_a_token_that_is_not_ascii_is_refused_like_any_other(ada: httpx.AsyncClient):
    strange = {b"authorization": b"Bearer \xff"}
    assert (await ada.get("/admin/health", headers=strange)).status_code == 401
    assert (await ada.post("/admin/mails", headers=strange, json={})).status_code == 401


async def test_another_host_name_is_refused(app: Starlette, ada: httpx.AsyncClient):
    assert (await ada.get("/mailbox", headers={"host": "evil.example.com"})).status_code == 400


@pytest.mark.usefixtures("handed_in")
async def test_what_a_run_created_can_be_removed_and_nothing_else(
    app: Starlette, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    await asked(shop, "mails", order("k2", subject="Hi", body="x"))
    await asked(shop, "links", link("k3"))
    await asked(shop, "attendees", order("k4", kind="webinar", slug="intro"))
    await asked(shop, "notes", order("k5", kind="assign_tag", target="yogi"))
    await asked(shop, "mails", order("k6", subject="Other", body="x") | {"run": "run2"})

    assert (await shop.delete("/admin/runs/run1")).json() == {"left": []}

    world = app.state.world
    with world.reading() as connection:
        left = {table.name: len(connection.execute(select(table)).all()) for table in records.OF_A_RUN}
    assert left == {"grants": 0, "mails": 1, "links": 0, "attendees": 0, "pages": 0, "notes": 0, "replies": 1,
                    "clocks": 0, "runs": 1}  # fmt: skip
    assert (await log_in(ada, granted["login_password"])).status_code == 401


async def test_a_login_that_another_run_uses_is_left_and_named(shop: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))
    await asked(shop, "access", access("k2", levels=["silver"]) | {"run": "run2"})

    assert (await shop.delete("/admin/runs/run1")).json() == {"left": [ADA]}


async def test_a_world_in_a_folder_outlives_its_process(tmp_path: Path):
    first = World(tmp_path, hasher=CHEAP)
    password = first.password_for(ADA, "k1")
    async with visitor(sandbox_app(first), headers={"authorization": f"Bearer {first.admin_token}"}) as shop:
        await asked(shop, "access", access("k1"))
    first.close()

    second = World(tmp_path, hasher=CHEAP)
    async with visitor(sandbox_app(second)) as ada:
        assert (await log_in(ada, password)).status_code == 200
    second.close()


def test_a_world_of_an_older_version_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    World(tmp_path, hasher=CHEAP).close()
    monkeypatch.setattr(records, "VERSION", records.VERSION + 1)

    World(tmp_path, hasher=CHEAP).close()

    assert (tmp_path / "sandbox.sqlite.old").exists()


def test_a_folder_has_one_sandbox(tmp_path: Path):
    app = sandbox_in(tmp_path)
    assert sandbox_in(tmp_path) is app
    app.state.world.close()


async def test_links_point_where_the_sandbox_is_served(shop: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))

    assert urlsplit(granted["login_page"])[:2] == urlsplit(HOME)[:2]
