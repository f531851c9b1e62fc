"""A filled database of before budgets could stop, brought to this one: budgets go on warning, and count from now on."""

import pytest
from alembic import command
from sqlalchemy import MetaData, select, text

from core import errors
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope
from core.db.schema import alembic_config
from core.db.tables import Budget, BudgetMonth
from core.generations import commands, lifecycle
from core.usage import budgets
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.projects import create_project
from tests.factories.upgrades import dump

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0025"
OF_WORKSPACE = BudgetMonth.scope == BudgetScope.WORKSPACE
PRICE = 50


def counted(database: Database) -> dict[tuple[str, str], int]:
    """Scope and subject -> credits taken, of all months together."""
    with database.read_session() as session:
        rows = session.scalars(select(BudgetMonth).where(BudgetMonth.taken_credits > 0))
        return {(row.scope.value, row.subject_id): row.taken_credits for row in rows}


def test_upgrade_of_budgets(database: Database, person: Member) -> None:
    """What is charged and under way counts at once, what was given back does not; whoever goes back and forth."""
    project = create_project(database, person)
    create_completed(database, person, project_id=project.id)
    live = create_generation(database, person, project_id=project.id)
    gone, old = (create_generation(database, person, project_id=project.id) for _ in range(2))
    create_completed(database, person)
    with database.write_session() as session:
        commands.cancel(session, person, gone.id)
        budgets.set_workspace(session, person, credits=700)
        budgets.set_project(session, person, project.id, credits=300)
    expected = counted(database)
    assert expected == {
        ("workspace", person.workspace_id): 4 * PRICE,
        ("member", person.id): 4 * PRICE,
        ("project", project.id): 3 * PRICE,
        **{key: PRICE for key in expected if key[0] == "project" and key[1] != project.id},
    }
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
        connection.execute(
            text("UPDATE generations SET created_at = '2026-02-03 10:00:00+00:00' WHERE id = :id"), {"id": old.id}
        )
        assert connection.scalar(text("SELECT sum(monthly_budget_credits) FROM projects")) == 300
    known = MetaData()
    with database.engine.connect() as connection:
        known.reflect(connection)
        before = dump(connection, known)

    database.migrate()

    assert broken_rules(database) == ["in_time"]  # the old one
    with database.read_session() as session:
        months = dict(session.execute(select(BudgetMonth.month, BudgetMonth.taken_credits).where(OF_WORKSPACE)).all())
    assert months == {live.budget_month: 3 * PRICE, "2026-02": PRICE}
    assert load_generation(old.id, database).budget_month == "2026-02"
    with database.read_session() as session:
        found = {(row.scope, row.limit_credits, row.mode) for row in session.scalars(select(Budget))}
    assert found == {(BudgetScope.WORKSPACE, 700, BudgetMode.WARN), (BudgetScope.PROJECT, 300, BudgetMode.WARN)}
    with database.write_session() as session:
        budgets.set_limit(
            session, person, BudgetScope.WORKSPACE, person.workspace_id, credits=3 * PRICE, mode=BudgetMode.STOP
        )
    with pytest.raises(errors.BudgetExceeded):  # without the old one three are counted in this month
        create_generation(database, person, project_id=project.id)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
    with database.engine.connect() as connection:
        again = dump(connection, known)
    changed = {name for name in again if again[name] != before[name]}
    assert changed <= {"audit_log", "workspaces"}
    database.migrate()
    with database.write_session() as session:
        for row in (live, old):
            locked = lifecycle.locked(session, row.id)
            assert locked is not None
            assert lifecycle.fail(session, locked, errors.GenerationFailed())
    assert broken_rules(database) == []
