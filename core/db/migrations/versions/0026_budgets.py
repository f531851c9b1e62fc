"""Budgets of workspaces, projects and members, which warn or stop, and what each month's orders have taken of them.

Budgets of before warned only, and go on doing so. The month under way is counted from the ledger, so that they hold at
once; what is still under way from months before is counted in its own, so that it leaves that again.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_SCOPES = "scope IN ('workspace', 'project', 'member')"
_SUBJECTS = {
    "workspace": "a.workspace_id",
    "project": "COALESCE(g.charged_project_id, g.project_id)",
    "member": "g.user_id",
}


def _key(*between: sa.Column[Any]) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("workspace_id", sa.String(36), nullable=False),
        *between,
        sa.Column("scope", sa.String(12), nullable=False),
        sa.Column("subject_id", sa.String(36), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "budgets",
        *_key(),
        sa.Column("limit_credits", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(_SCOPES, name=op.f("ck_budgets_scope_known")),
        sa.CheckConstraint("mode IN ('warn', 'stop')", name=op.f("ck_budgets_mode_known")),
        sa.CheckConstraint("limit_credits > 0", name=op.f("ck_budgets_limit_positive")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_budgets_workspace_id_workspaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "scope", "subject_id", name=op.f("pk_budgets")),
    )
    op.create_table(
        "budget_months",
        *_key(sa.Column("month", sa.String(7), nullable=False)),
        sa.Column("taken_credits", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(_SCOPES, name=op.f("ck_budget_months_scope_known")),
        sa.CheckConstraint("taken_credits >= 0", name=op.f("ck_budget_months_taken_not_negative")),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_budget_months_workspace_id_workspaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "month", "scope", "subject_id", name=op.f("pk_budget_months")),
    )
    op.add_column("workspaces", sa.Column("time_zone", sa.String(64), nullable=False, server_default="UTC"))
    op.add_column("generations", sa.Column("budget_month", sa.String(7), nullable=True))
    _carry_over()
    _count()
    for table in ("workspaces", "projects"):
        op.drop_column(table, "monthly_budget_credits")


def _carry_over() -> None:
    for table, workspace, scope in (("workspaces", "id", "workspace"), ("projects", "workspace_id", "project")):
        op.get_bind().execute(
            sa.text(
                "INSERT INTO budgets (workspace_id, scope, subject_id, limit_credits, mode, updated_at) "  # noqa: S608 -- names of this module
                f"SELECT {workspace}, '{scope}', id, monthly_budget_credits, 'warn', :now FROM {table} "
                "WHERE monthly_budget_credits > 0"
            ).bindparams(sa.bindparam("now", datetime.now(UTC), type_=UtcDateTime()))
        )


def _count() -> None:
    """Orders since the first of this month (UTC, which is every workspace's zone so far), and those under way."""
    bind = op.get_bind()
    is_postgresql = bind.dialect.name == "postgresql"
    month = "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')" if is_postgresql else "substr(created_at, 1, 7)"
    first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    bind.execute(
        sa.text(
            f"UPDATE generations SET budget_month = {month} WHERE created_at >= :first OR stage <> 'ended'"  # noqa: S608 -- as above
        ).bindparams(sa.bindparam("first", first, type_=UtcDateTime()))
    )
    for scope, subject in _SUBJECTS.items():
        bind.execute(
            sa.text(
                "INSERT INTO budget_months (workspace_id, month, scope, subject_id, taken_credits) "  # noqa: S608 -- as above
                f"SELECT a.workspace_id, g.budget_month, '{scope}', {subject}, "
                "SUM(CASE e.kind WHEN 'hold' THEN e.amount_credits ELSE -e.amount_credits END) "
                "FROM generations g JOIN ledger_entries e ON e.generation_id = g.id "
                "JOIN accounts a ON a.id = e.account_id "
                "WHERE g.budget_month IS NOT NULL AND e.kind IN ('hold', 'release') "
                f"GROUP BY a.workspace_id, g.budget_month, {subject}"
            )
        )


def downgrade() -> None:
    """Budgets that stop and those of members are forgotten; the others warn, as all did."""
    for table in ("workspaces", "projects"):
        op.add_column(table, sa.Column("monthly_budget_credits", sa.BigInteger(), nullable=True))
        op.get_bind().execute(
            sa.text(
                f"UPDATE {table} SET monthly_budget_credits = (SELECT limit_credits FROM budgets "  # noqa: S608 -- as above
                f"WHERE scope = :scope AND subject_id = {table}.id)"
            ),
            {"scope": table.removesuffix("s")},
        )
    op.drop_column("generations", "budget_month")
    op.drop_column("workspaces", "time_zone")
    op.drop_table("budget_months")
    op.drop_table("budgets")
