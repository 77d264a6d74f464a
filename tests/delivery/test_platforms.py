"""Platforms that are not what they should be: moved, closed, in the way, hanging, without end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models.account import Connection, ConnectionKind
from tests.support.connected import at_work, context_of, grant
from tests.support.listening import Answer, reply, saying
from wizard.delivery.backend import Surroundings
from wizard.delivery.connections import check_connection
from wizard.delivery.errors import ActionRequired, BackendError, Rejected, Retriable
from wizard.delivery.outgoing import GuardedTransport, Outgoing
from wizard.delivery.platforms import CLASSES, platform_for
from wizard.delivery.platforms.before import Before

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
        reply(status="302 Found", headers="location: ?lang=de\r\n"),
        ActionRequired,
        "two rules on the site that lead to each other, or a switch of languages or a check for robots in front of it.",
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
async def test_what_a_key_becomes_on_its_way_is_not_shown_by_a_check_that_it_is_repeated_to(
    connect: Connect, tmp_path: Path
):
    sent: list[str] = []

    async def repeat(head: bytes, writer: asyncio.StreamWriter) -> None:
        [line] = [line for line in head.decode().split("\r\n") if line.lower().startswith("authorization:")]
        sent.append(line.rpartition(" ")[2])
        said = json.dumps({"message": f"Who is {line}?", "errors": [{"message": f"Who is {sent[-1]}?"}]})
        writer.write(reply(said.encode(), status="401 Unauthorized", kind="application/json"))

    async with saying(repeat) as port:
        check = await check_connection(connect(port), data_dir=tmp_path, allow_private=True)

    assert "Who is" in check.detail
    assert sent
    assert not any(secret[:20] in check.detail for secret in sent)


ODD: tuple[object, ...] = (
    {},
    {"members": [{}], "tiers": [{}], "site": {"version": 5}},
    {"members": [{"id": None}], "tiers": [{"slug": 1}], "site": []},
    {"capabilities": dict.fromkeys(("list_users", "create_users", "promote_users", "delete_users"), True)},
    {"capabilities": {"list_users": 1}, "username": ["a"], "email": 7, "code": "rest_invalid_param", "data": "x"},
    {"code": "existing_user_login", "message": 5, "data": {"params": 5}, "capabilities": {}, "additional_errors": 5},
    [5],
    [[]],
)
"""JSON that holds something else than its names say."""


@EACH
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf\x00-8"])
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_a_check_answers_whatever_comes_back(odd: object, kind: str, connect: Connect, tmp_path: Path):
    async with saying(always(reply(json.dumps(odd).encode(), kind=kind))) as port:
        mine = connect(port)
        check = await check_connection(mine, data_dir=tmp_path, allow_private=True, levels=("gold",))

    assert not check.ok or any((check.levels or {}).values())


@EACH
async def test_a_deletion_is_believed_only_if_it_is_answered_as_one(connect: Connect, tmp_path: Path):
    run = "kept"
    user = {
        "id": 7, "username": f"wizard{run}", "email": f"ada.{run}@example.com", "roles": ["gold"],
        "note": f"Made by a test-fire, run {run}.", "status": "free", "tiers": [], "labels": [],
    }  # fmt: skip

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        found = {"ok": True} if head.startswith(b"DELETE") else [user] if b"rest_route" in head else {"members": [user]}
        writer.write(reply(json.dumps(found).encode(), kind="application/json"))

    async with saying(answer) as port, at_work(connect(port), tmp_path) as platform:
        with pytest.raises(Rejected, match="delete"):
            await platform.clean_up(context_of(run))


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
        guard = GuardedTransport({"127.0.0.1"}, allow_private=True, longest=0.3)
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
    guard = GuardedTransport(())
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
