"""Tables of bulk jobs: what is done to every clip that matched a filter when somebody asked for it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import BulkKind, BulkState
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class BulkJob(Base):
    """One thing to do to many clips; the row is the job, and `BulkItem` the clips that are still to be done.

    `asked` is the filter, `details` what the kind needs (`tags`, `project_id`, `names`). `matched_count` is how many
    clips matched when it was asked for; each ends among `done_count` or `left_count`, which were not to be changed.
    `under_way_count` are those of the file that is being packed just now.
    `next_at` is schedule and lease in one, None when it has ended. `version` grows with every claim, so that a late
    worker's write finds nothing to change; `attempt` counts the tries in a row that came to no end.
    `expires_at` is when its files are removed, None when there are none, or no longer.
    """

    __tablename__ = "bulk_jobs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    token_id: Mapped[str | None] = mapped_column(String(36))
    kind: Mapped[BulkKind]
    asked: Mapped[dict[str, Any]]
    details: Mapped[dict[str, Any]]
    state: Mapped[BulkState] = mapped_column(default=BulkState.WAITING)
    matched_count: Mapped[int] = mapped_column(default=0)
    done_count: Mapped[int] = mapped_column(default=0)
    left_count: Mapped[int] = mapped_column(default=0)
    under_way_count: Mapped[int] = mapped_column(default=0)
    matched_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    error: Mapped[Message | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("kind", BulkKind),
        check_in_enum("state", BulkState),
        CheckConstraint("(next_at IS NULL) = (state NOT IN ('waiting', 'running'))", name="live_has_next_at"),
        CheckConstraint("done_count + left_count <= matched_count", name="no_more_than_matched"),
        Index("ix_bulk_jobs_own", "workspace_id", "user_id", "id"),
        Index(
            "ix_bulk_jobs_due",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index(
            "ix_bulk_jobs_expiring",
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )


class BulkItem(Base):
    """A clip that a job has still to do: it goes in the transaction that does it."""

    __tablename__ = "bulk_items"

    job_id: Mapped[str] = mapped_column(ForeignKey("bulk_jobs.id", ondelete="CASCADE"), primary_key=True)
    generation_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class BulkFile(Base):
    """A ZIP that a job has packed; `number` counts from 1."""

    __tablename__ = "bulk_files"

    job_id: Mapped[str] = mapped_column(ForeignKey("bulk_jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    storage_key: Mapped[str] = mapped_column(String(200))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    clip_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
