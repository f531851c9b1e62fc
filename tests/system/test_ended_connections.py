"""Connections that the server has ended while they lay in a pool: none of them is handed out."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from sqlalchemy import text

from core.db import Database
from core.db.server import ServerUse
from tests import pgbouncer, postgres

pytestmark = pytest.mark.process

KEPT = 5
EACH = 15
"""So many units of work of each kind come after the end, more than there were connections."""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL with an empty database."""
    with postgres.stoppable() as found:
        with psycopg.connect(found.address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        yield found


def warm(database: Database) -> None:
    """Fill both pools with connections that were used a moment ago."""
    with ExitStack() as stack:
        for engine in (database.engine, database.read_engine):
            for _ in range(KEPT):
                stack.enter_context(engine.connect())


def failures(database: Database) -> list[str]:
    """What comes of many units of work of each kind at once."""

    def read() -> None:
        with database.read_session() as session:
            session.execute(text("SELECT 1"))

    def look() -> None:
        with database.read_connection() as connection:
            connection.execute(text("SELECT 1"))

    def write() -> None:
        with database.write_session() as session:
            session.execute(text("SELECT 1"))

    with ThreadPoolExecutor(4) as threads:
        jobs = [threads.submit(act) for _ in range(EACH) for act in (read, write, look)]
    return [repr(job.exception()) for job in jobs if job.exception() is not None]


def ended_one_by_one(server: postgres.Server) -> None:
    """An administrator ends every connection of the application; it takes some milliseconds."""
    of_ours = "FROM pg_stat_activity WHERE datname = 'empty'"
    with psycopg.connect(server.address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) {of_ours}")
        while connection.execute(f"SELECT 1 {of_ours}").fetchone() is not None:
            pass


def restarted(server: postgres.Server) -> None:
    """As at an upgrade."""
    server.stop()
    server.start()


def killed(server: postgres.Server) -> None:
    """As by the system, when memory is short."""
    server.kill()
    server.start()


@contextmanager
def warmed(address: str) -> Iterator[Database]:
    """A database whose two pools are full of connections that were used just now."""
    database = Database(address.format("empty"), use=ServerUse(kept=KEPT, extra=0))
    try:
        warm(database)
        yield database
    finally:
        database.dispose()


@pytest.mark.parametrize("end", [ended_one_by_one, restarted, killed])
def test_server_has_ended_all_connections(server: postgres.Server, end: Callable[[postgres.Server], None]) -> None:
    """However short the time since they were used, and in both pools: no unit of work fails."""
    with warmed(server.address) as database:
        end(server)
        assert failures(database) == []


def test_server_behind_a_pooler_is_restarted(server: postgres.Server) -> None:
    """The pooler keeps our connections and makes its own anew; nothing fails once the server is there."""
    with pgbouncer.pooling(server) as address, warmed(address) as database:
        restarted(server)
        assert failures(database) == []


def test_pooler_is_restarted(server: postgres.Server) -> None:
    """It ends our connections at once, and is there again under the same address."""
    with pgbouncer.running(server) as pooler, warmed(pooler.address) as database:
        pooler.stop()
        pooler.start()
        assert failures(database) == []
