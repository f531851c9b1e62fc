"""Who is in which workspace: looked up for everything that a person does, and changed by managers."""

from collections.abc import Mapping

from sqlalchemy import bindparam, select

from core import errors
from core.db import Reader
from core.db.enums import WorkspaceRole
from core.db.tables import ApiToken, User, Workspace, WorkspaceMember
from core.workspaces.access import Member

_ROLES_OF = (
    select(WorkspaceMember.workspace_id, WorkspaceMember.role)
    .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
    .where(WorkspaceMember.user_id == bindparam("user_id"), Workspace.archived_at.is_(None))
    .order_by(WorkspaceMember.workspace_id)
)


def with_token(session: Reader, user: User, token: ApiToken) -> Member:
    """The person who comes with an API token: in its workspace and no other, or in all of theirs.

    Unauthorized when they are not in its workspace.
    """
    roles = _roles(session, user)
    if token.workspace_id is None:
        return Member(user, user.id, roles, token.id)
    if token.workspace_id not in roles:
        raise errors.Unauthorized
    return Member(user, token.workspace_id, {token.workspace_id: roles[token.workspace_id]}, token.id)


def at_work(session: Reader, user: User, workspace_id: str | None = None) -> Member:
    """The person in a workspace, their personal one where none is named; one indexed look.

    NotFound for a workspace they are not in.
    """
    return Member(user, user.id, _roles(session, user)).moved_to(workspace_id or user.id)


def _roles(session: Reader, user: User) -> Mapping[str, WorkspaceRole]:
    return {row.workspace_id: row.role for row in session.execute(_ROLES_OF, {"user_id": user.id})}
