"""A schema that is newer than this code: it works where that was promised, and nowhere else."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text

from core import config
from core.config import BadSetting
from core.db import Database, opening, schema
from core.db.schema import Standing, UnusableSchema, alembic_config, newest_revision
from core.db.tables import SchemaPromise
from core.workspaces.access import Member
from tests.factories.generations import create_generation

pytestmark = pytest.mark.both_databases


def make_newer(database: Database, oldest_head: str | None, revision: str = "9999") -> None:
    """As a later version leaves it, with what it promises."""
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
        if oldest_head:
            row = {"new": revision, "oldest": oldest_head}
            connection.execute(text("INSERT INTO schema_promises VALUES (:new, :oldest)"), row)


def test_newer_schema_that_promises(database: Database, person: Member) -> None:
    """It is opened and worked with; migrating changes nothing."""
    make_newer(database, newest_revision())

    assert database.standing() is Standing.NEWER
    database.migrate()
    create_generation(database, person)
    with database.read_connection() as connection:
        assert schema.revision(connection) == "9999"


def test_newer_schema_that_has_broken_with_us(database: Database) -> None:
    """One migration that breaks with our code is enough, also when one that does not comes after it."""
    make_newer(database, "9001", "9001")
    make_newer(database, newest_revision())

    with pytest.raises(UnusableSchema, match=rf"9999 needs .* at least 9001, and this one knows {newest_revision()}"):
        database.migrate()


def test_newer_schema_without_promise(database: Database) -> None:
    """What no migration of ours has made may be anything."""
    make_newer(database, None)

    with pytest.raises(UnusableSchema, match="of a newer version of this application, or of another program"):
        database.standing()


def test_promises_go_with_their_migrations(database: Database) -> None:
    """Each migration leaves its own; one that is taken back takes it along."""
    stated = [revision for revision in schema.revisions() if revision >= schema.PROMISES_SINCE]
    found = promised(database)
    assert [row.revision for row in found] == stated
    assert all(row.oldest_head <= row.revision for row in found)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), schema.PROMISES_SINCE)
    assert [row.revision for row in promised(database)] == [schema.PROMISES_SINCE]
    database.migrate()
    assert [row.revision for row in promised(database)] == stated


def promised(database: Database) -> list[SchemaPromise]:
    """What the database knows of promises."""
    with database.read_session() as session:
        return list(session.scalars(select(SchemaPromise).order_by(SchemaPromise.revision)))


def test_open_when_the_schema_is_behind(database: Database, database_url: str, tmp_path: Path) -> None:
    """With AUTO_MIGRATE it is brought up to date; without, the sentence says the command, and nothing is changed."""
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0037")
    given = {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": database_url}
    with pytest.raises(BadSetting, match=r"has the schema 0037.*`python -m core.admin migrate` once\.$"):
        opening.open_database(config.load(given | {"AUTO_MIGRATE": "off"}))
    assert database.standing() is Standing.BEHIND
    opening.open_database(config.load(given | {"AUTO_MIGRATE": "on"})).dispose()
    assert database.standing() is Standing.CURRENT
    opening.open_database(config.load(given | {"AUTO_MIGRATE": "off"})).dispose()
