"""When somebody first opened a clip; waste is told from indexes that hold all of it, usage by tag from the tags.

Clips that are there count as those of which nobody knows: the default of the column says so without touching a row, on
SQLite (ALTER TABLE ADD COLUMN) and on PostgreSQL from 11 on alike. It stays, for processes of an older release.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from core.db import indexes

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_WHAT_AND_WHOSE = ("provider", "model_id", "user_id", "project_id", "charged_project_id", "credits")
_UNOPENED = ("workspace_id", "ended_at", *_WHAT_AND_WHOSE)
_IN_VAIN = (
    *_UNOPENED,
    *("status", "kept", "error_code", "reject_reason", "created_at", "submitted_at"),
    *("provider_cost", "provider_cost_currency", "estimated_cost_microusd", "idr_per_usd"),
)

_OF_TAGS: dict[str, sa.types.TypeEngine[Any]] = {
    "ended_on": sa.String(10),
    "maker_id": sa.String(36),
    "charged_in_id": sa.String(36),
    "provider": sa.String(40),
    "model_id": sa.String(80),
    "outcome": sa.String(12),
    "reason": sa.String(60),
    "credits": sa.BigInteger(),
    "seconds": sa.Integer(),
}


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
    for name, kind in _OF_TAGS.items():
        op.add_column("generation_tags", sa.Column(name, kind, nullable=True))
    _describe_tags()
    indexes.create(op, "ix_generation_tags_days", "generation_tags", ["workspace_id", "ended_on"])  # type: ignore[arg-type]  # as above


def _describe_tags() -> None:
    """What the tags of clips that have ended are told by, taken from the clips."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    day = "to_char(g.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if is_postgresql else "substr(g.ended_at, 1, 10)"
    op.execute(
        f"UPDATE generation_tags SET ended_on = {day}, maker_id = g.user_id, "  # noqa: S608 -- names of ours
        "charged_in_id = coalesce(g.charged_project_id, g.project_id), provider = g.provider, model_id = g.model_id, "
        "outcome = g.status, credits = g.credits, seconds = g.duration_seconds, "
        "reason = CASE WHEN g.status = 'failed' THEN coalesce(g.error_code, '') ELSE g.status END "
        "FROM generations g WHERE g.id = generation_tags.generation_id AND g.ended_at IS NOT NULL "
        "AND g.status IN ('completed', 'failed', 'cancelled')"
    )


def downgrade() -> None:
    """What was opened is forgotten; figures of waste and by tag are counted from the clips again."""
    op.drop_index("ix_generation_tags_days", "generation_tags", if_exists=True)
    for name in _OF_TAGS:
        op.drop_column("generation_tags", name)
    op.drop_index("ix_generations_unopened", "generations", if_exists=True)
    op.drop_index("ix_generations_in_vain", "generations", if_exists=True)
    op.drop_column("generations", "first_opened_at")
