"""How often somebody may try to log in: ten failures for an address and for a client within a quarter of an hour."""

from __future__ import annotations

import math

from sqlalchemy import delete, insert, select

from wizard.sandbox.records import attempts
from wizard.sandbox.world import World

LIMIT = 10
"""Failed tries, for each address and for each client, …"""

WINDOW = 15 * 60
"""… within so many seconds."""


class TooMany(Exception):
    """No more tries for now. `after` is the number of seconds to wait."""

    def __init__(self, after: int) -> None:
        super().__init__(f"Too many tries. Try again in {max(1, round(after / 60))} min.")
        self.after = after


class Attempt:
    """One try to log in. It counts as failed from the beginning, so that a hundred at once are counted too; whoever
    gets in is told with `succeeded`. Raises TooMany."""

    def __init__(self, world: World, email: str, client: str) -> None:
        self._world = world
        self._address = f"address {email.lower()}"
        with world.writing() as connection:
            connection.execute(delete(attempts).where(attempts.c.at <= world.now - WINDOW))
            for who in (self._address, f"client {client}"):
                tries = select(attempts.c.at).where(attempts.c.who == who).order_by(attempts.c.id.desc())
                full = connection.scalar(tries.offset(LIMIT - 1).limit(1))
                if full is not None:
                    raise TooMany(max(1, math.ceil(full + WINDOW - world.now)))
            made = [
                connection.execute(insert(attempts).values(who=who, at=world.now)).inserted_primary_key
                for who in (self._address, f"client {client}")
            ]
        self._rows = [key[0] for key in made if key is not None]

    def succeeded(self) -> None:
        """Forget this try, and the failed ones for the same address."""
        ours = attempts.c.id.in_(self._rows) | (attempts.c.who == self._address)
        with self._world.writing() as connection:
            connection.execute(delete(attempts).where(ours))
