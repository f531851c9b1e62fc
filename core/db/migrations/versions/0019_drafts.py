"""What another tab has written is set aside instead of lost."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drafts", sa.Column("set_aside", sa.JSON(), nullable=True))
    op.add_column("drafts", sa.Column("set_aside_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """What was set aside is forgotten."""
    op.drop_column("drafts", "set_aside_at")
    op.drop_column("drafts", "set_aside")
