"""How a process uses a server of PostgreSQL: its limits, what it tells of old snapshots, and the roles' figures."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from core import config
from core.db import Database, availability, snapshots
from core.db.server import ROLES, ServerUse, use_of
from core.db.snapshots import HELD_BYTES, HELD_SECONDS, HELD_TRANSACTIONS, HeldSnapshot
from core.insights import attention

LIMITS = "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"


@pytest.mark.only_postgresql
def test_limits_of_a_connection(database_url: str) -> None:
    """A statement that takes too long is ended and may be tried again; a change of the schema takes its time."""
    database = Database(database_url, use=ServerUse(kept=1, extra=0, statement_seconds=1, idle_seconds=7))
    try:
        with database.read_connection() as reader:
            assert tuple(reader.execute(text(LIMITS)).one()) == ("1s", "7s")
        with database.write_session() as session:
            assert tuple(session.execute(text(LIMITS)).one()) == ("1s", "7s")
        with pytest.raises(DBAPIError) as ended, database.read_session() as session:
            session.execute(text("SELECT pg_sleep(60)"))
        assert availability.is_away(ended.value)
        with database._unhurried() as engine, engine.begin() as connection:
            assert tuple(connection.execute(text(LIMITS)).one()) == ("0", "0")
        for engine in (database.engine, database.read_engine):
            assert isinstance(engine.pool, QueuePool)
            assert (engine.pool.size(), engine.pool._max_overflow) == (1, 0)
    finally:
        database.dispose()


def test_use_of_each_role() -> None:
    """Small by default, larger where people wait, and as the settings say where they do."""
    some = {"DATA_DIR": "/tmp", "SECRET_KEY": "k" * 40}  # noqa: S108 -- nothing is written there
    plain = config.load(some)
    assert {role: use_of(role, plain).most_connections for role in ROLES} == {
        "web": 20,
        "dispatcher": 16,
        "submit": 8,
        "collect": 8,
        "command": 10,
    }
    assert use_of("web", plain).statement_seconds == 30
    assert use_of("submit", plain).statement_seconds is None
    given = {
        "DATABASE_POOL": "3",
        "DATABASE_POOL_OVERFLOW": "0",
        "DATABASE_STATEMENT_SECONDS": "0",
        "DATABASE_IDLE_SECONDS": "5",
        "DATABASE_PREPARED_STATEMENTS": "off",
    }
    assert use_of("web", config.load(some | given)) == ServerUse(3, 0, None, 5, prepares=False)
    with pytest.raises(config.BadSetting, match="DATABASE_POOL"):
        config.load(some | {"DATABASE_POOL": "0"})


@pytest.mark.only_postgresql
def test_snapshot_that_somebody_holds(database: Database, database_url: str) -> None:
    """A transaction that reads and stays open is named with its age, and a slot with what it holds back."""
    with psycopg.connect(f"{database_url}&application_name=notebook") as notebook:
        notebook.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        notebook.execute("SELECT count(*) FROM users")
        notebook.execute("SELECT pg_create_physical_replication_slot('copy', true)")
        try:
            with database.read_session() as session:
                found = {each.name.split(",")[0]: each for each in snapshots.held(session)}
        finally:
            notebook.execute("SELECT pg_drop_replication_slot('copy')")
    with database.read_connection() as reader:
        assert [each for each in snapshots.held(reader) if "notebook" in each.name] == []

    assert (found["notebook"].seconds or 0) > 0
    assert found["notebook"].log_bytes is None
    assert not found["notebook"].is_old()
    assert found["replication slot copy"].log_bytes is not None


def test_snapshot_is_old() -> None:
    """By time for a transaction, by what it keeps for a slot, and by how much began since for both."""
    assert not HeldSnapshot("x", HELD_TRANSACTIONS, HELD_SECONDS, HELD_BYTES).is_old()
    assert HeldSnapshot("x", 0, HELD_SECONDS + 1).is_old()
    assert HeldSnapshot("x", 0, None, HELD_BYTES + 1).is_old()
    assert HeldSnapshot("x", HELD_TRANSACTIONS + 1).is_old()


def test_old_snapshots_wait_for_somebody() -> None:
    """They count among what an administrator attends to."""
    assert attention.Attention(0, (), old_snapshots=(HeldSnapshot("x", 1, 900.0),)).count == 1
