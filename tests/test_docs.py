"""The pages for whoever builds on this: what they name is there, and what is made from the code is as the code is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.commands import PAGE, page

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))

A_PATH = re.compile(r"`((?:models|wizard|screens|tests|docs|snapshots|examples)/[\w./-]*)`")
"""A file or folder of ours, as pages and comments name it."""


def test_the_reference_of_the_commands_is_as_the_commands_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "100")

    assert PAGE.read_text(encoding="utf-8") == page(), "make docs writes it anew"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md", ROOT / "examples" / "README.md"], ids=lambda p: p.name)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    linked: list[str] = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)

    assert not [name for name in A_PATH.findall(text) if not (ROOT / name).exists()]
    assert not [name for name in linked if not (page.parent / name).exists()]


def test_every_page_that_the_code_cites_is_there() -> None:
    cited = {
        name
        for package in ("models", "wizard", "screens", "tests")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"\bdocs/[\w.-]+\.md", path.read_text(encoding="utf-8"))
    }

    assert {"docs/spec.md", "docs/commands.md"} <= cited
    assert not [name for name in cited if not (ROOT / name).exists()]
