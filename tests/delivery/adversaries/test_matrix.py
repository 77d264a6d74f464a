"""Each way out of the house meets each adversary, over real sockets: the verdict, the time, and what a seller reads are
those of one table (`tests.delivery.adversaries.table`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from models.events import Verdict
from models.fulfillment import Run
from tests.delivery.adversaries.ports import Ports, opened
from tests.delivery.adversaries.post_office import KNOWN
from tests.delivery.adversaries.site import Site
from tests.delivery.adversaries.table import FAMILIES, NO_MAIL, TABLE, Cell, cell
from tests.delivery.adversaries.ways import MAIL, WAYS, carried_out, going, mailed
from wizard.delivery.backend import Check
from wizard.delivery.errors import BackendError
from wizard.sandbox import drills
from wizard.sandbox.faults import Fault

CHECKED = (*FAMILIES["endpoints"], *FAMILIES["apis"])
"""The ways that have a check, at the place where a fault strikes."""

AFTERWARDS = (Fault.LIES_ABOUT_REVOKING, Fault.CACHE)
"""What shows only when access was given and taken away: no check can know."""


@pytest.fixture(scope="module")
def site() -> Site:
    return Site()


@pytest.fixture(scope="module")
def ports(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with opened(site, tmp_path_factory.mktemp("ports")) as ports:
        yield ports


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow answers are slow enough, and one request too many is asked for no wait: which it is, other tests read."""
    monkeypatch.setattr(drills, "SLOW", 0.1)
    monkeypatch.setattr(drills, "WAIT", "0")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", Fault)
async def test_each_way_under_each_fault(fault: Fault, way: str, site: Site, ports: Ports, tmp_path: Path):
    out, expected = WAYS[way], cell(fault, way)
    site.forget()
    site.fault, site.url = fault, ports.url(fault)
    site.strikes = out.pages if fault is Fault.CACHE else out.strikes
    said = expected.says.format(**words(way, site.url))

    async with going(out, ports, fault, tmp_path) as at_work:
        began = time.monotonic()
        run = await carried_out(at_work, fault, *out.acts)
        is_as_expected(run, expected, said, time.monotonic() - began)
        if way in CHECKED and expected.verdict is not Verdict.PASSED and fault not in AFTERWARDS:
            try:
                found = await at_work.check()
            except BackendError as error:
                found = Check(False, str(error))
            assert not found.ok
            assert told_once(said) in found.detail


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in NO_MAIL])
async def test_mail_under_each_fault(fault: Fault, ports: Ports):
    expected = TABLE[fault][MAIL]
    began = time.monotonic()

    run, host = await mailed(ports, fault)

    is_as_expected(run, expected, expected.says.format(host=host), time.monotonic() - began)


def is_as_expected(run: Run, expected: Cell, said: str, seconds: float) -> None:
    assert run.verdict is expected.verdict, run.reason
    assert said in run.reason
    assert max(step.attempts for step in run.steps) == expected.tries
    assert seconds <= expected.seconds


def words(way: str, url: str) -> dict[str, str]:
    is_backend = way in ("backend webhook", "downloads", "proof pages")
    return {
        "who": "“Your endpoint”" if is_backend else "“My site”",
        "written": "[backends.webhook]" if is_backend else "the connection “My site”",
        "host": urlsplit(url).netloc,
        "site": url,
    }


def told_once(said: str) -> str:
    """What is said of a single try."""
    return said.partition(" Tried 3 times")[0].partition(" It asked to wait")[0]


def test_the_table_says_something_of_each_way_under_each_fault():
    for fault in Fault:
        for way in WAYS:
            assert cell(fault, way)
    assert set(TABLE) == set(Fault)
    assert set(FAMILIES["all"]) == set(WAYS)
    assert frozenset(Fault) - NO_MAIL == KNOWN


def test_what_lasts_is_told_at_once_and_what_may_pass_is_tried_again():
    for row in TABLE.values():
        for each in row.values():
            assert each.verdict is not Verdict.ACTION_REQUIRED or each.tries == 1
            assert bool(each.says) is (each.verdict is not Verdict.PASSED)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.is_drill])
def test_a_drill_must_end_as_the_table_says_of_an_endpoint(fault: Fault):
    assert cell(fault, "webhook").verdict is fault.expected
