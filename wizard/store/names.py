"""When two products have the same name, and how one is found by it: the one rule, for the store and its callers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

from models.saved import ProductRow

if TYPE_CHECKING:
    from wizard.store.store import Store


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one to a seller, who takes no notice of case. Accents tell names apart."""
    return name_key(one) == name_key(other)


def name_key(name: str) -> str:
    """What names that are one to a seller have in common, to find them by."""
    return name.casefold()


def numbered_slugs(slug: str) -> Iterator[str]:
    """The slug, then with -2, -3, … behind it, within the 63 characters of a slug."""
    yield slug
    for number in count(2):
        ending = f"-{number}"
        yield slug[: 63 - len(ending)].rstrip("-") + ending


def sorted_by(name: str) -> str:
    """A name without case and accents: what the list is sorted by and searched in. Same names give the same."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


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
