"""Lives and proofs on real platforms, through the one door that sellers use; killed anywhere, a run goes on there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.account import Connection
from models.events import Event, Status, Verdict
from models.fulfillment import GrantAccess, RevokeAccess
from tests.servers.lived import furnished, lived
from tests.support.killed import run_of
from tests.support.scenarios import SCENARIOS
from tests.support.walked import walked
from wizard.sale.lives import LIVES, PROOF

PLATFORMS = [
    pytest.param("wordpress", marks=pytest.mark.xdist_group("wordpress")),
    pytest.param("ghost", marks=pytest.mark.xdist_group("ghost")),
]
onto_each = pytest.mark.parametrize("site", PLATFORMS, indirect=True)


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


Site = Any
"""A WordPressSite or a GhostSite."""


@onto_each
@pytest.mark.parametrize("name", LIVES)
async def test_every_life_is_lived_there(site: Site, name: str, tmp_path: Path):
    price, post_sale, _ = SCENARIOS[name]

    run = await lived(site.connection(), LIVES[name], tmp_path, price=price, post_sale=post_sale)

    assert run.verdict is Verdict.PASSED, run.reason
    used = [step for step in run.steps if isinstance(step.action, GrantAccess | RevokeAccess)]
    assert used
    assert {step.evidence.proven_by for step in used if step.evidence} == {"buyer"}


@onto_each
async def test_the_access_is_proven_and_nothing_is_left(site: Site, tmp_path: Path):
    run = await lived(site.connection(), PROOF, tmp_path)

    assert run.verdict is Verdict.PASSED, run.reason
    assert "Nothing is left" in run.steps[-1].detail
    seen = [
        (step.moment, step.evidence.allowed)
        for step in run.steps
        if isinstance(step.action, GrantAccess | RevokeAccess) and step.evidence
    ]
    assert seen == [(1, True), (2, True), (3, False), (4, False)]


@onto_each
async def test_without_a_proof_page_a_person_must_name_one_and_nothing_is_left(site: Site, tmp_path: Path):
    run = await lived(site.connection(proof_url=None), PROOF, tmp_path)

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "(proof_url)" in run.reason
    assert run.steps[-1].status is Status.PASSED


@onto_each
async def test_a_platform_that_this_machine_may_not_reach_is_not_reached(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from wizard.runs import fire

    strict: Callable[..., Any] = fire.Workplace
    monkeypatch.setattr("tests.servers.lived.Workplace", lambda *a, **k: strict(*a, **(k | {"allow_private": False})))

    run = await lived(site.connection(), Event.PURCHASE, tmp_path)

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "allow_private_hosts" in run.reason


def existing(site: Site, connection: Connection, email: str) -> int:
    """How many accounts an address has there."""
    if connection.kind.value == "ghost":
        return int(site.members(email))
    return 1 if site.user(email) else 0


@onto_each
def test_killed_anywhere_a_run_goes_on_there_and_leaves_nobody_behind(site: Site, tmp_path: Path):
    connection = site.connection()
    folder = furnished(tmp_path / "records", connection)

    killed = walked(folder, "on-the-platform", "", WIZARD_ALLOW_PRIVATE_HOSTS="true")

    assert len(killed) >= 14
    accounts = [existing(site, connection, f"ada.{run_of(at)}@example.com") for at in range(2, len(killed) + 2)]
    assert accounts == [0] * len(killed)
