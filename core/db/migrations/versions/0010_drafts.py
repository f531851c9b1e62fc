"""What people have written and not sent is kept for them, and what works leaves a sign of life."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("form", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("written_by", sa.String(80), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_drafts_user_id_users", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("user_id", "form", name="pk_drafts"),
    )
    op.create_table(
        "heartbeats",
        sa.Column("part", sa.String(40), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("part", name="pk_heartbeats"),
    )


def downgrade() -> None:
    op.drop_table("heartbeats")
    op.drop_table("drafts")
