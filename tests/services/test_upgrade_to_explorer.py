"""A filled database of before reasons were counted, brought to this one: every end that gave no clip is in its day."""

import random
from datetime import date

import pytest
from alembic import command
from sqlalchemy import MetaData, select

from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import UndeliveredDay
from core.projects import projects
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.books import broken_rules

pytestmark = pytest.mark.both_databases  # each has its own way to tell the day of a moment

BEFORE = "0026"


def test_upgrade_counts_what_gave_no_clip(database: Database, person: Member) -> None:
    """What is counted from the clips is what is counted with each end; nothing of before changes, back and forth."""
    with database.write_session() as session:
        mine = [projects.create(session, person, name=name).id for name in ("Lakes", "Dunes")]
        clips = histories.invent(random.Random(5), mine, until=date(2026, 11, 2), days=40, clips_a_day=6)
        histories.book(session, person, list(clips))

    def counted() -> list[tuple[object, ...]]:
        with database.engine.connect() as connection:
            return sorted(tuple(row) for row in connection.execute(select(UndeliveredDay.__table__)))

    as_written, broken = counted(), broken_rules(database)
    assert as_written
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
        with database.engine.connect() as connection:
            known = MetaData()
            known.reflect(connection, only=["usage_days", "generations"])
            before = [connection.execute(select(table)).all() for table in known.sorted_tables]

        database.migrate()

        assert counted() == as_written
        with database.engine.connect() as connection:
            assert [connection.execute(select(table)).all() for table in known.sorted_tables] == before
        assert broken_rules(database) == broken
