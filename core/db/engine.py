"""Engine, schema and sessions; the only module that commits.

Write sessions on SQLite take the write lock at BEGIN: measured with four processes, a plain BEGIN lost 64 to
72 % of its attempts to "database is locked", BEGIN IMMEDIATE none.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic_core import from_json
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from core import tracing
from core.db import availability, schema, server, traced
from core.db.schema import Standing
from core.db.server import ServerUse
from core.db.server_clock import ServerClock
from core.db.sessions import ReadSession, WriteSession

PATIENCE_SECONDS = 30.0
"""How long work in the background waits for a lock on SQLite, or for a free connection."""


class Database:
    """One database: its engine, its sessions, its schema. `file` is that of SQLite, None on a server or in memory.

    `info` is what every session of it carries (`Session.info`), for services that are handed a session alone.
    """

    def __init__(
        self,
        url: str,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        info: Mapping[str, object] = MappingProxyType({}),
        use: ServerUse = server.USUAL,
    ) -> None:
        self._known = server.Known()
        self._info = {server.CLOCK: self.clock, **info}
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self._of_server: dict[str, Any] = {"patience_seconds": patience_seconds, "use": use, "known": self._known}
        if parsed.get_backend_name() == "sqlite":
            self.engine = _sqlite_engine(parsed, read_only=False, patience_seconds=patience_seconds)
            self.read_engine = _sqlite_engine(parsed, read_only=True, patience_seconds=patience_seconds)
        else:
            self.engine = server.make_engine(parsed, read_only=False, **self._of_server)
            self.read_engine = server.make_engine(parsed, read_only=True, **self._of_server)
        self.file = _file_of(parsed)
        self._outage = availability.Outage()
        if tracing.is_on():
            for engine in (self.engine, self.read_engine):
                traced.watch(engine)

    @property
    def clock(self) -> ServerClock:
        """The clock of its server as it is known here; on SQLite this machine's."""
        return self._known.clock

    @contextmanager
    def write_session(self) -> Iterator[WriteSession]:
        """One unit of work: commits when the block ends well, rolls back when it raises; rows stay readable.

        What `availability.is_away` knows is raised when the database cannot be used now; the log says so once.
        """
        session_of = WriteSession(self.engine, expire_on_commit=False, info=self._info)
        with self._outage.noticed(), session_of as session:
            yield session
            asked = session.in_transaction()
            session.commit()
            if asked:
                self._outage.answered(wrote=True)
            session.tell_committed()

    @contextmanager
    def read_session(self) -> Iterator[ReadSession]:
        """A unit of work that takes no write lock and never commits; the database refuses a write through it.

        Raises sqlalchemy.exc.DBAPIError on such a write.
        """
        session_of = ReadSession(self.read_engine, expire_on_commit=False, info=self._info)
        with self._outage.noticed(), session_of as session:
            yield session
            if session.in_transaction():
                self._outage.answered(wrote=False)

    @contextmanager
    def snapshot(self) -> Iterator[ReadSession]:
        """As `read_session`, but all its statements see the database as the first of them does, however long it takes.

        For figures of several tables that have to agree. Keep it short: what is changed meanwhile cannot be cleaned up.
        """
        of_all = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        engine = self.read_engine.execution_options(**of_all)
        session_of = ReadSession(engine, expire_on_commit=False, info=self._info)
        with self._outage.noticed(), session_of as session:
            yield session

    @contextmanager
    def read_connection(self) -> Iterator[Connection]:
        """A connection for statements that read, each by itself: no transaction around them, and no entities.

        For what is asked again and again: session and transaction cost as much as such a statement, and a server two
        round trips more. The database refuses a write through it, as through `read_session`; where a pooler is in
        between it takes a transaction for that, in which each statement still sees what was committed before it.
        """
        with self._outage.noticed(), self.read_engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.execution_options(begin=None)
            elif not connection.info[server.POOLED]:
                connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection
            if connection.in_transaction():
                self._outage.answered(wrote=False)

    def standing(self) -> Standing:
        """How its schema stands to this code; raises schema.UnusableSchema."""
        with self.read_connection() as connection:
            return schema.standing(connection)

    def migrate(self) -> None:
        """Bring the schema to the newest version; safe from many processes at once, quick when it is there.

        A SQLite file that has a schema already is copied before (`studio.db.before-0006`). Raises OSError or
        sqlite3.Error when that cannot be done, having changed nothing, schema.UnusableSchema for tables that this
        version cannot work with, migrating.UnfinishedBackfill, and SQLAlchemy's or the driver's own errors.
        """
        from core.db import migrating

        found = self.standing()
        if found is Standing.NEWER:
            return
        with self._unhurried() as engine:
            if found is Standing.BEHIND:
                migrating.upgrade_all(engine)
            migrating.complete(engine)

    @contextmanager
    def _unhurried(self) -> Iterator[Engine]:
        """An engine whose statements take as long as they take."""
        if self.engine.dialect.name == "sqlite":
            yield self.engine
            return
        use = self._of_server["use"].unhurried
        engine = server.make_engine(self.engine.url, read_only=False, **self._of_server | {"use": use})
        try:
            yield engine
        finally:
            engine.dispose()

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


def clock() -> ServerClock:
    """The clock of the default database's server as it is known here; see `Database.clock`."""
    return default().clock


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


def _sqlite_engine(url: Any, *, read_only: bool, patience_seconds: float) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": patience_seconds, "check_same_thread": False},
        json_deserializer=from_json,
        hide_parameters=True,  # an error that is logged holds no prompt
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, see below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if words := connection.get_execution_options().get("begin", "BEGIN" if read_only else "BEGIN IMMEDIATE"):
            driver: Any = connection.connection.driver_connection
            try:
                driver.execute(words)  # past SQLAlchemy, whose way costs as much as a short query
            except engine.dialect.loaded_dbapi.Error as failure:
                raise DBAPIError.instance(words, None, failure, engine.dialect.loaded_dbapi.Error) from failure

    return engine
