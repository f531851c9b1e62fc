"""Teams, and people who work in them."""

from core.billing import ledger
from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import Workspace, WorkspaceMember
from core.workspaces import members
from core.workspaces.access import Member


def create_team(
    database: Database, *people: tuple[Member, WorkspaceRole], name: str = "Lakes", credits: int = 10_000
) -> list[Member]:
    """These people at work in a team of theirs that has so many credits, in their order."""
    with database.write_session() as session:
        team = Workspace(name=name)
        session.add(team)
        session.flush()
        ledger.open_account(session, team.id)
        if credits:
            ledger.grant(session, team.id, credits=credits, key=f"test:{team.id}", actor="test", reason="to begin with")
        for person, role in people:
            session.add(WorkspaceMember(workspace_id=team.id, user_id=person.id, role=role))
        session.flush()
        return [members.at_work(session, person.user, team.id) for person, _role in people]
