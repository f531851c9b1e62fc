from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select

from core import projects
from core.db import Database
from core.models import Base, Project, User


def test_migrations_when_compared_with_the_models(database: Database) -> None:
    """The migrations make exactly the tables that the models describe, and beside them the index of words."""

    def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
        return name is None or not name.startswith(("generation_words", "ix_generations_words"))

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
        assert compare_metadata(context, Base.metadata) == []
        names = {name for name in inspect(connection).get_table_names() if not name.startswith("generation_words")}
        assert names == {*Base.metadata.tables, "alembic_version"}


def test_migrate_when_up_to_date(database: Database) -> None:
    """Migrating again changes nothing."""
    database.migrate()


def test_session_when_the_block_raises(database: Database, person: User) -> None:
    """A block that raises leaves nothing behind."""

    def half() -> None:
        with database.session() as session:
            projects.create(session, person, name="Half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()

    with database.session(read_only=True) as session:
        assert session.scalars(select(Project)).all() == []


def test_session_when_read_only(database: Database, person: User) -> None:
    """A read-only session keeps nothing that was changed in it, and rows stay readable after it."""
    with database.session(read_only=True) as session:
        user = session.scalars(select(User)).one()
        user.name = "changed"
        session.flush()

    assert user.email == person.email
    with database.session(read_only=True) as session:
        assert session.scalars(select(User.name)).one() == person.name


def test_sqlite_settings(tmp_path: Path) -> None:
    """SQLite runs in WAL, waits for its lock, and holds foreign keys."""
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    database.dispose()

    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 2}
