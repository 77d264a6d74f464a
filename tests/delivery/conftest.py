"""A receiver of webhooks, served while a test lasts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.listening import served
from tests.support.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with served(made.app) as url:
        made.url = url
        yield made
