"""An address goes out as it is written: another spelling may be another page, or break a signature."""

from __future__ import annotations

import pytest

from tests.support.guarded import SITE, Heard, always, guarded
from tests.support.listening import saying
from wizard.delivery.outgoing import GuardedTransport, Outgoing
from wizard.delivery.platforms.api import Api

AS_WRITTEN = [
    ("/hook?flag&sig=a%20b%7E&q=caf%E9&x=1;y=2", "/hook?flag&sig=a%20b%7E&q=caf%E9&x=1;y=2"),
    ("/a/../b/./c?", "/a/../b/./c?"),
    ("/%7euser%2Fx?a=b%2fc&%zz&+&", "/%7euser%2Fx?a=b%2fc&%zz&+&"),
    ("?key=/x#part", "/?key=/x"),
    ("", "/"),
    ("//double//{braces}|'\"<>", "//double//{braces}|'\"<>"),
    ("/Übung?q=é", "/%C3%9Cbung?q=%C3%A9"),
]


@pytest.mark.parametrize(("written", "asked"), AS_WRITTEN)
async def test_an_address_goes_out_byte_for_byte_as_it_is_written(written: str, asked: str):
    heard = Heard()
    heard.in_lower_case = False
    async with saying(heard) as port:
        guard = GuardedTransport({SITE}, allow_private=True, resolve=always("127.0.0.1"))
        way_out, address = Outgoing(guard), f"http://{SITE}:{port}{written}"
        await way_out.browser().open(address)
        await way_out.browser().download(address)
        await way_out.browser().peek(address)
        await Api(way_out.client(), "My site").send("POST", address, headers={}, body="{}")
        await guard.aclose()

    assert [head.split("\r\n")[0] for head in heard.heads] == [
        f"{method} {asked} HTTP/1.1" for method in ("GET", "GET", "HEAD", "POST")
    ]


async def test_parameters_are_put_behind_what_is_written():
    heard = Heard()
    async with saying(heard) as port, guarded() as client:
        api = Api(client, "My site")
        for written in ("/x?flag&a=%7E", "/x"):
            await api.send("GET", f"http://{SITE}:{port}{written}", headers={}, params={"route": "/wp/v2", "n": 1})

    assert [head.split(" ")[1] for head in heard.heads] == [
        "/x?flag&a=%7e&route=%2fwp%2fv2&n=1",
        "/x?route=%2fwp%2fv2&n=1",
    ]
