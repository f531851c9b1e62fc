"""Orders that need approval."""

from core.db import Database
from core.db.enums import Stage, WorkspaceRole
from core.generations import approvals
from core.usage import approval_rules
from core.usage.approval_rules import Rule
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import CONFIGURED, create_generation
from tests.factories.users import create_member
from tests.factories.workspaces import create_team


def test_smoke(database: Database, person: Member) -> None:
    """It waits, is approved and stands in line."""
    ben, cas = create_member(database, "ben@example.org"), create_member(database, "cas@example.org")
    ana, ben, cas = create_team(
        database, (person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER), (cas, WorkspaceRole.MANAGER)
    )
    with database.write_session() as session:
        approval_rules.set_rule(session, ana, Rule(40))
    row = create_generation(database, ben)
    assert row.stage is Stage.AWAITING_APPROVAL
    with database.write_session() as session:
        row = approvals.decide(session, ana, row.id, approve=True, configured=CONFIGURED)
        assert row.stage is Stage.QUEUED
    assert broken_rules(database) == []
