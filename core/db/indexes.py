"""Makes indexes of filled tables without keeping anybody from writing meanwhile.

A migration that adds an index calls `create` instead of `op.create_index`. On PostgreSQL it is made when the migration
is committed, from what the models say, and again at the next `migrate` if it came to no end.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, Index, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex

from core.db import partitions, server

if TYPE_CHECKING:
    from alembic.operations import Operations

log = logging.getLogger(__name__)

_LOCK = 7_304_221_119  # any constant, beside that of the migrations: one process makes them, others go on
WAIT = "60s"
"""How long it waits for transactions that began before; what comes to no end is made at the next `migrate`."""
_KNOWN = text(
    "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE pg_table_is_visible(i.indrelid)"
)


def create(
    operations: Operations,
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    where: str | None = None,
    unique: bool = False,
) -> None:
    """Make an index within a migration; on PostgreSQL it is left to `complete`, so the model must have it, too."""
    if operations.get_bind().dialect.name != "postgresql":
        condition = None if where is None else text(where)
        operations.create_index(name, table, list(columns), unique=unique, sqlite_where=condition)
    elif (later := operations.get_context().opts.get("afterwards")) is not None and name in (wanted := _wanted()):
        if table in partitions.KEYS:
            raise NotImplementedError(f"{name} is made in each partition of {table}, which only `migrate` can look up")
        later.extend(_statements(wanted[name]))


def complete(engine: Engine) -> None:
    """Make what the models have and a PostgreSQL database lacks, each `CONCURRENTLY`; quick where nothing lacks."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not missing(connection):
            return
        with engine.begin() as holding:  # of a transaction, since behind a pooler no session holds a lock
            # Without parameters: a statement that has some keeps its snapshot, for which the index would wait.
            if holding.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_LOCK})").scalar() is True:
                with server.waiting(connection, WAIT):
                    _make(connection)


def _make(connection: Connection) -> None:
    wanted = _wanted()
    try:
        for name in missing(connection):
            log.warning("the index %s is being made; everything goes on meanwhile", name)
            for statement in _statements(wanted[name], _partitions(connection, wanted[name])):
                connection.exec_driver_sql(statement)
    except OperationalError as failure:
        log.warning("an index could not be made now, and is made at the next `migrate`: %s", failure.orig)


def missing(connection: Connection) -> list[str]:
    """Names of indexes that the models have and a PostgreSQL database has not, or not whole."""
    return sorted(_wanted().keys() - {row.relname for row in connection.execute(_KNOWN) if row.indisvalid})


def _wanted() -> dict[str, Index]:
    from core.db.tables import User

    return {str(index.name): index for table in User.metadata.tables.values() for index in table.indexes}


def _partitions(connection: Connection, index: Index) -> Sequence[str]:
    table = index.table
    return partitions.names(connection, table.name) if table is not None and table.name in partitions.KEYS else ()


def _statements(index: Index, partitions_of_table: Sequence[str] = ()) -> list[str]:
    """First away with one that came to no end, which PostgreSQL keeps and nobody may use.

    None of a partitioned table can be made concurrently, but each of its partitions' can, and it then takes those up.
    """
    made = str(CreateIndex(index).compile(dialect=postgresql.dialect())).strip()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    if not partitions_of_table:
        return [
            f'DROP INDEX CONCURRENTLY IF EXISTS "{index.name}"',
            made.replace(" INDEX ", " INDEX CONCURRENTLY ", 1),
        ]
    whole = f"INDEX {index.name} ON {index.table.name} "  # type: ignore[union-attr]  # it has one
    found = [f'DROP INDEX IF EXISTS "{index.name}"']
    for name in partitions_of_table:
        own = f"{index.name}_{name.removeprefix(index.table.name)}".replace("__", "_")  # type: ignore[union-attr]  # as above
        found.append(f'DROP INDEX CONCURRENTLY IF EXISTS "{own}"')
        found.append(made.replace(whole, f"INDEX CONCURRENTLY {own} ON {name} "))
    return [*found, made]
