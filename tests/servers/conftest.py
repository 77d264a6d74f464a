"""The real platforms, started once for all tests that ask for them."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.servers import ghost_site, wordpress_site


@pytest.fixture(scope="session")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Generator[wordpress_site.WordPressSite]:
    """A WordPress with the roles `gold` and `silver` and the pages `members-only`, `for-everybody` and `teaser`."""
    if lacking := wordpress_site.missing():
        pytest.skip(f"WordPress is not installed ({lacking}): run tests/servers/install.sh")
    with wordpress_site.wordpress(tmp_path_factory.mktemp("wordpress")) as site:
        yield site


@pytest.fixture(scope="session")
def ghost(tmp_path_factory: pytest.TempPathFactory) -> Generator[ghost_site.GhostSite]:
    """A Ghost with the tiers `gold` and `silver`, the label `VIP`, and posts of each visibility."""
    if lacking := ghost_site.missing():
        pytest.skip(f"Ghost is not installed ({lacking}): run tests/servers/install.sh")
    with ghost_site.ghost(tmp_path_factory.mktemp("ghost")) as site:
        yield site
