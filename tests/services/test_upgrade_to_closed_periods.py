"""A filled database of before months could be closed, brought to this one: nothing is lost, and old months close."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect

from core.billing import months
from core.clock import utc_now
from core.db import Database
from core.usage import closing
from core.workspaces.access import Member
from tests.factories.books import broken_rules, set_back
from tests.factories.generations import create_completed
from tests.factories.upgrades import check_there_and_back, revision_before
from tests.factories.workspaces import create_admin

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

MONTH = months.of(utc_now() - timedelta(days=62))


def test_upgrade_of_old_months(database: Database, person: Member) -> None:
    """All that was there stays, whoever goes back and forth, and a month of before is closed as any other."""
    create_completed(database, person)
    set_back(MONTH, database)
    admin = create_admin(database)
    with database.engine.connect() as connection:
        before = revision_before(connection, "0029")

    def look_before() -> None:
        assert "closed_periods" not in inspect(database.engine).get_table_names()

    def look_after() -> None:
        indexes = {index["name"] for index in inspect(database.engine).get_indexes("ledger_entries")}
        assert "ix_ledger_entries_account_time" in indexes

    check_there_and_back(database, before, look_before=look_before, look_after=look_after)
    with database.write_session() as session:
        period = closing.close(session, admin, MONTH)
    assert (period.entry_count, period.totals["ledger"]) == (3, {"grant": 10_000, "hold": 50, "settle": 50})
    assert broken_rules(database) == []
