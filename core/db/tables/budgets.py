"""Tables of monthly budgets, and of what is counted against them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import BudgetMode, BudgetScope
from core.db.types import Base, check_in_enum


class Budget(Base):
    """How much may be spent in a calendar month in a workspace, in a project of it, or by somebody there.

    `subject_id` is the workspace, the project or the person.
    """

    __tablename__ = "budgets"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    scope: Mapped[BudgetScope] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    limit_credits: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[BudgetMode] = mapped_column(default=BudgetMode.WARN)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("scope", BudgetScope),
        check_in_enum("mode", BudgetMode),
        CheckConstraint("limit_credits > 0", name="limit_positive"),
    )


class BudgetMonth(Base):
    """What was taken in a month: the credits reserved and charged for orders of it, whether there is a budget or not.

    `month` is `2026-11`, as it was in the workspace's time zone when each was ordered; what is given back leaves the
    month it was taken in. The sum over all projects of a month is that of the workspace, and that over all people, too.
    """

    __tablename__ = "budget_months"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    scope: Mapped[BudgetScope] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    taken_credits: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (
        check_in_enum("scope", BudgetScope),
        CheckConstraint("taken_credits >= 0", name="taken_not_negative"),
    )
