"""What is under way gets slim rows of its own, and each order its turn; the weights of workspaces.

All that lives is carried over, in the order in which it was handed over so far: each person's first before anybody's
second. `generations` keeps its columns, since processes of the version before read and write them.
"""

import sqlalchemy as sa
from alembic import op

from core.db.types import UtcDateTime

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

oldest_head = "0037"

_STAGES = "'approval', 'queued', 'handed', 'submitting', 'waiting', 'ready', 'downloading', 'ended'"
_STATUSES = "'pending', 'processing', 'uncertain', 'completed', 'failed', 'cancelled'"
_SAME = (
    *("id", "workspace_id", "user_id", "provider", "model_id", "resolution", "duration_seconds", "status", "stage"),
    *("version", "next_at", "deadline_at", "setbacks", "progress", "progress_is_estimate", "provider_job_id"),
    *("provider_base_url", "created_at", "submitted_at", "cancel_requested_at", "expedited_at"),
)
_STEP = 1_000_000


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("turn_weight", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "provider_lines",
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_lines")),
    )
    op.create_table(
        "flights",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("workspace_id", sa.String(36), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("model_id", sa.String(80), nullable=False),
        sa.Column("resolution", sa.String(10), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("deadline_at", UtcDateTime(), nullable=True),
        sa.Column("setbacks", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("progress_is_estimate", sa.Boolean(), nullable=False),
        sa.Column("provider_job_id", sa.String(200), nullable=True),
        sa.Column("provider_base_url", sa.String(300), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.Column("expedited_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flights")),
        sa.ForeignKeyConstraint(["id"], ["generations.id"], name=op.f("fk_flights_id_generations"), ondelete="CASCADE"),
        sa.CheckConstraint(f"status IN ({_STATUSES})", name=op.f("ck_flights_status_known")),
        sa.CheckConstraint(f"stage IN ({_STAGES})", name=op.f("ck_flights_stage_known")),
        sa.CheckConstraint("stage <> 'ended'", name=op.f("ck_flights_is_live")),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", name=op.f("ck_flights_progress_range")),
        postgresql_with={"fillfactor": 50},
    )
    same = ", ".join(_SAME)
    op.execute(
        f"INSERT INTO flights ({same}, turn) SELECT {same}, "  # noqa: S608 -- names of ours
        f"CASE WHEN stage = 'queued' THEN {_STEP} * row_number() OVER "
        "(PARTITION BY provider, user_id, stage ORDER BY id) ELSE 0 END "
        "FROM generations WHERE stage <> 'ended'"
    )
    in_line = sa.text("stage = 'queued'")
    op.create_index("ix_flights_due", "flights", ["provider", "stage", "next_at"])
    op.create_index("ix_flights_workspace", "flights", ["workspace_id", "id"])
    for name, columns in (
        ("ix_flights_turn", ["provider", "turn", "id", "next_at"]),
        ("ix_flights_last_turn", ["user_id", "provider", "turn"]),
    ):
        op.create_index(name, "flights", columns, sqlite_where=in_line, postgresql_where=in_line)


def downgrade() -> None:
    """What looks have learned goes back to the generations; turns and weights are forgotten."""
    op.execute(
        "UPDATE generations SET next_at = f.next_at, setbacks = f.setbacks, progress = f.progress, "
        "progress_is_estimate = f.progress_is_estimate, expedited_at = f.expedited_at "
        "FROM flights f WHERE f.id = generations.id"
    )
    op.drop_table("flights")
    op.drop_table("provider_lines")
    op.drop_column("workspaces", "turn_weight")
