"""Whether the providers' own calls reach this installation: when one last came, and how many clips ended without."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

oldest_head = "0037"


def upgrade() -> None:
    op.add_column("provider_health", sa.Column("called_at", UtcDateTime(), nullable=True))
    op.add_column("provider_health", sa.Column("calls_missed", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("provider_health", "calls_missed")
    op.drop_column("provider_health", "called_at")
