"""A great many products at once, written past the store's front door: one by one they would take minutes."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from models import records
from models.product import Product
from wizard.store import Store
from wizard.store.image import image_of
from wizard.store.products import sorted_by

BATCH = 5_000


def crowd(store: Store, many: int) -> None:
    """Fill a store with `Product 000000` and so on, each as `store.create` writes it, less its options and history."""
    now = datetime.now(UTC)
    plain = image_of(Product()).product
    fixed = {
        "mode": "demo",
        "published": False,
        "revision": 1,
        "complete": False,
        "place": "",
        "created_at": now,
        "updated_at": now,
        "deleted_at": None,
        "is_deleted": False,
    }
    for start in range(0, many, BATCH):
        names = [f"Product {number:06d}" for number in range(start, min(start + BATCH, many))]
        with store._writing() as work:
            work.connection.execute(
                insert(records.table_of(records.Product)),
                [
                    {
                        **plain,
                        **fixed,
                        "seller_id": work.seller,
                        "name": name,
                        "slug": name.lower().replace(" ", "-"),
                        "sorted_by": sorted_by(name),
                    }
                    for name in names
                ],
            )
