"""Tables of vendors' statements, what their lines were matched with, and the rows of cost that came of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import LineOutcome
from core.db.types import Base, check_in_enum
from core.ids import new_id


class VendorStatement(Base):
    """What a vendor says it was owed for a month; a corrected file takes the place of the one before.

    `sha256` is that of the file, `settings` how it was read (`core.statements.columns.Settings`), which the next one of
    this vendor is read by to begin with. `version` counts the files and readings that took the place of another.
    """

    __tablename__ = "vendor_statements"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    provider: Mapped[str] = mapped_column(String(40))
    month: Mapped[str] = mapped_column(String(7))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    heads: Mapped[list[Any]] = mapped_column(JSON)
    settings: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    line_count: Mapped[int] = mapped_column(default=0)
    uploaded_by: Mapped[str] = mapped_column(String(254))
    uploaded_at: Mapped[datetime] = mapped_column(default=utc_now)
    compared_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("provider", "month"),)


class StatementLine(Base):
    """A line of a statement and what it was matched with; also a clip of ours without a line, which has no `number`.

    `digest` is the same for lines that say the same. Amounts are millionths of `currency`; `amount_idr` is the same in
    rupiah, `cost_idr` what we had counted for the clip, and `difference_idr` what an acceptance books. `turn` counts
    acceptances and their undoings, so that an odd one is accepted. A line that was ever accepted stays when a corrected
    file lacks it, and `is_present` is false from then on. `cells` are the line as it was brought.
    """

    __tablename__ = "statement_lines"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    statement_id: Mapped[str] = mapped_column(ForeignKey("vendor_statements.id", ondelete="CASCADE"))
    number: Mapped[int | None]
    digest: Mapped[str] = mapped_column(String(64), default="")
    is_present: Mapped[bool] = mapped_column(default=True)
    outcome: Mapped[LineOutcome]
    matched_by: Mapped[str] = mapped_column(String(4), default="")
    job_id: Mapped[str] = mapped_column(String(200), default="")
    model_name: Mapped[str] = mapped_column(String(200), default="")
    model_id: Mapped[str] = mapped_column(String(80), default="")
    begins_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    currency: Mapped[str] = mapped_column(String(3), default="")
    amount_micro: Mapped[int | None] = mapped_column(BigInteger)
    amount_idr: Mapped[int | None] = mapped_column(BigInteger)
    generation_id: Mapped[str | None] = mapped_column(String(36))
    cost_idr: Mapped[int | None] = mapped_column(BigInteger)
    difference_idr: Mapped[int] = mapped_column(BigInteger, default=0)
    problems: Mapped[list[Any]] = mapped_column(JSON, default=list)
    cells: Mapped[list[Any]] = mapped_column(JSON, default=list)
    turn: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        check_in_enum("outcome", LineOutcome),
        Index("ix_statement_lines_outcome", "statement_id", "outcome", "number", "id"),
        Index("ix_statement_lines_number", "statement_id", "number", "id"),
        Index("ix_statement_lines_job", "statement_id", "job_id", "id"),
        Index("ix_statement_lines_clip", "generation_id"),
    )


class StatementClip(Base):
    """A clip that a statement is being compared with; they are here during a comparison only.

    `line_id` is the line that it was matched with. `is_taken` says that a line of another statement has it.
    """

    __tablename__ = "statement_clips"

    statement_id: Mapped[str] = mapped_column(ForeignKey("vendor_statements.id", ondelete="CASCADE"), primary_key=True)
    generation_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(80))
    job_id: Mapped[str] = mapped_column(String(200))
    sent_at: Mapped[datetime]
    until_at: Mapped[datetime]
    cost_idr: Mapped[int | None] = mapped_column(BigInteger)
    idr_per_usd: Mapped[int]
    has_ended: Mapped[bool]
    is_expected: Mapped[bool]
    is_taken: Mapped[bool]
    line_id: Mapped[str | None] = mapped_column(String(36))

    __table_args__ = (
        Index("ix_statement_clips_sent", "statement_id", "sent_at", "generation_id"),
        Index("ix_statement_clips_until", "statement_id", "until_at", "generation_id"),
        Index("ix_statement_clips_job", "statement_id", "job_id"),
    )


class CostAdjustment(Base):
    """What an accepted difference adds to the cost of a day, or takes from it; append-only, and nobody's credits.

    Undoing one is a further row with the opposite amount. With a clip it is counted in `UsageDay`, too; without one it
    is a cost of the vendor alone. `day` lies in no month that was closed when it was booked.
    """

    __tablename__ = "cost_adjustments"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    statement_id: Mapped[str] = mapped_column(ForeignKey("vendor_statements.id", ondelete="RESTRICT"))
    line_id: Mapped[str] = mapped_column(ForeignKey("statement_lines.id", ondelete="RESTRICT"))
    turn: Mapped[int]
    generation_id: Mapped[str | None] = mapped_column(String(36))
    provider: Mapped[str] = mapped_column(String(40))
    model_id: Mapped[str] = mapped_column(String(80))
    day: Mapped[str] = mapped_column(String(10))
    amount_idr: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(500))
    actor: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        UniqueConstraint("line_id", "turn"),
        CheckConstraint("amount_idr <> 0", name="amount_not_zero"),
        Index("ix_cost_adjustments_clip", "generation_id"),
        Index(
            "ix_cost_adjustments_without_clip",
            "day",
            sqlite_where=text("generation_id IS NULL"),
            postgresql_where=text("generation_id IS NULL"),
        ),
        Index("ix_cost_adjustments_statement", "statement_id", "id"),
    )
