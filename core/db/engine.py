"""Engine, schema and sessions; the only module that commits.

Write sessions on SQLite take the write lock at BEGIN: measured with four processes, a plain BEGIN lost 64 to
72 % of its attempts to "database is locked", BEGIN IMMEDIATE none.
"""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from core.db import schema
from core.db.sessions import ReadSession, WriteSession

PING_AFTER_SECONDS = 1.0
"""How long a connection may have been idle and still be used without asking whether its server is there."""


class Database:
    """One database: its engine, its sessions, its schema. `file` is that of SQLite, None on a server or in memory."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        make_engine = _sqlite_engine if parsed.get_backend_name() == "sqlite" else _server_engine
        self.engine = make_engine(parsed, read_only=False)
        self.read_engine = make_engine(parsed, read_only=True)
        self.file = _file_of(parsed)
        by_itself = {"begin": None} if self.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._read_by_itself = self.read_engine.execution_options(**by_itself)

    @contextmanager
    def write_session(self) -> Iterator[WriteSession]:
        """One unit of work: commits when the block ends well, rolls back when it raises; rows stay readable."""
        with WriteSession(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def read_session(self) -> Iterator[ReadSession]:
        """A unit of work that takes no write lock and never commits; the database refuses a write through it.

        Raises sqlalchemy.exc.DBAPIError on such a write.
        """
        with ReadSession(self.read_engine, expire_on_commit=False) as session:
            yield session

    def read_connection(self) -> AbstractContextManager[Connection]:
        """A connection for statements that read, each by itself: no transaction around them, and no entities.

        For what is asked again and again: session and transaction cost as much as such a statement, and a server two
        round trips more. The database refuses a write through it, as through `read_session`.
        """
        return self._read_by_itself.connect()

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe from many processes at once, quick when it is there.

        Raises schema.UnusableSchema for tables of a newer version, and SQLAlchemy's or the driver's own errors.
        """
        with self.read_connection() as connection:
            if schema.is_current(connection):
                return
        with self.engine.begin() as connection:
            schema.upgrade(connection)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self.read_engine.dispose()


@contextmanager
def using(database: Database) -> Iterator[None]:
    """Make it the default one while the block runs; `core.installation` does, and nobody else."""
    before = list(_default)
    _default[:] = [database]
    try:
        yield
    finally:
        _default[:] = before


def default() -> Database:
    """The database of the current installation."""
    return _default[0]


_default: list[Database] = []


def write_session() -> AbstractContextManager[WriteSession]:
    """A unit of work on the default database; see `Database.write_session`."""
    return default().write_session()


def read_session() -> AbstractContextManager[ReadSession]:
    """A unit of work that reads the default database; see `Database.read_session`."""
    return default().read_session()


def read_connection() -> AbstractContextManager[Connection]:
    """A connection that reads the default database; see `Database.read_connection`."""
    return default().read_connection()


def _file_of(url: URL) -> Path | None:
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)).absolute() if is_file else None


def _server_engine(url: Any, *, read_only: bool) -> Engine:
    engine = create_engine(url, pool_size=10, max_overflow=20, json_deserializer=from_json)

    if read_only:

        @event.listens_for(engine, "connect")
        def refuse_writes(connection: Any, _record: object) -> None:
            connection.execute("SET default_transaction_read_only = on")  # holds without a transaction as well
            connection.commit()

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


def _sqlite_engine(url: Any, *, read_only: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, json_deserializer=from_json)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, see below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if words := connection.get_execution_options().get("begin", "BEGIN" if read_only else "BEGIN IMMEDIATE"):
            driver: Any = connection.connection.driver_connection
            driver.execute(words)  # past SQLAlchemy, whose way costs as much as a short query

    return engine
