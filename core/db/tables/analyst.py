"""The table of analyst packs: files of all figures that are made in the background."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import BulkState
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class AnalystPack(Base):
    """One pack that was asked for, or that is made in a night (`night`, such as `2026-11-30`); the row is the job.

    `workspace_id` is None for one of the whole installation, `user_id` for a nightly one. `asked` is what
    `core.analyst_pack.asked` makes of it, `prompts_of` the workspaces whose prompts are in it. `row_count` rows are to
    be written and `done_count` are. `next_at` is schedule and lease in one, None when it has ended; `version` grows
    with every claim, `attempt` with every try. `expires_at` is when its file is removed, None when there is none.
    Nothing points to other tables, so that people and workspaces may go before it.
    """

    __tablename__ = "analyst_packs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str | None] = mapped_column(String(36))
    user_id: Mapped[str | None] = mapped_column(String(36))
    token_id: Mapped[str | None] = mapped_column(String(36))
    night: Mapped[str | None] = mapped_column(String(10), unique=True)
    asked: Mapped[dict[str, Any]]
    state: Mapped[BulkState] = mapped_column(default=BulkState.WAITING)
    row_count: Mapped[int] = mapped_column(BigInteger, default=0)
    done_count: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    error: Mapped[Message | None]
    prompts_of: Mapped[list[Any]] = mapped_column(JSON(), default=list)
    storage_key: Mapped[str | None] = mapped_column(String(200))
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("state", BulkState),
        CheckConstraint("(next_at IS NULL) = (state NOT IN ('waiting', 'running'))", name="live_has_next_at"),
        CheckConstraint("(state = 'done') = (storage_key IS NOT NULL)", name="done_has_file"),
        Index("ix_analyst_packs_own", "user_id", "id"),
        Index("ix_analyst_packs_due", "next_at"),
        Index("ix_analyst_packs_ended", "ended_at"),
    )
