"""How Alembic runs our migrations: inside the transaction of whoever asks for them."""

from __future__ import annotations

from alembic import context

from models.records import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
    # The caller has begun the transaction, and the whole schema change is part of it.
    transactional_ddl=False,
)
context.run_migrations()
