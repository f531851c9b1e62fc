"""Views of usage that people have sent to themselves: how often, by which way, and what went out for which period."""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_schedules",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("view_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("every", sa.String(8), nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["view_id"], ["usage_views.id"], name="fk_report_schedules_view_id_usage_views", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_report_schedules_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_report_schedules"),
        sa.UniqueConstraint("view_id", "user_id", "way", name="uq_report_schedules_view_id_user_id_way"),
        sa.CheckConstraint("way IN ('email', 'webhook')", name="ck_report_schedules_way_takes_files"),
        sa.CheckConstraint("every IN ('daily', 'weekly', 'monthly')", name="ck_report_schedules_every_known"),
    )
    op.create_index("ix_report_schedules_user_id", "report_schedules", ["user_id"])
    op.create_index("ix_report_schedules_next_at", "report_schedules", ["next_at"])
    op.create_table(
        "report_issues",
        sa.Column("schedule_id", sa.String(36), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("notice_id", sa.String(36), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["report_schedules.id"],
            name="fk_report_issues_schedule_id_report_schedules",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name="fk_report_issues_notice_id_notices", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("schedule_id", "period", name="pk_report_issues"),
    )
    op.create_index("ix_report_issues_notice", "report_issues", ["notice_id"], unique=True)


def downgrade() -> None:
    """Notices of reports stay as they are; nobody is sent any more."""
    op.drop_table("report_issues")
    op.drop_table("report_schedules")
