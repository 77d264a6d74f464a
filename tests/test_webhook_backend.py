"""The backend `webhook` against the endpoint of the examples, over real HTTP: it keeps the contract, and says what is
wrong with an endpoint that does not do its part."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from examples.signed_endpoint import Shop
from models.automations import Then, When
from models.fulfillment import CleanUp, Event, Run, Verdict
from tests.listening import served
from tests.shop import CONTENT, FILES, NOW, sold, workbook
from tests.walked import walked
from wizard.fulfillment.backend import Backend
from wizard.fulfillment.backends import WEBHOOK
from wizard.fulfillment.backends.webhook import WebhookBackend
from wizard.fulfillment.fire import Workplace, fire
from wizard.fulfillment.lives import LIVES, PROOF, Life, NotThisLife
from wizard.fulfillment.outgoing import LARGEST_REPLY
from wizard.fulfillment.plan import Held, plan
from wizard.fulfillment.sold import Sold
from wizard.fulfillment.tries import Patience
from wizard.settings import Settings, config_file
from wizard.store import open_store
from wizard.testing import BackendContract, surroundings

SECRET = "whsec_" + base64.b64encode(b"a secret of the endpoint").decode()
OTHER = "whsec_" + base64.b64encode(b"another one, from before").decode()

QUICK = Patience(tries=2, one_try=20, first_wait=0, longest_wait=0.1, jitter=0)


class Wrong(Shop):
    """A shop that can be told to do something wrong."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.told: list[dict[str, Any]] = []
        self.instead: dict[str, Callable[[dict[str, Any]], Response | None]] = {}
        """What answers a type of request in place of the shop; None leaves it to the shop."""
        self.forgets_ids = False
        self.away = ""

    @property
    def app(self) -> Starlette:
        app = super().app
        app.routes.append(Route("/away", lambda _: RedirectResponse(self.away)))
        return app

    async def take(self, request: Request) -> Response:
        told = json.loads(await request.body())
        self.told.append({**told, "id": request.headers["webhook-id"], "mark": request.headers["wizard-simulation"]})
        if self.forgets_ids:
            self.replies.clear()
        instead = self.instead.get(told["type"], lambda _: None)(told["data"])
        return instead or await super().take(request)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Wrong]:
    folder = tmp_path / "files"
    folder.mkdir()
    workbook(folder)
    made = Wrong(SECRET, folder)
    with served(made.app) as url:
        made.url = url
        yield made


class WebhookContract(BackendContract):
    manifest = WEBHOOK
    secrets = (SECRET,)

    @pytest.fixture
    def make(self, shop: Wrong, tmp_path: Path) -> Callable[[], Backend]:
        return lambda: WebhookBackend(surroundings(tmp_path, url=f"{shop.url}/wizard", secret=SECRET))

    @pytest.fixture
    def make_broken(self, shop: Wrong, tmp_path: Path) -> Callable[[], Backend]:
        return lambda: WebhookBackend(surroundings(tmp_path, url=f"{shop.url}/wizard", secret=OTHER))


class TestHostedMembershipByWebhook(WebhookContract):
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


def place(shop: Shop, folder: Path, **more: str) -> Workplace:
    settings = {"url": f"{shop.url}/wizard", "secret": SECRET, **more}
    return Workplace(folder, backends={"webhook": settings}, allow_private=True)


async def fired(shop: Shop, folder: Path, option: str | Sold, what: Event | Life = Event.PURCHASE, **more: str) -> Run:
    product = sold(option) if isinstance(option, str) else option
    return await fire(product, what, at=place(shop, folder, **more), backend="webhook", patience=QUICK)


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


# --- an endpoint that does not do its part ----------------------------------------------------------------------------


async def test_an_endpoint_that_forgets_to_revoke_fails(shop: Wrong, tmp_path: Path):
    shop.instead["revoke_access"] = lambda _: JSONResponse({})

    run = await fired(shop, tmp_path, "hosted", Event.REFUND)

    assert run.verdict is Verdict.FAILED
    assert "can still read" in run.reason


async def test_each_level_is_read_and_each_must_be_closed(shop: Wrong, tmp_path: Path):
    def forget_gold(data: dict[str, Any]) -> Response:
        shop.revoke_access(data["buyer"], data["target"], ["silver"])
        return JSONResponse({})

    shop.instead["revoke_access"] = forget_gold
    run = await fired(shop, tmp_path, "hosted", Event.REFUND)

    granted = run.steps[0].evidence
    assert granted is not None
    assert granted.detail.count("and read") == 2
    assert run.verdict is Verdict.FAILED
    assert f"can still read {shop.url}/of/yoga-club/gold" in run.reason


async def test_an_endpoint_that_does_the_same_request_twice_is_found_out(shop: Wrong, tmp_path: Path):
    shop.forgets_ids = True

    run = await fired(shop, tmp_path, "file", PROOF)

    assert run.verdict is Verdict.FAILED
    assert "was carried out a second time: it gave another download_link" in run.reason


async def test_a_link_that_goes_on_after_it_was_stopped_fails_also_with_a_page_for_its_end(shop: Wrong, tmp_path: Path):
    shop.instead["revoke_download_link"] = lambda _: JSONResponse({})
    assert "The old link still gives the file" in (await fired(shop, tmp_path, "file", Event.REFUND)).reason

    def ends(data: dict[str, Any]) -> Response:
        for link in shop.links.values():
            link.path = shop.files / "sorry.html"
        (shop.files / "sorry.html").write_text("This link has ended.")
        return JSONResponse({})

    shop.instead["revoke_download_link"] = ends
    run = await fired(shop, tmp_path, "file", Event.REFUND)
    assert run.verdict is Verdict.PASSED, run.reason
    assert "20 bytes came that are not the file" in "".join(step.detail for step in run.steps)


ANSWERS = {
    "no link": ({}, "Your endpoint answered without a download_link: let it answer with one."),
    "no address": ({"download_link": "javascript:alert(1)"}, "answered with a download_link that cannot be used: "),
    "no text": ({"download_link": 7}, "answered with a download_link that cannot be used: "),
    "a list": ([1], "Your endpoint answered without a download_link"),
    "another host": (
        {"download_link": "http://files.example.com/x"},
        "Nothing was sent to files.example.com: it stands in none of your connections, and not in the settings",
    ),
    "other bytes": ({"download_link": "URL/of/x"}, "does not work: This is not yours"),
}


@pytest.mark.parametrize("case", ANSWERS)
async def test_an_answer_that_gives_the_buyer_nothing_is_told_with_the_way_out(case: str, shop: Wrong, tmp_path: Path):
    answer, says = ANSWERS[case]
    shop.instead["issue_download_link"] = lambda _: JSONResponse(
        json.loads(json.dumps(answer).replace("URL", shop.url))
    )

    run = await fired(shop, tmp_path, "file")

    assert run.verdict in (Verdict.FAILED, Verdict.ACTION_REQUIRED)
    assert says in run.reason


async def test_a_link_may_lead_on_to_another_site_that_is_named(shop: Wrong, tmp_path: Path):
    async def give(request: Request) -> Response:
        return Response(CONTENT)

    with served(Starlette(routes=[Route("/x", give)])) as url:
        # The same server, by another name.
        elsewhere = url.replace("127.0.0.1", "localhost")
        shop.instead["issue_download_link"] = lambda _: JSONResponse({"download_link": f"{shop.url}/away"})
        shop.away = f"{elsewhere}/x"
        refused = await fired(shop, tmp_path, "file")
        run = await fired(shop, tmp_path, "file", more_addresses=f"https://cdn.example.com {elsewhere}")

    assert "Nothing was sent to localhost" in refused.reason
    assert run.verdict is Verdict.PASSED, run.reason


async def test_a_file_may_be_larger_than_other_replies_and_no_larger_than_it_is(shop: Wrong, tmp_path: Path):
    content = bytes(LARGEST_REPLY + 5)
    (shop.files / "workbook.pdf").write_bytes(content)
    product = sold("file")
    files = {"workbook": FILES["workbook"].model_copy(
        update={"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    )}  # fmt: skip
    large = product.model_copy(update={"account": product.account.model_copy(update={"files": files})})

    assert (await fired(shop, tmp_path, large, Event.REFUND)).verdict is Verdict.PASSED
    (shop.files / "workbook.pdf").write_bytes(content + bytes(2000))
    assert "sent more than 4,001,005 bytes" in (await fired(shop, tmp_path, large)).reason


async def test_without_a_proof_page_a_test_fire_is_its_word_and_a_proof_asks_for_one(shop: Wrong, tmp_path: Path):
    shop.instead["grant_access"] = lambda _: JSONResponse({})

    run = await fired(shop, tmp_path, "integrated")
    proof = await fired(shop, tmp_path, "integrated", PROOF)

    assert run.verdict is Verdict.PASSED
    assert proof.verdict is Verdict.ACTION_REQUIRED
    assert "Write a proof page into [backends.webhook] (proof_url)" in proof.reason


async def test_an_endpoint_that_is_gone_is_off(shop: Wrong, tmp_path: Path):
    shop.instead["grant_access"] = lambda _: Response(status_code=410)

    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "“Your endpoint” is switched off: its address answered 410" in run.reason


async def test_an_endpoint_that_is_down_is_asked_again_with_the_same_id(shop: Wrong, tmp_path: Path):
    answers = iter([Response(status_code=503), None, *[None] * 9])
    shop.instead["grant_access"] = lambda _: next(answers)

    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.steps[0].attempts == 2
    assert shop.told[0]["id"] == shop.told[1]["id"] == f"{run.id}-1"


async def test_while_a_secret_is_changed_both_sign(shop: Wrong, tmp_path: Path):
    run = await fire(
        sold("hosted"), at=place(shop, tmp_path, secret=f"{OTHER} {SECRET}"), backend="webhook", patience=QUICK
    )

    assert run.verdict is Verdict.PASSED, run.reason


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
