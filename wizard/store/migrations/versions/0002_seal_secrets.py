"""Seal the secrets of connections, which stood there as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CONNECTION = sa.table("connection", sa.column("id", sa.Integer), sa.column("secrets", sa.LargeBinary))

NONE = b"{}"
"""How a connection without secrets was written."""


def upgrade() -> None:
    """Make a token of the JSON that stood there, and nothing of an empty one."""
    keys = context.config.attributes["keys"]
    database = op.get_bind()
    for id_, plain in database.execute(sa.select(CONNECTION)).all():
        sealed = b"" if plain == NONE else keys.seal(plain)
        database.execute(sa.update(CONNECTION).where(CONNECTION.c.id == id_).values(secrets=sealed))
