"""The sandbox against whoever means ill: whatever is sent, nothing breaks, and nothing is read by others."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from tests.support.served import served
from tests.support.shop import CHEAP, CONTENT, SHA256, small_world
from tests.support.visitor import access, asked, link, log_in, visitor
from wizard.sandbox.app import sandbox_app
from wizard.sandbox.downloads import RESUMES
from wizard.sandbox.guard import LARGEST, LARGEST_ORDER
from wizard.sandbox.world import HOME, World
from wizard.settings import Settings
from wizard.store import open_store


@pytest.fixture
def app() -> Iterator[Starlette]:
    app = small_world()
    yield app
    app.state.world.close()


@pytest.fixture
async def shop(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(app, headers={"authorization": f"Bearer {app.state.world.admin_token}"}) as client:
        yield client


@pytest.fixture
async def ada(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(app) as client:
        yield client


# --- nothing breaks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 400, "0" * 50 + "9" * 30])
async def test_a_number_too_large_in_an_address_is_a_page_that_is_not_there(number: str, ada: httpx.AsyncClient):
    for path in (f"/mailbox/{number}", f"/mailbox/{number}/source"):
        assert (await ada.get(path)).status_code == 404


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=\x80",
        "multipart/form-data; boundary=x",
        "text/plain; charset=rot13",
        "application/x-www-form-urlencoded; charset=hex",
    ],
)
@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n\r\n", b"\xff\x00=%ff%", b"a=1&" * 500])
async def test_a_broken_form_is_refused_and_breaks_nothing(
    kind: str, body: bytes, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    await asked(shop, "access", access("k1"))
    for path in ("/m/yoga-club/login", "/m/yoga-club/log-out", "/platform/a/log-out", "/platform/a/webhook"):
        answer = await ada.post(path, content=body, headers={b"content-type": kind.encode("latin-1")})
        assert 400 <= answer.status_code < 500, path


PATHS = st.sampled_from(
    [
        *(
            "/",
            "/runs/{}",
            "/mailbox",
            "/mailbox?to={}",
            "/mailbox/{}",
            "/mailbox/{}/source",
            "/{}",
            "/d/{}",
            "/after/{}",
        ),
        *("/m/{}", "/m/{}/login", "/m/yoga-club/login", "/m/yoga-club/{}", "/m/{}/log-out", "/m/{}/level/{}"),
        *("/platform/{}/webhook", "/platform/{}/sign-in?token={}", "/platform/{}/level/{}", "/attendees/{}/{}"),
        *("/attendees/webinar/{}", "/admin/{}", "/admin/links", "/admin/access", "/admin/files/{}"),
        *("/admin/runs/{}/clock", "/admin/memberships/{}?level={}", "/admin/records/{}", "/admin/connections/{}"),
    ]
)
PIECES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.integers(min_value=-(2**70), max_value=2**70).map(str),
    st.sampled_from(["\x00", "\udcff", "..", "../", "{", "%", "0x1", "1e999", "'; DROP TABLE mails; --"]),
)
NAMES = [b"cookie", b"range", b"content-type", b"origin", b"if-range", b"webhook-id", b"webhook-signature"]
HEADERS = st.dictionaries(
    st.sampled_from(NAMES),
    st.binary(max_size=30).map(lambda value: bytes(byte for byte in value if byte > 32 and byte != 127)),
    max_size=3,
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [b"{}", b'{"key": "\\ud800"}', b'{"link_lifetime": 99999999999999999999}', b"[" * 5000, b"token=%ff&email=%00"]
    ),
)


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_visitor_sends_is_answered_and_nothing_of_it_is_a_mistake_of_the_servers(
    data: st.DataObject, app: Starlette
):
    path = data.draw(PATHS)
    for _ in range(path.count("{}")):
        path = path.replace("{}", quote(data.draw(PIECES), safe="", errors="surrogateescape"), 1)
    method = data.draw(st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]))
    headers = data.draw(HEADERS)
    if data.draw(st.booleans()):  # whoever has stolen the shop's token may not break it either
        headers[b"authorization"] = f"Bearer {app.state.world.admin_token}".encode()

    # What the application raises is raised here: a visitor of a served one would see 500, and its terminal a traceback.
    async with visitor(app) as client:
        answer = await client.request(method, path, headers=headers, content=data.draw(BODIES))

    assert answer.status_code < 500


# --- how much may be sent, and from where ----------------------------------------------------------------------------


class Endless:
    """A body that says no length and that counts how much of it was taken."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < 50_000_000:
            self.taken += 5_000
            yield bytes(5_000)


async def sent(app: Starlette, path: str, headers: dict[str, str], body: Endless) -> int:
    """The status of a request whose body comes piece by piece, as a server hands it on."""
    pieces, status = aiter(body), 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": await anext(pieces), "more_body": True}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    raw = [(name.encode(), value.encode()) for name, value in {"host": "127.0.0.1:8025", **headers}.items()]
    at = {"path": path, "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8025)}
    scope = {"type": "http", "method": "POST", "headers": raw, "scheme": "http", "http_version": "1.1", **at}
    await app(scope, receive, send)
    return status


@pytest.mark.parametrize("path", ["/m/yoga-club/login", "/m/yoga-club/log-out", "/platform/my-site/webhook"])
async def test_a_body_is_cut_off_at_its_limit_while_it_is_read(path: str, app: Starlette, shop: httpx.AsyncClient):
    await asked(shop, "access", access("k1"))
    body = Endless()

    assert await sent(app, path, {}, body) == 413
    assert body.taken <= LARGEST + 5_000


async def test_an_announced_length_beyond_the_limit_is_refused_before_anything_is_read(app: Starlette):
    body = Endless()

    assert await sent(app, "/m/yoga-club/login", {"content-length": str(LARGEST + 1)}, body) == 413
    assert body.taken == 0


async def test_without_the_shops_token_nothing_of_an_order_is_read(app: Starlette):
    body = Endless()
    for path in ("/admin/mails", "/admin/access", f"/admin/files/{SHA256}"):
        assert await sent(app, path, {}, body) in (401, 405)
    assert body.taken == 0

    token = {"authorization": f"Bearer {app.state.world.admin_token}"}
    assert await sent(app, "/admin/mails", token, body) == 413
    assert body.taken <= LARGEST_ORDER + 5_000


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
    ],
)
async def test_what_another_sites_page_sends_is_refused_before_it_is_read(headers: dict[str, str], app: Starlette):
    body = Endless()

    assert await sent(app, "/m/yoga-club/login", headers, body) == 403
    assert body.taken == 0


@pytest.mark.parametrize("origin", [HOME, "null", None])
async def test_our_own_forms_are_taken(origin: str | None, shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    granted = await asked(shop, "access", access("k1"))
    ada.headers.update({"origin": origin, "sec-fetch-site": "same-origin"} if origin else {})

    assert (await log_in(ada, granted["login_password"])).status_code == 200


# --- a session ends at the server ------------------------------------------------------------------------------------


async def test_a_cookie_that_was_kept_opens_nothing_after_the_log_out(
    app: Starlette, shop: httpx.AsyncClient, ada: httpx.AsyncClient
):
    granted = await asked(shop, "access", access("k1"))
    await log_in(ada, granted["login_password"])
    kept = ada.cookies["member"]
    async with visitor(app) as elsewhere:
        await log_in(elsewhere, granted["login_password"])
        page = await ada.get("/m/yoga-club/gold")
        found = re.search(r'name="token" value="([^"]+)"', page.text)
        assert found
        assert "Logged out" in (await ada.post("/m/yoga-club/log-out", data={"token": found[1]})).text

        async with visitor(app, cookies={"member": kept}) as thief:
            assert str((await thief.get("/m/yoga-club/gold")).url).endswith("/login")
        assert (await elsewhere.get("/m/yoga-club/gold")).status_code == 200, "another session of the same buyer's"


async def test_a_level_may_be_called_as_the_login_page_is(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    levels = ["login", "log-out", "level", "gold"]
    granted = await asked(shop, "access", access("k1", levels=levels))
    inside = await log_in(ada, granted["login_password"])

    for url, proof in granted["pages"].items():
        assert proof in (await ada.get(url)).text
        assert f'href="{url.removeprefix(HOME)}"' in inside.text


# --- a download that is gone on with ---------------------------------------------------------------------------------


async def test_a_download_that_is_gone_on_with_counts_once(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    assert (await shop.put(f"/admin/files/{SHA256}", content=CONTENT)).status_code == 204
    url = (await asked(shop, "links", link("k1", download_limit=1)))["download_link"]

    first = await ada.get(url, headers={"range": "bytes=0-9"})
    rest = await ada.get(url, headers={"range": "bytes=10-", "if-range": '"something else"'})

    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == CONTENT
    assert (await ada.get(url)).status_code == 429
    assert (await ada.get(url, headers={"range": "bytes=0-"})).status_code == 429


async def test_a_part_of_a_file_counts_where_no_download_began(shop: httpx.AsyncClient, ada: httpx.AsyncClient):
    assert (await shop.put(f"/admin/files/{SHA256}", content=CONTENT)).status_code == 204
    url = (await asked(shop, "links", link("k1", download_limit=1)))["download_link"]

    assert (await ada.get(url, headers={"range": "bytes=1-"})).status_code == 206
    assert (await ada.get(url)).status_code == 429


async def test_a_download_is_gone_on_with_for_an_hour(shop: httpx.AsyncClient, ada: httpx.AsyncClient, app: Starlette):
    assert (await shop.put(f"/admin/files/{SHA256}", content=CONTENT)).status_code == 204
    url = (await asked(shop, "links", link("k1", download_limit=1, link_lifetime=9 * RESUMES)))["download_link"]
    began = app.state.world.clock()
    assert (await ada.get(url)).status_code == 200
    app.state.world.clock = lambda: began + timedelta(seconds=RESUMES + 60)

    assert (await ada.get(url, headers={"range": "bytes=5-"})).status_code == 429


@pytest.mark.parametrize("program", ["curl -sSf -C - -o {file} {url}", "wget -q -c -O {file} {url}"])
def test_a_real_program_goes_on_with_a_download(program: str, data_dir: Path, tmp_path: Path):
    world = World(data_dir, hasher=CHEAP)
    half = tmp_path / "workbook.pdf"
    half.write_bytes(CONTENT[:10])
    with served(sandbox_app(world)) as home:
        headers = {"authorization": f"Bearer {world.admin_token}"}
        with httpx.Client(base_url=home, headers=headers, trust_env=False) as shop:
            assert shop.put(f"/admin/files/{SHA256}", content=CONTENT).status_code == 204
            url = shop.post("/admin/links", json=link("k1", download_limit=1)).json()["download_link"]
            assert shop.get(url, headers={"range": "bytes=0-9"}).status_code == 206
        command = [part.format(file=half, url=url) for part in program.split()]
        assert subprocess.run(command, check=False, timeout=30).returncode == 0
        assert half.read_bytes() == CONTENT
        assert httpx.get(url, trust_env=False).status_code == 429
    world.close()


# --- nobody else reads it --------------------------------------------------------------------------------------------


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    }


@pytest.fixture
def careless() -> Iterator[None]:
    """A user who lets everybody read and write whatever is made."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
def test_every_file_that_is_made_is_its_owners_alone_whatever_the_umask(data_dir: Path):
    world = World(data_dir, hasher=CHEAP)
    with served(sandbox_app(world)) as home, open_store(Settings(data_dir=data_dir)) as store:
        headers = {"authorization": f"Bearer {world.admin_token}"}
        assert (
            httpx.put(f"{home}/admin/files/{SHA256}", content=CONTENT, headers=headers, trust_env=False).status_code
            == 204
        )
        book = data_dir.parent / "book.pdf"
        book.write_bytes(CONTENT)
        store.create("Yoga", "ada")
        store.add_file(book, "Workbook")
        with store.claim("0a"):
            assert modes(data_dir) == {}
            names = {path.name for path in data_dir.rglob("*")}
    assert {"wizard.db-wal", "sandbox.sqlite-wal", "sandbox.sqlite-shm", SHA256} <= names
    world.close()


def test_what_others_could_read_is_told_and_closed(data_dir: Path):
    world = World(data_dir, hasher=CHEAP)
    with open_store(Settings(data_dir=data_dir)):
        for path in (data_dir, *data_dir.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        world.close()
        (data_dir / "keys").chmod(0o600) if (data_dir / "keys").exists() else None

    with open_store(Settings(data_dir=data_dir)) as store:
        assert (
            store.notice
            == f"Others on this machine could read {data_dir}. It is closed to them now: nothing is left to do."
        )
        assert modes(data_dir) == {}
    with open_store(Settings(data_dir=data_dir)) as store:
        assert store.notice == ""


def test_a_folder_that_holds_nothing_of_ours_is_left_as_it_is(tmp_path: Path):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "theirs.txt").write_text("x")
    folder.chmod(0o755)

    with open_store(Settings(data_dir=folder)) as store:
        assert store.notice == ""
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
        assert stat.S_IMODE((folder / "wizard.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["what?", "a%20b", "a#b", "100%", "file:x?mode=memory", "ü & 'q\""])
def test_a_folder_is_a_folder_whatever_its_name(name: str, tmp_path: Path):
    folder = tmp_path / name
    world = World(folder, hasher=CHEAP)
    secret = world.admin_token
    world.close()
    with open_store(Settings(data_dir=folder)) as store:
        store.create("Yoga", "ada")
    again = World(folder, hasher=CHEAP)

    assert again.admin_token == secret
    assert {"sandbox.sqlite", "wizard.db"} <= {path.name for path in folder.iterdir()}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    again.close()
