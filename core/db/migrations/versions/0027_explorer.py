"""What gave no clip is counted by day and reason, from all that has ended; views of usage can be saved."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_KEYS = ("day", "workspace_id", "user_id", "project_id", "provider", "model_id", "outcome", "reason")


def upgrade() -> None:
    op.create_table(
        "undelivered_days",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column("released_credits", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_undelivered_days_workspace_id_workspaces")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_undelivered_days_user_id_users"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_undelivered_days_project_id_projects"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint(*_KEYS, name=op.f("pk_undelivered_days")),
    )
    op.execute(_count())
    op.create_index("ix_undelivered_days_workspace_day", "undelivered_days", ["workspace_id", "day"])
    op.create_table(
        "usage_views",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_usage_views_workspace_id_workspaces")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_usage_views_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_views")),
        sa.UniqueConstraint("workspace_id", "user_id", "name", name=op.f("uq_usage_views_workspace_id_user_id_name")),
    )
    op.create_index(
        "ix_usage_views_shared",
        "usage_views",
        ["workspace_id", "name"],
        sqlite_where=sa.text("shared"),
        postgresql_where=sa.text("shared"),
    )


def _count() -> str:
    """Of all that is known to have ended on a day: by the project that it is counted in, and the workspace of that."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    day = "to_char(g.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if is_postgresql else "substr(g.ended_at, 1, 10)"
    reason = "CASE WHEN g.status = 'failed' THEN coalesce(g.error_code, '') ELSE '' END"
    return (
        f"INSERT INTO undelivered_days ({', '.join(_KEYS)}, clips, released_credits) "  # noqa: S608 -- names of ours
        f"SELECT {day}, p.workspace_id, g.user_id, p.id, g.provider, g.model_id, g.status, {reason}, "
        "count(*), sum(g.credits) FROM generations g "
        "JOIN projects p ON p.id = coalesce(g.charged_project_id, g.project_id) "
        "WHERE g.status IN ('failed', 'cancelled') AND g.ended_at IS NOT NULL "
        f"GROUP BY {day}, p.workspace_id, g.user_id, p.id, g.provider, g.model_id, g.status, {reason}"
    )


def downgrade() -> None:
    """Figures are counted anew when they are wanted again; saved views are forgotten."""
    op.drop_table("usage_views")
    op.drop_table("undelivered_days")
