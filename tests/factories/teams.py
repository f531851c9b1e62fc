"""Workspaces that several people share."""

from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import WorkspaceMember
from core.workspaces import members
from core.workspaces.access import Member


def join(database: Database, member: Member, workspace_id: str, role: WorkspaceRole) -> Member:
    """Put somebody into a workspace, and let them be at work there."""
    with database.write_session() as session:
        session.add(WorkspaceMember(workspace_id=workspace_id, user_id=member.id, role=role))
        session.flush()
        return members.at_work(session, member.user, workspace_id)
