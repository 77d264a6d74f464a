"""An endpoint that does not do its part: a test-fire through the backend `webhook` finds out, and says what to do."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models.automations import Then, When
from models.events import Event, Status, Verdict
from models.fulfillment import Evidence, IssueDownloadLink, Run, RunStep
from tests.support import endpoint
from tests.support.endpoint import OTHER, QUICK, SECRET, Wrong, fired, place
from tests.support.listening import served
from tests.support.shop import CONTENT, FILES, sold
from wizard.cli.program import run as command
from wizard.delivery.buyer.links import LinkInHand, tampered
from wizard.delivery.errors import Retriable
from wizard.delivery.outgoing import LARGEST_REPLY, outgoing
from wizard.runs.fire import fire, resume
from wizard.sale.lives import LIVES, PROOF
from wizard.settings import config_file

shop = endpoint.shop


def evidence_of(run: Run, action: str) -> list[tuple[bool, str]]:
    return [(step.evidence.allowed, step.evidence.proven_by)
            for step in run.steps if step.action.action == action and step.evidence]  # fmt: skip


# --- access -----------------------------------------------------------------------------------------------------------


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


async def test_each_membership_has_its_own_proof_pages(shop: Wrong, tmp_path: Path):
    rules = [
        {"when": When.BUYS, "then": Then.GRANT_MEMBERSHIP, "target": "open-house"},
        {"when": When.REFUNDS, "then": Then.REVOKE_MEMBERSHIP, "target": "open-house"},
    ]
    both, one = sold("hosted", automations={"rules": rules}), sold("hosted", automations={"rules": rules[:1]})
    assert (await fired(shop, tmp_path, one, Event.REFUND)).verdict is Verdict.PASSED
    assert (await fired(shop, tmp_path, both, PROOF)).verdict is Verdict.PASSED

    shop.instead["revoke_access"] = lambda data: JSONResponse({}) if data["target"] == "yoga-club" else None
    run = await fired(shop, tmp_path, both, Event.REFUND)

    assert run.verdict is Verdict.FAILED
    assert f"can still read {shop.url}/of/yoga-club/silver" in run.reason


async def test_the_pages_of_a_reply_go_before_the_one_that_is_set(shop: Wrong, tmp_path: Path):
    def only_silver(data: dict[str, Any]) -> Response:
        pages = [f"{shop.url}/of/yoga-club/{level}" for level in ("silver", "gold")]
        return JSONResponse({**shop.grant_access(**{**data, "levels": ["silver"]}), "proof_url": pages})

    shop.instead["grant_access"] = only_silver
    silver = f"{shop.url}/of/yoga-club/silver"

    assert "turned away all the same" in (await fired(shop, tmp_path, "hosted", proof_url=silver)).reason
    assert (await fired(shop, tmp_path, "calendar", proof_url=silver)).verdict is Verdict.PASSED


async def test_the_page_that_is_set_is_read_where_replies_name_none(shop: Wrong, tmp_path: Path):
    def unnamed(data: dict[str, Any]) -> Response:
        return JSONResponse({**shop.grant_access(**data), "proof_url": []})

    shop.instead["grant_access"] = unnamed
    run = await fired(shop, tmp_path, "hosted", Event.REFUND, proof_url=f"{shop.url}/of/yoga-club/gold")

    assert run.verdict is Verdict.PASSED, run.reason
    assert evidence_of(run, "grant_access") == [(True, "buyer")]
    assert evidence_of(run, "revoke_access") == [(False, "buyer")]
    [granted] = [step for step in run.steps if step.action.action == "grant_access"]
    assert f"read {shop.url}/of/yoga-club/gold; a stranger was turned away" in granted.detail


# --- the way in -------------------------------------------------------------------------------------------------------


def one_time(shop: Wrong, status: int = 404) -> Callable[[Request], Response | None]:
    """Links that sign somebody in once."""
    used: set[str] = set()

    def sign_in(request: Request) -> Response | None:
        token = request.path_params["token"]
        if token in used:
            return HTMLResponse("<p>This link was used.</p>", status)
        used.add(token)
        return None

    return sign_in


@pytest.mark.parametrize("life", [PROOF, LIVES["delivered_twice"]], ids=["proof", "delivered twice"])
@pytest.mark.parametrize("status", [404, 200])
async def test_a_link_that_signs_in_once_is_opened_once(life: Any, status: int, shop: Wrong, tmp_path: Path):
    shop.shows["sign_in"] = one_time(shop, status)

    run = await fired(shop, tmp_path, "integrated", life)

    assert run.verdict is Verdict.PASSED, run.reason


async def test_a_page_that_fails_once_costs_no_second_sign_in(shop: Wrong, tmp_path: Path):
    answers = iter([HTMLResponse("busy", 503)])
    shop.shows["sign_in"] = one_time(shop)
    shop.shows["page"] = lambda request: next(answers, None) if request.cookies else None

    run = await fired(shop, tmp_path, "integrated")

    assert run.verdict is Verdict.PASSED, run.reason


@pytest.mark.parametrize("status", [404, 200])
async def test_whoever_could_not_get_in_since_a_stop_has_seen_nothing(status: int, shop: Wrong, tmp_path: Path):
    shop.shows["sign_in"] = one_time(shop, status)
    shop.instead["revoke_access"] = lambda _: JSONResponse({})
    at, product = place(shop, tmp_path), sold("integrated")

    def stop(step: RunStep) -> None:
        if step.action.action == "revoke_access" and step.status is Status.RUNNING:
            running.cancel()

    running = asyncio.ensure_future(
        fire(product, PROOF, at=at, backend="webhook", patience=QUICK, on_step=stop, run_id="stopped")
    )
    with pytest.raises(asyncio.CancelledError):
        await running
    run = await resume("stopped", product.account, at=at, patience=QUICK)

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "nobody has seen the way in work since the run was stopped" in run.reason
    assert (False, "platform") in evidence_of(run, "revoke_access")


async def test_a_link_in_the_reply_to_a_revoke_is_no_way_in(shop: Wrong, tmp_path: Path):
    dead = {"sign_in_url": f"{shop.url}/in/nonsense"}
    shop.instead["revoke_access"] = lambda _: JSONResponse(dead)

    run = await fired(shop, tmp_path, "integrated", Event.REFUND)

    assert run.verdict is Verdict.FAILED
    assert f"can still read {shop.url}/of/my-site/gold" in run.reason


async def test_a_login_that_does_not_work_fails_also_where_a_link_does(shop: Wrong, tmp_path: Path):
    def wrong(data: dict[str, Any]) -> Response:
        return JSONResponse({**shop.grant_access(**data), "login_password": "not the password"})

    shop.instead["grant_access"] = wrong
    run = await fired(shop, tmp_path, "hosted", PROOF)

    assert run.verdict is Verdict.FAILED
    assert "used the login that “Your endpoint” gave and was turned away all the same" in run.reason


async def test_a_login_page_that_is_not_there_fails(shop: Wrong, tmp_path: Path):
    shop.shows["log_in"] = lambda _: HTMLResponse("<p>Closed for the season.</p>", 404)

    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.FAILED
    assert "Ada Example could not open the login page: Closed for the season." in run.reason


async def test_a_login_page_without_a_form_leaves_the_link_and_says_so(shop: Wrong, tmp_path: Path):
    shop.shows["log_in"] = lambda _: HTMLResponse("<div id=app></div>")

    run = await fired(shop, tmp_path, "hosted", PROOF)

    assert run.verdict is Verdict.PASSED, run.reason
    assert "The login was not tried" in run.steps[0].detail


async def test_the_login_alone_is_a_way_in(shop: Wrong, tmp_path: Path):
    def without_link(data: dict[str, Any]) -> Response:
        return JSONResponse({**shop.grant_access(**data), "sign_in_url": None})

    shop.instead["grant_access"] = without_link
    run = await fired(shop, tmp_path, "hosted", Event.REFUND)

    assert run.verdict is Verdict.PASSED, run.reason
    assert evidence_of(run, "revoke_access") == [(False, "buyer")]


async def test_a_sign_in_may_lead_over_another_site_that_is_named(shop: Wrong, tmp_path: Path):
    elsewhere = shop.url.replace("127.0.0.1", "localhost")

    def by_way_of(data: dict[str, Any]) -> Response:
        reply = shop.grant_access(**data)
        shop.away = reply["sign_in_url"].replace(shop.url, elsewhere)
        return JSONResponse({**reply, "sign_in_url": f"{shop.url}/away", "proof_url": f"{elsewhere}/of/my-site/gold"})

    shop.instead["grant_access"] = by_way_of

    assert "Nothing was sent to localhost" in (await fired(shop, tmp_path, "integrated")).reason
    run = await fired(shop, tmp_path, "integrated", more_addresses=elsewhere)
    assert run.verdict is Verdict.PASSED, run.reason


# --- links and pages --------------------------------------------------------------------------------------------------


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


GATE = {"www-authenticate": 'Basic realm="Staging"'}

NO_REFUSALS: dict[int, tuple[Verdict, str]] = {
    **dict.fromkeys((408, 425, 429, 503), (Verdict.FAILED, "answered the download with")),
    401: (Verdict.ACTION_REQUIRED, "is behind a password of its own (Basic authentication, “Staging”)"),
}
"""What says nothing of a link: whether it is refused is not known then."""


@pytest.mark.parametrize("status", NO_REFUSALS)
async def test_a_server_that_is_down_busy_or_behind_a_gate_has_refused_nothing(
    status: int, shop: Wrong, tmp_path: Path
):
    def revoke(data: dict[str, Any]) -> Response:
        shop.shows["download"] = lambda _: HTMLResponse("<p>Not now</p>", status, GATE if status == 401 else None)
        return JSONResponse({})

    shop.instead["revoke_download_link"] = revoke
    run = await fired(shop, tmp_path, "file", Event.REFUND)

    verdict, says = NO_REFUSALS[status]
    assert run.verdict is verdict
    assert says in run.reason


@pytest.mark.parametrize("status", NO_REFUSALS)
async def test_a_try_that_must_be_refused_is_not_refused_by_who_is_busy_or_behind_a_gate(
    status: int, shop: Wrong, tmp_path: Path
):
    def busy(request: Request) -> Response | None:
        changed = request.path_params["token"] not in shop.links
        return Response("Not now", status, GATE if status == 401 else None) if changed else None

    shop.shows["download"] = busy
    run = await fired(shop, tmp_path, "file", PROOF)

    verdict, says = NO_REFUSALS[status]
    assert run.verdict is verdict
    assert says in run.reason


async def test_a_link_that_is_used_up_may_be_refused_as_too_many_requests(shop: Wrong, tmp_path: Path):
    def used_up(request: Request) -> Response | None:
        link = shop.links.get(request.path_params["token"])
        return Response("That is all.", 429) if link is not None and link.left == 0 else None

    shop.shows["download"] = used_up
    run = await fired(shop, tmp_path, "file", PROOF)

    assert "was refused: That is all." in "".join(step.detail for step in run.steps)
    assert run.verdict is Verdict.PASSED, run.reason


HEADS: dict[int, tuple[bool, str]] = {
    403: (False, "does not work any more"),
    405: (True, "Whether it works was not tried"),
    501: (True, "Whether it works was not tried"),
}


@pytest.mark.parametrize("status", HEADS)
async def test_a_kept_link_is_asked_for_its_head(status: int, shop: Wrong):
    evidence = await kept(shop, lambda request: Response(status_code=status) if request.method == "HEAD" else None)

    assert (evidence.allowed, HEADS[status][1] in evidence.detail) == (HEADS[status][0], True)


async def test_a_storage_that_forbids_to_be_asked_for_a_head_has_refused_nothing(shop: Wrong):
    elsewhere = shop.url.replace("127.0.0.1", "localhost")

    def stored(request: Request) -> Response | None:
        if request.url.hostname == "localhost":
            return Response(status_code=403) if request.method == "HEAD" else None
        return RedirectResponse(f"{elsewhere}{request.url.path}")

    evidence = await kept(shop, stored)

    assert (evidence.allowed, evidence.proven_by) == (True, "nobody")
    assert "Whether it works was not tried" in evidence.detail


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_is_busy_does_not_say_that_a_kept_link_has_ended(status: int, shop: Wrong):
    with pytest.raises(Retriable):
        await kept(shop, lambda request: Response(status_code=status))


async def kept(shop: Wrong, shows: Callable[[Request], Response | None]) -> Evidence:
    """What is seen of a link that counts its downloads, and that is kept."""
    shop.shows["download"] = shows
    issued = IssueDownloadLink(
        target="workbook", filename="workbook.pdf", media_type="application/pdf", size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(), download_limit=3,
        link_lifetime=60,
    )  # fmt: skip
    async with outgoing({"127.0.0.1", "localhost"}, allow_private=True) as way_out:
        hand = LinkInHand(f"{shop.url}/files/{'token' * 4}", way_out.browser(), "Ada")
        return await hand.is_kept(issued, "the price says so")


async def test_an_expired_link_must_be_one_that_has_expired(shop: Wrong, tmp_path: Path):
    shop.instead["try_link"] = lambda _: JSONResponse({})
    proof = await fired(shop, tmp_path, "file", PROOF)
    assert proof.verdict is Verdict.ACTION_REQUIRED
    assert "let the reply to “try_link” with “how”: “expired” hold a download_link that has run out" in proof.reason

    def good(data: dict[str, Any]) -> Response:
        token = next(token for token, link in shop.links.items() if link.run == data["run"])
        shop.links[token].left = 5
        return JSONResponse({"download_link": f"{shop.url}/files/{token}"})

    shop.instead["try_link"] = good
    assert (await fired(shop, tmp_path, "file", PROOF)).verdict is Verdict.FAILED


def test_a_link_is_changed_where_its_token_is():
    links = {
        "https://shop.example.com/files/course-workbook.pdf?token=abcdef": "token=abcAef",
        "https://b.example.com/workbook.pdf?X-Signature=0123456789abcdef&X-Date=20261124": "01234567A9abcdef",
        "https://shop.example.com/dl?sig=0123456789abcdef&utm_campaign=spring-sale": "sig=01234567A9abcdef",
        "https://shop.example.com/d/tokentoken12/": "/d/tokentAken12/",
        "https://shop.example.com/": "https://shop.example.com/A",
    }
    for link, changed in links.items():
        assert changed in tampered(link, "workbook.pdf")


@pytest.mark.parametrize("letter", "aA")
def test_a_changed_letter_is_another_one_where_cases_are_one(letter: str):
    link = f"https://shop.example.com/d/bcdef{letter}ghijk"

    assert tampered(link).casefold() != link.casefold()


def test_a_file_name_that_is_escaped_is_no_token():
    link = "https://shop.example.com/d/bcdefg/My%20large%20work%20book%20of%20yoga.pdf"

    assert "/bcdAfg/" in tampered(link, "My large work book of yoga.pdf")


async def test_an_endpoint_that_does_not_look_at_the_token_is_found_out(shop: Wrong, tmp_path: Path):
    def named(data: dict[str, Any]) -> Response:
        return JSONResponse({"download_link": f"{shop.url}/files/workbook.pdf?token=abcdef"})

    shop.instead["issue_download_link"] = named
    shop.shows["download"] = lambda request: (
        Response(CONTENT) if request.path_params["token"] == "workbook.pdf" else None
    )
    run = await fired(shop, tmp_path, "file", PROOF)

    assert run.verdict is Verdict.FAILED
    assert "got the file with a changed link" in run.reason


async def test_a_link_that_is_kept_may_answer_a_page_to_nobody(shop: Wrong, tmp_path: Path):
    def stop(data: dict[str, Any]) -> Response:
        shop.shows["download"] = lambda _: HTMLResponse("<p>Your link was stopped.</p>")
        return JSONResponse({})

    shop.instead["keep_access"] = stop
    run = await fired(shop, tmp_path, "file", Event.RENEWAL)

    assert run.verdict is Verdict.FAILED
    assert "does not work any more" in run.reason


async def test_a_server_without_head_is_no_fault(shop: Wrong, tmp_path: Path):
    shop.shows["download"] = lambda request: Response(status_code=405) if request.method == "HEAD" else None

    run = await fired(shop, tmp_path, "file", Event.RENEWAL)

    assert run.verdict is Verdict.PASSED, run.reason
    assert evidence_of(run, "keep_access") == [(True, "nobody")]


async def test_a_thank_you_page_that_works_and_one_that_leads_elsewhere(shop: Wrong, tmp_path: Path):
    def at(path: str) -> Any:
        return sold("physical", post_sale={"thank_you": {"mode": "url", "url": f"{shop.url}{path}"}})

    shop.away = "https://elsewhere.example.com/thanks?for=ada"
    works = await fired(shop, tmp_path, at("/login"))
    leads = await fired(shop, tmp_path, at("/away"))

    assert evidence_of(works, "show_page") == [(True, "buyer")]
    assert evidence_of(leads, "show_page") == [(True, "platform")]
    assert "sends on to elsewhere.example.com: that page was not opened." in leads.steps[2].detail


# --- replies and secrets ----------------------------------------------------------------------------------------------


ANSWERS = {
    "no link": ({}, "Your endpoint answered without a download_link: let it answer with one."),
    "no address": ({"download_link": "javascript:alert(1)"}, "answered with a download_link that cannot be used: "),
    "no text": ({"download_link": 7}, "answered with a download_link that cannot be used: "),
    "a list": (
        [1],
        "answered 200 with a list in place of a JSON object: nothing shows that it was done.",
    ),
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


NO_ADDRESS = (
    "https://[::1", "https://[]/", "https://[v1.x]/", "https://xn--/", "https://\u2177.example/", "https://a:b:c/",
    "http://127.0.0.1:99999/", "https://exa mple.com/", "//example.com/", "", 7, {"href": "https://example.com"},
    ["https://[::1"], "https://\ud83d.example/", "https://" + "a" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("field", ["sign_in_url", "proof_url", "login_page"])
@pytest.mark.parametrize("address", NO_ADDRESS, ids=range(len(NO_ADDRESS)))
async def test_nonsense_in_a_reply_is_the_replys_fault_and_says_where(
    address: Any, field: str, shop: Wrong, tmp_path: Path
):
    def nonsense(data: dict[str, Any]) -> Response:
        return Response(json.dumps({**shop.grant_access(**data), field: address}), media_type="application/json")

    shop.instead["grant_access"] = nonsense
    run = await fired(shop, tmp_path, "integrated")

    if address == "":  # the same as none at all
        assert run.verdict is Verdict.PASSED, run.reason
        return
    assert run.verdict is Verdict.FAILED
    assert f"“Your endpoint” answered with a {field} that cannot be used: " in run.reason
    assert run.steps[0].attempts == 1


async def test_a_reply_with_more_proof_pages_than_anybody_reads_is_refused(shop: Wrong, tmp_path: Path):
    shop.instead["grant_access"] = lambda _: JSONResponse({"proof_url": [f"{shop.url}/of/{n}" for n in range(51)]})

    run = await fired(shop, tmp_path, "integrated")

    assert "answered with 51 proof pages: name 50 at the most." in run.reason


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


async def test_an_address_may_be_written_in_capitals(shop: Wrong, tmp_path: Path):
    run = await fired(shop, tmp_path, "hosted", url=f"{shop.url.replace('http', 'HTTP')}/wizard")

    assert run.verdict is Verdict.PASSED, run.reason


async def test_a_secret_is_known_however_a_reply_escapes_it(shop: Wrong, tmp_path: Path):
    password, token = "aB3/xY9+qq/ZZ12", "short/1"

    def escaped(data: dict[str, Any]) -> Response:
        reply = {**shop.grant_access(**data), "login_password": password, "sign_in_url": f"{shop.url}/in/{token}"}
        return Response(json.dumps(reply).replace("/", "\\/").replace("+", "\\u002b"), media_type="application/json")

    shop.instead["grant_access"] = escaped
    run = await fired(shop, tmp_path, "hosted")

    recorded = run.model_dump_json()
    assert "aB3" not in recorded
    assert "short" not in recorded
    assert run.buyer.email in run.steps[0].receipt.exchanges[0].sent  # type: ignore[union-attr]


def test_each_of_two_secrets_is_masked_in_a_check(
    shop: Wrong, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WIZARD_ALLOW_PRIVATE_HOSTS", "true")
    shop.instead["ping"] = lambda _: JSONResponse({"message": f"the key was {OTHER}"}, 400)
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f'[backends.webhook]\nurl = "{shop.url}/wizard"\nsecret = "{OTHER} {SECRET}"\n')

    assert command(["backends"]) == 1
    assert "answered 400: the key was •••." in capsys.readouterr().out


async def test_a_wrong_secret_says_where_it_stands(shop: Wrong, tmp_path: Path):
    run = await fired(shop, tmp_path, "hosted", secret=OTHER)

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "Check the signing secret in [backends.webhook]." in run.reason


def test_what_cannot_be_a_signing_secret_is_refused_before_anything_is_sent(capsys: pytest.CaptureFixture[str]):
    config_file().parent.mkdir(parents=True)
    for wrong in ("hunter2", "whsec_c2hvcnQ=", ""):
        config_file().write_text(f'[backends.webhook]\nurl = "https://shop.example.com/x"\nsecret = "{wrong}"\n')
        assert command(["backends"]) == 1
        told = capsys.readouterr().out
        assert "a signing secret is whsec_ and then at least 24 bytes in base64" in told
        assert not wrong or wrong not in told


async def test_an_address_that_is_not_the_endpoints_is_named(shop: Wrong, tmp_path: Path):
    run = await fired(shop, tmp_path, "hosted", url=f"{shop.url}/wizrad?key=abc")

    assert run.reason.endswith(f"answered 404. Is {shop.url}/wizrad its right address?")


async def test_a_download_that_its_server_fails_at_is_not_tried_again_where_it_counts(shop: Wrong, tmp_path: Path):
    asked: list[str] = []

    def broken(request: Request) -> Response:
        asked.append(request.method)
        return Response(status_code=500)

    shop.shows["download"] = broken
    run = await fired(shop, tmp_path, "file")

    assert run.verdict is Verdict.FAILED
    assert "answered the download with 500. It was not tried again" in run.reason
    assert asked == ["GET"]


async def test_a_proof_without_access_says_whose_word_it_is(shop: Wrong, tmp_path: Path):
    run = await fired(shop, tmp_path, "physical", PROOF)

    assert "the platform's own word: nobody looked as the buyer" in run.reason
