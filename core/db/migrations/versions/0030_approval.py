"""Orders may wait for approval: what a workspace asks it for, the stage that waits, and what became of each.

Processes of the version before read no row in that stage: the rule is for managers to set once all are of this one.
"""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_NAME = "ck_generations_stage_known"
_WAS = "stage IN ('queued', 'handed', 'submitting', 'waiting', 'ready', 'downloading', 'ended')"
_IS = "stage IN ('approval', 'queued', 'handed', 'submitting', 'waiting', 'ready', 'downloading', 'ended')"


def upgrade() -> None:
    _replace(_WAS, _IS)
    op.add_column("workspaces", sa.Column("approval_above_credits", sa.BigInteger(), nullable=True))
    op.add_column(
        "workspaces", sa.Column("approval_over_budget", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "approvals",
        sa.Column("generation_id", sa.String(36), nullable=False),
        sa.Column("maker_id", sa.String(36), nullable=False),
        sa.Column("press_id", sa.String(36), nullable=False),
        sa.Column("cause", sa.String(8), nullable=False),
        sa.Column("press_credits", sa.BigInteger(), nullable=False),
        sa.Column("pending_seconds", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decision", sa.String(10), nullable=True),
        sa.Column("decided_by_id", sa.String(36), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_approvals_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["maker_id"], ["users.id"], name=op.f("fk_approvals_maker_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("generation_id", name=op.f("pk_approvals")),
        sa.CheckConstraint("cause IN ('price', 'budget')", name=op.f("ck_approvals_cause_known")),
        sa.CheckConstraint("decision IN ('approved', 'declined', 'lapsed')", name=op.f("ck_approvals_decision_known")),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_approvals_decided_has_moment")),
        sa.CheckConstraint(
            "decided_by_id IS NULL OR decided_by_id <> maker_id", name=op.f("ck_approvals_decided_by_another")
        ),
        sa.CheckConstraint(
            "decision <> 'approved' OR decided_by_id IS NOT NULL", name=op.f("ck_approvals_approved_by_somebody")
        ),
    )
    op.create_index("ix_approvals_press", "approvals", ["press_id", "generation_id"])


def downgrade() -> None:
    """What waits for approval is not made without it: it stays reserved, for an administrator to release as unclear."""
    op.execute(
        "UPDATE generations SET status = 'uncertain', stage = 'submitting', version = version + 1 "
        "WHERE stage = 'approval'"
    )
    op.execute("UPDATE generation_events SET stage = 'queued' WHERE stage = 'approval'")
    op.drop_table("approvals")
    op.drop_column("workspaces", "approval_over_budget")
    op.drop_column("workspaces", "approval_above_credits")
    _replace(_IS, _WAS)


def _replace(old: str, new: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _replace_in_text(f"{_NAME} CHECK ({old})", f"{_NAME} CHECK ({new})")
        return
    op.drop_constraint(op.f(_NAME), "generations", type_="check")
    op.create_check_constraint(op.f(_NAME), "generations", new, postgresql_not_valid=True)
    op.execute(f"ALTER TABLE generations VALIDATE CONSTRAINT {_NAME}")


def _replace_in_text(old: str, new: str) -> None:
    """SQLite has no ALTER for a check; see 0011."""
    connection = op.get_bind()
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    changed = connection.execute(
        sa.text(
            "UPDATE sqlite_schema SET sql = replace(sql, :old, :new) "
            "WHERE type = 'table' AND name = 'generations' AND instr(sql, :old) > 0"
        ),
        {"old": old, "new": new},
    )
    if changed.rowcount != 1:
        raise RuntimeError(f"the table of generations has no '{old}'")
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
