"""Whatever a reply holds is its sender's fault, and is told as such: the backend has not broken, and no run has."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from models.events import Event, Verdict
from tests.support import endpoint
from tests.support.endpoint import Wrong, fired
from tests.support.guarded import SITE, always
from tests.support.listening import saying
from wizard.delivery.errors import BackendError
from wizard.delivery.outgoing import GuardedTransport, Outgoing
from wizard.delivery.page import Page
from wizard.delivery.platforms.api import Api
from wizard.delivery.replies import retry_after, text_of

shop = endpoint.shop

TWENTY = "9" * 20


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (TWENTY, None),
        (f"Wed, 21 Oct {TWENTY} 07:28:00 GMT", None),
        ("Wed, 21 Oct 0000 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 +9999", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
    ],
)
def test_a_wait_that_is_asked_for_is_read_as_a_number_or_a_date_and_as_nothing_else(header: str, seconds: float | None):
    assert retry_after(header) == seconds


def test_a_date_to_wait_for_is_told_in_seconds():
    after = retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))

    assert after is not None
    assert 3500 < after <= 3600


ENCODINGS = ["utf-16", "rot13", "hex", "idna", "undefined", "base64", "punycode", "unicode_escape", "klingon", '"', ""]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding_that_is_none_for_the_text_breaks_nothing(encoding: str):
    assert text_of("Grüße".encode(), encoding)
    assert text_of(b"", encoding) == ""


def test_a_text_is_read_in_the_encoding_that_it_has_and_past_its_mark():
    assert text_of("Grüße".encode("latin-1"), "iso-8859-1") == "Grüße"
    assert text_of("Grüße".encode("utf-16"), "utf-16") == "Grüße"
    assert text_of("\ufeffGrüße".encode(), None) == text_of("\ufeffGrüße".encode(), "UTF-8") == "Grüße"
    assert text_of(b"\xff", None) == "\ufffd"


NEVER = re.compile(r"[Bb]roke \(|Tell whoever|Error\b|Traceback|codec")


def odd_reply(shop: Wrong, reply: Callable[[], Response]) -> None:
    shop.instead["grant_access"] = lambda _: reply()


def with_type(kind: str) -> Callable[[], Response]:
    return lambda: Response(b'{"a": "b"}', 200, {"content-type": kind})


ODD: dict[str, Callable[[], Response]] = {
    **{f"charset {each}": with_type(f"application/json; charset={each}") for each in ENCODINGS if each != '"'},
    "Retry-After ²": lambda: JSONResponse({}, 503, {"retry-after": "²"}),
    "Retry-After, a year of twenty digits": lambda: JSONResponse(
        {}, 429, {"retry-after": f"Wed, 21 Oct {TWENTY} 07:28:00 GMT"}
    ),
    "Retry-After, twenty digits": lambda: JSONResponse({}, 503, {"retry-after": TWENTY}),
    "a broken Location": lambda: Response(b"", 302, {"location": "https://[::1"}),
    "a Location with a port that is none": lambda: Response(b"", 302, {"location": "https://x:y/"}),
    "a redirect without a Location": lambda: Response(b"", 302),
    "a status of nowhere": lambda: Response(b"", 799),
    "a broken sign_in_url": lambda: JSONResponse({"sign_in_url": "https://[::1"}),
    "a broken proof_url": lambda: JSONResponse({"proof_url": ["http://h:99999/"]}),
    "a link to nowhere": lambda: JSONResponse({"sign_in_url": f"http://127.0.0.1/{'a' * 5000}"}),
    "a cookie that is none": lambda: Response(b"{}", 200, {"set-cookie": "=;;;===; expires=never; path"}),
    "a gate without a name": lambda: Response(b"", 401, {"www-authenticate": 'Basic realm="'}),
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_reply_of_an_endpoint_is_the_replys_fault(odd: str, shop: Wrong, tmp_path: Path):
    odd_reply(shop, ODD[odd])
    run = await fired(shop, tmp_path, "hosted")

    assert not NEVER.search(told := "\n".join(step.detail for step in run.steps)), told


PAGES: dict[str, str] = {
    "a broken form action": '<form action="http://[bad"><input name="a"><input type="password" name="b"></form>',
    "a link that is none": '<a href="http://[">x</a><p>Hello</p>',
    "ends of what never began": "</style></script></title><p>Hello</p>",
    "a section of nothing": "<p>Hello<![foo[bar]]><![", "a number without end": f"<p>Hello</p><p>&#{'1' * 5000};</p>",
}  # fmt: skip
ENDLESS = {"tags": "<a " * 300_000, "comments": "<!--" * 300_000}


@pytest.mark.parametrize("odd", PAGES)
def test_an_odd_page_is_read_as_far_as_it_goes(odd: str):
    page = Page("http://shop.example.com/", 200, PAGES[odd])

    assert page.says
    assert "Hello" not in PAGES[odd] or page.shows("Hello")


@pytest.mark.parametrize("endless", ENDLESS)
def test_a_page_that_would_take_hours_to_read_is_given_up_after_a_second_of_work(endless: str):
    began = time.thread_time()
    Page("http://shop.example.com/", 200, ENDLESS[endless])

    assert time.thread_time() - began < 20


@pytest.mark.parametrize("odd", PAGES)
async def test_an_odd_page_that_a_buyer_is_shown_is_the_pages_fault(odd: str, shop: Wrong, tmp_path: Path):
    for what in ("log_in", "page", "sign_in"):
        shop.shows = {what: lambda _: HTMLResponse(PAGES[odd])}
        for event in (Event.PURCHASE, Event.REFUND):
            run = await fired(shop, tmp_path, "hosted", event)

            assert not NEVER.search(told := "\n".join(step.detail for step in run.steps)), told


async def test_a_form_that_leads_to_no_address_is_told(shop: Wrong, tmp_path: Path):
    form = '<form action="http://[bad"><input name="email"><input type="password" name="b"></form>'
    shop.shows["log_in"] = lambda request: HTMLResponse(form)
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.FAILED
    assert "“http://[bad” is no web address" in run.reason


HEADS = [
    "content-type: text/html; charset=rot13\r\n", "content-type: text/html; charset*=x''%ff\r\n",
    "set-cookie: \xff=\xff; expires=\xff\r\n", "x: \xff\r\n", "age: \xb2\r\n", "www-authenticate: \xff\r\n",
    "content-type: " + "a" * 5000 + "\r\n", "content-encoding: \xff\r\n",
]  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
async def test_an_odd_head_is_read_or_refused_by_every_way_out(head: str):
    async def odd(got: bytes, writer: object) -> None:
        body = b'{"a": 1}'
        raw = f"HTTP/1.1 200 OK\r\n{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode("latin-1")
        writer.write(raw + body)  # type: ignore[attr-defined]

    async with saying(odd) as port:
        await _asked_by_every_way(f"http://{SITE}:{port}/")


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 400 + b"\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: \xff\xfe\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://" + b"a" * 300 + b"/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://xn--/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: javascript:alert(1)\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://\r\ncontent-length: 0\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
)
async def test_nonsense_on_the_wire_is_an_error_of_the_contract_by_every_way_out(raw: bytes):
    async def odd(got: bytes, writer: object) -> None:
        writer.write(raw)  # type: ignore[attr-defined]

    async with saying(odd) as port:
        await _asked_by_every_way(f"http://{SITE}:{port}/")


async def _asked_by_every_way(url: str) -> None:
    """Ask in every way; whatever is raised must be an error that tells a seller what happened."""
    guard = GuardedTransport({SITE}, allow_private=True, resolve=always("127.0.0.1"), longest=2)
    way_out = Outgoing(guard)
    try:
        for ask in (
            lambda: way_out.browser().open(url, anywhere=True),
            lambda: way_out.browser().download(url),
            lambda: way_out.browser().peek(url),
            lambda: Api(way_out.client(), "My site").send("POST", url, headers={}, body="{}"),
        ):
            with suppress(BackendError):
                await ask()
    finally:
        await guard.aclose()
