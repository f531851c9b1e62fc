"""A filled database of the schema before files without rows were looked for, brought to this one."""

from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import func, select

from core.clock import utc_now
from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Generation, StorageSweep
from core.workspaces.access import Member
from tests.factories.generations import create_completed

pytestmark = pytest.mark.both_databases  # each has its own way to make a table

BEFORE = "0036"


def test_upgrade_of_clips(database: Database, person: Member) -> None:
    """Clips of before are as they were, and the first look is a week away; there and back and there again."""
    create_completed(database, person)
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)

        database.migrate()

        with database.read_session() as session:
            assert session.scalar(select(func.count()).select_from(Generation)) == 1
            [row] = session.scalars(select(StorageSweep))
            assert (row.id, row.after_key, row.looked, row.removed, row.started_at) == (1, "", 0, 0, None)
            assert row.next_at > utc_now() + timedelta(days=6)
