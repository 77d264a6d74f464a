"""The records of the seller's products: the only place that opens a database.

Importing this package is cheap. The database libraries come with the first `open_store`, or with the first use of
`Store` itself: import that name under `TYPE_CHECKING`.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from wizard.store.errors import (
    Corrupt,
    DiskFull,
    FileRefused,
    InUse,
    KeysUnusable,
    Locked,
    MigrationFailed,
    NameTaken,
    NewerDatabase,
    NotCreatable,
    NotFound,
    NotText,
    ReadOnly,
    RefersToItself,
    RunExists,
    SlugTaken,
    Stale,
    StoreError,
    Unavailable,
    UnknownReference,
    Unreachable,
)

if TYPE_CHECKING:
    from models.product import Product
    from wizard.settings import Settings
    from wizard.store.store import Store

__all__ = [
    "Corrupt",
    "DiskFull",
    "FileRefused",
    "InUse",
    "KeysUnusable",
    "Locked",
    "MigrationFailed",
    "NameTaken",
    "NewerDatabase",
    "NotCreatable",
    "NotFound",
    "NotText",
    "ReadOnly",
    "RefersToItself",
    "RunExists",
    "SlugTaken",
    "Stale",
    "Store",
    "StoreError",
    "Unavailable",
    "UnknownReference",
    "Unreachable",
    "open_store",
]


def open_store(
    settings: Settings, *, seller: str = "local", form: type[Product] | None = None, patience: float = 5.0
) -> Store:
    """Open the seller's records, creating or migrating them first where needed. See `Store.open`."""
    return _store_class().open(settings, seller=seller, form=form, patience=patience)


def _store_class() -> type[Store]:
    collected = gc.isenabled()
    # Importing makes many objects and hardly any garbage: without looking for it, opening takes an eighth less.
    gc.disable()
    try:
        from wizard.store.store import Store
    finally:
        if collected:
            gc.enable()
    return Store


def __getattr__(name: str) -> Any:
    if name == "Store":
        return _store_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
