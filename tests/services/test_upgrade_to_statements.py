"""A filled database of before there were statements, brought to this one: nothing is lost, and statements work."""

import pytest
from sqlalchemy import inspect, select

from core.billing import months
from core.clock import utc_now
from core.db import Database
from core.db.enums import LineOutcome
from core.db.tables import UsageDay
from core.statements import listing
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed
from tests.factories.statements import Clip, build_file, line_of, upload
from tests.factories.upgrades import check_there_and_back, revision_before
from tests.factories.workspaces import create_admin

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

TABLES = {"vendor_statements", "statement_lines", "statement_clips", "cost_adjustments"}


def test_upgrade_of_filled_database(database: Database, person: Member) -> None:
    """All that was there stays, whoever goes back and forth; days of before have nothing adjusted."""
    create_completed(database, person)
    admin = create_admin(database)
    with database.engine.connect() as connection:
        before = revision_before(connection, "0031")

    def look_before() -> None:
        assert not TABLES & set(inspect(database.engine).get_table_names())

    def look_after() -> None:
        assert set(inspect(database.engine).get_table_names()) >= TABLES

    check_there_and_back(database, before, look_before=look_before, look_after=look_after)

    with database.read_session() as session:
        assert session.scalars(select(UsageDay.adjusted_cost_idr)).all() == [0]
    now = utc_now()
    statement = upload(database, admin, build_file([line_of(Clip("x", now))]), month=months.of(now))
    with database.read_session() as session:
        found = listing.summary(session, admin, statement.id).found
    assert found[LineOutcome.THEIRS_ONLY].lines + found[LineOutcome.PRICE_DIFFERS].lines == 1
    assert broken_rules(database) == []
