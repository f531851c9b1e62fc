"""Table of orders that asked for approval, and what became of each."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import ApprovalCause, Decision
from core.db.types import Base, check_in_enum


class Approval(Base):
    """One order that asked. Until it is decided it stands in the stage `approval`, and lapses at its `deadline_at`.

    `maker_id` is who ordered it, `press_id` the same for all that asked with one press, which cost `press_credits`.
    `pending_seconds` is how long it may then wait for its provider. `decided_by_id` is None for what has lapsed, `note`
    what was said to its maker.
    """

    __tablename__ = "approvals"

    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    maker_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    press_id: Mapped[str] = mapped_column(String(36))
    cause: Mapped[ApprovalCause]
    press_credits: Mapped[int] = mapped_column(BigInteger)
    pending_seconds: Mapped[int]
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    decision: Mapped[Decision | None]
    decided_by_id: Mapped[str | None] = mapped_column(String(36))
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(500), default="")

    __table_args__ = (
        check_in_enum("cause", ApprovalCause),
        check_in_enum("decision", Decision),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_has_moment"),
        CheckConstraint("decided_by_id IS NULL OR decided_by_id <> maker_id", name="decided_by_another"),
        CheckConstraint("decision <> 'approved' OR decided_by_id IS NOT NULL", name="approved_by_somebody"),
        Index("ix_approvals_press", "press_id", "generation_id"),
    )
