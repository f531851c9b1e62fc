"""Table of the words that people put on clips, with what usage by word is told by."""

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db.types import Base


class GenerationTag(Base):
    """A word a person put on a clip.

    Of one that has ended it has what usage is told by, so that no clip has to be looked at for that: the day (UTC) of
    its end, who made it, where it was charged, what it was, how it ended, what it came to. `reason` is `completed`,
    `cancelled` or the code of the error. Until it ends all of these are None. `core.usage.rollups` writes them.
    """

    __tablename__ = "generation_tags"

    generation_id: Mapped[str] = mapped_column(ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    ended_on: Mapped[str | None] = mapped_column(String(10))
    maker_id: Mapped[str | None] = mapped_column(String(36))
    charged_in_id: Mapped[str | None] = mapped_column(String(36))
    provider: Mapped[str | None] = mapped_column(String(40))
    model_id: Mapped[str | None] = mapped_column(String(80))
    outcome: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(60))
    credits: Mapped[int | None] = mapped_column(BigInteger)
    seconds: Mapped[int | None]

    __table_args__ = (
        Index("ix_generation_tags_of", "workspace_id", "tag", "generation_id"),
        Index("ix_generation_tags_days", "workspace_id", "ended_on"),
    )
