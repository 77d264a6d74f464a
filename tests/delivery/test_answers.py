"""An endpoint's "no" is never a yes, whatever its status: in the backend, in the three connections, in their checks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.automations import Then, When
from models.events import Status, Verdict
from tests.support import endpoint
from tests.support.connected import KINDS, at_work, connection, context_of, grant
from tests.support.endpoint import SECRET, Wrong, fired
from tests.support.listening import served
from tests.support.shop import sold
from wizard.cli.program import run as command
from wizard.delivery.connections import check_connection
from wizard.delivery.errors import BackendError, Rejected
from wizard.delivery.platforms.answers import answer_of
from wizard.delivery.platforms.api import Reply
from wizard.delivery.secrecy import Secrets
from wizard.settings import config_file

shop = endpoint.shop

HTML, JSON = "text/html; charset=utf-8", "application/json"
NOT_DONE = "nothing shows that it was done."
WHOLE = f"{NOT_DONE} Let it answer with a JSON object, or with nothing at all."

NOES: dict[str, tuple[str, str, str]] = {
    "a login wall": (
        HTML, "<h1>Please log in</h1>",
        f"answered 200 with a web page, “Please log in”, in place of a reply: {NOT_DONE} Correct the address, or take "
        "away what stands in front of it, such as a login.",
    ),
    "a page that is called JSON": (JSON, "<!doctype html><title>x</title>", "with a web page in place of a reply"),
    "success false": (JSON, '{"success": false, "error": "unknown product"}', "its reply says no: unknown product."),
    "success false alone": (JSON, '{"success": false}', "its reply says no: success is false."),
    "success as a word": (JSON, '{"Success": "false"}', 'its reply says no: Success is "false".'),
    "ok false": (JSON, '{"ok": 0, "data": {}}', "its reply says no: ok is 0."),
    "an error": (JSON, '{"error": {"code": 7, "message": "no such buyer."}}', "its reply says no: no such buyer."),
    "an error that is only true": (JSON, '{"error": true}', "its reply says no: error."),
    "errors by field": (JSON, '{"errors": [{"detail": "email is taken"}, "and"]}', "no: email is taken. and."),
    "an error far down": (JSON, '{"error": ' + "[" * 900 + "]" * 900 + "}", "its reply says no: error."),
    "status error": (JSON, '{"status": "Error", "message": "Not understood", "type": "203"}', "no: Not understood."),
    "status as a number": (JSON, '{"status": 404}', "its reply says no: status is 404."),
    "status false": (JSON, '{"status": false}', "its reply says no: status is false."),
    "status 0": (JSON, '{"status": 0, "message": "Who is that?"}', "its reply says no: Who is that?."),
    "success as a word for a failure": (JSON, '{"success": "failed"}', 'its reply says no: success is "failed".'),
    "a result": (JSON, '{"result": "error", "message": "Sold out"}', "its reply says no: Sold out."),
    "a code": (JSON, '{"code": 403}', "its reply says no: code is 403."),
    "an error's message": (JSON, '{"error_message": "Out of seats"}', "its reply says no: Out of seats."),
    "an error of WordPress": (
        JSON, '{"code": "rest_forbidden", "message": "Sorry, not you.", "data": {"status": 403}}',
        "its reply says no: Sorry, not you.",
    ),
    "a no inside": (JSON, '{"data": {"success": false}}', "its reply says no: success is false."),
    "a reason inside": (JSON, '{"data": {"ok": false, "message": "Full"}}', "its reply says no: Full."),
    "a warning before JSON": (
        HTML, '<b>Warning</b>: in line 3 {"login_password": "hunter2hunter2", "sign_in_url": "https://x.example/t"}',
        f"with “Warning : in line 3” around its JSON: {NOT_DONE} Let it answer with JSON alone",
    ),
    "JSON that breaks off": (JSON, '{"login_password": "hunter2hunter2", "sig', "with JSON that is broken or"),
    "a word": ("text/plain", "hello", f"with “hello”, which is no JSON object: {WHOLE}"),
    "a number": (JSON, "0", f"with “0”, which is no JSON object: {WHOLE}"),
    "null": (JSON, "null", f"with “null”, which is no JSON object: {WHOLE}"),
    "a list": (JSON, "[]", f"with a list in place of a JSON object: {WHOLE}"),
    "too deep": (JSON, "[" * 100_000, "which is no JSON object"),
}  # fmt: skip

YESES = {
    "empty": "",
    "blank": " \r\n",
    "a byte order mark alone": "\ufeff",
    "an empty object": "{}",
    "after a byte order mark": '\ufeff{"id": 7}',
    "after two": '\ufeff\ufeff\n{"id": 7}',
    "no error": '{"error": null, "errors": [], "success": true, "ok": "yes", "status": "success"}',
    "no error in detail": '{"error": {"code": 0, "message": ""}, "errors": {"email": []}, "success": 1}',
    "no failure in other words": '{"result": null, "state": "new", "code": 0, "data": {"id": 7, "status": "active"}}',
    "no error in PHP's words": '{"error": "0", "errors": false, "success": 1, "status": 200}',
}


def replied(text: str, kind: str = JSON) -> Reply:
    return Reply(200, httpx.Headers({"content-type": kind}), text)


@pytest.mark.parametrize("case", NOES)
def test_a_no_is_refused_and_quoted(case: str):
    kind, text, says = NOES[case]

    with pytest.raises(Rejected) as refused:
        answer_of(replied(text, kind), "My site", Secrets())

    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("case", YESES)
def test_a_yes_is_read(case: str):
    found = answer_of(replied(YESES[case]), "My site", Secrets())

    assert found == json.loads(YESES[case].strip("\ufeff \r\n") or "{}")


@pytest.mark.parametrize(
    "text",
    [
        "false", "0", "null", '"no"', '["error"]', "error: no such user", "ERROR", "Failed.", "Not authorized",
        '{"a": 1', "[1, 2", "Fatal error: Uncaught", "Unable to connect", '"invalid token"',
    ],
)  # fmt: skip
def test_a_no_in_plain_words_is_a_no(text: str):
    with pytest.raises(Rejected):
        answer_of(replied(text, "text/plain"), "zapier.example", Secrets(), is_elsewhere=True)


@pytest.mark.parametrize(
    "text", ["ok", "OK", "Accepted", "1", "true", "[]", '["ok"]', '"done"', "No errors.", "0 errors"]
)
def test_a_yes_in_plain_words_is_a_yes_of_whoever_was_never_asked_for_json(text: str):
    assert answer_of(replied(text, "text/plain"), "zapier.example", Secrets(), is_elsewhere=True) == {}


def test_what_is_quoted_is_short_harmless_and_without_a_secret():
    known = Secrets()
    known.learn("a-secret-of-the-buyer")
    text = "x " * 97 + "a-secret-of-the-buyer \x1b[2J\u202e"

    for reply in (replied(text, "text/plain"), replied(json.dumps({"error": text}))):
        with pytest.raises(Rejected) as refused:
            answer_of(reply, "My site", known)
        said = str(refused.value)
        assert "a-sec" not in said
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert len(said) < 400


# --- each way out -----------------------------------------------------------------------------------------------------


class Fixed:
    """An endpoint that gives everybody the same answer."""

    def __init__(self) -> None:
        self.kind, self.text, self.url = JSON, "", ""
        self.app = Starlette(routes=[Route("/hook", self.answer, methods=["POST"])])

    async def answer(self, request: Request) -> Response:
        return Response(self.text, media_type=self.kind)


@pytest.fixture
def fixed() -> Iterator[Fixed]:
    made = Fixed()
    with served(made.app) as url:
        made.url = f"{url}/hook"
        yield made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", NOES)
async def test_each_connection_refuses_it_in_a_step_and_in_its_check(
    case: str, kind: str, fixed: Fixed, tmp_path: Path
):
    fixed.kind, fixed.text, says = NOES[case]
    mine = connection(kind, fixed.url)

    check = await check_connection(mine, data_dir=tmp_path, allow_private=True)
    async with at_work(mine, tmp_path) as platform:
        with pytest.raises(BackendError) as refused:
            await platform.perform(grant(mine), context_of("no"))

    assert (check.ok, says in check.detail) == (False, True), check.detail
    assert says in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", YESES)
async def test_each_connection_takes_a_yes_on_its_word_and_says_so(case: str, kind: str, fixed: Fixed, tmp_path: Path):
    fixed.text = YESES[case]
    mine = connection(kind, fixed.url)

    check = await check_connection(mine, data_dir=tmp_path, allow_private=True)
    async with at_work(mine, tmp_path) as platform:
        receipt = await platform.perform(grant(mine), context_of("yes"))
        evidence = await platform.verify(grant(mine), receipt, context_of("yes"))

    assert check.ok, check.detail
    assert (evidence.allowed, evidence.proven_by) == (True, "platform")
    is_empty = YESES[case].strip("\ufeff \r\n") in ("", "{}")
    assert ("Its reply was empty: that counts as a yes, and is its own word alone." in evidence.detail) is is_empty


@pytest.mark.parametrize("case", NOES)
async def test_the_backend_fails_at_the_step(case: str, shop: Wrong, tmp_path: Path):
    kind, text, says = NOES[case]
    shop.instead["grant_access"] = lambda _: Response(text, media_type=kind)

    run = await fired(shop, tmp_path, "integrated")

    assert run.verdict is Verdict.FAILED
    assert run.steps[0].status is Status.FAILED
    assert run.steps[0].attempts == 1
    assert says in run.reason
    assert "hunter2" not in run.model_dump_json()


async def test_the_backend_reads_past_a_byte_order_mark(shop: Wrong, tmp_path: Path):
    shop.instead["grant_access"] = lambda data: Response("\ufeff" + json.dumps(shop.grant_access(**data)))

    run = await fired(shop, tmp_path, "integrated")

    assert run.verdict is Verdict.PASSED, run.reason
    assert run.steps[0].evidence is not None
    assert run.steps[0].evidence.proven_by == "buyer"


def test_the_backends_check_says_that_it_does_not_work(
    shop: Wrong, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WIZARD_ALLOW_PRIVATE_HOSTS", "true")
    shop.instead["ping"] = lambda _: Response("<h1>Please log in</h1>", media_type=HTML)
    config_file().parent.mkdir(parents=True)
    config_file().write_text(f'[backends.webhook]\nurl = "{shop.url}/wizard"\nsecret = "{SECRET}"\n')

    assert command(["backends"]) == 1
    assert "answered 200 with a web page, “Please log in”, in place of a reply" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "kind", "verdict"),
    [
        ("Accepted", "text/plain", Verdict.PASSED),
        ('{"status": "success", "id": "018f"}', JSON, Verdict.PASSED),
        ('{"ok": false, "error": "no such hook"}', JSON, Verdict.FAILED),
        ("<h1>Please log in</h1>", HTML, Verdict.FAILED),
    ],
)
async def test_an_address_of_a_rule_may_answer_with_a_plain_word_but_not_with_a_no(
    text: str, kind: str, verdict: Verdict, shop: Wrong, fixed: Fixed, tmp_path: Path
):
    fixed.text, fixed.kind = text, kind
    rule = {"when": When.BUYS, "then": Then.CALL_WEBHOOK, "target": fixed.url}

    run = await fired(shop, tmp_path, sold("physical", automations={"rules": [rule]}))

    assert run.verdict is verdict, run.reason
