"""The real platforms, each started once for all tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import ghost_site, wordpress_site


@pytest.fixture(scope="session")
def wordpress() -> Iterator[wordpress_site.WordPressSite]:
    if reason := wordpress_site.missing():
        pytest.skip(reason)
    with wordpress_site.wordpress() as site:
        yield site


@pytest.fixture(scope="session")
def ghost() -> Iterator[ghost_site.GhostSite]:
    if reason := ghost_site.missing():
        pytest.skip(reason)
    with ghost_site.ghost() as site:
        yield site
