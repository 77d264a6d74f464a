"""A small shop for tests: one product at each access option, and everything that it refers to."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from starlette.applications import Starlette

from models.account import Account, StoredFile
from models.product import Product
from models.saved import SavedAccount, SavedProduct
from wizard.sale.sold import Sale
from wizard.sandbox.app import sandbox_app
from wizard.sandbox.world import World

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONTENT = b"%PDF-1.7 a workbook\n" * 500
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A profile for tests only: 100 times faster than what members get."""

ACCESS: dict[str, dict[str, Any]] = {
    "hosted": {
        "kind": "hosted_membership",
        "hosted_membership": {"membership": "yoga-club", "levels": ["silver", "gold"]},
    },
    "integrated": {
        "kind": "integrated_membership",
        "integrated_membership": {"connection": "my-site", "level": "gold"},
    },
    "file": {"kind": "downloadable_file", "downloadable_file": {"file": "workbook"}},
    "calendar": {"kind": "no_access_page", "no_access_page": {"reason": "calendar", "calendar": "coaching"}},
    "webinar": {"kind": "no_access_page", "no_access_page": {"reason": "webinar", "webinar": "intro"}},
    "physical": {
        "kind": "no_access_page",
        "no_access_page": {"reason": "physical", "instructions": "It ships on Monday."},
    },
}

ACCOUNT = Account.model_validate(
    {
        "memberships": [
            {"slug": "yoga-club", "name": "Yoga Club", "levels": ["silver", "gold"]},
            {"slug": "open-house", "name": "Open House", "levels": ["all"], "password_protected": False},
        ],
        "connections": [
            {"slug": "my-site", "name": "My site"},
            {
                "slug": "blog",
                "name": "My blog",
                "kind": "ghost",
                "url": "https://blog.example.com",
                "admin_api_key": "0123456789abcdef01234567:89abcdef",
                "tier": "gold",
            },
        ],
        "files": [{"slug": "workbook", "name": "Workbook", "path": "workbook.pdf"}],
        "calendars": [{"slug": "coaching", "name": "Coaching call", "confirmation": "You are booked."}],
        "webinars": [{"slug": "intro", "name": "Introduction", "confirmation": "See you on Friday."}],
    }
)

FILES = {
    "workbook": StoredFile(
        slug="workbook",
        filename="workbook.pdf",
        size=len(CONTENT),
        sha256=SHA256,
        media_type="application/pdf",
    )
}


def sold(
    option: str,
    *,
    access: dict[str, Any] | None = None,
    price: dict[str, Any] | None = None,
    post_sale: dict[str, Any] | None = None,
    **steps: Any,
) -> Sale:
    """A product with one of the access options above, or with `access` in place of it."""
    monthly = {"type": "recurring", "amount": "29.00", "period": "monthly"}
    answers = Product.model_validate(
        {
            "general": {"name": "Yoga Masterclass", "support_email": "help@example.com"},
            "pricing": {"currency": "USD", "prices": [price or monthly]},
            "post_sale": {"access": access or ACCESS[option], **(post_sale or {})},
            **steps,
        }
    )
    saved = SavedProduct(slug="yoga-masterclass", answers=answers, updated_at=NOW)
    return Sale(product=saved, account=SavedAccount(account=ACCOUNT, files=FILES))


def workbook(folder: Path) -> Path:
    """The library's copy of the file."""
    path = folder / "workbook.pdf"
    path.write_bytes(CONTENT)
    return path


def small_world(**settings: Any) -> Starlette:
    """A sandbox in memory with cheap passwords."""
    return sandbox_app(World(None, hasher=CHEAP, **settings))


DAMAGED = b"SQLite format 3\0" + bytes(2000)
