"""A filled database of before there were views for analysts, brought to this one; and tables that change under them."""

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import inspect, text

from core.analyst_pack import description
from core.db import Database, views
from tests.factories.packs import fill, pack
from tests.factories.upgrades import check_there_and_back, revision_before

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

VIEWS = {table.view_name for table in description.TABLES if table.has_view}


def test_upgrade_of_a_filled_database(database: Database) -> None:
    """All that was there stays, whoever goes back and forth; views and packs are there after, and none before."""
    fill(database, days=10)
    with database.engine.connect() as connection:
        before = revision_before(connection, views.SINCE)

    def look_before() -> None:
        assert not VIEWS & set(inspect(database.engine).get_view_names())
        assert "analyst_packs" not in inspect(database.engine).get_table_names()

    def look_after() -> None:
        assert set(inspect(database.engine).get_view_names()) == VIEWS

    check_there_and_back(database, before, look_before=look_before, look_after=look_after)
    pack(database)


def test_tables_change_under_the_views(database: Database) -> None:
    """A migration replaces a table that views read, as SQLite needs it; after it each view is there and answers."""
    fill(database, days=3)
    with database.engine.begin() as connection:
        rows = connection.scalar(text("SELECT count(*) FROM analyst_judgements"))
        with views.out_of_the_way(connection):
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("clip_notes", recreate="auto") as table:
                table.alter_column("text", nullable=True)
        assert set(inspect(connection).get_view_names()) == VIEWS
        assert connection.scalar(text("SELECT count(*) FROM analyst_judgements")) == rows
    pack(database)


def test_view_that_a_migration_makes_anew(database: Database) -> None:
    """What a migration says of a view counts; one that it has not touched comes back as it was."""
    with database.engine.begin() as connection:
        with views.out_of_the_way(connection):
            connection.execute(text("DROP VIEW IF EXISTS analyst_people"))
            connection.execute(text("CREATE VIEW analyst_people AS SELECT id AS person_id, 1 AS one FROM users"))
        assert set(inspect(connection).get_view_names()) == VIEWS
        assert [*connection.execute(text("SELECT * FROM analyst_people")).keys()] == ["person_id", "one"]
