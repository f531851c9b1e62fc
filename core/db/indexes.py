"""Makes indexes of filled tables without keeping anybody from writing meanwhile.

A migration that adds an index calls `create` instead of `op.create_index`. On PostgreSQL it is made when the migration
is committed, from what the models say, and again at the next start if it came to no end.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, Index, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex

from core.db import server

if TYPE_CHECKING:
    from alembic.operations import Operations

log = logging.getLogger(__name__)

_LOCK = 7_304_221_119  # any constant, beside that of the migrations: one process makes them, others go on
_WAIT = "60s"
"""How long it waits for transactions that began before; what comes to no end is made at the next start."""
_KNOWN = text(
    "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE pg_table_is_visible(i.indrelid)"
)


def create(operations: Operations, name: str, table: str, columns: Sequence[str], *, where: str | None = None) -> None:
    """Make an index within a migration; on PostgreSQL it is left to `complete`, so the model must have it, too."""
    if operations.get_bind().dialect.name != "postgresql":
        operations.create_index(name, table, list(columns), sqlite_where=None if where is None else text(where))


def complete(engine: Engine) -> None:
    """Make what the models have and a PostgreSQL database lacks, each `CONCURRENTLY`; quick where nothing lacks."""
    from core.db.tables import User

    wanted = {str(index.name): index for table in User.metadata.tables.values() for index in table.indexes}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if wanted.keys() <= _valid(connection):
            return
        with engine.begin() as holding:  # of a transaction, since behind a pooler no session holds a lock
            # Without parameters: a statement that has some keeps its snapshot, for which the index would wait.
            if holding.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_LOCK})").scalar() is True:
                _make(connection, wanted)


def _make(connection: Connection, wanted: Mapping[str, Index]) -> None:
    is_ours = not connection.info[server.POOLED]
    if is_ours:
        connection.execute(text(f"SET lock_timeout = '{_WAIT}'"))
    try:
        for name in sorted(wanted.keys() - _valid(connection)):
            log.warning("the index %s is being made; everything goes on meanwhile", name)
            connection.execute(text(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"'))  # one that came to no end
            statement = str(CreateIndex(wanted[name]).compile(dialect=connection.dialect))
            connection.exec_driver_sql(statement.replace(" INDEX ", " INDEX CONCURRENTLY ", 1))
    except OperationalError as failure:
        log.warning("an index could not be made now, and is made at the next start: %s", failure.orig)
    finally:
        if is_ours:
            connection.execute(text("RESET lock_timeout"))


def _valid(connection: Connection) -> set[str]:
    return {row.relname for row in connection.execute(_KNOWN) if row.indisvalid}
