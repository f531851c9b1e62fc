"""The daily roll-up of usage."""

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db.types import Base


class UsageDay(Base):
    """Roll-up by day (UTC, of the end), workspace, maker, project and model; written with the move that ends a clip.

    `estimated_cost_idr` is of all completed clips, and of those that a vendor made and threw away;
    `estimate_replaced_idr` is the part of it whose real cost the provider reported. `reported_cost_microusd` is what
    was reported, also of jobs that gave no clip. `kept_*` follow people's verdicts on the clips.
    """

    __tablename__ = "usage_days"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    completed: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    settled_credits: Mapped[int] = mapped_column(BigInteger, default=0)
    released_credits: Mapped[int] = mapped_column(BigInteger, default=0)
    video_seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    estimated_cost_idr: Mapped[int] = mapped_column(BigInteger, default=0)
    estimate_replaced_idr: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    reported_cost_microusd: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    kept_count: Mapped[int] = mapped_column(default=0, server_default="0")
    kept_seconds: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    rejected_count: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (Index("ix_usage_days_workspace_day", "workspace_id", "day"),)
