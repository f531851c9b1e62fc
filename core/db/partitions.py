"""Keeps what grows for ever in a part a month on PostgreSQL: makes months ahead, and removes those that are over and empty.

No row is removed here. A row that fits no month lies in `<table>_other` until its month is made; what was there before
the tables were parted lies in `<table>_before_YYYY_MM`. SQLite has its tables whole.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core import ids

log = logging.getLogger(__name__)

AHEAD = 2
"""So many months beyond the present one are there. Few: each statement that names no month looks into every one."""
KEPT_FOR = timedelta(days=31)
"""So long after its end a month that is empty stays: clocks differ, and late rows find their place."""
LOCK_TIMEOUT = "500ms"
"""Less than after what PostgreSQL looks for deadlocks, so that who gives up is this, and not somebody's order."""

_LOCK = 7_304_221_120  # any constant, beside those of migrations and indexes: one process makes them
_TRIED_AGAIN = frozenset({"55P03", "40P01"})
"""SQLSTATE of a lock that was not to be had in time, and of a deadlock."""
_NAME = re.compile(r"(?P<table>\w+?)_(?:(?P<before>before_)?(?P<year>\d{4})_(?P<month>\d\d)|other)")

KEYS: dict[str, Callable[[datetime], str]] = {
    "generation_events": datetime.isoformat,
    "webhook_deliveries": ids.lowest_at,
    "audit_log": datetime.isoformat,
}
"""The tables, and how the beginning of a month is written in the column that says where a row belongs."""

_IS_PARTED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:table)")
_MAY_CHANGE = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:table)")
_PARTS = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = to_regclass(:table) ORDER BY relname"
)
_GRANTEES = text(
    "SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END "
    "FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(:part) AND grantee <> relowner"
)


def is_part(name: str) -> bool:
    """Whether a table of this name holds a part of another one."""
    found = _NAME.fullmatch(name)
    return found is not None and found["table"] in KEYS


def parts(connection: Connection, table: str) -> Sequence[str]:
    """The names of the parts of a table; none of one that is whole."""
    return connection.scalars(_PARTS, {"table": table}).all()


def keep(engine: Engine) -> None:
    """Make what is missing of the months ahead, sort in what waited for one, and remove what is over and empty.

    Each is a transaction that waits for no lock longer than a moment; what is not to be had now is done the next time.
    """
    if engine.dialect.name != "postgresql":
        return
    for table in KEYS:
        make_ahead(engine, table)
        remove_empty(engine, table)


def make_ahead(engine: Engine, table: str) -> None:
    """See to it that a table has its months, `AHEAD` beyond the present one; nothing where this role may not."""
    with _at_most_briefly(engine, table) as connection:
        if connection is None or not (missing := _missing(connection, table)):
            return
        if not connection.scalar(_MAY_CHANGE, {"table": table}):
            log.info("%s has no part for %s: `migrate`, run by its owner, makes it", table, missing[0].strftime("%Y-%m"))
            return
        strays = connection.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {table}_other)"))  # noqa: S608 -- a table of ours
        if strays:
            connection.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {table}_other")
            connection.exec_driver_sql(f"ALTER TABLE {table}_other RENAME TO {table}_strays")
            _make(connection, table, f"{table}_other", "DEFAULT")
        for month in missing:
            bounds = f"FOR VALUES FROM ('{KEYS[table](month)}') TO ('{KEYS[table](_next(month))}')"
            _make(connection, table, f"{table}_{month:%Y_%m}", bounds)
        if strays:
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_strays")  # noqa: S608 -- as above
            connection.exec_driver_sql(f"DROP TABLE {table}_strays")
        connection.exec_driver_sql(f"ANALYZE {table}")  # no autovacuum does that for the whole
        log.info("%s has parts up to %s now", table, missing[-1].strftime("%Y-%m"))


def remove_empty(engine: Engine, table: str) -> None:
    """Remove months that are over for `KEPT_FOR` and hold no row any more, so that their room is free."""
    with engine.connect() as connection:
        before = _now(connection) - KEPT_FOR
        over = [part for part in parts(connection, table) if (end := _end(part)) is not None and end <= before]
    for part in over:
        with _at_most_briefly(engine, table) as connection:
            if connection is None or not connection.scalar(_MAY_CHANGE, {"table": table}) or not _is_empty(connection, part):
                continue
            connection.exec_driver_sql(f"LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE")
            if _is_empty(connection, part):
                connection.exec_driver_sql(f"DROP TABLE {part}")
                log.info("%s was empty, and is removed", part)


@contextmanager
def _at_most_briefly(engine: Engine, table: str) -> Iterator[Connection | None]:
    """A transaction that gives up soon; None while another process is at it, or where the table is whole."""
    try:
        with engine.begin() as connection:
            alone = connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})"))
            if not alone or not connection.scalar(_IS_PARTED, {"table": table}):
                yield None
                return
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            yield connection
    except DBAPIError as failure:
        if getattr(failure.orig, "sqlstate", None) not in _TRIED_AGAIN:
            raise
        log.info("%s is in use; its parts are seen to the next time", table)


def _missing(connection: Connection, table: str) -> list[datetime]:
    """The beginnings of the months that are to be made, after the last one that there is."""
    present = _now(connection).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = [end for part in parts(connection, table) if (end := _end(part)) is not None]
    month, found = max(ends, default=present), list[datetime]()
    last = present
    for _ in range(AHEAD):
        last = _next(last)
    while month <= last:
        found.append(month)
        month = _next(month)
    return found


def _make(connection: Connection, table: str, part: str, bounds: str) -> None:
    """Only through the table may anybody touch it, so what default privileges have granted is taken back."""
    connection.exec_driver_sql(f"CREATE TABLE {part} PARTITION OF {table} (PRIMARY KEY (id)) {bounds}")
    for role in connection.scalars(_GRANTEES, {"part": part}).all():
        connection.exec_driver_sql(f"REVOKE ALL ON {part} FROM {role}")


def _end(part: str) -> datetime | None:
    """The moment before which all rows of a part were written; None for the one that takes the rest."""
    found = _NAME.fullmatch(part)
    if found is None or found["year"] is None:
        return None
    month = datetime(int(found["year"]), int(found["month"]), 1, tzinfo=UTC)
    return month if found["before"] else _next(month)


def _next(month: datetime) -> datetime:
    return (month + timedelta(days=31)).replace(day=1)


def _now(connection: Connection) -> datetime:
    found: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return found.astimezone(UTC)


def _is_empty(connection: Connection, part: str) -> bool:
    return not connection.scalar(text(f"SELECT EXISTS (SELECT 1 FROM {part})"))  # noqa: S608 -- a table of ours
