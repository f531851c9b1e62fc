"""How far the look at everything has come, and an index by which clips are found that were charged elsewhere."""

import sqlalchemy as sa
from alembic import op

from core.db import indexes
from core.db.types import UtcDateTime

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

oldest_head = "0037"


def upgrade() -> None:
    op.create_table(
        "full_audits",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("after_key", sa.String(80), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("claim", sa.String(36), nullable=True),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_full_audits")),
    )
    op.execute("INSERT INTO full_audits (id, seen, part, after_key, found) VALUES (1, '{}', 0, '', '{}')")
    indexes.create(
        op,  # type: ignore[arg-type]  # the module stands for its Operations
        "ix_generations_charged",
        "generations",
        ["charged_project_id"],
        where="charged_project_id IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_generations_charged", table_name="generations")
    op.drop_table("full_audits")
