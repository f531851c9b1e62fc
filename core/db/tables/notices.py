"""Tables of what people are told: notices, the ways in which each person is told, and what is sent by them."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import NoticeAudience, NoticeKind, NoticeWay, SendState
from core.db.types import Base, check_in_enum
from core.ids import new_id
from core.messages import Message


class Notice(Base):
    """One thing that one person is told, written with its cause; `group_key` names the cause, once for each person.

    One of several clips is there from the first end on: `pending_count` says how many of them are still under way, and
    it is told, with `told_at`, when none is. `clip_count` is of how many clips it speaks, and `generation_id` the one
    to look at. It holds no prompt. `in_inbox` is False for a kind that its person does not want to see there. The kind
    has no constraint in the database, so that further ones need no change of it.
    """

    __tablename__ = "notices"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    audience: Mapped[NoticeAudience]
    kind: Mapped[NoticeKind]
    group_key: Mapped[str] = mapped_column(String(150))
    title: Mapped[Message | None]
    body: Mapped[Message | None]
    generation_id: Mapped[str | None] = mapped_column(String(36))
    project_id: Mapped[str | None] = mapped_column(String(36))
    pending_count: Mapped[int] = mapped_column(default=0)
    clip_count: Mapped[int] = mapped_column(default=0)
    in_inbox: Mapped[bool] = mapped_column(default=True)
    told_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("audience", NoticeAudience),
        CheckConstraint("(audience = 'member') = (workspace_id IS NOT NULL)", name="members_have_workspace"),
        CheckConstraint("told_at IS NULL OR title IS NOT NULL", name="told_has_title"),
        CheckConstraint("pending_count >= 0", name="pending_not_negative"),
        UniqueConstraint("user_id", "group_key"),
        Index("ix_notices_inbox", "user_id", "told_at", "id"),
        Index(
            "ix_notices_unread",
            "user_id",
            sqlite_where=text("read_at IS NULL AND told_at IS NOT NULL AND in_inbox"),
            postgresql_where=text("read_at IS NULL AND told_at IS NOT NULL AND in_inbox"),
        ),
        Index("ix_notices_created", "created_at"),
    )


class WayToTell(Base):
    """A way in which somebody wants to be told, and the kinds of notices that do not take it.

    `address` is that of a chat or webhook and a secret of its person; mail goes to the address they sign in with, and
    the inbox needs none. `digest_at` is when the next daily digest is due, None for no digest; `time_zone` is where it
    is morning then. The secret of a webhook is derived (`SECRET_KEY`, id) and kept nowhere. `failing_since` is the
    first failure after the last success, and `error` what was said then.
    """

    __tablename__ = "ways_to_tell"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    way: Mapped[NoticeWay]
    address: Mapped[str] = mapped_column(String(2000), default="")
    is_on: Mapped[bool] = mapped_column(default=True)
    muted: Mapped[list[str]] = mapped_column(JSON, default=list)
    digest_at: Mapped[datetime | None]
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    failing_since: Mapped[datetime | None]
    error: Mapped[Message | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("way", NoticeWay),
        UniqueConstraint("user_id", "way"),
        Index(
            "ix_ways_to_tell_digest",
            "digest_at",
            sqlite_where=text("digest_at IS NOT NULL"),
            postgresql_where=text("digest_at IS NOT NULL"),
        ),
    )


class NoticeSend(Base):
    """One message by one way; its id is what the far side knows a repeat by, and stays the same in every attempt.

    It is about a notice, or is a digest, which has none: those that are part of it name it in `digest_id`. `next_at` is
    schedule and lease in one; `attempts` grows with each claim, so that each attempt is one sender's.
    """

    __tablename__ = "notice_sends"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    way_id: Mapped[str] = mapped_column(ForeignKey("ways_to_tell.id", ondelete="CASCADE"))
    notice_id: Mapped[str | None] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), index=True)
    digest_id: Mapped[str | None] = mapped_column(String(36), index=True)
    state: Mapped[SendState] = mapped_column(default=SendState.DUE)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    error: Mapped[Message | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("state", SendState),
        CheckConstraint("(state = 'due') = (next_at IS NOT NULL)", name="due_has_next_at"),
        UniqueConstraint("way_id", "notice_id"),
        Index(
            "ix_notice_sends_due",
            "next_at",
            sqlite_where=text("state = 'due'"),
            postgresql_where=text("state = 'due'"),
        ),
        Index(
            "ix_notice_sends_held",
            "way_id",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
    )
