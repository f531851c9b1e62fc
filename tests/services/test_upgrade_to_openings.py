"""A filled database of before openings were noted, brought to this one: nobody knows of its clips, tags tell theirs."""

import random
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from alembic import command
from sqlalchemy import MetaData, select

from core.db import Database
from core.db.schema import alembic_config
from core.db.tables import Generation, GenerationTag
from core.db.tables.generations import BEFORE_OPENINGS
from core.generations import review
from core.generations.review import Changes
from core.projects import projects
from core.usage import waste
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation, load_generation

pytestmark = pytest.mark.both_databases  # each has its own way to add a column, and to tell the day of a moment

BEFORE = "0035"
LAST = date(2026, 11, 2)


def test_upgrade_makes_nothing_up(database: Database, person: Member) -> None:
    """Clips of before are unknown, not never opened; tags get what was written with them; all else stays."""
    with database.write_session() as session:
        mine = [projects.create(session, person, name=name).id for name in ("Lakes", "Dunes")]
        clips = histories.invent(random.Random(5), mine, until=LAST, days=40, clips_a_day=6)
        histories.book(session, person, list(clips))
        rows = session.scalars(select(Generation.id).order_by(Generation.id)).all()
    under_way = create_generation(database, person, project_id=mine[0])
    for place, id in enumerate((*rows[::3], under_way.id)):
        with database.write_session() as session:
            review.update(session, person, id, Changes(add_tags=("hero", f"part {place % 4}")))

    def tags() -> Sequence[Any]:
        with database.engine.connect() as connection:
            return connection.execute(select(GenerationTag.__table__).order_by("generation_id", "tag")).all()

    as_written, broken = tags(), broken_rules(database)
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
        with database.engine.connect() as connection:
            known = MetaData()
            known.reflect(connection, only=["usage_days", "generations"])
            before = [connection.execute(select(table)).all() for table in known.sorted_tables]

        database.migrate()

        assert tags() == as_written
        with database.engine.connect() as connection:
            assert [connection.execute(select(table)).all() for table in known.sorted_tables] == before
            assert set(connection.scalars(select(Generation.first_opened_at))) == {BEFORE_OPENINGS}
        assert broken_rules(database) == broken
        with database.read_session() as reading:
            assert waste.total(reading, person, UsageQuery(date(2026, 9, 1), date(2026, 11, 30))).unopened == 0

    assert load_generation(create_completed(database, person).id, database).first_opened_at is None
