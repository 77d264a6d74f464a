"""The recipes, followed in a copy of the code: what is forgotten is refused, by whom the recipe says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code without its tests, to be changed."""
    for package in ("models", "wizard"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def refused(copy: Path) -> set[str]:
    """The files in which mypy finds something wrong."""
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "models/events.py", "wizard/sale"]
    said = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300, check=False).stdout
    assert "error:" in said or "Success" in said, said
    return set(re.findall(r"^(\S+?):\d+: error:", said, re.MULTILINE))


def change(path: Path, before: str, after: str) -> None:
    """Change a file where it says this."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, (path, before)
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_an_event_that_nobody_planned_is_refused_where_it_must_be_planned(copy: Path) -> None:
    assert refused(copy) == set()

    change(copy / "models/events.py", '    RENEWAL = "renewal"', '    PAUSED = "paused"\n    RENEWAL = "renewal"')

    assert refused(copy) == {f"wizard/sale/{name}.py" for name in ("events", "possible_events", "script")}


def test_an_access_option_without_a_module_is_refused(copy: Path) -> None:
    change(copy / "models/access.py", "    NO_ACCESS_PAGE = (", '    POSTCARD = "postcard"\n    NO_ACCESS_PAGE = (')

    assert refused(copy) == {"wizard/sale/options/__init__.py"}


def test_a_trigger_that_no_event_leads_to_is_refused(copy: Path) -> None:
    change(copy / "models/automations.py", "    REFUNDS = ", '    PAUSES = "pauses"\n    REFUNDS = ')

    assert refused(copy) == {"wizard/sale/alongside.py"}
