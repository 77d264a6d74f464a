"""Where a command works: the settings, and the seller's records, opened when they are first needed."""

from __future__ import annotations

import difflib
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from wizard.cli.output import warn
from wizard.failure import Failure
from wizard.invocation import command

if TYPE_CHECKING:
    from models.saved import SavedAccount, SavedProduct
    from wizard.settings import Settings
    from wizard.store import Store

JSON = typer.Option(False, "--json", help="Print one JSON document and nothing else.")
PRODUCT = typer.Argument(metavar="PRODUCT", help="The product's slug, as `wizard products` lists it.")


class Wrong(Failure, ValueError):
    """The command was given something that does not exist or does not fit. The message says what would."""


class Place:
    """The data folder of a command."""

    def __init__(self, data_dir: str | None) -> None:
        self._data_dir = data_dir

    @cached_property
    def settings(self) -> Settings:
        """From flags, then the environment, then the configuration file. Raises BadSettings."""
        from wizard.settings import load

        return load(data_dir=self._data_dir)

    def store(self) -> Store:
        """Open the records: a context manager. Raises Unavailable."""
        from wizard.store import open_store

        store = open_store(self.settings)
        if store.notice:
            warn(store.notice)
        return store


def place_of(context: typer.Context) -> Place:
    """Where the command works."""
    place = context.find_root().obj
    assert isinstance(place, Place)
    return place


def tell_broken(account: SavedAccount) -> None:
    """Name the things that are stored and cannot be used."""
    for why in account.broken.values():
        warn(why)


def product_of(store: Store, slug: str) -> SavedProduct:
    """A product by its slug. Raises Wrong, with a proposal where one is close."""
    from wizard.store.errors import NotFound

    try:
        return store.load(slug)
    except NotFound:
        slugs = [row.slug for row in store.products(limit=200).rows]
        close = difflib.get_close_matches(slug, slugs, n=1)
        way = f"Did you mean {close[0]}?" if close else f"`{command('products')}` lists them."
        raise Wrong(f"There is no product {slug!r}. {way}") from None
