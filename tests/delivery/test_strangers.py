"""A page that strangers can read proves nothing, and a cache makes strangers of nobody: they look before the buyer and
after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from models.events import Event, Verdict
from models.fulfillment import Run
from tests.support import endpoint
from tests.support.caching import Cache
from tests.support.endpoint import Wrong, fired
from tests.support.listening import served
from wizard.delivery.replies import is_kept
from wizard.sale.lives import PROOF

shop = endpoint.shop


@contextmanager
def behind(cache: Cache, shop: Wrong) -> Iterator[str]:
    """The shop, reached through a cache alone."""
    with served(cache) as url:
        shop.url = url
        yield url


def granted(run: Run) -> str:
    return next(step.detail for step in run.steps if step.action.action == "grant_access")


NAMED: list[tuple[Mapping[str, str], str]] = [
    ({"age": "3", "x-cache": "HIT"}, "A cache in front of the site (Age: 3, X-Cache: HIT)"),
    ({"cf-cache-status": "HIT"}, "A cache in front of the site (Cf-Cache-Status: HIT)"),
    ({"via": "1.1 varnish (Varnish/7.1)"}, "A cache in front of the site (Via: 1.1 varnish (Varnish/7.1))"),
    ({"x-cache": "MISS", "age": "0", "cache-control": "max-age=60"}, "Something, such as a page cache,"),
    ({}, "Something, such as a page cache,"),
]


@pytest.mark.parametrize(("says", "named"), NAMED)
async def test_a_page_that_a_cache_keeps_for_anybody_fails_and_the_reason_names_the_cache(
    says: Mapping[str, str], named: str, shop: Wrong, tmp_path: Path
):
    with behind(Cache(shop.app, says=says), shop) as url:
        run = await fired(shop, tmp_path, "hosted")

    page = f"{url}/of/yoga-club/silver"
    assert run.verdict is Verdict.FAILED
    assert f"Once Ada Example had read {page}, anybody could read it without logging in. {named} keeps" in run.reason
    assert "exclude the pages of members there (Cache-Control: private), and empty it." in run.reason


async def test_a_cache_that_keeps_a_page_from_the_second_visit_on_is_found_too(shop: Wrong, tmp_path: Path):
    with behind(Cache(shop.app, waits_for=2), shop):
        assert (await fired(shop, tmp_path, "hosted")).verdict is Verdict.FAILED


async def test_a_cache_that_keeps_each_persons_pages_apart_is_no_fault(shop: Wrong, tmp_path: Path):
    with behind(Cache(shop.app, regards_cookies=True), shop):
        run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.PASSED, run.reason
    assert granted(run).count("a stranger was turned away") == 2


@pytest.mark.parametrize("what", [Event.REFUND, PROOF])
async def test_a_page_that_a_cache_still_gives_the_buyer_after_the_end_fails_and_names_it(
    what: Event, shop: Wrong, tmp_path: Path
):
    with behind(Cache(shop.app, says={"x-cache": "HIT"}, regards_cookies=True), shop) as url:
        run = await fired(shop, tmp_path, "hosted", what)

    assert run.verdict is Verdict.FAILED
    assert f"can still read {url}/of/yoga-club/silver after access was taken away." in run.reason
    assert run.reason.endswith("It may come from a cache: its headers say X-Cache: HIT.")


async def test_a_page_that_is_open_because_a_cache_kept_it_earlier_is_told_with_the_cache(shop: Wrong, tmp_path: Path):
    with behind(Cache(shop.app, says={"age": "60"}), shop) as url:
        await fired(shop, tmp_path, "hosted")
        run = await fired(shop, tmp_path, "hosted")

    assert f"Anybody can read {url}/of/yoga-club/silver without logging in" in run.reason
    assert run.reason.endswith("It may come from a cache: its headers say Age: 60.")


async def test_a_refusal_that_a_cache_kept_for_the_buyer_is_told_with_the_cache(shop: Wrong, tmp_path: Path):
    with behind(Cache(shop.app, says={"age": "1"}, refusals_too=True), shop):
        run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.FAILED
    assert "was turned away all the same" in run.reason
    assert run.reason.endswith("It may come from a cache: its headers say Age: 1.")


async def test_a_site_that_opens_itself_to_everybody_after_the_buyer_fails_without_any_cache(
    shop: Wrong, tmp_path: Path
):
    came: set[str] = set()

    def page(request: Request) -> Response | None:
        if request.cookies or request.url.path in came:
            came.add(request.url.path)
            return HTMLResponse("<p>What only members read.</p>")
        return None

    shop.shows["page"] = page
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.FAILED
    assert "anybody could read it without logging in" in run.reason


async def test_a_stranger_who_is_shown_another_page_afterwards_proves_nothing_either_way(shop: Wrong, tmp_path: Path):
    came: set[str] = set()

    def page(request: Request) -> Response | None:
        if request.cookies:
            came.add(request.url.path)
            return HTMLResponse("<p>What only members read.</p>")
        return HTMLResponse("<p>Hello!</p>") if request.url.path in came else None

    shop.shows["page"] = page
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.ACTION_REQUIRED
    assert "a stranger was shown a page there as well, and nothing tells whether it is the content" in run.reason


async def test_a_stranger_is_somebody_new_each_time_and_brings_no_cookie(shop: Wrong, tmp_path: Path):
    seen: list[dict[str, str]] = []

    def page(request: Request) -> Response | None:
        if "session" in request.cookies:
            return None
        seen.append(dict(request.cookies))
        turned_away = HTMLResponse("<p>No.</p>", 403)
        turned_away.set_cookie("visitor", "known")
        return turned_away

    shop.shows["page"] = page
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.PASSED, run.reason
    assert seen == [{}] * 4, "two levels, and for each once before the buyer and once after"


async def test_the_stranger_comes_by_the_buyers_own_address_of_the_page(shop: Wrong, tmp_path: Path):
    asked: list[str] = []

    def page(request: Request) -> Response | None:
        if "session" not in request.cookies:
            asked.append(request.url.path)
        elif not request.url.path.endswith("/"):
            return RedirectResponse(f"{request.url.path}/")
        else:
            return HTMLResponse("<p>What only members read.</p>")
        return None

    shop.shows["page"] = page
    run = await fired(shop, tmp_path, "hosted")

    assert run.verdict is Verdict.PASSED, run.reason
    assert asked[:2] == ["/of/yoga-club/silver", "/of/yoga-club/silver/"]


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"x-cache": "HIT"}, True),
        ({"x-cache": "Hit from cloudfront"}, True),
        ({"cf-cache-status": "HIT"}, True),
        ({"cache-status": "ExampleCache; hit; ttl=376"}, True),
        ({"x-cache": "TCP_HIT"}, True),
        ({"x-cache": "TCP_MEM_HIT from a23-45.deploy.akamaitechnologies.com"}, True),
        ({"x-cache": "white"}, False),
        ({"x-object-cache": "HIT"}, False),
        ({"age": "12"}, True),
        ({"x-varnish": "32770 5"}, True),
        ({"x-cache": "MISS", "age": "0"}, False),
        ({"x-varnish": "32770", "via": "1.1 varnish"}, False),
        ({"cache-control": "max-age=60"}, False),
        ({"age": "soon"}, False),
        ({}, False),
    ],
)
def test_a_cache_that_answers_itself_is_known_by_its_headers(headers: dict[str, str], kept: bool):
    assert is_kept(headers) is kept
