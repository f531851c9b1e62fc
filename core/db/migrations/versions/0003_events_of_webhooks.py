"""Webhooks choose which events they are told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhook_endpoints", sa.Column("events", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("webhook_endpoints", "events")
