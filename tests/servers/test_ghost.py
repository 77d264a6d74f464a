"""Ghost as it is: a revoke that leaves the door open is seen, and nobody else's membership is touched."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.servers.caches import nginx
from tests.servers.ghost_site import GhostSite
from tests.support.connected import at_work, context_of, grant, revoke
from wizard.delivery.connections import check_connection
from wizard.delivery.errors import ActionRequired, Rejected

pytestmark = pytest.mark.xdist_group("ghost")


@pytest.mark.parametrize("post", ["paid_post", "gold_post"])
async def test_the_buyer_signs_in_and_reads_what_a_stranger_cannot_until_it_is_taken_away(
    post: str, ghost: GhostSite, tmp_path: Path
):
    mine, ada = ghost.connection(proof_url=getattr(ghost, post)), context_of(f"proof{post[:4]}")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        let_in = await platform.verify(grant(mine), receipt, ada)
        again = await platform.perform(grant(mine), ada)
        members = ghost.members(ada.buyer.email)
        taken = await platform.perform(revoke(mine), ada)
        shut_out = await platform.verify(revoke(mine), taken, ada)
        twice = await platform.perform(revoke(mine), ada)
        cleaned = await platform.clean_up(ada)

    assert (let_in.allowed, let_in.proven_by) == (True, "buyer")
    assert let_in.detail == (
        f"Ada Example signed in by Ghost's own link and read {mine.proof_url}; a stranger was turned away."
    )
    assert again.reference == receipt.reference == taken.reference == twice.reference
    assert members == 1
    assert (shut_out.allowed, shut_out.proven_by) == (False, "buyer")
    assert "the member was deleted as well" in taken.detail
    assert cleaned == "Nothing is left on “My blog”."
    assert ghost.member(ada.buyer.email) is None


async def test_a_door_that_stays_open_after_a_revoke_is_seen(ghost: GhostSite, tmp_path: Path):
    """Ghost answers 200 to taking a comped member's last tier away, and goes on showing them what is paid for."""
    mine, email = ghost.connection(), "fooled@example.com"
    bob = context_of("fooled", email)
    member = ghost.make_member(email, tiers=[{"id": ghost.tier}])
    said = ghost.owner.ask("PUT", f"members/{member['id']}/", json={"members": [{"tiers": []}]})["members"][0]
    async with at_work(mine, tmp_path) as platform:
        taken = await platform.perform(revoke(mine), bob)
        evidence = await platform.verify(revoke(mine), taken, bob)
    by_word = ghost.connection(proof_url=None)
    async with at_work(by_word, tmp_path) as platform:
        word = await platform.verify(revoke(by_word), taken, bob)

    assert (said["tiers"], said["status"]) == ([], "comped")
    assert (evidence.allowed, evidence.proven_by) == (True, "buyer")
    assert evidence.detail == f"Ada Example can still read {ghost.paid_post} after access was taken away."
    assert (word.allowed, word.proven_by) == (True, "platform")
    assert ghost.member(email) is not None


async def test_a_member_who_was_there_before_gets_the_tier_and_keeps_everything_else(ghost: GhostSite, tmp_path: Path):
    mine, email = ghost.connection(proof_url=ghost.gold_post), "bob@example.com"
    ghost.make_member(email, note="A friend", labels=[{"name": "Friends"}])
    before, bob = ghost.member(email), context_of("existing", email)
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), bob)
        let_in = await platform.verify(grant(mine), receipt, bob)
    async with at_work(mine, tmp_path) as resumed:
        await resumed.perform(grant(mine), bob)
        taken = await resumed.perform(revoke(mine), bob)
        shut_out = await resumed.verify(revoke(mine), taken, bob)
        cleaned = await resumed.clean_up(bob)
    after = ghost.member(email)

    assert (let_in.allowed, let_in.proven_by) == (True, "buyer")
    assert (shut_out.allowed, shut_out.proven_by) == (False, "buyer")
    assert cleaned == "bob@example.com was a member of “My blog” before and was left, with what they had."
    assert before is not None
    assert after is not None
    for kept in ("id", "uuid", "note", "status", "name", "created_at"):
        assert after[kept] == before[kept]
    assert [label["name"] for label in after["labels"]] == ["Friends"]
    assert after["tiers"] == []


async def test_another_tier_of_a_member_ends_when_it_would_have_ended(ghost: GhostSite, tmp_path: Path):
    mine, email = ghost.connection(), "erin@example.com"
    ghost.make_member(email, tiers=[{"id": ghost.tier, "expiry_at": "2031-05-01T00:00:00.000Z"}])
    erin = context_of("until", email)
    async with at_work(mine, tmp_path) as platform:
        await platform.perform(grant(mine, "Members"), erin)
        granted = ghost.member(email)
        await platform.perform(revoke(mine, "Members"), erin)
        await platform.clean_up(erin)
    after = ghost.member(email)

    assert granted is not None
    assert sorted(tier["name"] for tier in granted["tiers"]) == ["Gold", "Members"]
    assert after is not None
    # Ghost is given a date and answers milliseconds.
    assert [(tier["name"], tier["expiry_at"]) for tier in after["tiers"]] == [("Gold", 1935360000000)]


async def test_a_tier_that_a_member_held_before_is_not_taken(ghost: GhostSite, tmp_path: Path):
    mine, email = ghost.connection(), "carol@example.com"
    ghost.make_member(email, tiers=[{"id": ghost.tier}])
    carol = context_of("held", email)
    async with at_work(mine, tmp_path) as platform:
        await platform.perform(grant(mine), carol)
        with pytest.raises(Rejected, match="'s before this run, and stays"):
            await platform.perform(revoke(mine), carol)
        await platform.clean_up(carol)
    after = ghost.member(email)

    assert after is not None
    assert [tier["name"] for tier in after["tiers"]] == ["Gold"]


async def test_a_label_is_given_and_taken(ghost: GhostSite, tmp_path: Path):
    mine, ada = ghost.connection(tier="", label="Buyer", proof_url=None), context_of("label")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        evidence = await platform.verify(grant(mine), receipt, ada)
        granted = ghost.member(ada.buyer.email)
        taken = await platform.perform(revoke(mine), ada)
        revoked = await platform.verify(revoke(mine), taken, ada)
        without = ghost.member(ada.buyer.email)
        cleaned = await platform.clean_up(ada)

    assert granted is not None
    assert [label["name"] for label in granted["labels"]] == ["Buyer"]
    assert (evidence.allowed, evidence.proven_by) == (True, "platform")
    assert "Write a proof page into the connection “My blog” (proof_url)" in evidence.detail
    assert without is not None
    assert without["labels"] == []
    assert revoked.allowed is False
    assert cleaned == "The member ada.label@example.com was deleted from “My blog”. Nothing is left."


@pytest.mark.parametrize(
    ("opens", "level", "says"),
    [
        ({"tier": "Gold"}, "platinum", "“My blog” has no tier “platinum”. It has: Free, Members, Gold."),
        ({"tier": "", "label": "Buyer"}, "vanished", "“My blog” has no label “vanished”. It has: "),
    ],
)
async def test_a_tier_or_label_that_is_gone_is_named_with_the_field_and_made_by_nobody(
    opens: dict[str, str], level: str, says: str, ghost: GhostSite, tmp_path: Path
):
    mine, ada = ghost.connection(**opens), context_of("gone")
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(Rejected) as refused:
            await platform.perform(grant(mine, level), ada)

    assert str(refused.value).startswith(says)
    assert refused.value.field == "post_sale.access.integrated_membership.level"
    assert ghost.member(ada.buyer.email) is None
    assert level not in [label["name"] for label in ghost.owner.ask("GET", "labels/")["labels"]]


async def test_killed_midway_and_performed_again_there_is_one_member_who_is_the_runs_own(
    ghost: GhostSite, tmp_path: Path
):
    mine, ada = ghost.connection(), context_of("killed")
    async with at_work(mine, tmp_path) as platform:
        await platform.perform(grant(mine), ada)
    async with at_work(mine, tmp_path / "another") as resumed:
        await resumed.perform(grant(mine), ada)
        members = ghost.members(ada.buyer.email)
        cleaned = await resumed.clean_up(ada)

    assert members == 1
    assert cleaned == "The member ada.killed@example.com was deleted from “My blog”. Nothing is left."


async def test_creating_a_member_who_has_come_meanwhile_finds_them(ghost: GhostSite, tmp_path: Path):
    mine, ada = ghost.connection(), context_of("meanwhile")
    made = ghost.make_member(ada.buyer.email)
    async with at_work(mine, tmp_path) as platform:
        found = await platform._create({"tiers": [{"id": ghost.tier}]}, ada)  # type: ignore[attr-defined]

    assert found["id"] == made["id"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (f"{'0' * 24}:{'0' * 64}", "answered 401"),
        ("not a key", "is not whole"),
        (f"{'0' * 24}:{'z' * 64}", "is not whole"),
    ],
)
async def test_a_wrong_key_asks_for_a_person(key: str, says: str, ghost: GhostSite, tmp_path: Path):
    mine = ghost.connection(admin_api_key=key)
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(ActionRequired, match=says):
            await platform.perform(grant(mine), context_of("wrongkey"))

    check = await check_connection(mine, data_dir=tmp_path, allow_private=True)
    assert not check.ok
    assert says in check.detail
    assert key not in check.detail


async def test_a_post_that_anybody_reads_proves_nothing(ghost: GhostSite, tmp_path: Path):
    mine, ada = ghost.connection(proof_url=ghost.open_post), context_of("open")
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), ada)
        with pytest.raises(Rejected, match="Anybody can read"):
            await platform.verify(grant(mine), receipt, ada)
        await platform.clean_up(ada)


async def test_the_record_holds_neither_the_key_nor_a_link_that_signs_in(ghost: GhostSite, tmp_path: Path):
    mine, ada = ghost.connection(), context_of("masked")
    async with at_work(mine, tmp_path, ada.secrets) as platform:
        receipt = await platform.perform(grant(mine), ada)
        evidence = await platform.verify(grant(mine), receipt, ada)
        await platform.clean_up(ada)

    opened = next(each.request for each in evidence.exchanges if "token=" in each.request)
    recorded = ada.secrets.masked(receipt).model_dump_json() + ada.secrets.masked(evidence).model_dump_json()
    assert "/members/" in recorded
    assert opened.partition("token=")[2].partition("&")[0] not in recorded
    assert ghost.key not in recorded


async def test_a_check_names_the_tier_it_found(ghost: GhostSite, tmp_path: Path):
    good = await check_connection(ghost.connection(tier="gold"), data_dir=tmp_path, allow_private=True)
    bad = await check_connection(ghost.connection(tier="Platinum"), data_dir=tmp_path, allow_private=True)

    assert (good.ok, good.detail) == (True, "Ghost answers, takes the key, and has the tier “Gold”.")
    assert (bad.ok, bad.detail[:38]) == (False, "“My blog” has no tier “Platinum”. It h")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"proof_url": "{url}/nowhere/"},
            "There is no page at {url}/nowhere/: a stranger is answered 404, and the site knows of no page there. "
            "Correct the proof page in the connection “My blog”.",
        ),
        (
            {"proof_url": "{url}/for-all/"},
            "Anybody can read {url}/for-all/ without logging in, so it proves nothing. Protect the page, or write "
            "another proof page into the connection “My blog”.",
        ),
        ({"tier": "", "label": "vanished"}, "“My blog” has no label “vanished”. It has: "),
    ],
)
async def test_a_check_names_what_a_run_would_miss(
    changes: dict[str, str], says: str, ghost: GhostSite, tmp_path: Path
):
    mine = ghost.connection(**{name: value.format(url=ghost.url) for name, value in changes.items()})

    check = await check_connection(mine, data_dir=tmp_path, allow_private=True)

    assert (check.ok, check.detail.startswith(says.format(url=ghost.url))) == (False, True), check.detail


async def test_a_check_says_of_each_level_that_products_give_what_is_wrong_with_it(ghost: GhostSite, tmp_path: Path):
    mine = ghost.connection(url=f"{ghost.url}/ghost/#/settings")  # as it is copied from a browser

    check = await check_connection(mine, data_dir=tmp_path, allow_private=True, levels=["gold", "platinum"])

    assert check.ok
    assert check.levels == {
        "gold": "",
        "platinum": "“My blog” has no tier “platinum”. It has: Free, Members, Gold.",
    }


async def test_a_check_of_a_key_that_may_not_says_so(ghost: GhostSite, tmp_path: Path):
    mine = ghost.connection(admin_api_key=ghost.key_that_may_little())

    check = await check_connection(mine, data_dir=tmp_path, allow_private=True)

    assert (check.ok, check.detail) == (
        False,
        "The key of “My blog” may not change members, delete members, let members sign in: use the Admin API key of a "
        "custom integration, from Settings, Integrations in Ghost.",
    )


async def test_a_ghost_that_is_too_old_is_told_from_a_wrong_address(ghost: GhostSite, tmp_path: Path):
    """Ghost 4 had an address for each version of its API; this one is played by nginx before the real one."""

    def as_it_was(port: int, site: str) -> AbstractContextManager[str]:
        newer = f"location /ghost/api/v4/admin/ {{ proxy_pass {site}/ghost/api/admin/; }}"
        return nginx(site, server=f"{newer} location /ghost/api/admin/ {{ return 404; }}", port=port)

    with ghost.door.replaced(as_it_was):
        check = await check_connection(ghost.connection(), data_dir=tmp_path, allow_private=True)

    assert (check.ok, check.detail) == (
        False,
        "“My blog” is Ghost 4, and the wizard needs Ghost 5 or newer: update it.",
    )


@pytest.mark.parametrize(
    ("there", "buyer"),
    [("Zoe@Example.com", "zoe@example.com"), ("zoe@xn--bcher-kva.example", "Zoe@b\u00fccher.example")],
)
async def test_a_buyer_in_another_spelling_is_the_same_member(there: str, buyer: str, ghost: GhostSite, tmp_path: Path):
    """Ghost takes the two for two members."""
    ghost.make_member(there)
    mine, zoe = ghost.connection(), context_of("spelled", buyer)
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), zoe)
        member = ghost.member(there)
        await platform.clean_up(zoe)

    assert "was a member already" in receipt.detail
    assert member is not None
    assert [tier["name"] for tier in member["tiers"]] == ["Gold"]
    assert ghost.members(buyer) == 0
