"""A filled database of the schema before people were told, brought to this one."""

import pytest
from alembic import command
from sqlalchemy import MetaData, select

from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Workspace
from core.workspaces.access import Member
from tests.factories.generations import create_completed, finish
from tests.factories.notices import all_notices, press, told

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0027"
KEPT = ("users", "generations", "ledger_entries", "accounts", "projects", "generation_events")


def test_upgrade_of_what_was_made(database: Database, person: Member) -> None:
    """All is as it was, there and back and there again; nobody is told of what was, but of what comes."""
    create_completed(database, person)
    before_upgrade, after_upgrade = press(database, person, 2)
    finish(database, before_upgrade)
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
        with database.engine.connect() as connection:
            known = MetaData()
            known.reflect(connection, only=KEPT)
            tables = known.sorted_tables
            before = [sorted(connection.execute(select(table)).all(), key=repr) for table in tables]

        database.migrate()

        with database.engine.connect() as connection:
            assert [sorted(connection.execute(select(table)).all(), key=repr) for table in tables] == before
        with database.read_session() as session:
            assert set(session.scalars(select(Workspace.tells_prompts))) == {False}
        assert all_notices(database) == []
    finish(database, after_upgrade)
    assert [one.clip_count for one in told(database, person)] == [2]
