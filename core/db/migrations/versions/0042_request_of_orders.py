"""Which request an order came with, and in which span of a trace it was made; nobody knows it of orders of before."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0040"
branch_labels = None
depends_on = None

oldest_head = "0037"


def upgrade() -> None:
    op.add_column("generations", sa.Column("request_id", sa.String(64), nullable=True))
    op.add_column("generations", sa.Column("traceparent", sa.String(55), nullable=True))


def downgrade() -> None:
    op.drop_column("generations", "traceparent")
    op.drop_column("generations", "request_id")
