"""Teams, with their people and credits."""

from collections.abc import Mapping

from core.billing import ledger
from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import Workspace, WorkspaceMember
from core.ids import new_id


def create_team(
    database: Database, name: str, people: Mapping[str, WorkspaceRole], *, credits: int = 10_000
) -> Workspace:
    """A team of these people (user id -> role) with so many credits."""
    with database.write_session() as session:
        team = Workspace(name=name)
        session.add(team)
        session.flush()
        ledger.open_account(session, team.id)
        for user_id, role in people.items():
            session.add(WorkspaceMember(workspace_id=team.id, user_id=user_id, role=role))
        session.flush()
        if credits:
            key = f"grant:{new_id()}"
            ledger.grant(session, team.id, credits=credits, key=key, actor="somebody", reason="for the tests")
        return team
