"""A filled database of before views were sent to people, brought to this one and back: nothing else changes."""

import pytest
from alembic import command
from sqlalchemy import MetaData, select

from core.db import Database
from core.db.enums import NoticeWay, ReportEvery
from core.db.schema import alembic_config
from core.notifications import report_schedules
from core.usage import saved_views
from core.usage.views import View
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.notices import by_mail

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0032"
KEPT = ("users", "usage_views", "notices", "ways_to_tell", "notice_sends", "usage_days", "ledger_entries")


def test_upgrade_with_views_and_ways(database: Database, person: Member) -> None:
    """Views, ways and what was told are as they were, there and back and there again; then views can be sent."""
    by_mail(database, person)
    create_completed(database, person)
    with database.write_session() as session:
        view_id = saved_views.create(session, person, name="Ours", view=View()).id
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
        with database.engine.connect() as connection:
            known = MetaData()
            known.reflect(connection, only=KEPT)
            before = [sorted(connection.execute(select(table)).all(), key=repr) for table in known.sorted_tables]
        assert all(before)

        database.migrate()

        with database.engine.connect() as connection:
            after = [sorted(connection.execute(select(table)).all(), key=repr) for table in known.sorted_tables]
        assert after == before
        with database.read_session() as session:
            assert report_schedules.of_person(session, person) == []
        with database.write_session() as session:
            every = ReportEvery.MONTHLY
            assert report_schedules.put(session, person, view_id, NoticeWay.EMAIL, every=every).view_name == "Ours"
