"""A generation counts the looks and fetches in a row that came to no end, so that none is repeated for ever."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("setbacks", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("generations", "setbacks")
