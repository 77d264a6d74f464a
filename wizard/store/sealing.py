"""The one place where secrets become the bytes that are stored, and again secrets.

What stands in the database is a Fernet token of their JSON; nothing, where there is no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import SecretStr
from sqlalchemy import Connection, select, update

from models import records
from wizard.store.errors import NoKeyFits
from wizard.store.keys import Keys


class Rotation(NamedTuple):
    """What became of the secrets when they were sealed anew."""

    sealed: int
    unreadable: tuple[str, ...]
    """The connections whose secret no key opens, by slug: it stays as it is."""


def seal(secrets: Mapping[str, SecretStr], keys: Keys) -> bytes:
    """What is stored for secrets, by the names of their fields. Raises `KeysUnusable`."""
    plain = {name: secret.get_secret_value() for name, secret in secrets.items()}
    return keys.seal(json.dumps(plain, sort_keys=True).encode()) if plain else b""


def unseal(stored: bytes, keys: Keys) -> dict[str, SecretStr]:
    """The secrets that were stored. Raises `NoKeyFits`, `KeysUnusable`."""
    return {name: SecretStr(plain) for name, plain in json.loads(keys.unseal(stored)).items()} if stored else {}


def seal_anew(connection: Connection, keys: Keys) -> Rotation:
    """Seal every secret with the newest key. Nobody else may write meanwhile. Raises `KeysUnusable`."""
    table = records.table_of(records.Connection)
    sealed, unreadable = 0, []
    for id_, slug, stored in connection.execute(select(table.c.id, table.c.slug, table.c.secrets)).all():
        if not stored:
            continue
        try:
            token = keys.seal(keys.unseal(stored))
        except NoKeyFits:
            unreadable.append(slug)
            continue
        connection.execute(update(table).where(table.c.id == id_).values(secrets=token))
        sealed += 1
    return Rotation(sealed, tuple(sorted(unreadable)))
