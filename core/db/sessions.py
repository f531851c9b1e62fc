"""Two kinds of units of work that the type checker can tell apart: one that only reads, and one that writes.

What reads takes a `ReadSession` or a `Reader`, what writes a `WriteSession`, so a service that writes cannot be handed
a session whose changes would be lost; the database refuses a write through the first as well (`core.db.engine`).
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, update
from sqlalchemy.orm import Session

from core.db.types import Base


class ReadSession(Session):
    """A unit of work that reads; one that the engine made for reading cannot write."""


class WriteSession(ReadSession):
    """A unit of work that may write, and that is committed when its block ends well."""


Reader = ReadSession | Connection
"""What statements that return plain rows are run through."""


def update_where(session: WriteSession, table: type[Base], /, *where: ColumnElement[bool], **values: Any) -> int:
    """Set columns of every row that meets all conditions; returns how many there were.

    Objects the session has loaded stay as they are: `refresh` those that are read afterwards.
    """
    statement = update(table).where(*where).values(**values).execution_options(synchronize_session=False)
    result: Any = session.execute(statement)  # a CursorResult, which `execute` is not typed as
    return int(result.rowcount)
