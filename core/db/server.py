"""How a process uses a server of PostgreSQL: by how many connections, how long they may take, and through what.

A pooler such as PgBouncer in transaction mode lends a connection of the server for one transaction only. Behind one
nothing is left in a session: no prepared statement, no `SET` that outlives its transaction, no lock of a session, no
LISTEN, no temporary table. It is known by its own process number, which is not that of the server's process behind it.
"""

import math
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic_core import from_json
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from core.config import Settings
from core.db.server_clock import ServerClock

PING_AFTER_SECONDS = 1.0
"""How long a connection may have been idle and still be used without asking whether its server is there."""

POOLED = "is_pooled"
"""In `Connection.info`: there is a pooler between this connection and the server."""

CLOCK = "clock"
"""In `Connection.info` and `Session.info`: the clock of the server, where it has one."""

_WELL_AT = "well_at"


@dataclass(frozen=True, slots=True)
class ServerUse:
    """`kept` connections stay open, `extra` more are made in a rush: so many to read, and as many to write.

    None of the two limits leaves what the server says, 0 is no limit. `prepares` None: where no pooler is in between.
    """

    kept: int = 5
    extra: int = 5
    statement_seconds: int | None = None
    idle_seconds: int | None = 60
    prepares: bool | None = None

    @property
    def unhurried(self) -> "ServerUse":
        """The same for a change of the schema, which takes as long as it takes."""
        return replace(self, kept=1, extra=1, statement_seconds=0, idle_seconds=0)

    @property
    def most_connections(self) -> int:
        """How many a process has at most: readers and writers have a pool each."""
        return 2 * (self.kept + self.extra)


USUAL = ServerUse()
ROLES = {
    "web": ServerUse(5, 5, statement_seconds=30),
    "dispatcher": ServerUse(2, 6),
    "submit": ServerUse(1, 3),
    "collect": ServerUse(1, 3),
    "command": ServerUse(1, 4),
}
"""Of each role of a process. Measured with two web processes and two of each worker: 13 idle and 20 busy together."""


def use_of(role: str, settings: Settings) -> ServerUse:
    """What a process of this role does, or what the settings say it shall."""
    found = ROLES[role]
    statement, idle = settings.database_statement_seconds, settings.database_idle_seconds
    return replace(
        found,
        kept=found.kept if settings.database_pool is None else settings.database_pool,
        extra=found.extra if settings.database_pool_overflow is None else settings.database_pool_overflow,
        statement_seconds=found.statement_seconds if statement is None else statement or None,
        idle_seconds=found.idle_seconds if idle is None else idle or None,
        prepares=settings.database_prepared_statements,
    )


@dataclass(slots=True)
class Known:
    """What the pools of one process know of their server together; moments are of the steady clock."""

    clock: ServerClock = field(default_factory=ServerClock)
    lost_at: float = -math.inf
    """When one of them last found a connection ended: what is older in any of them is asked before it is used."""


def make_engine(url: URL, *, read_only: bool, patience_seconds: float, use: ServerUse, known: Known) -> Engine:
    """An engine whose connections keep to this use; those that read only cannot write.

    A connection that its server has ended is never handed out, so long as the system has been told of its end: one on
    which there is something to read, though nothing was asked, is asked whether it lives. That look takes 1 µs.
    """
    in_time = {} if "connect_timeout" in url.query else {"connect_timeout": math.ceil(patience_seconds)}
    engine = create_engine(
        url,
        pool_size=use.kept,
        max_overflow=use.extra,
        pool_timeout=patience_seconds,
        connect_args=in_time,
        json_deserializer=from_json,
        hide_parameters=True,  # an error that is logged holds no prompt
    )
    _begin_sessions(engine, read_only=read_only, use=use, clock=known.clock)

    @event.listens_for(engine, "checkin")
    def given_back(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_WELL_AT] = time.monotonic()

    @event.listens_for(engine, "invalidate")
    def lost(_connection: object, _record: object, failure: BaseException | None) -> None:
        if failure is not None:
            known.lost_at = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        earliest = max(time.monotonic() - PING_AFTER_SECONDS, known.lost_at)
        if record.info[_WELL_AT] > earliest and not known.clock.is_old and not _has_news(connection):
            return
        try:
            _ask(connection, "SELECT clock_timestamp()", known.clock)
        except engine.dialect.loaded_dbapi.Error as failure:
            raise InvalidatePoolError("the server has ended this connection") from failure
        record.info[_WELL_AT] = time.monotonic()

    return engine


def _has_news(connection: Any) -> bool:
    """Whether something can be read though nothing was asked: the end of it, or what its server says before."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _ask(connection: Any, statement: str, clock: ServerClock) -> tuple[Any, ...]:
    """The row of a statement that ends with the time, outside of any transaction; the clock learns of the time."""
    before, connection.autocommit = connection.autocommit, True
    try:
        began = time.monotonic()
        row: tuple[Any, ...] = connection.execute(statement).fetchone()
        clock.said(row[-1], began, time.monotonic())
    finally:
        if not connection.closed:
            connection.autocommit = before
    return row


def _begin_sessions(engine: Engine, *, read_only: bool, use: ServerUse, clock: ServerClock) -> None:
    """Set what holds for a connection: in its session where that is its own, else with each transaction."""
    limits = {
        "statement_timeout": use.statement_seconds,
        "idle_in_transaction_session_timeout": use.idle_seconds,
    }
    values = {name: f"{seconds}s" for name, seconds in limits.items() if seconds is not None}
    of_transaction = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in values.items())
    of_session = values | ({"default_transaction_read_only": "on"} if read_only else {})

    @event.listens_for(engine, "connect")
    def begin_session(connection: Any, record: ConnectionPoolEntry) -> None:
        behind, _ = _ask(connection, "SELECT pg_backend_pid(), clock_timestamp()", clock)
        connection.autocommit = True
        record.info.update({CLOCK: clock, _WELL_AT: time.monotonic()})
        is_pooled = record.info[POOLED] = behind != connection.info.backend_pid
        if use.prepares is False or (is_pooled and use.prepares is None):
            connection.prepare_threshold = None
        if not is_pooled and of_session:
            names = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in of_session.items())
            connection.execute(f"SELECT {names}")
        connection.autocommit = False
        if is_pooled and read_only:
            connection.read_only = True  # said with each BEGIN

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if of_transaction and connection.info[POOLED] and not driver.autocommit:
            connection.exec_driver_sql(of_transaction)


@contextmanager
def waiting(connection: Connection, at_most: str) -> Iterator[None]:
    """While a connection that commits each statement waits so long for a lock; behind a pooler as long as it takes."""
    if connection.info[POOLED]:
        yield
        return
    connection.exec_driver_sql(f"SET lock_timeout = '{at_most}'")
    try:
        yield
    finally:
        connection.exec_driver_sql("RESET lock_timeout")
