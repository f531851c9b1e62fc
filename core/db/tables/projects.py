"""Tables of projects and what people keep in them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from core import normal_form
from core.clock import utc_now
from core.db.types import Base
from core.ids import new_id
from core.spec import GenerationSpec


def key_of_name(context: DefaultExecutionContext) -> str:
    """The name of a new row as it is searched and sorted by."""
    return normal_form.normal(context.get_current_parameters()["name"])  # type: ignore[no-untyped-call]  # SQLAlchemy has none there


class Project(Base):
    """A folder of generations in a workspace; `user_id` is who made it.

    `spent_credits` is the sum of what was charged in it, booked with each charge. `name_key` is the name as it is
    searched and sorted by, written with it. `cost_centre` is what finance charges it to.
    """

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(Text, default=key_of_name, server_default="")
    description: Mapped[str] = mapped_column(String(2000), default="")
    cost_centre: Mapped[str] = mapped_column(String(60), default="", server_default="")
    archived_at: Mapped[datetime | None]
    generation_count: Mapped[int] = mapped_column(default=0)
    spent_credits: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    # What processes of the version before read; nothing of ours does.
    monthly_budget_credits: Mapped[int | None] = mapped_column(BigInteger, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        Index("ix_projects_workspace_newest", "workspace_id", "updated_at", "id"),
        Index("ix_projects_name", "workspace_id", "name"),
    )


class Draft(Base):
    """What a person has written in a form of a workspace and not sent, so that it outlives connection and process.

    `written_by` is the browser session that wrote it last, and so the one that shows just this. `set_aside` is what
    another session had written, of which that one did not know, at `set_aside_at`.
    """

    __tablename__ = "drafts"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    form: Mapped[str] = mapped_column(String(40), primary_key=True)
    content: Mapped[dict[str, Any]]
    written_by: Mapped[str] = mapped_column(String(80))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    set_aside: Mapped[dict[str, Any] | None]
    set_aside_at: Mapped[datetime | None]


class Preset(Base):
    """Settings of the order form under a name; a shared one is seen by its workspace, changed by its person only."""

    __tablename__ = "presets"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(80))
    shared: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def spec(self) -> GenerationSpec:
        """What it keeps; it has no images."""
        return GenerationSpec.of_mapping(self.settings)

    __table_args__ = (
        UniqueConstraint("workspace_id", "user_id", "name"),
        Index(
            "ix_presets_shared",
            "workspace_id",
            "name",
            sqlite_where=text("shared"),
            postgresql_where=text("shared"),
        ),
    )


class SavedFilter(Base):
    """A filter of the library under a name; a shared one is seen by its workspace, changed by its person only.

    `asked` is what `core.generations.filters` makes of it.
    """

    __tablename__ = "saved_filters"

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
            "ix_saved_filters_shared",
            "workspace_id",
            "name",
            sqlite_where=text("shared"),
            postgresql_where=text("shared"),
        ),
    )
