"""Count amounts in the minor units of ISO 4217, in the currencies whose small coins have gone out of use.

Until here these were counted in whole units, since that is how CLDR displays them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HUNDREDTHS = ("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER")
THOUSANDTHS = ("IQD",)


def upgrade() -> None:
    """Multiply what is stored: the amounts stay what they are."""
    price = sa.table("price_point", *(sa.column(n) for n in ("currency", "amount_minor", "initial_amount_minor")))
    for factor, currencies in ((100, HUNDREDTHS), (1000, THOUSANDTHS)):
        amounts = {column.name: column * factor for column in price.columns if column.name != "currency"}
        op.execute(sa.update(price).where(price.c.currency.in_(currencies)).values(amounts))
