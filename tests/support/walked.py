"""Walks the boundaries of `tests.support.killed` and compares what came of each with the run that nobody killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.records import ROOT


def walked(folder: Path, product: str, life: str, **environment: str) -> list[dict[str, Any]]:
    """Kill a run at each boundary and go on with it; give back what was found each time from the second boundary on.

    `folder` holds the records; `environment` is added to this process's own. Raises AssertionError where the end is
    another one than that of the undisturbed run.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed", str(folder), product, life],
        cwd=ROOT, capture_output=True, text=True, timeout=170, check=False, env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    undisturbed, unopened, *killed = [json.loads(line) for line in done.stdout.splitlines()]
    assert (undisturbed["ended"], undisturbed["run"]) == (0, "passed"), undisturbed
    assert unopened["run"] is None, "killed before the run was opened, there is nothing to go on with"
    for boundary, found in enumerate(killed, start=2):
        assert found.pop("ended") == -9
        assert found == {name: undisturbed[name] for name in found}, f"killed at boundary {boundary}"
    return killed
