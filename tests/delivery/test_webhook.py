"""The webhook platform against a receiver that checks every signature with the specification's own library."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from models.account import Connection
from models.fulfillment import Buyer
from tests.support.connected import at_work, context_of, grant, revoke
from tests.support.receiver import NEW, OLD, Receiver
from wizard.delivery.connections import check_connection
from wizard.delivery.errors import ActionRequired, BackendError, Rejected, Retriable


async def test_granting_and_revoking_are_signed_requests_that_say_who_and_what(receiver: Receiver, tmp_path: Path):
    mine = receiver.connection(grant_event="member.added", revoke_event="member.removed")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine, "gold"), context_of("run1"))
        await platform.perform(revoke(mine, "gold"), context_of("run1", step=2))

    (headers, granted), (_, revoked) = receiver.taken
    assert (granted["type"], revoked["type"]) == ("member.added", "member.removed")
    assert granted["data"] == {
        "email": "ada.run1@example.com", "name": "Ada Example", "level": "gold", "product": "yoga-masterclass",
        "run": "run1", "simulation": True,
    }  # fmt: skip
    assert receipt.reference == headers["webhook-id"] == "run1-1"
    assert headers["wizard-simulation"] == "1"
    assert receipt.detail == "“My own site” took “member.added” with 204."


async def test_every_try_has_the_same_id_and_receipt(receiver: Receiver, tmp_path: Path):
    mine, ada = receiver.connection(), context_of("again")
    async with at_work(mine, tmp_path) as platform:
        first = await platform.perform(grant(mine), ada)
    async with at_work(mine, tmp_path) as resumed:
        second = await resumed.perform(grant(mine), ada)

    assert first.reference == second.reference
    assert {headers["webhook-id"] for headers, _ in receiver.taken} == {"again-1"}


@pytest.mark.parametrize("secret", [OLD, NEW])
async def test_while_a_key_is_changed_a_request_is_good_for_the_old_and_the_new_one(
    secret: str, receiver: Receiver, tmp_path: Path
):
    receiver.secret = secret
    mine = receiver.connection(secret=f"{OLD} {NEW}")
    async with at_work(mine, tmp_path) as platform:
        await platform.perform(grant(mine), context_of("rotated"))

    assert len(receiver.taken[0][0]["webhook-signature"].split()) == 2


@pytest.mark.parametrize(
    ("status", "headers", "kind", "says"),
    [
        (
            301,
            {"location": "https://new.example.com/hook"},
            ActionRequired,
            "has moved to https://new.example.com/hook: correct the address",
        ),
        (308, {"location": "/elsewhere"}, ActionRequired, "has moved to /elsewhere: correct the address"),
        (400, {}, Rejected, "“My own site” answered 400: no such level."),
        (
            403,
            {},
            ActionRequired,
            "“My own site” answered 403: no such level. Check the signing secret",
        ),
        (404, {}, Rejected, "“My own site” answered 404: no such level."),
        (410, {}, ActionRequired, "“My own site” is switched off"),
        (422, {}, Rejected, "“My own site” answered 422: no such level."),
        (429, {"retry-after": "7"}, Retriable, "“My own site” answered 429"),
        (500, {}, Retriable, "“My own site” answered 500"),
        (502, {}, Retriable, "“My own site” answered 502"),
        (503, {}, Retriable, "“My own site” answered 503"),
        (504, {"retry-after": "soon"}, Retriable, "“My own site” answered 504"),
    ],
)
async def test_every_other_answer_is_an_error_of_its_own_kind(
    status: int, headers: dict[str, str], kind: type[BackendError], says: str, receiver: Receiver, tmp_path: Path
):
    receiver.answer = JSONResponse({"error": "no such level"}, status, headers)
    mine = receiver.connection()
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(BackendError) as refused:
            await platform.perform(grant(mine), context_of("refused"))

    assert type(refused.value) is kind
    assert says in str(refused.value)
    if isinstance(refused.value, Retriable):
        assert refused.value.after == {429: 7.0}.get(status)


async def test_a_wait_that_is_asked_for_as_a_date_is_told_in_seconds(receiver: Receiver, tmp_path: Path):
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    receiver.answer = JSONResponse({"error": "busy"}, 503, {"retry-after": tomorrow})
    async with at_work(receiver.connection(), tmp_path) as platform:
        with pytest.raises(Retriable) as refused:
            await platform.perform(grant(receiver.connection()), context_of("busy"))

    assert refused.value.after is not None
    assert 86_000 < refused.value.after <= 86_400


async def test_a_wrong_secret_asks_for_a_person(receiver: Receiver, tmp_path: Path):
    mine = receiver.connection(secret=OLD)
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(ActionRequired, match="answered 401: No matching signature found"):
            await platform.perform(grant(mine), context_of("wrong"))


@pytest.mark.parametrize("secret", ["whsec_not base64!", "   ", None])
async def test_a_secret_that_is_none_is_told_before_anything_is_sent(
    secret: str | None, receiver: Receiver, tmp_path: Path
):
    mine = receiver.connection(secret=secret)
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(ActionRequired, match="The signing secret of “My own site”"):
            await platform.perform(grant(mine), context_of("none"))

    assert receiver.taken == []


async def test_nobody_at_the_address_is_worth_another_try(receiver: Receiver, tmp_path: Path):
    mine = receiver.connection(url="http://127.0.0.1:9/hook")
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(Retriable, match="“My own site” could not be reached"):
            await platform.perform(grant(mine), context_of("nobody"))


@pytest.mark.parametrize("once", [False, True])
async def test_by_a_sign_in_link_the_buyer_reads_the_proof_page_until_access_is_taken(
    once: bool, receiver: Receiver, tmp_path: Path
):
    receiver.gives_link, receiver.link_works_once = True, once
    mine, ada = receiver.connection(proof_url=f"{receiver.url}/members"), context_of("link")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        let_in = await platform.verify(grant(mine), receipt, ada)
        later = replace(ada, values=receipt.values)
        taken = await platform.perform(revoke(mine), later)
        shut_out = await platform.verify(revoke(mine), taken, later)

    assert (let_in.allowed, let_in.proven_by) == (True, "buyer")
    assert (shut_out.allowed, shut_out.proven_by) == (False, "buyer")
    assert let_in.facts["stranger"] == "turned away (403)"
    assert shut_out.detail == (
        f"Ada Example was signed in from before and was turned away from {mine.proof_url} (status 403: Members only.)."
    )
    assert "onetime" not in ada.secrets.masked(receipt).model_dump_json()
    assert "onetime" not in ada.secrets.masked(let_in).model_dump_json()


@pytest.mark.parametrize("once", [False, True])
async def test_a_platform_that_says_yes_to_a_revoke_and_does_nothing_is_seen(
    once: bool, receiver: Receiver, tmp_path: Path
):
    receiver.gives_link, receiver.forgets_to_revoke, receiver.link_works_once = True, True, once
    mine, ada = receiver.connection(proof_url=f"{receiver.url}/members"), context_of("forgets")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        await platform.verify(grant(mine), receipt, ada)
        later = replace(ada, values=receipt.values)
        taken = await platform.perform(revoke(mine), later)
        evidence = await platform.verify(revoke(mine), taken, later)

    assert (evidence.allowed, evidence.proven_by) == (True, "buyer")
    assert evidence.detail == f"Ada Example can still read {mine.proof_url} after access was taken away."


@pytest.mark.parametrize(
    ("link", "proof", "missing"),
    [
        (True, None, "Write a proof page into the connection “My own site” (proof_url)"),
        (False, "/members", "Its reply held no sign_in_url"),
    ],
)
async def test_without_a_link_or_a_proof_page_the_evidence_names_what_is_missing(
    link: bool, proof: str | None, missing: str, receiver: Receiver, tmp_path: Path
):
    receiver.gives_link = link
    mine, ada = receiver.connection(proof_url=proof and receiver.url + proof), context_of("word")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        granted = await platform.verify(grant(mine), receipt, ada)
        taken = await platform.perform(revoke(mine), ada)
        revoked = await platform.verify(revoke(mine), taken, ada)

    assert (granted.allowed, granted.proven_by) == (True, "platform")
    assert (revoked.allowed, revoked.proven_by) == (False, "platform")
    assert missing in granted.detail


async def test_a_sign_in_link_to_a_host_that_the_seller_did_not_name_is_not_opened(receiver: Receiver, tmp_path: Path):
    receiver.answer = JSONResponse({"sign_in_url": "https://evil.example/in?token=abcdefgh"})
    mine, ada = receiver.connection(proof_url=f"{receiver.url}/members"), context_of("evil")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        with pytest.raises(ActionRequired, match=r"Nothing was sent to evil\.example"):
            await platform.verify(grant(mine), receipt, ada)


@pytest.mark.parametrize("link", ["http://[broken", "javascript:alert(1)", 7, "https://a:b@evil.example/"])
async def test_a_sign_in_link_that_is_no_address_is_refused(link: object, receiver: Receiver, tmp_path: Path):
    receiver.answer = JSONResponse({"sign_in_url": link})
    mine = receiver.connection()
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(Rejected, match="answered with a sign_in_url that cannot be used"):
            await platform.perform(grant(mine), context_of("broken"))


@pytest.mark.parametrize(
    ("described", "key", "fields"),
    [
        (
            {"kind": "dap", "notification_url": "/hook", "product_or_level": "Gold DAP", "secret_key": "plain words"},
            b"plain words",
            {"product_or_level": "Gold DAP"},
        ),
        (
            {"kind": "s2member", "integration_url": "/hook", "level_id": 3, "api_key": "another key"},
            b"another key",
            {"level_id": 3},
        ),
    ],
)
async def test_kartras_windows_send_their_fields_signed_with_their_key(
    described: dict[str, Any], key: bytes, fields: dict[str, Any], receiver: Receiver, tmp_path: Path
):
    receiver.secret = key
    field = next(name for name in described if name.endswith("_url"))
    # The form asks for https; a receiver on this machine has none.
    mine = Connection.model_validate(
        {**described, field: None, "slug": "window", "name": "Yoga", "login_url": "https://members.example.com/login"}
    ).model_copy(update={field: f"{receiver.url}/hook"})
    async with at_work(mine, tmp_path) as platform:
        await platform.perform(grant(mine, "gold"), context_of("window"))

    told = receiver.taken[0][1]["data"]
    login = {"membership_name": "Yoga", "login_url": "https://members.example.com/login"}
    assert told | login | fields == told


async def test_a_check_sends_a_signed_ping(receiver: Receiver, tmp_path: Path):
    good = await check_connection(receiver.connection(), data_dir=tmp_path, allow_private=True)
    bad = await check_connection(receiver.connection(secret=OLD), data_dir=tmp_path, allow_private=True)

    assert (good.ok, good.detail) == (
        True,
        "“My own site” answered 204 to a signed request of the type “ping”.",
    )
    assert receiver.taken[0][1]["type"] == "ping"
    assert (bad.ok, "answered 401" in bad.detail) == (False, True)


async def test_a_check_sees_whether_the_proof_page_keeps_strangers_out(receiver: Receiver, tmp_path: Path):
    shut, open_ = (receiver.connection(proof_url=f"{receiver.url}/{page}") for page in ("members", "open"))
    good = await check_connection(shut, data_dir=tmp_path, allow_private=True)
    bad = await check_connection(open_, data_dir=tmp_path, allow_private=True)

    assert (good.ok, good.levels) == (True, None)
    assert (bad.ok, bad.detail) == (
        False,
        f"A stranger is shown a page at {receiver.url}/open as well, and nothing tells whether it is the content. "
        "Write a proof page into the connection “My own site” that strangers are not shown.",
    )


async def test_a_secret_that_a_platform_repeats_is_not_shown_by_a_check(receiver: Receiver, tmp_path: Path):
    receiver.answer = JSONResponse({"error": f"your secret is {NEW}"}, 400)

    check = await check_connection(receiver.connection(), data_dir=tmp_path, allow_private=True)

    assert check.detail == "“My own site” answered 400: your secret is •••."


async def test_a_buyer_with_a_hostile_name_is_plain_text_everywhere(receiver: Receiver, tmp_path: Path):
    receiver.gives_link = True
    mine = receiver.connection(proof_url=f"{receiver.url}/members")
    eve = replace(
        context_of("eve"),
        buyer=Buyer(
            email="eve@example.com",
            name='"\x1b]0;Eve\x07',
        ),
    )
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), eve)
        evidence = await platform.verify(grant(mine), receipt, eve)

    assert receiver.taken[0][1]["data"]["name"] == '"\x1b]0;Eve\x07'
    assert "\x1b" not in evidence.detail
