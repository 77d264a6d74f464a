"""How a product stands, at a glance: what is to put right, and how its last test-fire ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from models.events import Verdict
from models.product import Mode
from models.saved import ProductRow, RunRow
from wizard import preflight

if TYPE_CHECKING:
    from wizard.store import Store

LOOKED_AT = 20
"""Runs of a product that are looked through for one that counts."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a product stands."""

    errors: int
    """What the preflight refuses going live for."""
    tried: RunRow | None
    """The last try of these answers."""
    tried_before: RunRow | None
    """The last one of earlier answers, where these were not tried."""
    stopped: RunRow | None
    """The last run of all, where it was stopped midway."""


def standing_of(store: Store, slug: str, now: datetime) -> Standing:
    """Look at a product. Raises what the store raises."""
    inspected = preflight.inspect(store, slug, now)
    errors = sum(finding.level == "error" for finding in preflight.check(inspected))
    runs = store.runs(slug, limit=LOOKED_AT)
    earlier = next((run for run in runs if not run.fault and run.verdict not in (None, Verdict.INTERRUPTED)), None)
    stopped = runs[0] if runs and runs[0].can_go_on else None
    tried = inspected.last_try
    if tried is not None and tried.verdict in (None, Verdict.INTERRUPTED):
        tried = None  # it tells nothing of the answers, and `stopped` tells of it
    return Standing(errors, tried, None if tried else earlier, stopped)


def state_in_words(row: ProductRow, standing: Standing | None) -> str:
    """What is between a product and its buyers: `ready`, `1 to fix`, `live`; without a standing, what the row says."""
    errors = standing.errors if standing else 0 if row.complete else None
    to_fix = "to complete" if errors is None else f"{errors} to fix" if errors else ""
    shown = {
        (Mode.LIVE, True): "live",
        (Mode.LIVE, False): "live, hidden",
        (Mode.DEMO, True): "demo, shown",
        (Mode.DEMO, False): "",
    }[row.mode, row.published]
    return ", ".join(filter(None, (shown, to_fix))) or "ready"


def test_in_words(standing: Standing | None, when: str) -> str:
    """How the last test-fire ended: `proven 17:15`, `stale`, `failed 24 Nov`, `stopped`; empty without any. `when`:
    the moment of the last try as the seller reads it."""
    if standing is None:
        return ""
    if standing.stopped is not None:
        return "stopped midway"
    if standing.tried is not None:
        passed = standing.tried.verdict is Verdict.PASSED
        return f"{'proven' if passed else 'failed'} {when}"
    if standing.tried_before is not None:
        return "stale"
    return "-"


test_in_words.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's, whatever its name
