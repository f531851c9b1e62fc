"""Who may do what: the one table, read by pages and API alike; pure.

A page asks it before it draws a button and a service before it acts, always with the workspace of what is touched.
"""

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
    """The monthly budget of a workspace or a project; everybody there sees it."""
    USE_WEBHOOKS = "use_webhooks"
    """Addresses that are told of ends, their secrets, and what was delivered; a maker sees none of it."""
    MARK_CLIPS = "mark_clips"
    """Whether clips that are ordered in a workspace show that they were made by AI."""
    TELL_PROMPTS = "tell_prompts"
    """Whether prompts of a workspace may be in mail and chats that its people are told by."""
    MANAGE_MEMBERS = "manage_members"
    """Who is in a team and as what, invitations into it, its name, taking it out of use."""
    ATTEND = "attend"
    """What waits for a person in a workspace: unclear and late clips of everybody, budgets, storage; looking again."""
    TRANSFER = "transfer"
    """A project to another workspace; asked of both."""
    TAKE_PACK = "take_pack"
    """All figures of a workspace and its clips' prompts as files for analysts' own tools."""

    SEE_ALL_USAGE = "see_all_usage"
    """Figures of all workspaces, and the names of people and projects beside them; no clip and no prompt."""
    MANAGE_PEOPLE = "manage_people"
    """Everybody's role in the installation, letting in, deactivating, merging."""
    MANAGE_WORKSPACES = "manage_workspaces"
    """Teams made and brought back, and the people of any team, from outside: nothing of what is in it."""
    GRANT_CREDITS = "grant_credits"
    """Credits to a workspace, corrections, and transfers between workspaces."""
    CLOSE_BOOKS = "close_books"
    """Months whose figures shall never change again."""
    CHECK_STATEMENTS = "check_statements"
    """Vendors' statements: brought, read anew, and their differences taken into costs; analysts look at them."""
    RESOLVE_UNCERTAIN = "resolve_uncertain"
    """The decision on clips of which nobody knows whether the provider made them; it is made without their prompts."""
    CANCEL_LATE = "cancel_late"
    """Cancelling a clip of any workspace that takes far longer than usual; it is done without its prompt."""
    READ_AUDIT_LOG = "read_audit_log"
    """Who did what, of all administrative acts, and its files."""
    MANAGE_CATALOGUE = "manage_catalogue"
    """Which models there are, what they cost, and whether they can be ordered."""
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
    Action.MARK_CLIPS: _MANAGERS,
    Action.TELL_PROMPTS: _MANAGERS,
    Action.MANAGE_MEMBERS: _MANAGERS,
    Action.ATTEND: _MANAGERS,
    Action.TRANSFER: _MANAGERS,
    Action.TAKE_PACK: _MANAGERS,
}

IN_INSTALLATION: Mapping[Action, frozenset[Role]] = {
    Action.SEE_ALL_USAGE: _ANALYSTS,
    Action.MANAGE_PEOPLE: _ADMINS,
    Action.MANAGE_WORKSPACES: _ADMINS,
    Action.GRANT_CREDITS: _ADMINS,
    Action.CLOSE_BOOKS: _ADMINS,
    Action.CHECK_STATEMENTS: _ADMINS,
    Action.RESOLVE_UNCERTAIN: _ADMINS,
    Action.CANCEL_LATE: _ADMINS,
    Action.READ_AUDIT_LOG: _ADMINS,
    Action.MANAGE_CATALOGUE: _ADMINS,
    Action.OPERATE: _ADMINS,
}


def allows(action: Action, *, role: Role, workspace_role: WorkspaceRole | None) -> bool:
    """Whether somebody of these roles may do this; `workspace_role` is None for who is not in the workspace.

    An administrator of the installation is nobody in a workspace they are not in: they manage it from outside.
    """
    if action in IN_INSTALLATION:
        return role in IN_INSTALLATION[action]
    return workspace_role in IN_WORKSPACE[action]
