"""Tables of what is done with all that is kept of a person: packed for them, or erased."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import BulkState, ErasureState
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class Erasure(Base):
    """A person who is erased, or was; the row is the job, and holds no name of theirs.

    `place` is how far the present state is (`table:id`), so that it goes on there. `next_at` is schedule and lease in
    one, None when all is done. `error` says why it does not go on just now. `counts` is what went, by kind. `asked_by`
    is the address of the administrator, or a part of the system.
    """

    __tablename__ = "erasures"

    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    asked_by_id: Mapped[str | None] = mapped_column(String(36))
    asked_by: Mapped[str] = mapped_column(String(254))
    state: Mapped[ErasureState] = mapped_column(default=ErasureState.WAITING)
    place: Mapped[str] = mapped_column(String(200), default="")
    next_at: Mapped[datetime | None]
    error: Mapped[Message | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("state", ErasureState),
        CheckConstraint("(state = 'done') = (next_at IS NULL)", name="live_has_next_at"),
    )


class PersonExport(Base):
    """All that is kept of a person, packed for them into ZIP files; the row is the job.

    `after_id` is the last thing that is packed (`clip:ID`), `files` are those that are written down (`key`,
    `size_bytes`). `next_at` is schedule and lease in one, None when it has ended; `version` grows with every claim,
    so that a late worker's write finds nothing to change. `expires_at` is when its files are removed.
    """

    __tablename__ = "person_exports"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(String(36))
    asked_by_id: Mapped[str] = mapped_column(String(36))
    state: Mapped[BulkState] = mapped_column(default=BulkState.WAITING)
    version: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    after_id: Mapped[str] = mapped_column(String(50), default="")
    files: Mapped[list[Any]] = mapped_column(JSON, default=list)
    error: Mapped[Message | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("state", BulkState),
        CheckConstraint("(next_at IS NULL) = (state NOT IN ('waiting', 'running'))", name="live_has_next_at"),
        Index("ix_person_exports_of", "user_id", "id"),
        Index("ix_person_exports_due", "next_at"),
    )
