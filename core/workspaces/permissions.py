"""Who may do what: the one table, read by pages and API alike; pure."""

from collections.abc import Mapping
from enum import StrEnum

from core.db.enums import Role, WorkspaceRole


class Action(StrEnum):
    """What people do; first in a workspace, then in the installation."""

    SEE = "see"
    """Clips, prompts, figures and people of a workspace; watching and downloading."""
    ORDER = "order"
    """Orders and everything before them: uploads, drafts, presets, cancelling and retrying."""
    EDIT = "edit"
    """Projects made, renamed, archived; clips moved; verdicts, tags, favourites and notes."""
    SHARE = "share"
    """Links for people outside."""
    DELETE = "delete"
    """Clips and projects."""
    SET_BUDGET = "set_budget"
    USE_WEBHOOKS = "use_webhooks"
    MANAGE_MEMBERS = "manage_members"
    TRANSFER = "transfer"
    """A project to another workspace; asked of both."""

    SEE_ALL_USAGE = "see_all_usage"
    """Figures of all workspaces, and the names of people and projects beside them; no clip and no prompt."""
    MANAGE_PEOPLE = "manage_people"
    MANAGE_WORKSPACES = "manage_workspaces"
    GRANT_CREDITS = "grant_credits"
    RESOLVE_UNCERTAIN = "resolve_uncertain"
    READ_AUDIT_LOG = "read_audit_log"
    OPERATE = "operate"
    """The state of providers, workers and books."""


_VIEWERS = frozenset(WorkspaceRole)
_MAKERS = frozenset({WorkspaceRole.MAKER, WorkspaceRole.MANAGER})
_MANAGERS = frozenset({WorkspaceRole.MANAGER})
_ANALYSTS = frozenset({Role.ANALYST, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})

IN_WORKSPACE: Mapping[Action, frozenset[WorkspaceRole]] = {
    Action.SEE: _VIEWERS,
    Action.ORDER: _MAKERS,
    Action.EDIT: _MAKERS,
    Action.SHARE: _MAKERS,
    Action.DELETE: _MANAGERS,
    Action.SET_BUDGET: _MANAGERS,
    Action.USE_WEBHOOKS: _MANAGERS,
    Action.MANAGE_MEMBERS: _MANAGERS,
    Action.TRANSFER: _MANAGERS,
}

IN_INSTALLATION: Mapping[Action, frozenset[Role]] = {
    Action.SEE_ALL_USAGE: _ANALYSTS,
    Action.MANAGE_PEOPLE: _ADMINS,
    Action.MANAGE_WORKSPACES: _ADMINS,
    Action.GRANT_CREDITS: _ADMINS,
    Action.RESOLVE_UNCERTAIN: _ADMINS,
    Action.READ_AUDIT_LOG: _ADMINS,
    Action.OPERATE: _ADMINS,
}


def allows(action: Action, *, role: Role, workspace_role: WorkspaceRole | None) -> bool:
    """Whether somebody of these roles may do this; `workspace_role` is None for who is not in the workspace.

    An administrator of the installation is nobody in a workspace they are not in: they manage it from outside.
    """
    if action in IN_INSTALLATION:
        return role in IN_INSTALLATION[action]
    return workspace_role in IN_WORKSPACE[action]
