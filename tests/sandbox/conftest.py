"""A sandbox with a clock of its own, its visitors, and the shop's side of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from starlette.applications import Starlette

from tests.support.shop import small_world
from tests.support.visitor import Clock, visitor


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Iterator[Starlette]:
    app = small_world(clock=clock)
    yield app
    app.state.world.close()


@pytest.fixture
async def ada(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(app) as client:
        yield client


@pytest.fixture
async def shop(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(app, headers={"authorization": f"Bearer {app.state.world.admin_token}"}) as client:
        yield client
