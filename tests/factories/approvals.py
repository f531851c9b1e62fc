"""Workspaces that ask for approval, what waits for it there, and decisions."""

from collections.abc import Sequence

from sqlalchemy import select

from core.clock import utc_now
from core.db import Database
from core.db.enums import WorkspaceRole
from core.db.tables import Approval, Generation
from core.generations import approvals
from core.generations.approvals import Outcome
from core.usage import approval_rules
from core.usage.approval_rules import Rule
from core.workspaces.access import Member
from tests.factories.generations import CONFIGURED, rewrite
from tests.factories.users import create_member
from tests.factories.workspaces import create_team


def ask(database: Database, manager: Member, above_credits: int | None = 0, *, over_budget: bool = False) -> None:
    """Let a workspace ask for approval: of everything that costs something, unless a price is named."""
    with database.write_session() as session:
        approval_rules.set_rule(session, manager, Rule(above_credits, over_budget))


def asking_team(
    database: Database, person: Member, above_credits: int | None = 0, *, over_budget: bool = False
) -> tuple[Member, Member, Member]:
    """Ana and Cas who manage a team that asks for approval, and Ben who makes clips in it."""
    ben, cas = create_member(database, "ben@example.org"), create_member(database, "cas@example.org")
    ana, ben, cas = create_team(
        database, (person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER), (cas, WorkspaceRole.MANAGER)
    )
    ask(database, ana, above_credits, over_budget=over_budget)
    return ana, ben, cas


def decide(database: Database, member: Member, generation_id: str, *, approve: bool = True, note: str = "") -> None:
    """Say yes, or no with a word."""
    with database.write_session() as session:
        said = note if approve else note or "not now"
        approvals.decide(session, member, generation_id, approve=approve, note=said, configured=CONFIGURED)


def decide_many(
    database: Database, member: Member, ids: Sequence[str], *, approve: bool = True, note: str = ""
) -> Sequence[Outcome]:
    """The same for several."""
    with database.write_session() as session:
        said = note if approve else note or "not now"
        return approvals.decide_many(session, member, ids, approve=approve, note=said, configured=CONFIGURED)


def let_time_pass(database: Database, generation_id: str) -> None:
    """Let the week be over in which an order waits for approval."""
    with database.write_session() as session:
        past = {"deadline_at": utc_now().replace(year=2020), "next_at": utc_now().replace(year=2020)}
        rewrite(session, Generation.id == generation_id, **past)


def approval_of(database: Database, generation_id: str) -> Approval:
    """What is kept of an order's approval."""
    with database.read_session() as session:
        return session.scalars(select(Approval).where(Approval.generation_id == generation_id)).one()
