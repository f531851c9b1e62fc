"""What each schema promises to code of before, and how far the filling in of what migrations left open is."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

oldest_head = "0037"


def upgrade() -> None:
    op.create_table(
        "schema_promises",
        sa.Column("revision", sa.String(32), nullable=False),
        sa.Column("oldest_head", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_schema_promises"),
    )
    op.create_table(
        "backfills",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("last_id", sa.String(80), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_backfills"),
    )


def downgrade() -> None:
    """What was promised and begun is forgotten."""
    op.drop_table("backfills")
    op.drop_table("schema_promises")
