"""The backend `webhook` against the endpoint of the examples, over real HTTP: it keeps the contract, and every
life of a sale ends as it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.automations import Then, When
from models.events import Event, Verdict
from models.fulfillment import CleanUp
from tests.support import endpoint
from tests.support.endpoint import OTHER, SECRET, Wrong, fired
from tests.support.listening import served
from tests.support.shop import CONTENT, FILES, NOW, sold, workbook
from tests.support.walked import walked
from wizard.delivery.backend import Backend
from wizard.delivery.backends import WEBHOOK
from wizard.delivery.backends.webhook import WebhookBackend
from wizard.sale.lives import LIVES, PROOF, NotThisLife
from wizard.sale.plan import plan
from wizard.sale.sold import Held
from wizard.settings import Settings, config_file
from wizard.store import open_store
from wizard.testing import ActionsContract, BackendContract, surroundings
from wizard.testing.products import account

shop = endpoint.shop


class WebhookContract(ActionsContract):
    manifest = WEBHOOK
    secrets = (SECRET,)

    @pytest.fixture
    def make(self, shop: Wrong, tmp_path: Path) -> Callable[[], Backend]:
        def made() -> Backend:
            around = surroundings(tmp_path, url=f"{shop.url}/wizard", secret=SECRET)
            return WebhookBackend(replace(around, account=account(CONTENT)))

        return made

    @pytest.fixture
    def make_broken(self, shop: Wrong, tmp_path: Path) -> Callable[[], Backend]:
        return lambda: WebhookBackend(surroundings(tmp_path, url=f"{shop.url}/wizard", secret=OTHER))


class TestHostedMembershipByWebhook(WebhookContract, BackendContract):
    file = CONTENT
    gives = plan(sold("hosted"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("hosted"), Event.CHARGEBACK, Held(), NOW)


class TestIntegratedMembershipByWebhook(WebhookContract):
    gives = plan(sold("integrated"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("integrated"), Event.CHARGEBACK, Held(), NOW)


class TestDownloadableFileByWebhook(WebhookContract):
    gives = plan(sold("file"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("file"), Event.CHARGEBACK, Held(), NOW)


class TestCalendarByWebhook(WebhookContract):
    gives = plan(sold("calendar"), Event.PURCHASE, Held(), NOW)
    takes = plan(sold("calendar"), Event.CHARGEBACK, Held(), NOW)


# --- runs -------------------------------------------------------------------------------------------------------------


OPTIONS = ("hosted", "integrated", "file", "calendar", "webinar", "physical")


@pytest.mark.parametrize("option", OPTIONS)
async def test_every_life_ends_as_it_must_and_leaves_nothing_at_the_endpoint(option: str, shop: Wrong, tmp_path: Path):
    lived = 0
    for life in (PROOF, *LIVES.values()):
        try:
            run = await fired(shop, tmp_path, option, life)
        except NotThisLife:
            continue
        assert run.verdict is Verdict.PASSED, f"{life.name}: {run.reason}"
        assert isinstance(run.steps[-1].action, CleanUp)
        assert (shop.held, shop.logins, shop.links) == ({}, {}, {})
        lived += 1
    assert lived > 3


async def test_every_action_is_a_request_that_says_what_and_for_whom(shop: Wrong, tmp_path: Path):
    run = await fired(shop, tmp_path, "hosted")

    assert [told["type"] for told in shop.told] == [step.action.action for step in run.steps]
    assert {told["mark"] for told in shop.told} == {"1"}
    first = shop.told[0]["data"]
    assert first["buyer"] == {"email": run.buyer.email, "name": run.buyer.name}
    assert (first["run"], first["product"], first["simulation"]) == (run.id, "yoga-masterclass", True)
    assert (first["target"], first["levels"]) == ("yoga-club", ["silver", "gold"])
    [welcome] = [told["data"] for told in shop.told if told["data"].get("target") == "membership_welcome"]
    assert shop.replies[shop.told[0]["id"]]["login_password"] in welcome["body"]


async def test_what_a_buyer_can_use_is_proven_by_the_buyer_and_the_rest_is_the_endpoints_own_word(
    shop: Wrong, tmp_path: Path
):
    run = await fired(shop, tmp_path, "file")

    proven = {step.action.action: step.evidence.proven_by for step in run.steps if step.evidence}
    assert proven["issue_download_link"] == "buyer"
    assert proven["send_email"] == "platform"
    [link] = [step for step in run.steps if step.action.action == "issue_download_link"]
    assert link.evidence is not None
    assert link.evidence.facts["sha256"] == FILES["workbook"].sha256


async def test_a_webhook_of_a_rule_is_called_itself_signed_with_the_same_secret(shop: Wrong, tmp_path: Path):
    called: list[tuple[str, dict[str, str]]] = []

    async def take(request: Request) -> Response:
        called.append(((await request.body()).decode(), dict(request.headers)))
        return Response(status_code=204)

    with served(Starlette(routes=[Route("/zap", take, methods=["POST"])])) as url:
        rule = {"when": When.BUYS, "then": Then.CALL_WEBHOOK, "target": f"{url}/zap"}
        run = await fired(shop, tmp_path, sold("physical", automations={"rules": [rule]}))

    assert run.verdict is Verdict.PASSED, run.reason
    [(body, headers)] = called
    told = Webhook(SECRET).verify(body, headers)
    assert (told["type"], told["data"]["event"]) == ("call_webhook", "purchase")
    assert "call_webhook" not in {told["type"] for told in shop.told}


async def test_a_webhook_of_a_rule_that_refuses_fails_the_run(shop: Wrong, tmp_path: Path):
    with served(Starlette()) as url:
        rule = {"when": When.BUYS, "then": Then.CALL_WEBHOOK, "target": f"{url}/zap"}
        run = await fired(shop, tmp_path, sold("physical", automations={"rules": [rule]}))

    assert run.verdict is Verdict.FAILED
    assert f"{url.removeprefix('http://')}” answered 404" in run.reason


async def test_a_thank_you_page_of_ones_own_is_opened(shop: Wrong, tmp_path: Path):
    page = {"thank_you": {"mode": "url", "url": f"{shop.url}/thanks"}}
    run = await fired(shop, tmp_path, sold("physical", post_sale=page))

    assert run.verdict is Verdict.FAILED
    assert f"is sent to {shop.url}/thanks, which answers 404" in run.reason


# --- a run that is killed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["hosted", "file"])
def test_killed_at_every_boundary_the_endpoint_does_nothing_twice(
    option: str, shop: Wrong, data_dir: Path, tmp_path: Path
):
    with open_store(Settings(data_dir=data_dir)) as store:
        what = sold(option)
        for membership in what.account.account.memberships:
            store.add(membership)
        store.add_file(workbook(tmp_path), "Workbook", "workbook")
        store.create("Sold", "test", what.answers, slug="sold")
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(
        f'backend = "webhook"\nallow_private_hosts = true\n[backends.webhook]\nurl = "{shop.url}/wizard"\n'
        f'secret = "{SECRET}"\n'
    )

    found = walked(data_dir, "sold", "")

    assert len(found) > 10
    assert len({mail["run"] + mail["target"] for mail in shop.mails}) == len(shop.mails)
    assert (shop.held, shop.logins, shop.links) == ({}, {}, {})
