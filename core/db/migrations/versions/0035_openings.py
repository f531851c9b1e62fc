"""When somebody first opened a clip; waste is told from indexes that hold all of it.

Clips that are there count as those of which nobody knows: the default of the column says so without touching a row, on
SQLite (ALTER TABLE ADD COLUMN) and on PostgreSQL from 11 on alike. It stays, for processes of an older release.
"""

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0035"
down_revision = "0029"
branch_labels = None
depends_on = None

_WHAT_AND_WHOSE = ("provider", "model_id", "user_id", "project_id", "charged_project_id", "credits")
_UNOPENED = ("workspace_id", "ended_at", *_WHAT_AND_WHOSE)
_IN_VAIN = (
    *_UNOPENED,
    *("status", "kept", "error_code", "reject_reason", "created_at", "submitted_at"),
    *("provider_cost", "provider_cost_currency", "estimated_cost_microusd", "idr_per_usd"),
)


def upgrade() -> None:
    unknown = "'1970-01-01 00:00:00.000000'" if op.get_bind().dialect.name == "sqlite" else "'1970-01-01 00:00:00+00'"
    op.add_column(
        "generations",
        sa.Column("first_opened_at", sa.DateTime(timezone=True), nullable=True, server_default=sa.text(unknown)),
    )
    for name, columns, where in (
        ("ix_generations_in_vain", _IN_VAIN, "status IN ('failed', 'cancelled') OR kept = false"),
        ("ix_generations_unopened", _UNOPENED, "status = 'completed' AND first_opened_at IS NULL"),
    ):
        indexes.create(op, name, "generations", columns, where=where)  # type: ignore[arg-type]  # the module stands for its Operations


def downgrade() -> None:
    """What was opened is forgotten; figures of waste are counted from the clips again."""
    op.drop_index("ix_generations_unopened", "generations", if_exists=True)
    op.drop_index("ix_generations_in_vain", "generations", if_exists=True)
    op.drop_column("generations", "first_opened_at")
