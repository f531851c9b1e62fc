from sqlalchemy import select

from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import ApiToken, WebhookEndpoint
from core.identity import api_tokens
from core.workspaces import claimed_members
from core.workspaces.access import Member
from tests.factories.users import create_member
from tests.factories.workspaces import create_team_of, now


def test_group_that_ended_ends_tokens_and_webhooks(database: Database, person: Member) -> None:
    """Whoever their groups take out of a team keeps nothing there, as if a manager had; elsewhere all stays."""
    team = create_team_of(database, create_member(database, "boss@example.org"), name="Film")
    with database.write_session() as session:
        claimed_members.sync(session, person.user, {"Film": WorkspaceRole.MANAGER}, is_complete=True)
        for workspace_id in (team, person.id):
            api_tokens.create(session, person.user, name=workspace_id, workspace_id=workspace_id)
            session.add(WebhookEndpoint(workspace_id=workspace_id, user_id=person.id, url="https://x.example.org"))
    assert now(database, person, team).roles[team] is WorkspaceRole.MANAGER

    with database.write_session() as session:
        claimed_members.sync(session, person.user, {}, is_complete=True)

    assert team not in now(database, person).roles
    with database.read_session() as reading:
        ended = reading.scalars(select(ApiToken.workspace_id).where(ApiToken.revoked_at.is_not(None)))
        stopped = reading.scalars(select(WebhookEndpoint.workspace_id).where(WebhookEndpoint.disabled_at.is_not(None)))
        assert (list(ended), list(stopped)) == ([team], [team])
