"""A reply that is compressed although nobody asked is unpacked within its limit; any other is read as it is."""

from __future__ import annotations

import gzip
import zlib

import httpx
import pytest

from tests.support.guarded import SITE, guarded, says
from tests.support.listening import saying
from wizard.delivery.errors import Rejected

PAGE = b"<p>Breathe in through the left nostril.</p>" * 2000
RAW = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(PAGE)),
        ("X-GZip", gzip.compress(PAGE)),
        ("gzip", gzip.compress(PAGE[:70_001]) + gzip.compress(PAGE[70_001:])),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", RAW.compress(PAGE) + RAW.flush()),
        ("gzip", b""),
    ],
    ids=["gzip", "x-gzip", "gzip in two members", "deflate", "deflate without a header", "nothing"],
)
async def test_a_compression_that_is_known_is_undone(coding: str, body: bytes):
    answer = says(body, headers=f"content-encoding: {coding}\r\n")
    async with saying(answer) as port, guarded() as client:
        got = await client.get(f"http://{SITE}:{port}/")

    assert got.content == (PAGE if body else b"")


@pytest.mark.parametrize("coding", ["none", "utf-8", "Identity", "", "identity, none", "8bit", "UTF-8, binary"])
async def test_what_is_no_compression_is_read_as_it_is(coding: str):
    async with saying(says(PAGE, headers=f"content-encoding: {coding}\r\n")) as port, guarded() as client:
        assert (await client.get(f"http://{SITE}:{port}/")).content == PAGE


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br"])
async def test_a_compression_that_cannot_be_undone_is_refused_by_its_name(coding: str):
    async with saying(says(PAGE, headers=f"content-encoding: {coding}\r\n")) as port, guarded() as client:
        with pytest.raises(Rejected) as refused:
            await client.get(f"http://{SITE}:{port}/")

    why = f"is compressed ({coding}), although nothing was asked for but plain bytes: it was not read."
    assert str(refused.value) == f"The reply of {SITE} {why}"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_reply_that_is_called_compressed_and_is_not_is_refused_as_browsers_do(coding: str):
    async with saying(says(PAGE, headers=f"content-encoding: {coding}\r\n")) as port, guarded() as client:
        with pytest.raises(Rejected, match=rf"is called compressed \({coding}\) and is not: browsers show nothing"):
            await client.get(f"http://{SITE}:{port}/")


async def test_a_compressed_reply_that_breaks_off_is_no_whole_one():
    half = gzip.compress(PAGE)[:-20]
    async with saying(says(half, headers="content-encoding: gzip\r\n")) as port, guarded() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="the compressed reply broke off"):
            await client.get(f"http://{SITE}:{port}/")
