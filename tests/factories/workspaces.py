"""Teams, and people who work in them."""

from core import db
from core.billing import ledger
from core.db import Database
from core.db.enums import Role, WorkspaceRole
from core.db.tables import Workspace, WorkspaceMember
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories.users import create_member


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


def create_team_of(database: Database, manager: Member, *, name: str = "Film", credits: int = 10_000) -> str:
    """The id of a team that this person manages, alone in it."""
    return create_team(database, (manager, WorkspaceRole.MANAGER), name=name, credits=credits)[0].workspace_id


def create_admin(database: Database, email: str = "root@example.org") -> Member:
    """An administrator of the installation, who is in no team."""
    return create_member(database, email, credits=0, role=Role.ADMIN)


def join(
    database: Database, manager: Member, workspace_id: str, person: Member, role: WorkspaceRole = WorkspaceRole.MAKER
) -> Member:
    """The person at work in a team that its manager has put them into."""
    with database.write_session() as session:
        members.add(session, now(database, manager), workspace_id, email=person.email, role=role)
    return now(database, person, workspace_id)


def now(database: Database, person: Member, workspace_id: str | None = None) -> Member:
    """Somebody as they are with their next click, in a workspace."""
    with database.read_session() as session:
        return members.at_work(session, person.user, workspace_id)


def remove(member: Member) -> None:
    """Take somebody out of the team where they are at work, in the installation that is open."""
    with db.write_session() as session:
        session.delete(session.get_one(WorkspaceMember, (member.workspace_id, member.id)))


def put_in(database: Database, person: Member, workspace_id: str, role: WorkspaceRole) -> Member:
    """Somebody put into a workspace that there is, and at work there."""
    with database.write_session() as session:
        session.add(WorkspaceMember(workspace_id=workspace_id, user_id=person.id, role=role))
        session.flush()
        return members.at_work(session, person.user, workspace_id)


def change_role(member: Member, role: WorkspaceRole) -> None:
    """Make somebody something else in the team where they are at work, in the installation that is open."""
    with db.write_session() as session:
        session.get_one(WorkspaceMember, (member.workspace_id, member.id)).role = role
