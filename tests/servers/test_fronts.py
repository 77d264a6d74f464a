"""Real sites as sellers have them: behind a cache, under a prefix, behind a password, in a network of sites.

One table: what stands in front, what the check of the connection says, and how the proof of a product ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.account import Connection, ConnectionCheck
from models.events import Verdict
from tests.servers.caches import nginx
from tests.servers.fronts import GATE, KEEPS, KEEPS_FOR_STRANGERS, Front, of_nginx, of_varnish
from tests.servers.ghost_site import GhostSite
from tests.servers.lived import lived
from tests.servers.started import free_port
from tests.servers.wordpress_site import WordPressSite
from wizard.delivery.connections import check_connection
from wizard.delivery.platforms.wordpress import KEEPS_USERS
from wizard.sale.lives import PROOF

on_wordpress = pytest.mark.xdist_group("wordpress")
on_ghost = pytest.mark.xdist_group("ghost")

WORKS = "WordPress answers, and “owner” may create users and give them roles."
GHOST_WORKS = "Ghost answers, takes the key, and has the tier “Gold”."
BEHIND = (
    "is behind a password of its own (Basic authentication, “Staging”): it stands in front of the site and lets nobody "
    "through, and no key was looked at. Let the wizard through there, or switch it off while you test."
)
KEPT = (
    "anybody could read it without logging in. A cache in front of the site (X-Cache-Status: HIT) keeps the page that "
    "a member was given and gives it to strangers: exclude the pages of members there (Cache-Control: private), and "
    "empty it."
)

FROM_CACHE = "It may come from a cache: its headers say X-Cache-Status: HIT."
PROVEN = "The buyer was let in, nothing happened twice, and once access was taken away the buyer was turned away."
API_KEPT = (
    "A cache in front of “My site” (X-Cache-Status: HIT) answers a request that bears a key with what it had kept: "
    "exclude "
)

NO_PAGE = "wp-login|rest_route|/ghost|/members/"
IGNORES_COOKIES = of_varnish(
    f'if (req.url !~ "{NO_PAGE}") {{ unset req.http.Cookie; return (hash); }}',
    f'if (bereq.url !~ "{NO_PAGE}") {{ unset beresp.http.Set-Cookie; unset beresp.http.Cache-Control; '
    "set beresp.ttl = 10m; }",
)
LOGIN, API, GHOSTS_OWN = "/wp-login.php", "/index.php", "~ ^/(ghost|members)/"


@dataclass(frozen=True)
class Setup:
    """What stands in front of a site, and what is said of it."""

    name: str
    front: Front
    works: bool
    check: str
    verdict: Verdict
    reason: str


WORDPRESS = [
    Setup(
        "a cache that keeps every page",
        of_nginx(KEEPS, **{LOGIN: "", API: ""}),
        True, WORKS, Verdict.FAILED, KEPT,
    ),
    Setup(
        "a cache that keeps the pages of strangers",
        of_nginx(KEEPS_FOR_STRANGERS),
        True, WORKS, Verdict.PASSED, PROVEN,
    ),
    Setup("Varnish as it comes", of_varnish(), True, WORKS, Verdict.PASSED, PROVEN),
    Setup(
        "a cache that answers the API",
        of_nginx(KEEPS, **{LOGIN: ""}),
        False, API_KEPT, Verdict.ACTION_REQUIRED, API_KEPT,
    ),
    Setup("a password for the site", of_nginx(GATE), False, BEHIND,
          Verdict.ACTION_REQUIRED, BEHIND),
    Setup("a password for the login", of_nginx(**{LOGIN: GATE}),
          False, BEHIND, Verdict.ACTION_REQUIRED, BEHIND),
]  # fmt: skip

GHOST = [
    Setup(
        "a cache that keeps every page",
        of_nginx(KEEPS, **{GHOSTS_OWN: ""}),
        True, GHOST_WORKS, Verdict.FAILED, FROM_CACHE,
    ),
    Setup(
        "a cache that keeps the pages of strangers",
        of_nginx(KEEPS_FOR_STRANGERS),
        True, GHOST_WORKS, Verdict.PASSED, PROVEN,
    ),
    Setup("Varnish that ignores cookies", IGNORES_COOKIES, True, GHOST_WORKS, Verdict.FAILED,
          "its headers say X-Varnish: "),
    Setup("a password for the site", of_nginx(GATE), False, BEHIND,
          Verdict.ACTION_REQUIRED, BEHIND),
]  # fmt: skip


def each(setups: Sequence[Setup]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("setup", setups, ids=lambda setup: setup.name.replace(" ", "-"))


async def judged(setup: Setup, connection: Connection, folder: Path) -> None:
    check = await check_connection(connection, data_dir=folder, allow_private=True)
    run = await lived(connection, PROOF, folder)

    assert (check.ok, setup.check in check.detail) == (setup.works, True), check.detail
    assert (run.verdict, setup.reason in run.reason) == (setup.verdict, True), run.reason


@on_wordpress
@each(WORDPRESS)
async def test_a_wordpress_behind(setup: Setup, wordpress: WordPressSite, tmp_path: Path):
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    with wordpress.served_for(home) as behind, setup.front(port, behind):
        await judged(setup, wordpress.connection(url=home, proof_url=f"{home}/?page_id={wordpress.page}"), tmp_path)


@on_wordpress
async def test_a_wordpress_under_a_prefix_and_behind_a_proxy_works(wordpress: WordPressSite, tmp_path: Path):
    port = free_port()
    home = f"http://127.0.0.1:{port}/blog"
    # The slash behind the address takes the prefix away: the site itself knows of it by its settings alone.
    under: Front = lambda port, site: nginx(  # noqa: E731
        site, server=f"location /blog/ {{ proxy_pass {site}/; proxy_set_header Host $http_host; }}", port=port
    )
    setup = Setup("a prefix", under, True, WORKS, Verdict.PASSED, PROVEN)
    with wordpress.served_for(home) as behind, setup.front(port, behind):
        at = f"{home}/?page_id={wordpress.page}"
        await judged(setup, wordpress.connection(url=f"{home}/wp-admin/", proof_url=at), tmp_path)


@on_wordpress
async def test_a_network_of_sites_says_what_it_keeps_before_anything_is_made_there(
    wordpress: WordPressSite, tmp_path: Path
):
    with wordpress.network() as network:
        mine = network.connection(proof_url=network.proof_url)
        unchecked = await lived(mine, PROOF, tmp_path)
        nobody = network.php("return count(get_users());")
        check = await check_connection(mine, data_dir=tmp_path, allow_private=True, levels=("gold", "platinum"))
        told = ConnectionCheck(ok=check.ok, at=datetime.now(UTC), detail=check.detail, levels=dict(check.levels or {}))
        run = await lived(mine, PROOF, tmp_path, checks={mine.slug: told})
        left = network.user(run.buyer.email)
        password = network.site_administrator()
        theirs = await check_connection(
            network.connection(user="siteadmin", application_password=password), data_dir=tmp_path, allow_private=True
        )

    assert unchecked.verdict is Verdict.ACTION_REQUIRED
    assert (
        "Nothing was made on “My site”. It is a network of sites (multisite), which deletes nobody" in unchecked.reason
    )
    assert nobody == 1
    assert (check.ok, check.detail) == (True, f"{WORKS} {KEEPS_USERS}.")
    assert check.levels is not None
    assert (check.levels["gold"], "The role platinum does not exist" in check.levels["platinum"]) == ("", True)
    assert run.verdict is Verdict.PASSED, run.reason
    assert f"The user “wizard{run.id}” was left on “My site”, without a role. {KEEPS_USERS}." in run.steps[-1].detail
    assert left is not None
    assert (left["login"], left["roles"]) == (f"wizard{run.id}", [])
    assert (theirs.ok, "only a network administrator may" in theirs.detail) == (False, True)


@on_ghost
@each(GHOST)
async def test_a_ghost_behind(setup: Setup, ghost: GhostSite, tmp_path: Path):
    with ghost.door.replaced(setup.front):
        await judged(setup, ghost.connection(), tmp_path)
