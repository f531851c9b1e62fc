"""Adds constraints to filled tables without keeping anybody from writing while the rows that are there are checked.

A migration calls `add_check` or `add_foreign_key` on PostgreSQL: the constraint holds at once for what is written, and
`complete` has the rows that are there checked when the migration is committed; again at the next `migrate` if that came
to no end.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from core.db import server
from core.db.indexes import WAIT

if TYPE_CHECKING:
    from alembic.operations import Operations

log = logging.getLogger(__name__)

_UNCHECKED = text(
    "SELECT conrelid::regclass::text AS table_name, conname AS name FROM pg_constraint "
    "WHERE NOT convalidated AND pg_table_is_visible(conrelid) ORDER BY 1, 2"
)


def add_check(operations: Operations, name: str, table: str, condition: str) -> None:
    """Let every row of a table meet a condition; on SQLite use `op.batch_alter_table`, which copies the table."""
    _add(operations, name, table, f"CHECK ({condition})")


def add_foreign_key(
    operations: Operations, name: str, table: str, column: str, target: str, *, on_delete: str = "NO ACTION"
) -> None:
    """Let a column hold ids of another table alone; on SQLite use `op.batch_alter_table`, which copies the table."""
    _add(operations, name, table, f"FOREIGN KEY ({column}) REFERENCES {target} (id) ON DELETE {on_delete}")


def _add(operations: Operations, name: str, table: str, what: str) -> None:
    if operations.get_bind().dialect.name != "postgresql":
        raise NotImplementedError(f"{name}: SQLite knows no constraint that is checked later")
    operations.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {what} NOT VALID')
    if (later := operations.get_context().opts.get("afterwards")) is not None:
        later.append(_statement(table, name))


def complete(engine: Engine) -> None:
    """Check the rows of a PostgreSQL database that were there before their constraint; quick where all are."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not (found := connection.execute(_UNCHECKED).all()):
            return
        try:
            with server.waiting(connection, WAIT):
                for row in found:
                    log.warning("rows of %s are compared with %s; everything goes on", row.table_name, row.name)
                    connection.exec_driver_sql(_statement(row.table_name, row.name))
        except OperationalError as failure:
            log.warning("a constraint could not be checked now, and is at the next `migrate`: %s", failure.orig)


def _statement(table: str, name: str) -> str:
    return f'ALTER TABLE {table} VALIDATE CONSTRAINT "{name}"'


def unchecked(connection: Connection) -> list[str]:
    """Names of constraints of a PostgreSQL database of which it is not known that all rows meet them."""
    return [row.name for row in connection.execute(_UNCHECKED)]
