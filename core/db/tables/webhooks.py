"""Tables of webhooks and what is delivered to them."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import DeliveryState, DisabledReason
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class WebhookEndpoint(Base):
    """An address that a person wants to be told at when a generation of a workspace ends.

    Its signing secret is derived (`SECRET_KEY`, id, `secret_version`) and kept nowhere; `secret_key_id` names the key
    with which the one was made that its person has, None until that is noted at a start. `failing_since` is the first
    failure after the last success. `events` are those it is told, None for all that there are or will be.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    url: Mapped[str] = mapped_column(String(2000))
    description: Mapped[str] = mapped_column(String(200), default="")
    events: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    secret_version: Mapped[int] = mapped_column(default=1)
    secret_key_id: Mapped[str | None] = mapped_column(String(16))
    rotated_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[DisabledReason | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("disabled_reason", DisabledReason),
        CheckConstraint("(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled_has_reason"),
    )


class WebhookDelivery(Base):
    """One event on its way to one endpoint; written with the move that ends a generation, so that none is lost.

    `event_id` is the same for all endpoints and every replay of an event, and `body` is what is sent, to the byte.
    A test belongs to no generation. `attempts` grows with each claim, so that each attempt is one sender's.
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="RESTRICT"))
    generation_id: Mapped[str | None] = mapped_column(ForeignKey("generations.id", ondelete="RESTRICT"), index=True)
    event: Mapped[str] = mapped_column(String(60))
    event_id: Mapped[str] = mapped_column(String(36))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.DUE)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(String(500))
    error: Mapped[Message | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("state", DeliveryState),
        CheckConstraint("(state = 'due') = (next_at IS NOT NULL)", name="due_has_next_at"),
        Index("ix_webhook_deliveries_newest", "endpoint_id", "id"),
        Index(
            "ix_webhook_deliveries_due",
            "next_at",
            "endpoint_id",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
    )
