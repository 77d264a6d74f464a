"""Products found by their name, in a store of any size."""

from __future__ import annotations

from collections.abc import Iterator

from models.saved import ProductRow
from wizard.store.names import is_same_name, sorted_by
from wizard.store.store import Store


def products_named(store: Store, name: str) -> Iterator[ProductRow]:
    """The products of this name, however many there are beside them. There is one at most in a sound database."""
    # The list is in the order of names, so it is opened where the name would stand.
    wanted, after = sorted_by(name), f" {sorted_by(name)}"
    while True:
        page = store.products(after=after)
        yield from (row for row in page.rows if is_same_name(row.name, name))
        if page.after is None or sorted_by(page.rows[-1].name) != wanted:
            return
        after = page.after
