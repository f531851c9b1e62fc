"""Keeps the views for analysts out of the way while SQLite's tables are changed; no view is described here.

SQLite refuses to rename a table or to drop a column while a view would not fit any more, even for the moment in which a
table is replaced by its changed copy. PostgreSQL's views stay where they are, with what was granted on them; a
migration that changes one replaces it there.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

SINCE = "0032"
"""The revision that makes them; before it there are none."""

_KNOWN = text("SELECT name, sql FROM sqlite_master WHERE type = 'view' AND name LIKE 'analyst!_%' ESCAPE '!'")
_REVISION = text("SELECT max(version_num) FROM alembic_version")


@contextmanager
def out_of_the_way(connection: Connection) -> Iterator[None]:
    """Take the views out of a SQLite file while the block runs; each that nobody has made anew is back behind it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.execute(_KNOWN).all()
    for row in before:
        connection.exec_driver_sql(f'DROP VIEW "{row.name}"')
    yield
    if before and (connection.scalar(_REVISION) or "") >= SINCE:
        after = {row.name for row in connection.execute(_KNOWN)}
        for row in before:
            if row.name not in after:
                connection.exec_driver_sql(row.sql)
