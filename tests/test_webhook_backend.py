"""The backend `webhook` against the endpoint of the examples, over real HTTP: it keeps the contract, and says what is
wrong with an endpoint that does not do its part."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from examples.signed_endpoint import Shop
from models.automations import Then, When
from models.fulfillment import Action, Event, Run, Status, Verdict
from tests.listening import served
from tests.shop import CONTENT, FILES, NOW, sold, workbook
from wizard.fulfillment.backend import Backend
from wizard.fulfillment.backends import WEBHOOK
from wizard.fulfillment.backends.webhook import WebhookBackend
from wizard.fulfillment.fire import Workplace, fire
from wizard.fulfillment.lives import PROOF
from wizard.fulfillment.plan import Held, plan
from wizard.fulfillment.sold import Sold
from wizard.fulfillment.tries import Patience
from wizard.testing import BackendContract, surroundings

SECRET = "whsec_" + base64.b64encode(b"a secret of the endpoint").decode()
OTHER = "whsec_" + base64.b64encode(b"another one, from before").decode()

QUICK = Patience(tries=2, one_try=20, first_wait=0, longest_wait=0.1, jitter=0)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "files"
    folder.mkdir()
    workbook(folder)
    made = Shop(SECRET, folder)
    with served(made.app) as url:
        made.url = url
        yield made


class WebhookContract(BackendContract):
    manifest = WEBHOOK
    secrets = (SECRET,)

    @pytest.fixture
    def make(self, shop: Shop, tmp_path: Path) -> Callable[[], Backend]:
        return lambda: WebhookBackend(surroundings(tmp_path, url=f"{shop.url}/wizard", secret=SECRET))

    @pytest.fixture
    def make_broken(self, shop: Shop, tmp_path: Path) -> Callable[[], Backend]:
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
