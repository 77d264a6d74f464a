"""Signing secrets as other people's libraries take them, and what is said of those that are none."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks.webhooks import Webhook

from models.account import Connection
from models.signing import key_of, keys_of
from tests.support import endpoint
from tests.support.endpoint import Wrong, fired
from wizard.delivery.backends import WebhookSettings
from wizard.delivery.connections import check_connection

shop = endpoint.shop

KEY = b"\xfb\xef\xbe a secret of the shop\xff"
PLAIN = base64.b64encode(KEY).decode()
SAFE = base64.urlsafe_b64encode(KEY).decode()

WRITTEN = {
    "as in the specification": f"whsec_{PLAIN}",
    "without padding": f"whsec_{PLAIN}".rstrip("="),
    "in letters for addresses": f"whsec_{SAFE}",
    "in letters for addresses, without padding": f"whsec_{SAFE}".rstrip("="),
    "without its prefix": PLAIN,
}


def test_the_secret_of_these_tests_needs_padding_and_differs_in_letters_for_addresses():
    assert PLAIN.endswith("=")
    assert PLAIN != SAFE


@pytest.mark.parametrize("written", WRITTEN)
def test_a_secret_is_the_same_however_it_is_written(written: str):
    assert key_of(WRITTEN[written]) == KEY
    assert WebhookSettings.model_validate({"url": "https://shop.example.com", "secret": WRITTEN[written]})


def test_a_library_of_others_that_takes_it_without_padding_signs_as_we_do():
    at, body = datetime(2026, 11, 25, tzinfo=UTC), "{}"

    assert Webhook(key_of(WRITTEN["without padding"])).sign("id", at, body) == Webhook(f"whsec_{PLAIN}").sign(
        "id", at, body
    )


@pytest.mark.parametrize("written", WRITTEN)
async def test_an_endpoint_that_knows_it_takes_what_is_signed_with_it(written: str, shop: Wrong, tmp_path: Path):
    shop.secret = f"whsec_{PLAIN}"

    run = await fired(shop, tmp_path, "physical", secret=WRITTEN[written])

    assert run.verdict == "passed", run.reason
    assert WRITTEN[written] not in run.model_dump_json()


WRONG = {
    f"v1,whsec_{PLAIN}": "leave out “v1,”: a signing secret begins with whsec_",
    f"whsk_{PLAIN}": "whsk_ is a key of the asymmetric kind, and this is for the other one",
    f"whpk_{PLAIN}": "whpk_ is a key of the asymmetric kind, and this is for the other one",
    "whsec_": "a signing secret is whsec_ and then at least 24 bytes in base64",
    "whsec_c2hvcnQ=": "a signing secret is whsec_ and then at least 24 bytes in base64",
    "whsec_no base64!": "a signing secret is whsec_ and then at least 24 bytes in base64",
    f"whsec_{PLAIN} whsec_": "a signing secret is whsec_ and then at least 24 bytes in base64",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_none_is_refused_with_what_to_write_and_never_shown(wrong: str):
    with pytest.raises(ValidationError) as refused:
        WebhookSettings(url="https://shop.example.com", secret=SecretStr(wrong))

    assert WRONG[wrong] in str(refused.value)
    assert PLAIN not in str(refused.value)


@pytest.mark.parametrize("wrong", [wrong for wrong, says in WRONG.items() if "24 bytes" not in says])
async def test_a_connection_says_the_same_at_its_check(wrong: str, tmp_path: Path):
    mine = Connection.model_validate(
        {"slug": "own", "name": "My site", "kind": "webhook", "url": "https://shop.example.com/x", "secret": wrong}
    )

    check = await check_connection(mine, data_dir=tmp_path)

    assert not check.ok
    assert check.detail.startswith(f"The signing secret of “My site” cannot be used: {WRONG[wrong]}")
    assert PLAIN not in check.detail


def test_while_a_key_is_changed_there_are_two():
    assert keys_of(f"whsec_{PLAIN} {SAFE}") == [KEY, KEY]
