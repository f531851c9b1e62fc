"""A rejected clip may say why, and a verdict whose it was; those of before say neither."""

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("reject_reason", sa.String(20), nullable=True))
    op.add_column("generations", sa.Column("judged_by_id", sa.String(36), nullable=True))
    indexes.create(
        op,  # type: ignore[arg-type]  # the module stands for its Operations
        "ix_generations_reject_reason",
        "generations",
        ["workspace_id", "reject_reason", "id"],
        where="reject_reason IS NOT NULL AND deleted_at IS NULL",
    )


def downgrade() -> None:
    """Reasons and names are forgotten; the verdicts stay."""
    op.drop_index("ix_generations_reject_reason", "generations", if_exists=True)
    for column in ("judged_by_id", "reject_reason"):
        op.drop_column("generations", column)
