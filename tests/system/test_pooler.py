"""A whole installation behind PgBouncer in transaction mode: nothing of a session is relied upon, nothing is left."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.db.enums import Status
from core.db.server import ServerUse
from tests import pgbouncer, postgres, simulators
from tests.system import app
from tests.system.installation import Installation, installed

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]

CLIPS = 6


@pytest.fixture(scope="module")
def pooled() -> Iterator[str]:
    """The address of an empty database behind a pooler."""
    pgbouncer.program()
    with postgres.stoppable() as server:
        with psycopg.connect(server.address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        with pgbouncer.pooling(server) as address:
            yield address.format("empty")


@pytest.fixture(scope="module")
def site(pooled: str) -> Iterator[Installation]:
    """An installation that knows the database by its pooler alone, from the first table on."""
    with (
        simulators.running("modelslab", seconds=1, limit=1000) as url,
        installed(url, database_url=pooled) as found,
    ):
        found.start_redis()
        yield found


def test_everything_behind_a_pooler(site: Installation, pooled: str) -> None:
    """Clips are ordered on the API and beside it, made, settled and told; afterwards no session remembers anything."""
    site.start_worker()
    settings = {**site.environ, "AUTH_MODE": "local", "SIGNUP_CREDITS": "100000"}
    with app.running(Path(site.environ["DATA_DIR"]), environ=settings) as web:
        with ThreadPoolExecutor(4) as threads:
            mine = list(threads.map(lambda n: site.order(f"lake {n}"), range(CLIPS)))
            theirs = list(
                threads.map(
                    lambda _: web.order(modelId="seedance-t2v", duration=5, aspectRatio="16:9"),
                    range(CLIPS),
                )
            )
        for generation_id in theirs:
            assert web.until_ended(generation_id)["status"] == "completed"
        site.until(lambda: all(site.row(row_id).status is Status.COMPLETED for row_id in mine), "all are completed")
        assert web.client.get("/generations").status_code == 200
        assert web.client.get("/metrics").status_code in (200, 401, 403)
    site.check_books()
    assert set(site.submits().values()) == {1}
    assert _left_in_sessions(pooled) == set()


def test_who_reads_and_who_writes_behind_a_pooler(site: Installation, pooled: str) -> None:
    """Who reads cannot write, who writes always can, and each has its limits, whichever connection it is lent."""
    database = Database(pooled, use=ServerUse(statement_seconds=7, idle_seconds=9))
    limits = "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"

    def read(_: int) -> str:
        with database.read_session() as session:
            return str(session.scalar(text("SHOW transaction_read_only")))

    def look(_: int) -> str:
        with database.read_connection() as connection:
            return str(connection.scalar(text("SHOW transaction_read_only")))

    def write(_: int) -> tuple[str, ...]:
        with database.write_session() as session:
            session.execute(text("UPDATE users SET name = name"))
            return tuple(session.execute(text(limits)).one())

    def write_by_reading() -> None:
        with database.read_connection() as connection:
            connection.execute(text("UPDATE users SET name = name"))

    try:
        with ThreadPoolExecutor(6) as threads:
            jobs = [threads.submit(act, n) for n in range(40) for act in (read, look, write)]
        with pytest.raises(DBAPIError, match="read-only"):
            write_by_reading()
    finally:
        database.dispose()
    assert {job.result() for job in jobs} == {"on", ("7s", "9s")}
    assert _left_in_sessions(pooled) == set()


def _left_in_sessions(pooled: str) -> set[str]:
    """What the sessions of the server behind the pooler still remember; all of them are looked at, side by side."""
    left: set[str] = set()
    seen: set[int] = set()
    with ExitStack() as stack:
        for _ in range(pgbouncer.BEHIND):
            connection = stack.enter_context(psycopg.connect(pooled, prepare_threshold=None))
            [pid] = connection.execute("SELECT pg_backend_pid()").fetchone() or [0]
            seen.add(pid)
            for what in (
                "SELECT 'prepared ' || name FROM pg_prepared_statements",
                "SELECT 'set ' || name FROM pg_settings WHERE source = 'session' AND name <> ALL"
                " ('{client_encoding,DateStyle,TimeZone,standard_conforming_strings,application_name}')",
                "SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory'",
                "SELECT 'listens ' || c FROM pg_listening_channels() AS c",
                "SELECT 'temporary ' || relname FROM pg_class WHERE relpersistence = 't'",
            ):
                left |= {name for (name,) in connection.execute(what).fetchall()}
        assert len(seen) == pgbouncer.BEHIND
    return left
