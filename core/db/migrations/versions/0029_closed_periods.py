"""Closed months of the books, cost centres, and an index by which the movements of one month are found."""

import sqlalchemy as sa
from alembic import op

from core.db import indexes
from core.db.types import UtcDateTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closed_periods",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=False),
        sa.Column("closed_by_id", sa.String(36), nullable=False),
        sa.Column("closed_by", sa.String(254), nullable=False),
        sa.Column("last_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("entries_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_closed_periods"),
    )
    op.create_table(
        "closed_entries",
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("month", "place", name="pk_closed_entries"),
    )
    op.add_column("projects", sa.Column("cost_centre", sa.String(60), nullable=False, server_default=""))
    indexes.create(
        op,  # type: ignore[arg-type]  # the module stands for its Operations
        "ix_ledger_entries_account_time",
        "ledger_entries",
        ["account_id", "created_at", "id"],
    )


def downgrade() -> None:
    """The ledger stays as it is; that months were closed is forgotten."""
    op.drop_index("ix_ledger_entries_account_time", "ledger_entries", if_exists=True)
    op.drop_column("projects", "cost_centre")
    op.drop_table("closed_entries")
    op.drop_table("closed_periods")
