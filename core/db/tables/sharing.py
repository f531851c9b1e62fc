"""Tables of what people tell each other about clips, and of links for people outside."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utc_now
from core.db.enums import VisitKind
from core.db.types import Base, check_in_enum
from core.ids import new_id


class ClipNote(Base):
    """What somebody says about a clip, at `at_seconds` of it or about all of it; readable by its workspace."""

    __tablename__ = "clip_notes"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    text: Mapped[str] = mapped_column(Text)
    at_seconds: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("at_seconds IS NULL OR at_seconds >= 0", name="moment_not_negative"),
        Index("ix_clip_notes_of", "generation_id", "id"),
    )


class ShareLink(Base):
    """An address, kept as a hash only, under which people outside see chosen clips until it expires or is revoked.

    Their prompts are shown only with `show_prompt`.
    """

    __tablename__ = "share_links"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    title: Mapped[str] = mapped_column(String(120), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    allow_download: Mapped[bool] = mapped_column(default=False)
    show_prompt: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    view_count: Mapped[int] = mapped_column(default=0)
    last_viewed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_share_links_workspace", "workspace_id", "id"),)


class ShareLinkClip(Base):
    """One clip of a link, in the order they are shown."""

    __tablename__ = "share_link_clips"

    link_id: Mapped[str] = mapped_column(ForeignKey("share_links.id", ondelete="CASCADE"), primary_key=True)
    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int]

    __table_args__ = (Index("ix_share_link_clips_of", "generation_id"),)


class ShareLinkVisit(Base):
    """Somebody who came by a link, and from where."""

    __tablename__ = "share_link_visits"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("share_links.id", ondelete="CASCADE"))
    kind: Mapped[VisitKind]
    generation_id: Mapped[str | None] = mapped_column(String(36))
    address: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (check_in_enum("kind", VisitKind), Index("ix_share_link_visits_of", "link_id", "id"))
