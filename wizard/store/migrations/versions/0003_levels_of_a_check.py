"""Keep what a connection's check found out about each level that products give."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: nothing is known of checks that were made before."""
    op.add_column("connection", sa.Column("check_levels", sa.JSON(none_as_null=True), nullable=True))
