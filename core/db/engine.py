"""Engine, schema and sessions; the only module that commits.

Write sessions on SQLite take the write lock at BEGIN: measured with four processes, a plain BEGIN lost 64 to
72 % of its attempts to "database is locked", BEGIN IMMEDIATE none.
"""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic_core import from_json
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from core import config

PING_AFTER_SECONDS = 1.0
"""How long a connection may have been idle and still be used without asking whether its server is there."""

_MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 7_304_221_118  # any constant: PostgreSQL's advisory lock that lets one process migrate


class Database:
    """One database: its engine, its sessions, its schema."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.engine = _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else _server_engine(parsed)
        self._read_engine = self.engine.execution_options(begin="BEGIN")
        alone = {"begin": None} if self.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._look_engine = self.engine.execution_options(**alone)

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One unit of work: commits when the block ends well, rolls back when it raises.

        Rows stay readable after it. A read-only one takes no write lock and never commits.
        """
        with Session(self._read_engine if read_only else self.engine, expire_on_commit=False) as session:
            yield session
            if not read_only:
                session.commit()

    def look(self) -> AbstractContextManager[Connection]:
        """A connection for statements that read, each by itself: no transaction around them, and no entities.

        For what is asked again and again: session and transaction cost as much as such a statement, and a server two
        round trips more.
        """
        return self._look_engine.connect()

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe from many processes at once, quick when it is there."""
        if self._is_current():
            return
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            command.upgrade(alembic_config(connection), "head")

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _is_current(self) -> bool:
        heads = set(ScriptDirectory.from_config(alembic_config()).get_heads())
        with self.look() as connection:
            return set(MigrationContext.configure(connection).get_current_heads()) == heads


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; migrations run on the given connection, inside its transaction."""
    alembic = Config()
    alembic.set_main_option("script_location", str(_MIGRATIONS))
    alembic.attributes["connection"] = connection
    return alembic


@lru_cache(maxsize=1)
def default() -> Database:
    """The database of this process's settings, migrated."""
    database = Database(config.settings().database_url)
    database.migrate()
    return database


@contextmanager
def session(*, read_only: bool = False) -> Iterator[Session]:
    """A unit of work on the default database; see Database.session."""
    with default().session(read_only=read_only) as unit:
        yield unit


def look() -> AbstractContextManager[Connection]:
    """A connection to the default database for statements that read, each by itself; see Database.look."""
    return default().look()


def _server_engine(url: Any) -> Engine:
    engine = create_engine(url, pool_size=10, max_overflow=20, json_deserializer=from_json)

    @event.listens_for(engine, "checkin")
    def given_back(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["given_back"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("given_back", math.inf) < PING_AFTER_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as failure:
            raise InvalidatePoolError("the server has ended this connection") from failure

    return engine


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, json_deserializer=from_json)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, see below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if words := connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"):
            driver: Any = connection.connection.driver_connection
            driver.execute(words)  # past SQLAlchemy, whose way costs as much as a short query

    return engine
