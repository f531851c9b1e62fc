"""Whose rows a person sees: the one predicate that every query for a person goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, select, true
from sqlalchemy.orm import InstrumentedAttribute

from core import errors
from core.db.enums import Role, WorkspaceRole
from core.db.tables import (
    AssetGroup,
    Budget,
    BudgetMonth,
    BulkJob,
    Flight,
    Generation,
    GenerationTag,
    Preset,
    Project,
    SavedFilter,
    ShareLink,
    Sheet,
    UndeliveredDay,
    Upload,
    UsageDay,
    UsageView,
    User,
    WebhookDelivery,
    WebhookEndpoint,
    is_live,
)
from core.messages import message
from core.workspaces.permissions import IN_INSTALLATION, IN_WORKSPACE, Action, allows

Owned = (
    type[AssetGroup]
    | type[Budget]
    | type[BudgetMonth]
    | type[BulkJob]
    | type[Flight]
    | type[Generation]
    | type[GenerationTag]
    | type[Preset]
    | type[Project]
    | type[SavedFilter]
    | type[ShareLink]
    | type[Sheet]
    | type[UndeliveredDay]
    | type[Upload]
    | type[UsageDay]
    | type[UsageView]
    | type[WebhookDelivery]
    | type[WebhookEndpoint]
)


@dataclass(frozen=True, slots=True)
class Member:
    """A person at work in a workspace, and what they are in every workspace that is in their reach.

    `workspace_id` is where lists look and new things are made, and always one of `roles`. `token_id` is the API token
    they come with, None in a browser; `session_id` is the session of a browser that asks the API, None elsewhere. Who
    is confined came with a token that was made for this one workspace: nothing beyond it is in their reach, the
    installation neither.
    """

    user: User
    workspace_id: str
    roles: Mapping[str, WorkspaceRole]
    token_id: str | None = None
    session_id: str | None = None
    is_confined: bool = False

    @property
    def id(self) -> str:
        """The person's id."""
        return self.user.id

    @property
    def email(self) -> str:
        """The person's address: who they are in the ledger and in timelines."""
        return self.user.email

    @property
    def role(self) -> Role:
        """What they are in the installation."""
        return self.user.role

    @property
    def workspace_ids(self) -> tuple[str, ...]:
        """Every workspace whose rows they see."""
        return tuple(self.roles)

    def moved_to(self, workspace_id: str) -> "Member":
        """The same person at work in another workspace of theirs; NotFound for one they are not in."""
        if workspace_id not in self.roles:
            raise errors.NotFound(message("workspace_not_found"))
        return replace(self, workspace_id=workspace_id)

    def may(self, action: Action, workspace_id: str | None = None) -> bool:
        """Whether they may do this in a workspace, the present one where none is named."""
        if self.is_confined and action in IN_INSTALLATION:
            return False
        return allows(action, role=self.user.role, workspace_role=self.roles.get(workspace_id or self.workspace_id))

    def require(self, action: Action, workspace_id: str | None = None) -> None:
        """Return when they may; else Forbidden."""
        if not self.may(action, workspace_id):
            raise errors.Forbidden(message("not_allowed" if action in IN_WORKSPACE else "administrators_only"))


@dataclass(frozen=True, slots=True)
class Charge:
    """What somebody looks after: the workspaces that they manage, or the whole installation, which names none."""

    workspace_ids: tuple[str, ...] | None = None

    @classmethod
    def of_manager(cls, member: Member) -> "Charge":
        """The workspaces in which this person may attend to what waits; there may be none."""
        return cls(tuple(sorted(each for each in member.roles if member.may(Action.ATTEND, each))))

    @classmethod
    def of_operator(cls, member: Member) -> "Charge":
        """Everything; Forbidden for who does not run the installation."""
        member.require(Action.OPERATE)
        return cls()

    @property
    def is_everything(self) -> bool:
        """Whether it is the whole installation."""
        return self.workspace_ids is None

    def covers(self, workspace_id: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Rows that are of a workspace in it."""
        return true() if self.workspace_ids is None else workspace_id.in_(self.workspace_ids)


def live_in(charge: Charge) -> ColumnElement[bool]:
    """Clips that are under way in a charge.

    By their ids, which an index of such clips covers: left to itself, SQLite would go through all that have ended.
    """
    if charge.is_everything:
        return is_live()
    return Generation.id.in_(select(Flight.id).where(charge.covers(Flight.workspace_id)))


def visible_to(table: Owned, member: Member) -> ColumnElement[bool]:
    """Rows of `table` that are in a workspace of this person."""
    return table.workspace_id.in_(member.workspace_ids)


def visible_to_bound(table: Owned) -> ColumnElement[bool]:
    """The condition of `visible_to` for a statement built once and run with the parameter `workspace_ids`."""
    return table.workspace_id.in_(_WORKSPACE_IDS)


def in_workspace(table: Owned, member: Member) -> ColumnElement[bool]:
    """Rows of `table` that are in the workspace where the person is at work."""
    return table.workspace_id == member.workspace_id


def in_bound_workspace(table: Owned, nth: int | None = None) -> ColumnElement[bool]:
    """The condition of `in_workspace` for a statement built once and run with the parameter `workspace_id`.

    With `nth` it is that of one workspace in reach after the other, as `bound_workspaces` counts them.
    """
    return table.workspace_id == bindparam("workspace_id" if nth is None else f"workspace_{nth}")


def bound_workspaces(member: Member) -> Mapping[str, Any]:
    """The parameters of all these conditions."""
    each = {f"workspace_{nth}": workspace_id for nth, workspace_id in enumerate(member.workspace_ids)}
    return {"workspace_id": member.workspace_id, "workspace_ids": member.workspace_ids, **each}


def all_rows_for_analyst(member: Member) -> ColumnElement[bool]:
    """All rows of figures, whoever they belong to; Forbidden unless the person may see everybody's."""
    if not member.may(Action.SEE_ALL_USAGE):
        raise errors.Forbidden(message("analysts_see_everybody"))
    return true()


_WORKSPACE_IDS: BindParameter[str] = bindparam("workspace_ids", expanding=True)
