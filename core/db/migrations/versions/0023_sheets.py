"""Tables of orders that people bring are kept, with the clips that each of their lines has ordered."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheets",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("heads", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("defaults", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("clip_count", sa.Integer(), nullable=False),
        sa.Column("total_credits", sa.BigInteger(), nullable=False),
        sa.Column("ordered_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_sheets_workspace_id_workspaces"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sheets_user_id_users", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_sheets"),
        sa.UniqueConstraint("workspace_id", "digest", name="uq_sheets_workspace_id_digest"),
    )
    op.create_index("ix_sheets_workspace_newest", "sheets", ["workspace_id", "id"])
    op.create_table(
        "sheet_clips",
        sa.Column("sheet_id", sa.String(36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("take", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name="fk_sheet_clips_sheet_id_sheets", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name="fk_sheet_clips_generation_id_generations", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sheet_id", "place", "take", name="pk_sheet_clips"),
    )
    op.create_index("ix_sheet_clips_of", "sheet_clips", ["generation_id"])


def downgrade() -> None:
    """What was ordered stays; by which sheet is forgotten."""
    op.drop_table("sheet_clips")
    op.drop_table("sheets")
