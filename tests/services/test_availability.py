import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.db import Database, availability
from core.db.tables import User
from tests.factories.users import create_member

LOGGER = "core.db.availability"


RENAME = "UPDATE users SET name = 'x'"


def write(database: Database, *statements: str) -> None:
    """Any unit of work that writes."""
    with database.write_session() as session:
        for statement in statements or (RENAME,):
            session.execute(text(statement))


def read(database: Database) -> None:
    """Any unit of work that reads."""
    with database.read_session() as session:
        session.execute(select(User)).all()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else holds the write lock of an SQLite file while the block runs."""
    with sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    holder.close()


@pytest.fixture
def path(tmp_path: Path, database: Database) -> Path:
    """The file of an SQLite database with a person in it."""
    create_member(database)
    return tmp_path / "test.db"


@pytest.fixture
def hasty(path: Path) -> Iterator[Database]:
    """The same database for somebody who does not wait for it."""
    found = Database(f"sqlite:///{path}", patience_seconds=0.1)
    yield found
    found.dispose()


def test_write_when_sqlite_is_locked(path: Path, hasty: Database) -> None:
    """A lock that lasts is an error of the kind that says to come back, also from BEGIN; readers are not hindered."""
    with locked(path):
        with pytest.raises(DBAPIError) as caught:
            write(hasty)
        read(hasty)
    write(hasty)

    assert availability.is_away(caught.value)
    assert availability.can_be_read(caught.value)


def test_write_when_sqlite_is_full(path: Path, hasty: Database) -> None:
    """So is a file that cannot grow."""
    with pytest.raises(DBAPIError) as caught:
        write(hasty, "PRAGMA max_page_count = 1", "CREATE TABLE filler AS SELECT randomblob(1000000) AS bytes")

    assert availability.is_away(caught.value)
    assert availability.can_be_read(caught.value)


def test_write_when_sqlite_is_read_only(path: Path, hasty: Database) -> None:
    """So is a database that may only be read."""
    with pytest.raises(DBAPIError) as caught:
        write(hasty, "PRAGMA query_only = ON", RENAME)

    assert availability.is_away(caught.value)


def test_read_when_sqlite_is_not_there(tmp_path: Path) -> None:
    """So is a file that cannot be opened, which nobody can read either."""
    with pytest.raises(DBAPIError) as caught:
        read(Database(f"sqlite:///{tmp_path / 'nowhere' / 'studio.db'}"))

    assert availability.is_away(caught.value)
    assert not availability.can_be_read(caught.value)


@pytest.mark.only_postgresql
def test_write_when_postgresql_is_read_only(database: Database) -> None:
    """A server that was failed over to and only reads is away for who writes."""
    with pytest.raises(DBAPIError) as caught:
        write(database, "SET TRANSACTION READ ONLY", RENAME)

    assert availability.is_away(caught.value)
    assert availability.can_be_read(caught.value)


@pytest.mark.only_postgresql
def test_write_when_postgresql_ends_the_connection(database: Database, database_url: str) -> None:
    """A server that shuts down in the middle of a unit of work is away."""

    def cut_off() -> None:
        with database.write_session() as session:
            mine = session.scalar(text("SELECT pg_backend_pid()"))
            with psycopg.connect(database_url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])
            session.execute(text(RENAME))

    with pytest.raises(DBAPIError) as caught:
        cut_off()

    assert availability.is_away(caught.value)
    assert not availability.can_be_read(caught.value)


@pytest.mark.only_postgresql
def test_read_when_postgresql_takes_no_more_connections(database: Database, database_url: str) -> None:
    """A server without room for another connection is away, and so is one that does not answer."""
    name = database.engine.url.database
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("CREATE ROLE guest LOGIN")
        other.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
        guest = Database(database.engine.url.set(username="guest").render_as_string())
        with pytest.raises(DBAPIError) as refused:
            read(guest)
        other.execute("DROP ROLE guest")
    with pytest.raises(DBAPIError) as absent:
        read(Database("postgresql://nobody@127.0.0.1:9/none"))

    assert availability.is_away(refused.value)
    assert availability.is_away(absent.value)


@pytest.mark.both_databases
def test_fault_of_ours_is_no_outage(database: Database) -> None:
    """What another try would meet again is never called an outage."""
    with pytest.raises(DBAPIError) as unknown:
        write(database, "SELECT * FROM no_such_table")
    with pytest.raises(IntegrityError) as broken:
        write(database, "INSERT INTO users (id) VALUES ('only an id')")

    assert not availability.is_away(broken.value)
    assert not availability.is_away(unknown.value)
    assert not availability.is_away(ValueError("x"))


def test_log_while_the_database_is_locked(path: Path, hasty: Database, caplog: pytest.LogCaptureFixture) -> None:
    """However many units of work fail and others still work, the log has a line at its beginning and one at its end."""
    with caplog.at_level(logging.INFO, logger=LOGGER):
        with locked(path):
            for _ in range(5):
                with pytest.raises(DBAPIError):
                    write(hasty)
                read(hasty)
        assert [record.exc_info for record in caplog.records] == [None]
        read(hasty)
        assert len(caplog.records) == 1
        write(hasty)
        write(hasty)

    assert [record.getMessage() for record in caplog.records] == [
        "the database cannot be used (database is locked); everything is tried again until it can",
        "the database can be used again",
    ]


def test_log_when_many_threads_meet_an_outage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line for all of a process; what cannot be read ends with a read that works."""
    folder = tmp_path / "later"
    database = Database(f"sqlite:///{folder / 'studio.db'}")

    def meet() -> None:
        with pytest.raises(DBAPIError):
            read(database)

    with caplog.at_level(logging.INFO, logger=LOGGER):
        threads = [threading.Thread(target=meet) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(caplog.records) == 1
        folder.mkdir()
        database.migrate()
        read(database)

    assert len(caplog.records) == 2
