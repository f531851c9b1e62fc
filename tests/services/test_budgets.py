from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from core import errors
from core.db import Database, ReadSession
from core.db.enums import BudgetMode, BudgetScope, Role, WorkspaceRole
from core.db.tables import Workspace
from core.projects import projects
from core.usage import budget_overview, budgets, limits
from core.usage.cache import UsageCache
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_team

TODAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = UsageQuery(TODAY, TODAY)


def fifty_a_day(database: Database, user: Member, *, days: int = 35) -> str:
    """Demo clips of 50 credits, one a day up to today; their project."""
    with database.write_session() as session:
        mine = projects.create(session, user, name="Lakes").id
        histories.book(session, user, [Ended(TODAY - timedelta(days=back), mine, "demo-film") for back in range(days)])
    return mine


def look(database: Database, user: Member, chosen: UsageQuery = MONTH) -> budgets.Month:
    """A month as it stands."""
    with database.read_session() as session:
        return budgets.month(session, user, chosen, today=TODAY, cache=UsageCache())


def test_month_under_way(database: Database, person: Member) -> None:
    """Spent is of this month only, the forecast goes to its end, and a budget below it is foreseen to be exceeded."""
    fifty_a_day(database, person)
    with database.write_session() as session:
        budgets.set_workspace(session, person, credits=1499)

    month = look(database, person)

    assert (month.first, month.last) == (date(2026, 11, 1), date(2026, 11, 30))
    assert (month.spent_credits, month.budget_credits) == (21 * 50, 1499)
    assert month.forecast is not None
    assert month.forecast.expected_credits == 30 * 50
    assert (month.is_exceeded, month.will_be_exceeded) == (False, True)


def test_month_that_is_over(database: Database, person: Member) -> None:
    """A past month has its spend and no forecast."""
    fifty_a_day(database, person)

    month = look(database, person, UsageQuery(date(2026, 10, 3), date(2026, 10, 5)))

    assert (month.first, month.last) == (date(2026, 10, 1), date(2026, 10, 31))
    assert month.spent_credits == 14 * 50
    assert month.forecast is None


def test_budget_is_shown_only_for_what_it_is_meant_for(database: Database, person: Member) -> None:
    """The own budget is for all that is one's own, a project's for the whole project, and no part has one."""
    mine = fifty_a_day(database, person)
    with database.write_session() as session:
        person = ensure_member(session, person.email, signup_credits=0)
        person.user.role = Role.ADMIN
        budgets.set_workspace(session, person, credits=5000)
        budgets.set_project(session, person, mine, credits=1000)

    assert look(database, person).budget_credits == 5000
    assert look(database, person, replace(MONTH, project_id=mine)).budget_credits == 1000
    assert look(database, person, replace(MONTH, project_id=mine, model_id="veo3")).budget_credits is None
    assert look(database, person, replace(MONTH, model_id="veo3")).budget_credits is None
    assert look(database, person, replace(MONTH, everybody=True)).budget_credits is None


def test_watched(database: Database, person: Member) -> None:
    """What is or will be exceeded is named, the workspace first; what is fine is not."""
    mine = fifty_a_day(database, person)

    def warned(session: ReadSession) -> list[tuple[str, bool, bool]]:
        found = budget_overview.warned(session, person, cache=UsageCache(), at=NOON)
        return [(one.name, one.is_exceeded, one.will_be_exceeded) for one in found]

    with database.write_session() as session:
        fine = projects.create(session, person, name="Dunes").id
        assert warned(session) == []
        budgets.set_workspace(session, person, credits=1499)
        budgets.set_project(session, person, mine, credits=1000)
        budgets.set_project(session, person, fine, credits=1)
        name = session.get_one(Workspace, person.workspace_id).name
    with database.read_session() as reading:
        assert warned(reading) == [(name, False, True), ("Lakes", True, True)]

    with database.write_session() as session:
        budgets.set_workspace(session, person, credits=None)
        budgets.set_project(session, person, mine, credits=None)
        assert warned(session) == []


@pytest.mark.parametrize("credits", [0, -1, budgets.LIMIT_CREDITS + 1])
def test_budget_that_cannot_be(database: Database, person: Member, credits: int) -> None:
    """A budget is a whole number above 0, and the one before stays."""
    with database.write_session() as session:
        mine = projects.create(session, person, name="Lakes").id
        budgets.set_workspace(session, person, credits=10)
        with pytest.raises(errors.InvalidRequest):
            budgets.set_workspace(session, person, credits=credits)
        with pytest.raises(errors.InvalidRequest):
            budgets.set_project(session, person, mine, credits=credits)
        assert budgets.of_workspace(session, person) == 10


def test_budget_of_somebody_elses_project(database: Database, person: Member) -> None:
    """Only its owner sets a project's budget."""
    with database.write_session() as session:
        theirs = projects.create(session, ensure_member(session, "ben@example.org", signup_credits=0), name="Theirs").id
        with pytest.raises(errors.NotFound):
            budgets.set_project(session, person, theirs, credits=10)


def test_budgets_that_an_order_is_charged_to(database: Database, person: Member) -> None:
    """The project's, one's own and the workspace's, each with what this month has taken; none where none is set."""
    mine = fifty_a_day(database, person)

    def stand(project_id: str | None) -> list[tuple[str, int, int, int]]:
        with database.read_session() as session:
            found = limits.of_order(
                session, workspace_id=person.workspace_id, project_id=project_id, user_id=person.id, at=NOON
            )
            return [(one.scope, one.taken_credits, one.limit_credits, one.left_credits) for one in found]

    assert stand(mine) == []
    with database.write_session() as session:
        budgets.set_workspace(session, person, credits=2000)
        budgets.set_project(session, person, mine, credits=900)
        budgets.set_limit(session, person, BudgetScope.MEMBER, person.id, credits=1100)
    assert stand(mine) == [("project", 1050, 900, 0), ("member", 1050, 1100, 50), ("workspace", 1050, 2000, 950)]
    assert stand(None) == [("member", 1050, 1100, 50), ("workspace", 1050, 2000, 950)]


def test_overview_of_who_manages_and_of_who_does_not(database: Database, person: Member) -> None:
    """Managers see everybody, others themselves; what the month will come to begins at what is taken already."""
    ben = create_member(database, "ben@example.org")
    ana, maker = create_team(database, (person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
    fifty_a_day(database, ana)
    with database.write_session() as session:
        budgets.set_limit(session, ana, BudgetScope.MEMBER, ben.id, credits=100, mode=BudgetMode.STOP)

    def seen(who: Member) -> list[tuple[str, str, int, int | None, int | None]]:
        with database.read_session() as session:
            found = budget_overview.overview(session, who, cache=UsageCache(), at=NOON)
            return [
                (one.scope, one.name, one.taken_credits, one.left_credits, one.expected_credits)
                for one in found.standings
            ]

    common: list[tuple[str, str, int, int | None, int | None]] = [
        ("workspace", "Lakes", 1050, None, 1500),
        ("project", "Lakes", 1050, None, 1500),
    ]
    assert seen(ana) == [
        *common,
        ("member", ana.user.name or ana.email, 1050, None, 1500),
        ("member", "ben", 0, 100, None),
    ]
    assert seen(maker) == [*common, ("member", "ben", 0, 100, None)]
