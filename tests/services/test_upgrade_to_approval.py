"""A filled database of before orders could wait for approval, brought to this one, and back."""

import pytest
from alembic import command

from core.billing import ledger
from core.db import Database
from core.db.enums import Stage, Status
from core.db.schema import alembic_config
from core.generations import unresolved
from core.usage import approval_rules
from core.workspaces.access import Member
from tests.factories.approvals import ask, asking_team, decide
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.upgrades import check_there_and_back
from tests.factories.workspaces import create_admin

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0029"


def test_upgrade_of_orders_of_before(database: Database, person: Member) -> None:
    """Nothing of before changes, whoever goes back and forth; nobody is asked until a manager says so."""
    create_completed(database, person)
    queued = create_generation(database, person)
    check_there_and_back(database, BEFORE)
    with database.read_session() as session:
        assert approval_rules.of(session, person.workspace_id).is_off
    assert load_generation(queued.id, database).stage is Stage.QUEUED
    assert create_generation(database, person).stage is Stage.QUEUED
    ask(database, person)
    assert create_generation(database, person).stage is Stage.AWAITING_APPROVAL
    assert broken_rules(database) == []


def test_downgrade_makes_nothing_that_nobody_approved(database: Database, person: Member) -> None:
    """What waits is unclear for the version before: reserved, never sent, and released by an administrator."""
    ana, ben, _cas = asking_team(database, person)
    waits, approved = create_generation(database, ben), create_generation(database, ben)
    decide(database, ana, approved.id)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
    database.migrate()

    found = load_generation(waits.id, database)
    assert (found.status, found.stage) == (Status.UNCERTAIN, Stage.SUBMITTING)
    assert load_generation(approved.id, database).stage is Stage.QUEUED
    assert broken_rules(database) == []
    with database.write_session() as session:
        unresolved.release_hold(session, create_admin(database), waits.id)
        assert ledger.balance(session, ben.workspace_id).held_credits == 50
