"""Roll-ups of usage, saved views of them, the dollar that costs are counted at, and how far estimates are off."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.types import Base
from core.ids import new_id


class UsageDay(Base):
    """Roll-up by day (UTC, of the end), workspace, maker, project and model; written with the move that ends a clip.

    `estimated_cost_idr` is of all completed clips, and of those that a vendor made and threw away;
    `estimate_replaced_idr` is the part of it whose real cost the provider reported, and `estimate_from_price_idr` the
    part that is a share of our own price, from before there were providers' prices. `reported_cost_microusd` is what
    was reported, also of jobs that gave no clip, `reported_cost_idr` the same at each order's own dollar.
    `wasted_cost_idr` is the part of both, reported or not, that gave no clip. `cost_unknown_count` is of clips of which
    nobody knows what they cost. `adjusted_cost_idr` is what accepted differences of vendors' statements add to all of
    this. `kept_*` follow people's verdicts on the clips.
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
    reported_cost_idr: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    estimate_from_price_idr: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    wasted_cost_idr: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    cost_unknown_count: Mapped[int] = mapped_column(default=0, server_default="0")
    adjusted_cost_idr: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    kept_count: Mapped[int] = mapped_column(default=0, server_default="0")
    kept_seconds: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    rejected_count: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (Index("ix_usage_days_workspace_day", "workspace_id", "day"),)


class UndeliveredDay(Base):
    """Roll-up of what gave no clip, by the same keys and why; written with the move that ends it, beside `UsageDay`.

    `outcome` is `failed` or `cancelled`, `reason` the code of the error, empty for what was cancelled. What ended while
    a process of an older release was at work is in `UsageDay` only.
    """

    __tablename__ = "undelivered_days"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="RESTRICT"), primary_key=True)
    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(12), primary_key=True)
    reason: Mapped[str] = mapped_column(String(60), primary_key=True)
    clips: Mapped[int] = mapped_column(default=0)
    released_credits: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (Index("ix_undelivered_days_workspace_day", "workspace_id", "day"),)


class UsageView(Base):
    """A view of the usage explorer under a name; a shared one is seen by its workspace, changed by its person only.

    `asked` is what `core.usage.saved_views` makes of it.
    """

    __tablename__ = "usage_views"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(80))
    shared: Mapped[bool] = mapped_column(default=False)
    asked: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        UniqueConstraint("workspace_id", "user_id", "name"),
        Index(
            "ix_usage_views_shared",
            "workspace_id",
            "name",
            sqlite_where=text("shared"),
            postgresql_where=text("shared"),
        ),
    )


class ExchangeRate(Base):
    """What a dollar is taken for from a moment on, as an administrator has set it; who did stands in the audit log."""

    __tablename__ = "exchange_rates"

    since: Mapped[datetime] = mapped_column(primary_key=True)
    idr_per_usd: Mapped[int]

    __table_args__ = (CheckConstraint("idr_per_usd > 0", name="rate_positive"),)


class CostDrift(Base):
    """How the reported costs of a model's newest clips differ from their estimates by the price of `cost_since`.

    `off_in_a_row` counts clips that were far off, one after the other, up to the newest; that was `newest_percent` of
    its estimate.
    """

    __tablename__ = "cost_drifts"

    model_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    cost_since: Mapped[datetime]
    off_in_a_row: Mapped[int]
    newest_percent: Mapped[int]
    updated_at: Mapped[datetime]
