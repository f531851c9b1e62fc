from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, update

from core import audit_log, db, errors
from core.clock import utc_now
from core.db.enums import WorkspaceRole
from core.db.tables import User, WorkspaceMember
from core.workspaces.access import Member
from pages.ui import current_member
from tests.factories.studio import Studio
from tests.factories.workspaces import create_team


@pytest.fixture
def in_team(studio: Studio) -> Member:
    """The person of the installation at work in a team."""
    return create_team(db.default(), (studio.person, WorkspaceRole.MAKER))[0]


def test_kept_member_is_the_same_in_another_thread(in_team: Member) -> None:
    """A file made outside of a run is of the workspace that the page showed, and asked for from its address."""
    with audit_log.acting_from("203.0.113.9"), current_member.set_current_member(in_team):
        again = current_member.keep()

    def elsewhere() -> tuple[str, str, str]:
        with again():
            found = current_member.current_member()
            return found.id, found.workspace_id, audit_log.origin().address

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(elsewhere).result() == (in_team.id, in_team.workspace_id, "203.0.113.9")


def test_kept_member_who_may_no_more(in_team: Member) -> None:
    """Who has left the workspace, or was deactivated, gets nothing by a page that is still open."""
    with current_member.set_current_member(in_team):
        again = current_member.keep()
    with db.write_session() as session:
        session.execute(delete(WorkspaceMember).where(WorkspaceMember.workspace_id == in_team.workspace_id))
    with pytest.raises(errors.NotFound), again():
        pass
    with db.write_session() as session:
        session.execute(update(User).where(User.id == in_team.id).values(deactivated_at=utc_now()))
    with pytest.raises(errors.Forbidden), again():
        pass
