"""A shop behind what shops stand behind: a test-fire tells a careless cache from a careful one, and whose 401 it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from models.events import Event, Verdict
from models.fulfillment import Run
from tests.servers import caches
from tests.servers.caches import CAREFUL, CARELESS, TELLING, nginx, varnish
from tests.servers.certificates import Authority
from tests.support import endpoint
from tests.support.endpoint import Wrong, fired
from tests.support.listening import served

shop = endpoint.shop

pytestmark = [
    pytest.mark.xdist_group("caches"),
    pytest.mark.skipif(bool(caches.missing()), reason=caches.missing() or "all is there"),
]

Front = Callable[[str], AbstractContextManager[str]]

PAGES_ARE_KEPT = 'if (req.url ~ "^/of/") { return (hash); }'
"""Varnish asks the site itself wherever a cookie is sent, until it is told otherwise."""
GOOD_ONES = "if (beresp.status == 200) { set beresp.ttl = 5m; } else { set beresp.uncacheable = true; }"


async def fired_behind(front: Front, shop: Wrong, folder: Path, what: Event = Event.PURCHASE) -> Run:
    with served(shop.app) as site, front(site) as shop.url:
        return await fired(shop, folder, "hosted", what)


@pytest.mark.parametrize(
    ("front", "named"),
    [
        (partial(nginx, location=CARELESS), "Something, such as a page cache, keeps"),
        (partial(nginx, location=TELLING), "A cache in front of the site (X-Cache-Status: HIT) keeps"),
        (partial(varnish, receiving=PAGES_ARE_KEPT, answering=GOOD_ONES), "A cache in front of the site (X-Varnish: "),
    ],
    ids=["nginx", "nginx that tells", "varnish"],
)
async def test_behind_a_careless_cache_the_run_fails_and_says_that_strangers_read_the_page(
    front: Front, named: str, shop: Wrong, tmp_path: Path
):
    run = await fired_behind(front, shop, tmp_path)

    assert run.verdict is Verdict.FAILED
    assert f"had read {shop.url}/of/yoga-club/silver, anybody could read it without logging in. {named}" in run.reason


async def test_behind_a_cache_that_keeps_refusals_the_run_fails_and_names_it(shop: Wrong, tmp_path: Path):
    run = await fired_behind(partial(varnish, receiving=PAGES_ARE_KEPT), shop, tmp_path)

    assert run.verdict is Verdict.FAILED
    assert "was turned away all the same" in run.reason
    assert "It may come from a cache: its headers say X-Varnish: " in run.reason


@pytest.mark.parametrize("what", [Event.PURCHASE, Event.REFUND])
@pytest.mark.parametrize("front", [partial(nginx, location=CAREFUL), varnish], ids=["nginx", "varnish"])
async def test_behind_a_careful_cache_the_run_passes(front: Front, what: Event, shop: Wrong, tmp_path: Path):
    run = await fired_behind(front, shop, tmp_path, what)

    assert run.verdict is Verdict.PASSED, run.reason


async def test_a_port_that_speaks_tls_is_told_at_once(shop: Wrong, tmp_path: Path):
    public, private = Authority.in_folder(tmp_path).certify("127.0.0.1")
    with_tls = partial(nginx, listen="ssl", server=f"ssl_certificate {public}; ssl_certificate_key {private};")
    run = await fired_behind(with_tls, shop, tmp_path)

    place = shop.url.removeprefix("http://")
    assert run.verdict is Verdict.ACTION_REQUIRED
    assert f"{place} speaks TLS and nothing else: write https:// in place of http://." in run.reason
    assert {step.attempts for step in run.steps} <= {0, 1}


async def test_a_gate_in_front_of_the_shop_is_not_taken_for_its_key(shop: Wrong, tmp_path: Path):
    (tmp_path / "users").write_text("someone:{PLAIN}else\n")
    gate = f'auth_basic "Staging"; auth_basic_user_file {tmp_path}/users;'
    run = await fired_behind(partial(nginx, server=gate), shop, tmp_path)

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "is behind a password of its own (Basic authentication, “Staging”)" in run.reason
    assert "secret" not in run.reason
