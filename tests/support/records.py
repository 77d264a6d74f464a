"""What the tests of the records put into them, and other processes that work beside a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from models.account import File
from models.product import Product
from models.saved import Change, SavedProduct
from tests.support.strategies import ACCOUNT
from wizard.store.store import Store

ROOT = Path(__file__).parents[2]
POSTGRES = "WIZARD_TEST_POSTGRES_URL"


def furnish(store: Store, folder: Path) -> None:
    """Put the things of `ACCOUNT` into the records."""
    workbook = folder / "workbook.pdf"
    workbook.write_bytes(b"%PDF-1.7 a workbook")
    for thing in (*ACCOUNT.memberships, *ACCOUNT.connections, *ACCOUNT.calendars, *ACCOUNT.webinars):
        store.put(thing)
    store.put(File(slug="workbook", name="Workbook", path=str(workbook)))


def answers(name: str = "Yoga Masterclass", **steps: Any) -> Product:
    """The answers of a product of this name."""
    return Product.model_validate({"general": {"name": name}, **steps})


def hosted(*levels: str, membership: str | None = "yoga-club") -> dict[str, Any]:
    """The step Post sale of a product that opens these levels."""
    option = {"membership": membership, "levels": levels}
    return {"access": {"kind": "hosted_membership", "hosted_membership": option}}


def saved_with(store: Store, product: SavedProduct, who: str = "ada", **steps: Any) -> SavedProduct:
    """The product after some of its steps were answered anew."""
    plain = product.answers.model_dump(mode="json")
    new = Product.model_validate({**plain, **steps})
    changes = [Change(path=step, old=plain[step], new=value) for step, value in steps.items()]
    return store.save(product.slug, product.revision, new, changes, who, complete=False)


def in_another_process(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python script beside this process, with pipes to talk through."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
