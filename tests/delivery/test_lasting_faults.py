"""What will not pass by itself is told at once, in words that say what to do: nothing is gained by another try."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.servers.certificates import Authority
from tests.support.guarded import SITE, Heard, always, certificate, guarded, says, trusting
from tests.support.listening import Answer, reply, saying
from wizard.delivery.errors import ActionRequired, Rejected, Retriable
from wizard.delivery.outgoing import GuardedTransport, Outgoing
from wizard.delivery.platforms.api import Api

AT_ONCE = 2.0
"""Seconds within which a lasting fault must be told."""


async def refusal(url: str, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> str:
    """What a seller reads of an address by every way out, which must be one sentence and no second try."""
    context = tls or ssl.create_default_context()
    guard = GuardedTransport(
        {SITE, "other.example", "127.0.0.1"}, allow_private=True, resolve=always(address), tls=lambda: context
    )
    way_out = Outgoing(guard)
    began = time.monotonic()
    told = set()
    for ask in (
        lambda: way_out.browser().open(url),
        lambda: way_out.browser().download(url),
        lambda: way_out.browser().peek(url),
        lambda: Api(way_out.client(), "My site").send("POST", url, headers={}, body="{}"),
    ):
        with pytest.raises(ActionRequired) as refused:
            await ask()
        told.add(str(refused.value))
    await guard.aclose()
    assert time.monotonic() - began < AT_ONCE
    (one,) = told
    return one


def serving(pem: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pem)
    return context


async def test_a_certificate_that_signed_itself(tmp_path: Path):
    async with saying(Heard(), certificate(tmp_path, SITE)) as port:
        told = await refusal(f"https://{SITE}:{port}/")

    assert told == (
        f"Nothing was sent to {SITE}: its certificate is signed by itself, so browsers warn your buyers off. Install "
        "one of a known authority."
    )


async def test_a_certificate_of_an_authority_that_nobody_knows(tmp_path: Path):
    async with saying(Heard(), serving(Authority.in_folder(tmp_path).certify(SITE))) as port:
        told = await refusal(f"https://{SITE}:{port}/")

    assert told == (
        f"Nothing was sent to {SITE}: its certificate is not signed by an authority that browsers know (unable to get "
        "local issuer certificate). Install it with its whole chain, from a known authority."
    )


@pytest.mark.parametrize(
    ("begins", "ends", "why"),
    [
        (-90, -1, "has expired. Renew it."),
        (1, 90, "is not valid yet. Look at its dates, and at the clock of this machine."),
    ],
)
async def test_a_certificate_out_of_its_time(begins: int, ends: int, why: str, tmp_path: Path):
    authority, now = Authority.in_folder(tmp_path), datetime.now(UTC)
    pem = authority.certify(SITE, begins=now + timedelta(days=begins), ends=now + timedelta(days=ends))
    trusted = ssl.create_default_context(cafile=str(authority.file))
    async with saying(Heard(), serving(pem)) as port:
        told = await refusal(f"https://{SITE}:{port}/", trusted)

    assert told == f"Nothing was sent to {SITE}: its certificate {why}"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (
            "other.example",
            "is for another name. Write the host as its certificate does, or install one for other.example.",
        ),
        ("127.0.0.1", "does not name this address. Write the host's name, as its certificate does."),
    ],
)
async def test_a_certificate_for_another_name(asked: str, why: str, tmp_path: Path):
    good = certificate(tmp_path, SITE)
    async with saying(Heard(), good) as port:
        told = await refusal(f"https://{asked}:{port}/", trusting(tmp_path, [])())

    assert told == f"Nothing was sent to {asked}: its certificate {why}"


@contextmanager
def answering(call: Callable[[socket.socket], socket.socket]) -> Iterator[int]:
    """A server that stays on the line, whatever is done with a call, until it has been heard; its port."""
    callers: list[socket.socket] = []

    def serve(port: socket.socket) -> None:
        with suppress(OSError):  # closed, at the end
            while True:
                caller, _ = port.accept()
                callers.append(call(caller))

    with socket.create_server(("127.0.0.1", 0)) as port:
        thread = threading.Thread(target=serve, args=(port,))
        thread.start()
        try:
            yield port.getsockname()[1]
        finally:
            port.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=20)
            for caller in callers:
                caller.close()


def encrypted(caller: socket.socket, context: ssl.SSLContext) -> socket.socket:
    tls = context.wrap_socket(caller, server_side=True, do_handshake_on_connect=False)
    with suppress(ssl.SSLError):
        tls.do_handshake()
    return tls


async def test_a_site_that_asks_its_callers_for_a_certificate(tmp_path: Path):
    authority = Authority.in_folder(tmp_path)
    asking = serving(authority.certify(SITE))
    asking.verify_mode = ssl.CERT_REQUIRED
    asking.load_verify_locations(authority.file)
    trusted = ssl.create_default_context(cafile=str(authority.file))
    with answering(lambda caller: encrypted(caller, asking)) as port:
        told = await refusal(f"https://{SITE}:{port}/", trusted)

    assert told == (
        f"{SITE} lets in only callers with a certificate of their own, and the wizard has none to show: let it through "
        "there, or switch that off while you test."
    )


@asynccontextmanager
async def at_the_first_byte(answer: bytes) -> AsyncIterator[int]:
    """A server that answers so as soon as it hears something; its port."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_https_at_a_port_that_speaks_plain_http():
    async with at_the_first_byte(reply(b"what?", status="400 Bad Request")) as port:
        told = await refusal(f"https://{SITE}:{port}/")

    assert told == (
        f"Nothing was sent to {SITE}:{port}: it does not speak TLS. Write http:// in place of https://, or the port "
        "that does."
    )


async def test_http_at_a_port_that_speaks_tls_and_hangs_up(tmp_path: Path):
    async with saying(Heard(), certificate(tmp_path, SITE)) as port:
        told = await refusal(f"http://{SITE}:{port}/")

    assert told == f"{SITE}:{port} speaks TLS and nothing else: write https:// in place of http://."


def says_raw(answer: bytes) -> Answer:
    async def say(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return say


async def test_a_server_of_old_that_speaks_no_tls_of_today():
    async with at_the_first_byte(bytes.fromhex("15 0303 0002 02 46")) as port:  # alert, fatal: protocol_version
        told = await refusal(f"https://{SITE}:{port}/")

    assert told == (
        f"Nothing was sent to {SITE}: it and this machine agree on no way to encrypt (tlsv1 alert protocol version). "
        "Ask whoever runs it for TLS 1.2 or newer."
    )


async def test_a_host_that_there_is_not():
    async def unknown(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with guarded(resolve=unknown) as client:
        with pytest.raises(ActionRequired) as refused:
            await client.get(f"http://{SITE}/")

    assert str(refused.value) == f"There is no host {SITE}: check how its name is written."


async def test_a_name_server_that_does_not_answer_may_answer_later():
    async def away(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async with guarded(resolve=away) as client:
        with pytest.raises(httpx.ConnectError, match="cannot be found"):
            await client.get(f"http://{SITE}/")


async def test_a_connection_that_breaks_off_is_worth_another_try_by_http_and_https(tmp_path: Path):
    trusted = trusting(tmp_path, [])
    for tls in (None, certificate(tmp_path, SITE)):
        async with saying(says_raw(b""), tls) as port, guarded(tls=trusted) as client:
            with pytest.raises(httpx.HTTPError):
                await client.get(f"{'https' if tls else 'http'}://{SITE}:{port}/")


@pytest.mark.parametrize("status", ["408 Request Timeout", "425 Too Early", "429 Too Many Requests", "503 Busy"])
async def test_a_refusal_that_may_pass_is_worth_another_try_by_every_way_out(status: str):
    busy = says(b"busy", status=status, headers="retry-after: 7\r\n")
    async with saying(busy) as port:
        guard = GuardedTransport({SITE}, allow_private=True, resolve=always("127.0.0.1"))
        way_out, url = Outgoing(guard), f"http://{SITE}:{port}/"
        for ask in (
            lambda: way_out.browser().open(url),
            lambda: Api(way_out.client(), "My site").send("POST", url, headers={}, body="{}"),
        ):
            with pytest.raises(Retriable) as refused:
                await ask()
            assert refused.value.after == 7
        await guard.aclose()


async def test_who_takes_plain_http_beside_tls_and_refuses_a_request_in_json_is_believed(tmp_path: Path):
    """Some servers tell the two apart by the first byte, and take both at one port."""
    context = certificate(tmp_path, SITE)
    refusing = reply(b'{"message": "No such level"}', status="400 Bad Request", kind="application/json")

    def either(caller: socket.socket) -> socket.socket:
        if caller.recv(1, socket.MSG_PEEK) == b"\x16":
            return encrypted(caller, context)
        caller.recv(10_000)
        caller.sendall(refusing)
        return caller

    with answering(either) as port:
        guard = GuardedTransport({SITE}, allow_private=True, resolve=always("127.0.0.1"))
        with pytest.raises(Rejected, match="No such level"):
            await Api(Outgoing(guard).client(), "My site").send("POST", f"http://{SITE}:{port}/", headers={}, body="{}")
        await guard.aclose()
