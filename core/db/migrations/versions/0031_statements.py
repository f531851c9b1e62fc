"""Vendors' statements with their lines, the rows of cost that accepted differences are, and their sum of each day."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None

_OUTCOMES = (
    "outcome IN ('matched', 'price_differs', 'other_model', 'unclear', 'duplicate', 'theirs_only', 'ours_only', "
    "'unreadable')"
)


def upgrade() -> None:
    op.create_table(
        "vendor_statements",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("heads", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.String(254), nullable=False),
        sa.Column("uploaded_at", UtcDateTime(), nullable=False),
        sa.Column("compared_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_vendor_statements"),
        sa.UniqueConstraint("provider", "month", name="uq_vendor_statements_provider_month"),
    )
    _lines()
    _clips()
    _adjustments()
    op.add_column("usage_days", sa.Column("adjusted_cost_idr", sa.BigInteger(), nullable=False, server_default="0"))


def _lines() -> None:
    op.create_table(
        "statement_lines",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("statement_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("is_present", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("matched_by", sa.String(4), nullable=False),
        sa.Column("job_id", sa.String(200), nullable=False),
        sa.Column("model_name", sa.String(200), nullable=False),
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=True),
        sa.Column("amount_idr", sa.BigInteger(), nullable=True),
        sa.Column("generation_id", sa.String(36), nullable=True),
        sa.Column("cost_idr", sa.BigInteger(), nullable=True),
        sa.Column("difference_idr", sa.BigInteger(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.CheckConstraint(_OUTCOMES, name=op.f("ck_statement_lines_outcome_known")),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["vendor_statements.id"],
            name="fk_statement_lines_statement_id_vendor_statements",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statement_lines"),
    )
    op.create_index("ix_statement_lines_outcome", "statement_lines", ["statement_id", "outcome", "number", "id"])
    op.create_index("ix_statement_lines_number", "statement_lines", ["statement_id", "number", "id"])
    op.create_index("ix_statement_lines_job", "statement_lines", ["statement_id", "job_id", "id"])
    op.create_index("ix_statement_lines_clip", "statement_lines", ["generation_id"])


def _clips() -> None:
    op.create_table(
        "statement_clips",
        sa.Column("statement_id", sa.String(36), nullable=False),
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("job_id", sa.String(200), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False),
        sa.Column("cost_idr", sa.BigInteger(), nullable=True),
        sa.Column("idr_per_usd", sa.Integer(), nullable=False),
        sa.Column("has_ended", sa.Boolean(), nullable=False),
        sa.Column("is_expected", sa.Boolean(), nullable=False),
        sa.Column("is_taken", sa.Boolean(), nullable=False),
        sa.Column("line_id", sa.String(36), nullable=True),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["vendor_statements.id"],
            name="fk_statement_clips_statement_id_vendor_statements",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("statement_id", "generation_id", name="pk_statement_clips"),
    )
    op.create_index("ix_statement_clips_sent", "statement_clips", ["statement_id", "sent_at", "generation_id"])
    op.create_index("ix_statement_clips_until", "statement_clips", ["statement_id", "until_at", "generation_id"])
    op.create_index("ix_statement_clips_job", "statement_clips", ["statement_id", "job_id"])


def _adjustments() -> None:
    op.create_table(
        "cost_adjustments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("statement_id", sa.String(36), nullable=False),
        sa.Column("line_id", sa.String(36), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.String(36), nullable=True),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("actor", sa.String(254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount_idr <> 0", name=op.f("ck_cost_adjustments_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["vendor_statements.id"],
            name="fk_cost_adjustments_statement_id_vendor_statements",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["statement_lines.id"],
            name="fk_cost_adjustments_line_id_statement_lines",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cost_adjustments"),
        sa.UniqueConstraint("line_id", "turn", name="uq_cost_adjustments_line_id_turn"),
    )
    op.create_index("ix_cost_adjustments_clip", "cost_adjustments", ["generation_id"])
    op.create_index("ix_cost_adjustments_statement", "cost_adjustments", ["statement_id", "id"])
    op.create_index(
        "ix_cost_adjustments_without_clip",
        "cost_adjustments",
        ["day"],
        sqlite_where=sa.text("generation_id IS NULL"),
        postgresql_where=sa.text("generation_id IS NULL"),
    )


def downgrade() -> None:
    """Statements go, and with them what was accepted; everything else is as it was counted."""
    op.drop_column("usage_days", "adjusted_cost_idr")
    for table in ("cost_adjustments", "statement_clips", "statement_lines", "vendor_statements"):
        op.drop_table(table)
