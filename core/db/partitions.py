"""Keeps what grows for ever partitioned by month on PostgreSQL: makes months ahead, removes those over and empty.

It removes no row. A row that fits no month lies in `<table>_other` until its month is made; what was there before the
table was partitioned lies in `<table>_before_YYYY_MM`. SQLite has its tables whole.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core import ids
from core.db import availability

log = logging.getLogger(__name__)

AHEAD = 2
"""So many months beyond the present one are there. Few: a statement that names no month looks into every one."""
KEPT_FOR = timedelta(days=31)
"""So long after its end an empty month stays: clocks differ, and late rows find their place."""
LOCK_TIMEOUT = "500ms"
"""Less than after what PostgreSQL looks for deadlocks, so that who gives up is this, and not somebody's order."""

KEYS: Mapping[str, Callable[[datetime], str]] = {
    "generation_events": datetime.isoformat,
    "webhook_deliveries": ids.lowest_at,
    "audit_log": datetime.isoformat,
}
"""The tables, and how the beginning of a month is written in the column that says where a row belongs."""

_LOCK = 7_304_221_120  # any constant, beside those of migrations and indexes: one process is at it
_NAME = re.compile(r"(?P<table>\w+?)_(?:(?P<before>before_)?(?P<year>\d{4})_(?P<month>\d\d)|other)")
_STANDING = text(
    "SELECT relkind = 'p' AS is_partitioned, pg_has_role(relowner, 'USAGE') AS is_ours FROM pg_class "
    "WHERE oid = to_regclass(:table)"
)
_NAMES = text("SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = to_regclass(:table)")
_REFERRED_TO = text(
    "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint "
    "WHERE conrelid = to_regclass(:table) AND contype = 'f' ORDER BY 1"
)
_GRANTEES = text(
    "SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END "
    "FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(:name) AND grantee <> relowner"
)


def is_one(name: str) -> bool:
    """Whether a table of this name is a partition of another one."""
    found = _NAME.fullmatch(name)
    return found is not None and found["table"] in KEYS


def names(connection: Connection, table: str) -> Sequence[str]:
    """The partitions of a table; none of one that is whole."""
    return sorted(connection.scalars(_NAMES, {"table": table}))


def lacking(connection: Connection) -> list[str]:
    """The tables that lack months; none on SQLite, or before they were partitioned."""
    if connection.dialect.name != "postgresql":
        return []
    return [table for table in KEYS if names(connection, table) and _missing(connection, table)]


def keep(engine: Engine) -> list[str]:
    """Make the months that are missing, sort in what waited for one, and remove those that are over and empty.

    Each is a transaction that waits for no lock longer than a moment; what is not to be had now is done the next time.
    Returns the tables that lack months which this role may not make, since the table is another's.
    """
    if engine.dialect.name != "postgresql":
        return []
    foreign = [table for table in KEYS if not make_ahead(engine, table)]
    for table in KEYS:
        remove_empty(engine, table)
    return foreign


def make_ahead(engine: Engine, table: str) -> bool:
    """See to it that a table has its months, `AHEAD` beyond the present one; False where this role may not."""
    with _for_a_moment(engine, table) as connection:
        if connection is None or not (missing := _missing(connection, table)):
            return True
        if not _is_ours(connection, table):
            return False
        _lock(connection, table, "SHARE ROW EXCLUSIVE")
        has_strays = not _is_empty(connection, f"{table}_other")
        if has_strays:
            connection.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {table}_other")
            connection.exec_driver_sql(f"ALTER TABLE {table}_other RENAME TO {table}_strays")
            _make(connection, table, f"{table}_other", "DEFAULT")
        for month in missing:
            bounds = f"FOR VALUES FROM ('{KEYS[table](month)}') TO ('{KEYS[table](_next(month))}')"
            _make(connection, table, f"{table}_{month:%Y_%m}", bounds)
        if has_strays:
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_strays")  # noqa: S608 -- ours
            connection.exec_driver_sql(f"DROP TABLE {table}_strays")
        connection.exec_driver_sql(f"ANALYZE {table}")  # autovacuum does so with partitions alone
        log.info("%s has months up to %s now", table, missing[-1].strftime("%Y-%m"))
    return True


def remove_empty(engine: Engine, table: str) -> None:
    """Remove months that were over `KEPT_FOR` ago and hold no row any more, so that their room is free."""
    with _for_a_moment(engine, table) as connection:
        if connection is None or not _is_ours(connection, table):
            return
        is_over = _now(connection) - KEPT_FOR
        for name in names(connection, table):
            end = _end(name)
            if end is None or end > is_over or not _is_empty(connection, name):
                continue
            _lock(connection, table, "ACCESS EXCLUSIVE")
            if _is_empty(connection, name):
                connection.exec_driver_sql(f"DROP TABLE {name}")
                log.info("%s was empty, and is removed", name)


@contextmanager
def _for_a_moment(engine: Engine, table: str) -> Iterator[Connection | None]:
    """A transaction that gives up soon; None while another process is at it, or where the table is whole."""
    try:
        with engine.begin() as connection:
            is_alone = connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({_LOCK})"))
            if not is_alone or not connection.execute(_STANDING, {"table": table}).one().is_partitioned:
                yield None
                return
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            yield connection
    except DBAPIError as failure:
        if not availability.gave_way(failure):
            raise
        log.info("%s is in use; its months are seen to the next time", table)


def _lock(connection: Connection, table: str, of_others: str) -> None:
    """In the order in which a move locks: first what the table refers to, which a partition's references need, too."""
    for other in connection.scalars(_REFERRED_TO, {"table": table}).all():
        connection.exec_driver_sql(f"LOCK TABLE {other} IN {of_others} MODE")
    connection.exec_driver_sql(f"LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE")


def _is_ours(connection: Connection, table: str) -> bool:
    return bool(connection.execute(_STANDING, {"table": table}).one().is_ours)


def _missing(connection: Connection, table: str) -> list[datetime]:
    """The beginnings of the months that are to be made, after the last one that there is."""
    present = _now(connection).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month = max([end for name in names(connection, table) if (end := _end(name)) is not None], default=present)
    last = present
    for _ in range(AHEAD):
        last = _next(last)
    found = list[datetime]()
    while month <= last:
        found.append(month)
        month = _next(month)
    return found


def _make(connection: Connection, table: str, name: str, bounds: str) -> None:
    """It is used through the table alone, so what default privileges have granted on it is taken back."""
    connection.exec_driver_sql(f"CREATE TABLE {name} PARTITION OF {table} (PRIMARY KEY (id)) {bounds}")
    for role in connection.scalars(_GRANTEES, {"name": name}).all():
        connection.exec_driver_sql(f"REVOKE ALL ON {name} FROM {role}")


def _end(name: str) -> datetime | None:
    """The moment before which all rows of a partition belong; None for the one that takes the rest."""
    found = _NAME.fullmatch(name)
    if found is None or found["year"] is None:
        return None
    month = datetime(int(found["year"]), int(found["month"]), 1, tzinfo=UTC)
    return month if found["before"] else _next(month)


def _next(month: datetime) -> datetime:
    return (month + timedelta(days=31)).replace(day=1)


def _now(connection: Connection) -> datetime:
    found: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return found.astimezone(UTC)


def _is_empty(connection: Connection, name: str) -> bool:
    """Asked from the newest row on, since the oldest go first and leave much that would be read in vain."""
    return connection.scalar(text(f"SELECT max(id) FROM {name}")) is None  # noqa: S608 -- ours
