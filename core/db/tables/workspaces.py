"""Tables of workspaces, who is in them, and who is asked to come."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from core import normal_form
from core.clock import utc_now
from core.db.enums import BudgetMode, MemberSource, Role, WorkspaceKind, WorkspaceRole
from core.db.types import Base, check_in_enum
from core.ids import new_id


def _key_of_name(context: DefaultExecutionContext) -> str:
    return normal_form.normal(context.get_current_parameters()["name"])  # type: ignore[no-untyped-call]  # SQLAlchemy has none there


class Workspace(Base):
    """What owns projects, clips, uploads, presets, tags, webhooks, budgets and one credit account.

    Everybody has a personal one, whose id is the person's own; teams are others. `storage_bytes` counts what is kept in
    it, against its quota. `usage_version` grows with every change of its roll-ups, so that figures read from them can
    be kept until then. `is_sample` marks what belongs to the sample company and goes with it. With `visible_mark` clips
    that are ordered from then on show that they were made by AI. Its months of budgets begin and end in `time_zone`.
    `tells_prompts` lets prompts leave the installation in messages to its people. `member_budget_credits` a month has
    each member who has no budget of their own, with what happens at its end; both are None where there is none. What
    one press orders waits for approval above `approval_above_credits`, None for never; with `approval_over_budget` also
    beyond a warning budget. What is ordered in it comes `turn_weight` times as often out of a line as what is ordered
    in one of weight 1.
    """

    __tablename__ = "workspaces"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    kind: Mapped[WorkspaceKind] = mapped_column(default=WorkspaceKind.TEAM)
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(Text, default=_key_of_name)
    storage_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    usage_version: Mapped[int] = mapped_column(BigInteger, default=0)
    # What processes of the version before read; nothing of ours does.
    monthly_budget_credits: Mapped[int | None] = mapped_column(BigInteger, deferred=True)
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    is_sample: Mapped[bool] = mapped_column(default=False, server_default=false())
    visible_mark: Mapped[bool] = mapped_column(default=False, server_default=false())
    tells_prompts: Mapped[bool] = mapped_column(default=False, server_default=false())
    member_budget_credits: Mapped[int | None] = mapped_column(BigInteger)
    member_budget_mode: Mapped[BudgetMode | None]
    approval_above_credits: Mapped[int | None] = mapped_column(BigInteger)
    approval_over_budget: Mapped[bool] = mapped_column(default=False, server_default=false())
    turn_weight: Mapped[int] = mapped_column(default=1, server_default="1")
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("kind", WorkspaceKind),
        CheckConstraint("storage_bytes >= 0", name="storage_not_negative"),
        CheckConstraint("length(name) > 0", name="name_not_empty"),
        Index("ix_workspaces_name", "name_key", "id"),
    )


class WorkspaceMember(Base):
    """Somebody in a workspace; `source` says whether a manager or the sign-in's groups have put them there."""

    __tablename__ = "workspace_members"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), primary_key=True)
    role: Mapped[WorkspaceRole]
    source: Mapped[MemberSource] = mapped_column(default=MemberSource.MANUAL)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        check_in_enum("role", WorkspaceRole),
        check_in_enum("source", MemberSource),
        Index("ix_workspace_members_of", "user_id", "workspace_id"),
    )


class Invitation(Base):
    """A link, kept as a hash only, with which one address may come in once, into a workspace if it names one."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(default=Role.USER)
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    workspace_role: Mapped[WorkspaceRole | None]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        check_in_enum("role", Role),
        check_in_enum("workspace_role", WorkspaceRole),
        CheckConstraint("(workspace_id IS NULL) = (workspace_role IS NULL)", name="workspace_has_role"),
        Index("ix_invitations_workspace", "workspace_id", "id"),
    )
