"""Tables of views of usage that people have sent to themselves: how often, by which way, and what became of each."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import NoticeWay, ReportEvery
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class ReportSchedule(Base):
    """A saved view that somebody has sent to themselves by one way; `time_zone` is where it is morning then.

    `next_at` is the next morning on which it goes out; it is moved in the transaction that writes the message down.
    """

    __tablename__ = "report_schedules"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    view_id: Mapped[str] = mapped_column(ForeignKey("usage_views.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    way: Mapped[NoticeWay]
    every: Mapped[ReportEvery]
    time_zone: Mapped[str] = mapped_column(String(60))
    next_at: Mapped[datetime] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        CheckConstraint("way IN ('email', 'webhook')", name="way_takes_files"),
        check_in_enum("every", ReportEvery),
        UniqueConstraint("view_id", "user_id", "way"),
    )


class ReportIssue(Base):
    """What a schedule has sent for one period, once; `asked_on` is the day (UTC) that the view is asked on.

    `notice_id` is the message, None where none could be written. `error` says why it has not arrived, or not yet.
    """

    __tablename__ = "report_issues"

    schedule_id: Mapped[str] = mapped_column(ForeignKey("report_schedules.id", ondelete="CASCADE"), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    asked_on: Mapped[date]
    notice_id: Mapped[str | None] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    error: Mapped[Message | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (Index("ix_report_issues_notice", "notice_id", unique=True),)
