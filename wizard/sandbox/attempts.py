"""How often somebody may try to log in: ten failures for an address and for a client within a quarter of an hour."""

from __future__ import annotations

import math

from sqlalchemy import Connection, delete, insert, select

from models.addresses import one_spelling
from wizard.sandbox.records import attempts
from wizard.sandbox.world import World

LIMIT = 10
"""Failed tries, for each address and for each client, …"""

WINDOW = 15 * 60
"""… within so many seconds."""


class TooMany(Exception):
    """No more tries for now. `after` is the number of seconds to wait."""

    def __init__(self, after: int) -> None:
        minutes = math.ceil(after / 60)
        super().__init__(f"Too many tries. Try again in {minutes} minute{'s' if minutes > 1 else ''}.")
        self.after = after


class Attempt:
    """One try to log in. For its address it counts as failed from the beginning, so that many at once are counted too.
    Raises TooMany."""

    def __init__(self, world: World, email: str, client: str) -> None:
        self._world = world
        self._address, self._client = f"address {one_spelling(email)}", f"client {client}"
        with world.writing() as connection:
            connection.execute(delete(attempts).where(attempts.c.at <= world.now - WINDOW))
            for who in (self._address, self._client):
                self._refuse_if_too_many(connection, who)
            connection.execute(insert(attempts).values(who=self._address, at=world.now))

    def _refuse_if_too_many(self, connection: Connection, who: str) -> None:
        tries = select(attempts.c.at).where(attempts.c.who == who).order_by(attempts.c.id.desc())
        tenth = connection.scalar(tries.offset(LIMIT - 1).limit(1))
        if tenth is not None:
            raise TooMany(max(1, math.ceil(tenth + WINDOW - self._world.now)))

    def failed(self) -> None:
        """Count this try for its client too."""
        with self._world.writing() as connection:
            connection.execute(insert(attempts).values(who=self._client, at=self._world.now))

    def succeeded(self) -> None:
        """Forget this try, and the failed ones for the same address."""
        with self._world.writing() as connection:
            connection.execute(delete(attempts).where(attempts.c.who == self._address))
