"""Lives and proofs carried out on the sandbox: at each moment the buyer holds what they should, and a flaw is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from models.events import Status, Verdict
from models.fulfillment import (
    Action,
    CleanUp,
    Evidence,
    GrantAccess,
    IssueDownloadLink,
    Receipt,
    RevokeAccess,
    Run,
    SendEmail,
    TryLink,
)
from tests.support.scenarios import SCENARIOS
from tests.support.shop import small_world, sold, workbook
from wizard.delivery.backend import Context
from wizard.delivery.backends.sandbox import SandboxBackend
from wizard.runs.fire import Workplace, fire
from wizard.runs.tries import Patience
from wizard.sale.lives import LIVES, PROOF, Life, NotThisLife

QUICK = Patience(tries=2, one_try=10, first_wait=0, longest_wait=0.1, jitter=0)
OPTIONS = ("hosted", "integrated", "file", "calendar", "webinar", "physical")


class Flawed(SandboxBackend):
    """A sandbox with a flaw in one place."""

    async def perform(self, action: Action, context: Context) -> Receipt:
        return await self.performs(action, context) or await super().perform(action, context)

    async def verify(self, action: Action, receipt: Receipt, context: Context) -> Evidence:
        return self.sees(await super().verify(action, receipt, context))

    async def performs(self, action: Action, context: Context) -> Receipt | None:
        """Another receipt than the sandbox would give."""
        return None

    def sees(self, evidence: Evidence) -> Evidence:
        """What is seen in place of what there is to see."""
        return evidence


@pytest.fixture
def app() -> Iterator[Starlette]:
    app = small_world()
    yield app
    app.state.world.close()


class Live:
    """Carries out a life on the sandbox of a test."""

    def __init__(self, app: Starlette, folder: Path) -> None:
        self.app = app
        self._folder = folder

    async def __call__(
        self, option: str, life: Life, backend: type[SandboxBackend] = SandboxBackend, **product: Any
    ) -> Run:
        path = workbook(self._folder)
        return await fire(
            sold(option, **product),
            life,
            at=Workplace(self._folder, path_of_file=lambda slug: path),
            backend=lambda around: backend(around, self.app),
            patience=QUICK,
        )


@pytest.fixture
def live(app: Starlette, tmp_path: Path) -> Live:
    return Live(app, tmp_path)


def seen(run: Run, kind: type[Action]) -> list[tuple[int, bool | None, str]]:
    """Of each step of this kind: its moment, whether the buyer got in, by whose word."""
    return [
        (
            step.moment,
            step.evidence.allowed if step.evidence else None,
            step.evidence.proven_by if step.evidence else "",
        )
        for step in run.steps
        if isinstance(step.action, kind)
    ]


# --- scenarios --------------------------------------------------------------------------------------------------------


NEVER_EXPIRES = ("calendar", "webinar", "physical")


@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name in LIVES for option in OPTIONS if name != "expiry" or option not in NEVER_EXPIRES],
)
async def test_at_each_moment_of_every_life_the_buyer_holds_what_they_should(name: str, option: str, live: Live):
    price, post_sale, _ = SCENARIOS[name]

    run = await live(option, LIVES[name], price=price, post_sale=post_sale)

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.reason == f"At each of {len(run.moments)} moments the buyer held what they should."
    assert run.life == name
    assert {step.status for step in run.steps} <= {Status.PASSED, Status.SKIPPED}


@pytest.mark.parametrize("option", NEVER_EXPIRES)
async def test_where_nothing_expires_there_is_no_such_life(option: str, live: Live):
    price, post_sale, _ = SCENARIOS["expiry"]

    with pytest.raises(NotThisLife):
        await live(option, LIVES["expiry"], price=price, post_sale=post_sale)


async def test_an_expired_link_is_refused_because_time_has_passed_in_the_sandbox(live: Live):
    price, post_sale, _ = SCENARIOS["expiry"]

    run = await live("file", LIVES["expiry"], price=price, post_sale=post_sale)

    assert (run.moments[1].at - run.moments[0].at).days == 30
    assert "is refused" in next(step.detail for step in run.steps if step.moment == 2)


# --- the proof --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", OPTIONS)
async def test_each_option_is_proven_as_the_buyer(option: str, live: Live):
    run = await live(option, PROOF)

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.life == "prove"
    (cleaned,) = [step for step in run.steps if isinstance(step.action, CleanUp)]
    assert cleaned.detail == "Everything this run created was removed."
    if option == "physical":
        assert run.reason.startswith("There is no access to prove: the mails and the page arrived")
    else:
        assert run.reason.startswith("The buyer was let in, nothing happened twice")


async def test_a_proof_uses_what_it_was_given_twice_and_is_turned_away_twice(live: Live):
    run = await live("hosted", PROOF)

    assert seen(run, GrantAccess) == [(1, True, "buyer"), (2, True, "buyer")]
    assert seen(run, RevokeAccess) == [(3, False, "buyer"), (4, False, "buyer")]


async def test_a_proof_of_a_file_is_refused_with_a_reason_each_time_it_must_be(live: Live):
    run = await live("file", PROOF)
    tried = [step.detail for step in run.steps if step.action.action == "try_link"]

    assert seen(run, IssueDownloadLink) == [(1, True, "buyer"), (2, True, "buyer"), (6, True, "buyer")]
    assert len(tried) == 3
    assert all("was refused: " in detail for detail in tried)


async def test_a_grant_that_makes_a_second_login_fails_the_proof(live: Live):
    class SecondLogin(Flawed):
        async def performs(self, action: Action, context: Context) -> Receipt | None:
            if isinstance(action, GrantAccess) and context.earlier is not None:
                receipt = await SandboxBackend.perform(self, action, context)
                return receipt.model_copy(
                    update={"values": {**receipt.values, "login_password": "abcd-efgh-2345-6723"}}
                )
            return None

    run = await live("hosted", PROOF, SecondLogin)

    assert run.verdict is Verdict.FAILED
    assert "with the same key, was carried out a second time: it gave another login_password." in run.reason


async def test_a_second_mail_fails_the_proof(live: Live):
    class SecondMail(Flawed):
        async def performs(self, action: Action, context: Context) -> Receipt | None:
            if isinstance(action, SendEmail) and context.earlier is not None:
                return await SandboxBackend.perform(self, action, replace(context, key=f"{context.key}-again"))
            return None

    run = await live("calendar", PROOF, SecondMail)

    assert run.verdict is Verdict.FAILED
    assert "with the same key, was carried out a second time: it got another receipt." in run.reason


async def test_a_proof_on_the_platforms_word_alone_needs_a_person_and_cleans_up_all_the_same(live: Live):
    class OnItsWord(Flawed):
        def sees(self, evidence: Evidence) -> Evidence:
            return evidence.model_copy(update={"proven_by": "platform", "detail": "It says so. Write a proof page."})

    run = await live("hosted", PROOF, OnItsWord)

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert run.reason == "Step 1 (Let the buyer in: Yoga Club): It says so. Write a proof page."
    assert [step.status for step in run.steps if isinstance(step.action, RevokeAccess)] == [Status.SKIPPED] * 2
    assert run.steps[-1].action.action == "clean_up"
    assert run.steps[-1].status is Status.PASSED


async def test_a_proof_in_which_nothing_is_taken_away_does_not_claim_that_somebody_was_turned_away(live: Live):
    granting = {"when": "buys", "then": "grant_membership", "target": "yoga-club/silver"}

    run = await live("physical", PROOF, automations={"rules": [granting]})

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.reason.startswith("The buyer was let in, and nothing happened twice. Nothing was taken away, so nobody")


async def test_a_life_says_at_how_many_moments_nobody_looked_as_the_buyer(live: Live):
    class Once(Flawed):
        """Nobody looks as the buyer but the first time."""

        looked = 0

        def sees(self, evidence: Evidence) -> Evidence:
            Once.looked += 1
            return evidence.model_copy(update={"proven_by": "platform" if Once.looked > 5 else evidence.proven_by})

    class Never(Flawed):
        def sees(self, evidence: Evidence) -> Evidence:
            return evidence.model_copy(update={"proven_by": "nobody"})

    price, post_sale, _ = SCENARIOS["renewals_then_cancel"]
    once, never, goods = [
        (await live(option, LIVES["renewals_then_cancel"], backend, price=price, post_sale=post_sale)).reason
        for option, backend in (("hosted", Once), ("hosted", Never), ("physical", Never))
    ]

    assert "held what they should. At 1 of them that is the platform's own word: nobody looked as the buyer." in once
    assert "held what they should. That is the platform's own word: nobody looked as the buyer." in never
    assert "nobody looked as the buyer." in goods


async def test_a_door_that_stays_open_fails_the_proof_with_that_reason(app: Starlette, tmp_path: Path):
    run = await fire(
        sold("integrated"),
        PROOF,
        at=Workplace(tmp_path),
        backend=lambda around: SandboxBackend(replace(around, settings={"fault": "lies_about_revoking"}), app),
        fault="lies_about_revoking",
        patience=QUICK,
    )

    assert run.verdict is Verdict.FAILED
    assert "can still read" in run.reason
    assert "after access was taken away" in run.reason


@pytest.mark.parametrize("limit", [1, 2, 3, None])
async def test_a_link_is_proven_whatever_its_limit(limit: int | None, live: Live):
    file = {"file": "workbook", "download_limit": limit}
    access = {"kind": "downloadable_file", "downloadable_file": file}

    run = await live("file", PROOF, access=access)

    assert run.verdict is Verdict.PASSED, run.reason
    tried = {step.action.how: step.detail for step in run.steps if isinstance(step.action, TryLink)}
    assert "This link has expired" in tried["expired"]


async def test_a_link_that_was_made_late_is_still_tried_after_its_end(live: Live):
    class Slow(Flawed):
        async def performs(self, action: Action, context: Context) -> Receipt | None:
            assert not context.was_stopped
            late = replace(context, now=lambda: context.now() + timedelta(seconds=50))
            return await SandboxBackend.perform(self, action, late)

    run = await live("file", PROOF, Slow)

    assert run.verdict is Verdict.PASSED, run.reason


async def test_a_backend_that_has_no_action_for_it_is_cleaned_up_all_the_same(live: Live):
    class Plain(SandboxBackend):
        manifest = replace(SandboxBackend.manifest, can=SandboxBackend.manifest.can - {"clean_up"})

    run = await live("calendar", PROOF, Plain)

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.steps[-1].detail == "Everything this run created was removed."
