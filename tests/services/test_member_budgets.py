"""One budget for each member who has none of their own: exactly what fits is taken, by each of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import MetaData, select

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope, WorkspaceRole
from core.db.schema import alembic_config
from core.db.tables import AuditLogEntry, BudgetMonth, Generation
from core.generations import commands
from core.usage import budget_overview, budgets, limits
from core.usage.budget_overview import Overview
from core.usage.cache import UsageCache
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_team

PRICE = 50


@pytest.fixture
def team(database: Database, person: Member) -> tuple[Member, Member, Member]:
    """A manager and two makers."""
    ben, eve = (create_member(database, f"{name}@example.org") for name in ("ben", "eve"))
    maker = WorkspaceRole.MAKER
    manager, ben, eve = create_team(
        database, (person, WorkspaceRole.MANAGER), (ben, maker), (eve, maker), credits=1_000_000
    )
    return manager, ben, eve


def each(database: Database, manager: Member, credits: int | None, mode: BudgetMode | None = BudgetMode.STOP) -> None:
    """Set the budget of each member."""
    with database.write_session() as session:
        budgets.set_for_each_member(session, manager, credits=credits, mode=mode)


def own(database: Database, manager: Member, of: Member, credits: int | None, mode: BudgetMode) -> None:
    """Set somebody's own."""
    with database.write_session() as session:
        budgets.set_limit(session, manager, BudgetScope.MEMBER, of.id, credits=credits, mode=mode)


def overview(database: Database, member: Member) -> Overview:
    """How all stand, for somebody."""
    with database.read_session() as session:
        return budget_overview.overview(session, member, cache=UsageCache())


def passes(database: Database, member: Member, project_id: str) -> bool:
    """Whether an order of somebody is taken."""
    try:
        create_generation(database, member, project_id=project_id)
    except errors.BudgetExceeded:
        return False
    return True


@pytest.mark.both_databases
def test_exactly_as_many_as_fit_of_each_member_at_once(database: Database, team: tuple[Member, Member, Member]) -> None:
    """Of sixty orders of three members at once each gets what fits: two the budget of each, one their own."""
    manager, ben, eve = team
    project = create_project(database, manager).id
    each(database, manager, 6 * PRICE + PRICE - 1)
    own(database, manager, eve, 2 * PRICE, BudgetMode.STOP)
    early = create_generation(database, ben, project_id=project)

    def order(number: int) -> tuple[str, bool]:
        if number == 30:
            with database.write_session() as session:
                commands.cancel(session, ben, early.id)
        who = team[number % 3]
        return who.id, passes(database, who, project)

    with ThreadPoolExecutor(10) as pool:
        came = list(pool.map(order, range(60)))
    came += [order(1), order(1)]  # what was cancelled late has made room all the same

    taken = {who.id: sum(is_taken for of, is_taken in came if of == who.id) for who in team}
    assert taken == {manager.id: 6, ben.id: 6, eve.id: 2}
    with database.read_session() as session:
        counted = session.execute(
            select(BudgetMonth.subject_id, BudgetMonth.taken_credits).where(
                BudgetMonth.workspace_id == manager.workspace_id, BudgetMonth.scope == BudgetScope.MEMBER
            )
        )
        assert {row.subject_id: row.taken_credits // PRICE for row in counted} == taken
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_refusal_names_the_member(database: Database, team: tuple[Member, Member, Member]) -> None:
    """It says how much is left of it, and nothing of the order is left."""
    manager, ben, _eve = team
    project = create_project(database, manager).id
    each(database, manager, PRICE + 10)
    assert passes(database, ben, project)
    with pytest.raises(errors.BudgetExceeded) as refused:
        create_generation(database, ben, project_id=project)
    assert (refused.value.scope, refused.value.subject_id) == (BudgetScope.MEMBER, ben.id)
    figures = (refused.value.needed_credits, refused.value.left_credits, refused.value.limit_credits)
    assert figures == (PRICE, 10, PRICE + 10)
    whose = {"workspace_id": ben.workspace_id, "user_id": ben.id}
    with database.read_session() as session:
        assert len(session.scalars(select(Generation)).all()) == 1
        [limit] = limits.of_order(session, project_id=project, at=utc_now(), **whose)
        assert (limit.scope, limit.limit_credits, limit.taken_credits) == (BudgetScope.MEMBER, PRICE + 10, PRICE)
        with pytest.raises(errors.BudgetExceeded):
            limits.check(session, credits_by_project={project: PRICE}, at=utc_now(), **whose)
    assert passes(database, manager, project)


@pytest.mark.both_databases
def test_own_budget_stands_in_its_place(database: Database, team: tuple[Member, Member, Member]) -> None:
    """A larger one, and one that only warns, let more pass; without it that of each holds again."""
    manager, ben, eve = team
    project = create_project(database, manager).id
    each(database, manager, PRICE)
    own(database, manager, ben, 2 * PRICE, BudgetMode.STOP)
    own(database, manager, eve, 1, BudgetMode.WARN)
    assert [passes(database, ben, project) for _ in range(3)] == [True, True, False]
    assert [passes(database, eve, project) for _ in range(3)] == [True] * 3
    own(database, manager, eve, None, BudgetMode.WARN)
    assert not passes(database, eve, project)


def test_budget_of_each_that_warns_or_goes(database: Database, team: tuple[Member, Member, Member]) -> None:
    """It refuses nothing; one that stops and is taken away does so no more."""
    manager, ben, _eve = team
    project = create_project(database, manager).id
    each(database, manager, 1, BudgetMode.WARN)
    assert passes(database, ben, project)
    each(database, manager, 1)
    assert not passes(database, ben, project)
    each(database, manager, None)
    assert passes(database, ben, project)


def test_budget_of_another_workspace(database: Database, team: tuple[Member, Member, Member]) -> None:
    """It holds where it was set and nowhere else, also for orders of the same person."""
    manager, ben, _eve = team
    each(database, manager, 1)
    home = ben.moved_to(ben.id)
    assert passes(database, home, create_project(database, home).id)


@pytest.mark.both_databases
def test_overview_of_each_member(database: Database, team: tuple[Member, Member, Member]) -> None:
    """Each card says which budget it is; oneself is always there, and a warning tells what is exceeded."""
    manager, ben, eve = team
    project = create_project(database, manager).id
    passes(database, ben, project)
    passes(database, eve, project)
    own(database, manager, eve, 500, BudgetMode.WARN)
    with database.read_session() as session:
        assert budget_overview.warned(session, ben, cache=UsageCache()) == []
    each(database, manager, 40, BudgetMode.STOP)
    found = overview(database, manager)
    assert found.of_each_member == budgets.Set(40, BudgetMode.STOP)
    standings = {one.subject_id: one for one in found.standings if one.scope is BudgetScope.MEMBER}
    assert [
        (standings[who.id].limit_credits, standings[who.id].mode, standings[who.id].is_of_each)
        for who in (manager, ben, eve)
    ] == [(40, BudgetMode.STOP, True), (40, BudgetMode.STOP, True), (500, BudgetMode.WARN, False)]
    assert not any(one.is_of_each for one in found.standings if one.scope is not BudgetScope.MEMBER)
    with database.read_session() as session:
        [warned] = budget_overview.warned(session, ben, cache=UsageCache())
    assert (warned.subject_id, warned.taken_credits, warned.is_exceeded) == (ben.id, 50, True)


def test_only_managers_set_it(database: Database, team: tuple[Member, Member, Member]) -> None:
    """Others are refused, and so is what is no number of credits; each change is in the audit log."""
    manager, ben, _eve = team
    with pytest.raises(errors.Forbidden):
        each(database, ben, 100)
    for wrong in (0, -1, budgets.LIMIT_CREDITS + 1):
        with pytest.raises(errors.InvalidRequest):
            each(database, manager, wrong)
    for credits in (100, 100, None):
        each(database, manager, credits)
    with database.read_session() as session:
        rows = session.scalars(select(AuditLogEntry).where(AuditLogEntry.noun == "budget").order_by(AuditLogEntry.id))
        acts = [(row.action, (row.after or {})["scope"], (row.after or {})["credits"]) for row in rows]
    assert acts == [
        ("budget.changed", "each_member", 100),
        ("budget.mode_changed", "each_member", 100),
        ("budget.changed", "each_member", None),
    ]


@pytest.mark.both_databases
def test_upgrade_of_a_filled_database(database: Database, team: tuple[Member, Member, Member]) -> None:
    """Budgets and what was taken are as they were, there and back; no member has a budget that nobody set."""
    manager, ben, _eve = team
    own(database, manager, ben, 500, BudgetMode.STOP)
    passes(database, ben, create_project(database, manager).id)
    kept = ("budgets", "budget_months", "generations", "users", "workspace_members")
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), "0034")
        with database.engine.connect() as connection:
            known = MetaData()
            known.reflect(connection, only=kept)
            before = [sorted(connection.execute(select(table)).all(), key=repr) for table in known.sorted_tables]
        database.migrate()
        with database.engine.connect() as connection:
            after = [sorted(connection.execute(select(table)).all(), key=repr) for table in known.sorted_tables]
        assert after == before
    assert overview(database, manager).of_each_member is None
