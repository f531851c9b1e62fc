"""Tables of orders that came as a spreadsheet, and which clip was ordered by which of its lines."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.types import Base
from core.ids import new_id


class Sheet(Base):
    """A table of orders as somebody brought it; `digest` is the same for the same content, once a workspace.

    `heads` and `lines` are texts as they were read: a line is `[number in the file, is left out, cells]`. `defaults`
    fill cells that are empty, `notes` are what was noticed in reading. It changes until it is ordered, and from then on
    it says what was ordered at which price.
    """

    __tablename__ = "sheets"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))
    heads: Mapped[list[Any]] = mapped_column(JSON)
    lines: Mapped[list[Any]] = mapped_column(JSON, deferred=True)
    defaults: Mapped[dict[str, Any]]
    notes: Mapped[list[Any]] = mapped_column(JSON)
    row_count: Mapped[int]
    clip_count: Mapped[int] = mapped_column(default=0)
    total_credits: Mapped[int] = mapped_column(BigInteger, default=0)
    ordered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    replayed = False
    """Of this answer and no column: it was ordered before, and the request was a repeat."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "digest"),
        Index("ix_sheets_workspace_newest", "workspace_id", "id"),
    )


class SheetClip(Base):
    """A clip that a line of a sheet has ordered; `place` is that of the line, from 0, `take` that of the clip in it."""

    __tablename__ = "sheet_clips"

    sheet_id: Mapped[str] = mapped_column(ForeignKey("sheets.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    take: Mapped[int] = mapped_column(primary_key=True)
    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"))

    __table_args__ = (Index("ix_sheet_clips_of", "generation_id"),)
