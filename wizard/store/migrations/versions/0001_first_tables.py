"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BINARY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

PERIODS = (
    "('weekly', 'every_2_weeks', 'monthly', 'every_2_months', 'quarterly', 'every_6_months', 'yearly', 'every_2_years')"
)

ONLY_ADDED = "history is only ever added to"


def upgrade() -> None:
    """Create every table, and the trigger that keeps history as it was written."""
    op.create_table(
        "seller",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seller")),
        sa.UniqueConstraint("slug", name=op.f("uq_seller_slug")),
    )
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_calendar_seller_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("seller_id", "slug", name=op.f("uq_calendar_seller_id_slug")),
    )
    op.create_table(
        "connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("check_ok", sa.Boolean(), nullable=True),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.Column("check_detail", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sandbox', 'webhook', 'wordpress', 'ghost', 'dap', 's2member')", name=op.f("ck_connection_kind")
        ),
        sa.CheckConstraint("(check_ok IS NULL) = (checked_at IS NULL)", name=op.f("ck_connection_check")),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["seller.id"], name=op.f("fk_connection_seller_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("seller_id", "slug", name=op.f("uq_connection_seller_id_slug")),
    )
    op.create_table(
        "library_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_library_file_sha256")),
        sa.CheckConstraint("size > 0", name=op.f("ck_library_file_size")),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["seller.id"], name=op.f("fk_library_file_seller_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_file")),
        sa.UniqueConstraint("seller_id", "slug", name=op.f("uq_library_file_seller_id_slug")),
    )
    op.create_index("ix_library_file_sha256", "library_file", ["sha256"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_protected", sa.Boolean(), nullable=False),
        sa.Column("login_page", sa.String(), nullable=True),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["seller.id"], name=op.f("fk_membership_seller_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("seller_id", "slug", name=op.f("uq_membership_seller_id_slug")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("sorted_by", BINARY, nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("access_kind", sa.String(), nullable=True),
        sa.Column("general", sa.JSON(), nullable=False),
        sa.Column("pricing", sa.JSON(), nullable=False),
        sa.Column("checkout", sa.JSON(), nullable=False),
        sa.Column("access", sa.JSON(), nullable=False),
        sa.Column("thank_you", sa.JSON(), nullable=False),
        sa.Column("notifications", sa.JSON(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("post_sale", sa.JSON(), nullable=False),
        sa.Column("automations", sa.JSON(), nullable=False),
        sa.Column("affiliates", sa.JSON(), nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "access_kind IN ('hosted_membership', 'integrated_membership', 'downloadable_file', 'no_access_page')",
            name=op.f("ck_product_access_kind"),
        ),
        sa.CheckConstraint("mode IN ('demo', 'live')", name=op.f("ck_product_mode")),
        sa.CheckConstraint("is_deleted = (deleted_at IS NOT NULL)", name=op.f("ck_product_is_deleted")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_product_currency")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_product_revision")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_product_seller_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("seller_id", "slug", name=op.f("uq_product_seller_id_slug")),
    )
    op.create_index("ix_product_list", "product", ["seller_id", "is_deleted", "sorted_by", "slug"], unique=False)
    op.create_index(
        "ix_product_name",
        "product",
        ["seller_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "webinar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_webinar_seller_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webinar")),
        sa.UniqueConstraint("seller_id", "slug", name=op.f("uq_webinar_seller_id_slug")),
    )
    op.create_table(
        "access_option",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=True),
        sa.Column("connection_id", sa.Integer(), nullable=True),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.Column("webinar_id", sa.Integer(), nullable=True),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.CheckConstraint("calendar_id IS NULL OR kind = 'no_access_page'", name=op.f("ck_access_option_calendar")),
        sa.CheckConstraint(
            "connection_id IS NULL OR kind = 'integrated_membership'", name=op.f("ck_access_option_connection")
        ),
        sa.CheckConstraint("file_id IS NULL OR kind = 'downloadable_file'", name=op.f("ck_access_option_file")),
        sa.CheckConstraint(
            "kind IN ('hosted_membership', 'integrated_membership', 'downloadable_file', 'no_access_page')",
            name=op.f("ck_access_option_kind"),
        ),
        sa.CheckConstraint(
            "membership_id IS NULL OR kind = 'hosted_membership'", name=op.f("ck_access_option_membership")
        ),
        sa.CheckConstraint("webinar_id IS NULL OR kind = 'no_access_page'", name=op.f("ck_access_option_webinar")),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendar.id"], name=op.f("fk_access_option_calendar_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_access_option_connection_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["library_file.id"], name=op.f("fk_access_option_file_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_access_option_membership_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_access_option_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["webinar_id"], ["webinar.id"], name=op.f("fk_access_option_webinar_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_option")),
        sa.UniqueConstraint("product_id", "kind", name=op.f("uq_access_option_product_id_kind")),
    )
    op.create_index(op.f("ix_access_option_calendar_id"), "access_option", ["calendar_id"], unique=False)
    op.create_index(op.f("ix_access_option_connection_id"), "access_option", ["connection_id"], unique=False)
    op.create_index(op.f("ix_access_option_file_id"), "access_option", ["file_id"], unique=False)
    op.create_index(op.f("ix_access_option_membership_id"), "access_option", ["membership_id"], unique=False)
    op.create_index(op.f("ix_access_option_webinar_id"), "access_option", ["webinar_id"], unique=False)
    op.create_table(
        "bump",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offered_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("product_id <> offered_id", name=op.f("ck_bump_not_itself")),
        sa.ForeignKeyConstraint(["offered_id"], ["product.id"], name=op.f("fk_bump_offered_id"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_bump_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", "position", name=op.f("pk_bump")),
        sa.UniqueConstraint("product_id", "offered_id", name=op.f("uq_bump_product_id_offered_id")),
    )
    op.create_index(op.f("ix_bump_offered_id"), "bump", ["offered_id"], unique=False)
    op.create_table(
        "history_entry",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("old", sa.JSON(), nullable=False),
        sa.Column("new", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_history_entry_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "revision", "position", name=op.f("pk_history_entry")),
    )
    op.create_table(
        "level",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("slug", BINARY, nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 10", name=op.f("ck_level_position")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_level_membership_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_level")),
        sa.UniqueConstraint("membership_id", "slug", name=op.f("uq_level_membership_id_slug")),
    )
    op.create_table(
        "price_point",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("period", sa.String(), nullable=True),
        sa.Column("payments", sa.Integer(), nullable=True),
        sa.Column("cycle", sa.String(), nullable=True),
        sa.Column("initial_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("initial_days", sa.Integer(), nullable=True),
        sa.Column("cancellation", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.CheckConstraint("amount_minor > 0 OR type = 'one_time'", name=op.f("ck_price_point_only_one_time_is_free")),
        sa.CheckConstraint("cancellation IN ('period_end', 'instant')", name=op.f("ck_price_point_cancellation")),
        sa.CheckConstraint(
            f"cycle IN {PERIODS}",
            name=op.f("ck_price_point_cycle"),
        ),
        sa.CheckConstraint(
            f"period IN {PERIODS}",
            name=op.f("ck_price_point_period"),
        ),
        sa.CheckConstraint(
            "type IN ('one_time', 'recurring', 'installments', 'recurring_installments')",
            name=op.f("ck_price_point_type"),
        ),
        sa.CheckConstraint(
            "(initial_amount_minor IS NULL) = (initial_days IS NULL)", name=op.f("ck_price_point_initial_payment")
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_price_point_amount")),
        sa.CheckConstraint("initial_amount_minor >= 0", name=op.f("ck_price_point_initial_amount")),
        sa.CheckConstraint("initial_days BETWEEN 1 AND 730", name=op.f("ck_price_point_initial_days")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_price_point_currency")),
        sa.CheckConstraint("payments BETWEEN 2 AND 120", name=op.f("ck_price_point_payments")),
        sa.CheckConstraint("position >= 1", name=op.f("ck_price_point_position")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_price_point_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "position", name=op.f("pk_price_point")),
    )
    op.create_table(
        "run",
        sa.Column("id", BINARY, nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("backend", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('passed', 'failed', 'action_required', 'interrupted')", name=op.f("ck_run_verdict")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_run_revision")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_run_product_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_run_seller_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_product_id", "run", ["product_id", "id"], unique=False)
    op.create_index("ix_run_seller_id", "run", ["seller_id", "id"], unique=False)
    op.create_table(
        "access_level",
        sa.Column("access_option_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["access_option_id"],
            ["access_option.id"],
            name=op.f("fk_access_level_access_option_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["level_id"], ["level.id"], name=op.f("fk_access_level_level_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("access_option_id", "position", name=op.f("pk_access_level")),
        sa.UniqueConstraint("access_option_id", "level_id", name=op.f("uq_access_level_access_option_id_level_id")),
    )
    op.create_index(op.f("ix_access_level_level_id"), "access_level", ["level_id"], unique=False)
    op.create_table(
        "run_step",
        sa.Column("run_id", BINARY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ms", sa.Float(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("action", sa.JSON(), nullable=False),
        sa.Column("receipt", sa.JSON(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("rest", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'performed', 'passed', 'failed', 'action_required', 'skipped')",
            name=op.f("ck_run_step_status"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_run_step_attempts")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_step_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_run_step")),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER history_entry_is_only_added BEFORE UPDATE ON history_entry "
            f"BEGIN SELECT RAISE(ABORT, '{ONLY_ADDED}'); END"
        )
    else:
        op.execute(
            "CREATE FUNCTION refuse_history_update() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{ONLY_ADDED}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER history_entry_is_only_added BEFORE UPDATE ON history_entry "
            "FOR EACH ROW EXECUTE FUNCTION refuse_history_update()"
        )
