"""Tables of what is under way: one slim row a live generation, and how far the line of each provider has come."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, String, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.types import Base, check_in_enum

_IN_LINE = "stage = 'queued'"
"""In the words of the indexes: SQLite uses a partial index only for the very same."""


class Flight(Base):
    """A generation from its order to its end, as those need it who move it on; the row goes with the end.

    It is written in the transaction of each move (`core.generations.lifecycle`), and so agrees with its generation in
    all that both have. What changes between moves stands here alone, so that a look writes this small row only:
    `next_at` is schedule and lease in one: the row is due when it has passed, and is claimed by moving it forward.
    `version` grows with every move and claim, so that a late write finds nothing to change. `setbacks` counts looks or
    fetches in a row that came to no end that could be written down. `expedited_at` is when a call of the vendor last
    made us look sooner. `turn` is its place in the line of its provider (`core.generations.turns`).
    """

    __tablename__ = "flights"

    id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(String(36))
    user_id: Mapped[str] = mapped_column(String(36))
    provider: Mapped[str] = mapped_column(String(40))
    model_id: Mapped[str] = mapped_column(String(80))
    resolution: Mapped[str] = mapped_column(String(10))
    duration_seconds: Mapped[int]
    status: Mapped[Status]
    stage: Mapped[Stage]
    version: Mapped[int] = mapped_column(default=0)
    turn: Mapped[int] = mapped_column(BigInteger, default=0)
    next_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    setbacks: Mapped[int] = mapped_column(default=0)
    progress: Mapped[float] = mapped_column(default=0.0)
    progress_is_estimate: Mapped[bool] = mapped_column(default=True)
    provider_job_id: Mapped[str | None] = mapped_column(String(200))
    provider_base_url: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    expedited_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("status", Status),
        check_in_enum("stage", Stage),
        CheckConstraint("stage <> 'ended'", name="is_live"),
        CheckConstraint("progress >= 0 AND progress <= 1", name="progress_range"),
        Index("ix_flights_due", "provider", "stage", "next_at"),
        Index("ix_flights_workspace", "workspace_id", "id"),
        # `next_at` tells what is due from the index alone; `turn` and `id` are the order of the line.
        Index(
            "ix_flights_turn",
            "provider",
            "turn",
            "id",
            "next_at",
            sqlite_where=text(_IN_LINE),
            postgresql_where=text(_IN_LINE),
        ),
        Index(
            "ix_flights_last_turn",
            "user_id",
            "provider",
            "turn",
            sqlite_where=text(_IN_LINE),
            postgresql_where=text(_IN_LINE),
        ),
        {"postgresql_with": {"fillfactor": 50}},  # looks find room on the page of their row
    )


def in_line() -> ColumnElement[bool]:
    """What waits here to be sent; a literal, because SQLite uses a partial index only for the very same words."""
    return Flight.stage == literal_column("'queued'")


class ProviderLine(Base):
    """How far the line of a provider has come: the latest `turn` that was taken from it. It never goes back."""

    __tablename__ = "provider_lines"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    turn: Mapped[int] = mapped_column(BigInteger, default=0)
