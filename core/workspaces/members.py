"""Who is in which workspace: looked up for everything that a person does, and changed by managers."""

from sqlalchemy import bindparam, select

from core import errors
from core.db import Reader
from core.db.tables import User, Workspace, WorkspaceMember
from core.messages import message
from core.workspaces.access import Member

_ROLES_OF = (
    select(WorkspaceMember.workspace_id, WorkspaceMember.role)
    .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
    .where(WorkspaceMember.user_id == bindparam("user_id"), Workspace.archived_at.is_(None))
    .order_by(WorkspaceMember.workspace_id)
)


def at_work(
    session: Reader, user: User, workspace_id: str | None = None, *, only: bool = False, token_id: str | None = None
) -> Member:
    """The person in a workspace, their personal one where none is named; one indexed look.

    With `only`, nothing beyond that workspace is in their reach, as befits a token that was made for it. NotFound for
    a workspace they are not in.
    """
    roles = {row.workspace_id: row.role for row in session.execute(_ROLES_OF, {"user_id": user.id})}
    chosen = workspace_id or user.id
    if chosen not in roles:
        raise errors.NotFound(message("workspace_not_found"))
    return Member(user, chosen, {chosen: roles[chosen]} if only else roles, token_id)
