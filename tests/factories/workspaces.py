"""Teams, with people in them."""

from core.db import Database
from core.db.enums import Role, WorkspaceRole
from core.workspaces import credits as credit_bookings
from core.workspaces import members, workspaces
from core.workspaces.access import Member
from tests.factories.users import create_member


def create_admin(database: Database, email: str = "root@example.org") -> Member:
    """An administrator of the installation, who is in no team."""
    return create_member(database, email, credits=0, role=Role.ADMIN)


def create_team(
    database: Database, manager: Member, *, name: str = "Film", credits: int = 10_000, admin: Member | None = None
) -> str:
    """The id of a team of which this person is the manager, with so many credits."""
    root = admin or create_admin(database)
    with database.write_session() as session:
        team = workspaces.create(session, root, name=name, manager_email=manager.email)
        if credits:
            credit_bookings.grant(session, root, team.id, credits=credits, reason="For a start")
        return team.id


def join(
    database: Database, manager: Member, workspace_id: str, person: Member, role: WorkspaceRole = WorkspaceRole.MAKER
) -> Member:
    """Put somebody into a team; the person at work in it."""
    with database.write_session() as session:
        members.add(session, now(database, manager), workspace_id, email=person.email, role=role)
    return now(database, person, workspace_id)


def now(database: Database, person: Member, workspace_id: str | None = None) -> Member:
    """Somebody as they are with their next click, in a workspace."""
    with database.read_session() as session:
        return members.at_work(session, person.user, workspace_id)
