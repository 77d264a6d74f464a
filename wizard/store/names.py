"""When two names are one, and what a name is sorted and found by: the one rule, for the store and its callers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import count


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
