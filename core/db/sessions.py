"""Two kinds of units of work that the type checker can tell apart: one that only reads, and one that writes.

What reads takes a `ReadSession` or a `Reader`, what writes a `WriteSession`, so a service that writes cannot be handed
a session whose changes would be lost; the database refuses a write through the first as well (`core.db.engine`).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.orm import Session

from core.clock import utc_now
from core.db.server import CLOCK
from core.db.server_clock import ServerClock
from core.db.types import Base, UtcDateTime

_AFTER_COMMIT = "after_commit"


class ReadSession(Session):
    """A unit of work that reads; one that the engine made for reading cannot write."""

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do something once it is committed, and not at all if it is not; for counting and telling, which never fail.

        Rolling back to a savepoint takes nothing back.
        """
        self.info.setdefault(_AFTER_COMMIT, []).append(act)

    def tell_committed(self) -> None:
        """Do what was to be done after the commit; for the engine only."""
        for act in self.info.pop(_AFTER_COMMIT, ()):
            act()


class WriteSession(ReadSession):
    """A unit of work that may write, and that is committed when its block ends well."""


Reader = ReadSession | Connection
"""What statements that return plain rows are run through."""


_NOW = select(func.clock_timestamp(type_=UtcDateTime()))


def now(session: ReadSession) -> datetime:
    """The time that leases and due times go by: the database's, since machines' clocks differ.

    Asked once a unit of work, which is short. SQLite has no clock but its machine's, and serves no other machine. What
    stands in `session.info["now"]` is taken for it, so that a unit of work can be run as of another moment.
    """
    known: datetime | None = session.info.get("now")
    if known is not None:
        return known
    if session.get_bind().dialect.name != "postgresql":
        return utc_now()
    known = session.info["now"] = session.scalars(_NOW).one()
    return known


def about_now(reader: Reader) -> datetime:
    """The same clock's time as this process knows it, which costs no round trip and is wrong by one at most.

    For what ends at a moment and is looked up at each request (`core.db.server_clock`).
    """
    known: datetime | None = reader.info.get("now")
    if known is not None:
        return known
    clock: ServerClock | None = reader.info.get(CLOCK)
    return utc_now() if clock is None else clock.now()


def update_where(session: WriteSession, table: type[Base], /, *where: ColumnElement[bool], **values: Any) -> int:
    """Set columns of every row that meets all conditions; returns how many there were.

    Objects the session has loaded stay as they are: `refresh` those that are read afterwards.
    """
    statement = update(table).where(*where).values(**values).execution_options(synchronize_session=False)
    result: Any = session.execute(statement)  # a CursorResult, which `execute` is not typed as
    return int(result.rowcount)
