"""Orders may name a seed, frames a second and what they refer to; those of before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COLUMNS = ("seed", "fps", "references")


def upgrade() -> None:
    op.add_column("generations", sa.Column("seed", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("fps", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("references", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("generations", name)
