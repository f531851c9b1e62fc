"""A filled database of the schema before everything was looked at in slices, brought to this one."""

import pytest
from alembic import command
from sqlalchemy import inspect, select

from core.audit import full_audits
from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import AuditRun, FullAudit
from core.workspaces.access import Member
from tests.factories.generations import create_completed

pytestmark = pytest.mark.both_databases  # each has its own way to make a table and an index

BEFORE = "0038"


def test_upgrade_of_clips(database: Database, person: Member) -> None:
    """Nothing is under way, and the first look finds what is there; there and back and there again."""
    create_completed(database, person)
    for turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)

        database.migrate()

        with database.read_session() as session:
            row = session.scalars(select(FullAudit)).one()
            assert (row.id, row.started_at, row.claim, row.part, row.after_key) == (1, None, None, 0, "")
            names = {index["name"] for index in inspect(session.connection()).get_indexes("generations")}
            assert "ix_generations_charged" in names
        full_audits.run(database)
        with database.read_session() as session:
            assert session.scalars(select(AuditRun.broken)).all() == [0], turn
