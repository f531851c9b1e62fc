"""People are told: notices, the ways in which each is told, and what is sent by them."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UNREAD = sa.text("read_at IS NULL AND told_at IS NOT NULL AND in_inbox")


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("tells_prompts", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "notices",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=True),
        sa.Column("audience", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("group_key", sa.String(150), nullable=False),
        sa.Column("title", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("generation_id", sa.String(36), nullable=True),
        sa.Column("project_id", sa.String(36), nullable=True),
        sa.Column("pending_count", sa.Integer(), nullable=False),
        sa.Column("clip_count", sa.Integer(), nullable=False),
        sa.Column("in_inbox", sa.Boolean(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notices_user_id_users", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_notices_workspace_id_workspaces", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("user_id", "group_key", name="uq_notices_user_id_group_key"),
        sa.CheckConstraint("audience IN ('self', 'member', 'operator')", name="ck_notices_audience_known"),
        sa.CheckConstraint(
            "(audience = 'member') = (workspace_id IS NOT NULL)", name="ck_notices_members_have_workspace"
        ),
        sa.CheckConstraint("told_at IS NULL OR title IS NOT NULL", name="ck_notices_told_has_title"),
        sa.CheckConstraint("pending_count >= 0", name="ck_notices_pending_not_negative"),
    )
    op.create_index("ix_notices_workspace_id", "notices", ["workspace_id"])
    op.create_index("ix_notices_inbox", "notices", ["user_id", "told_at", "id"])
    op.create_index("ix_notices_created", "notices", ["created_at"])
    _index("ix_notices_unread", "notices", ["user_id"], UNREAD)
    op.create_table(
        "ways_to_tell",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("address", sa.String(2000), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.JSON(), nullable=False),
        sa.Column("digest_at", UtcDateTime(), nullable=True),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_ways_to_tell_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_ways_to_tell"),
        sa.UniqueConstraint("user_id", "way", name="uq_ways_to_tell_user_id_way"),
        sa.CheckConstraint("way IN ('inbox', 'email', 'slack', 'teams', 'webhook')", name="ck_ways_to_tell_way_known"),
    )
    _index("ix_ways_to_tell_digest", "ways_to_tell", ["digest_at"], sa.text("digest_at IS NOT NULL"))
    op.create_table(
        "notice_sends",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("way_id", sa.String(36), nullable=False),
        sa.Column("notice_id", sa.String(36), nullable=True),
        sa.Column("digest_id", sa.String(36), nullable=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["way_id"], ["ways_to_tell.id"], name="fk_notice_sends_way_id_ways_to_tell", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name="fk_notice_sends_notice_id_notices", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notice_sends"),
        sa.UniqueConstraint("way_id", "notice_id", name="uq_notice_sends_way_id_notice_id"),
        sa.CheckConstraint(
            "state IN ('due', 'held', 'sent', 'given_up', 'dropped')", name="ck_notice_sends_state_known"
        ),
        sa.CheckConstraint("(state = 'due') = (next_at IS NOT NULL)", name="ck_notice_sends_due_has_next_at"),
    )
    op.create_index("ix_notice_sends_notice_id", "notice_sends", ["notice_id"])
    op.create_index("ix_notice_sends_digest_id", "notice_sends", ["digest_id"])
    _index("ix_notice_sends_due", "notice_sends", ["next_at"], sa.text("state = 'due'"))
    _index("ix_notice_sends_held", "notice_sends", ["way_id"], sa.text("state = 'held'"))


def downgrade() -> None:
    """Who was told of what, and how each wants to be told, is forgotten."""
    op.drop_table("notice_sends")
    op.drop_table("ways_to_tell")
    op.drop_table("notices")
    op.drop_column("workspaces", "tells_prompts")
