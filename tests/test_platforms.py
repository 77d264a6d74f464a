"""Platforms that are not what they should be: moved, closed, in the way, hanging, without end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from models.account import Connection, ConnectionKind
from tests.connected import at_work, context_of, grant
from tests.listening import Answer, reply, saying
from wizard.fulfillment.backend import ActionRequired, BackendError, Rejected, Retriable, Surroundings
from wizard.fulfillment.connections import check_connection
from wizard.fulfillment.outgoing import Guard, Outgoing
from wizard.fulfillment.platforms import CLASSES, platform_for
from wizard.fulfillment.platforms.before import Before

KEY = f"{'a' * 24}:{'0123456789abcdef' * 4}"


def wordpress(port: int) -> Connection:
    return Connection.model_validate(
        {"slug": "site", "name": "My site", "kind": "wordpress", "url": f"http://127.0.0.1:{port}", "user": "owner",
         "application_password": "abcd efgh ijkl mnop"}
    )  # fmt: skip


def ghost(port: int) -> Connection:
    return Connection.model_validate(
        {"slug": "site", "name": "My site", "kind": "ghost", "url": f"http://127.0.0.1:{port}", "admin_api_key": KEY,
         "tier": "Gold"}
    )  # fmt: skip


EACH = pytest.mark.parametrize("connect", [wordpress, ghost])
Connect = Callable[[int], Connection]


def always(answer: bytes) -> Answer:
    async def say(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return say


FAULTS = [
    (
        reply(status="301 Moved", headers="location: https://new.example.com/wp-json\r\n"),
        ActionRequired,
        "has moved to https://new.example.com/wp-json: correct the address of “My site”.",
    ),
    (
        reply(status="302 Found", headers="location: http://[broken/\r\n"),
        ActionRequired,
        "has moved to http://[broken/: correct the address",
    ),
    (
        reply(b"<html>Coming soon</html>", kind="text/html"),
        ActionRequired,
        "“My site” answered with a web page in place of data. Check the address",
    ),
    (reply(b"[1, 2", kind="application/json"), ActionRequired, "answered with something else in place of data"),
    (reply(b"[" * 100_000, kind="application/json"), ActionRequired, "in place of data"),
    (reply(b'{"hello": "world"}', kind="application/json"), ActionRequired, "does not answer as"),
    (
        reply(b'{"code": "oops", "message": "Broken.", "errors": [{"message": "Broken."}]}', kind="application/json"),
        Rejected,
        "“My site” answered 200, but with an error: Broken.",
    ),
    (
        reply(b'{"message": "Who \\u001b[31mare you?", "errors": []}', status="401 Unauthorized"),
        ActionRequired,
        "“My site” answered 401: Who ‹U+001B›[31mare you?. Check the key or password",
    ),
    (reply(status="503 Busy", headers="retry-after: 3\r\n"), Retriable, "“My site” answered 503."),
    (b"what?\r\n\r\n", Retriable, "“My site” could not be reached"),
]


@EACH
@pytest.mark.parametrize(("answer", "kind", "says"), FAULTS)
async def test_a_reply_that_should_not_be_is_an_error_that_a_seller_understands(
    answer: bytes, kind: type[BackendError], says: str, connect: Connect, tmp_path: Path
):
    async with saying(always(answer)) as port:
        mine = connect(port)
        async with at_work(mine, tmp_path) as platform:
            with pytest.raises(BackendError) as refused:
                await platform.perform(grant(mine, "gold"), context_of("fault"))
        check = await check_connection(mine, data_dir=tmp_path, allow_private=True)

    assert type(refused.value) is kind
    assert says in str(refused.value)
    assert not check.ok


@EACH
async def test_a_key_never_follows_a_redirect(connect: Connect, tmp_path: Path):
    heads: list[bytes] = []

    async def hear(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(reply(b"[]", kind="application/json"))

    async with saying(hear) as elsewhere:
        to = reply(status="307 Moved", headers=f"location: http://127.0.0.1:{elsewhere}/\r\n")
        async with saying(always(to)) as port:
            mine = connect(port)
            async with at_work(mine, tmp_path) as platform:
                with pytest.raises(ActionRequired, match=f"has moved to http://127.0.0.1:{elsewhere}"):
                    await platform.perform(grant(mine, "gold"), context_of("moved"))

    assert heads == []


@EACH
async def test_a_platform_that_hangs_may_be_tried_again(connect: Connect, tmp_path: Path):
    async def hang(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with saying(hang) as port:
        guard = Guard({"127.0.0.1"}, allow_private=True, longest=0.3)
        way_out = Outgoing(guard)
        mine = connect(port)
        platform = platform_for(mine, Surroundings(tmp_path, way_out.client, way_out.browser))
        with pytest.raises(
            Retriable, match=r"could not be reached at \S+: the reply was not there within 0\.3 seconds"
        ):
            await platform.perform(grant(mine, "gold"), context_of("hangs"))
        await guard.aclose()


@EACH
async def test_a_platform_that_streams_for_ever_is_cut_off(connect: Connect, tmp_path: Path):
    async def for_ever(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n[")
        while True:
            writer.write(b"1," * 50_000)
            await writer.drain()

    async with saying(for_ever) as port:
        mine = connect(port)
        async with at_work(mine, tmp_path) as platform:
            with pytest.raises(Rejected, match="sent more than 4,000,000 bytes"):
                await platform.perform(grant(mine, "gold"), context_of("stream"))


@EACH
async def test_a_connection_without_an_address_is_told(connect: Connect, tmp_path: Path):
    mine = connect(9).model_copy(update={"url": None})
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(ActionRequired, match="Correct the address of “My site”"):
            await platform.perform(grant(mine, "gold"), context_of("nowhere"))


def test_every_kind_but_the_sandbox_has_a_platform(tmp_path: Path):
    guard = Guard(())
    surroundings = Surroundings(tmp_path, Outgoing(guard).client)
    assert {*CLASSES, ConnectionKind.SANDBOX} == set(ConnectionKind)
    for kind in CLASSES:
        platform_for(Connection(slug="a", name="A", kind=kind), surroundings)
    with pytest.raises(Rejected, match="“A” is played by the sandbox"):
        platform_for(Connection(slug="a", name="A"), surroundings)


def test_what_a_member_had_is_noted_once_and_outlives_its_process(tmp_path: Path):
    assert Before(tmp_path, "run1", "site").remember("7", ["author"]) == ["author"]
    assert Before(tmp_path, "run1", "site").remember("7", ["author", "gold"]) == ["author"]
    assert Before(tmp_path, "run2", "site").recall("7") is None
    Before(tmp_path, "run1", "site").forget()
    assert Before(tmp_path, "run1", "site").recall("7") is None


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path):
    (tmp_path / "platforms").write_text("a file")

    with pytest.raises(BackendError, match="platforms cannot be used"):
        Before(tmp_path, "run1", "site").remember("7", [])
