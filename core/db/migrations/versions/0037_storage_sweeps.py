"""Where the search for files without rows is, and when it goes on."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    made = op.create_table(
        "storage_sweeps",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("after_key", sa.String(600), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("looked", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storage_sweeps")),
    )
    first = datetime.now(UTC) + timedelta(days=7)
    op.bulk_insert(made, [{"id": 1, "after_key": "", "looked": 0, "removed": 0, "next_at": first}])


def downgrade() -> None:
    op.drop_table("storage_sweeps")
