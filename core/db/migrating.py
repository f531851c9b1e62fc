"""Brings a schema to the newest migration; many processes that do so at once go one after the other.

On SQLite all that is missing is one transaction, and the file is copied before. On PostgreSQL each migration is one of
its own that waits for no lock longer than a moment, since everybody else waits behind it; what takes long (indexes,
checks of rows that are there) comes after the migrations, while everything goes on. Alembic is imported only where
there is something to do.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from core.db import availability, backfills, constraints, indexes, partitions, schema
from core.db.schema import Standing

if TYPE_CHECKING:
    from alembic.script import Script

log = logging.getLogger(__name__)

_LOCK = 7_304_221_118  # any constant: PostgreSQL's advisory lock that lets one process migrate
LOCK_TIMEOUT = "3s"
"""How long a migration waits for a table: while it waits, all who come later wait behind it."""
TRIES = 30
_LONGEST_PAUSE_SECONDS = 10.0


class UnfinishedBackfill(Exception):
    """The next migration needs what dispatchers fill in, and they have not finished; nothing of it was begun."""

    def __init__(self, revision: str, names: tuple[str, ...]) -> None:
        self.revision, self.names = revision, names
        super().__init__(f"{revision} needs {', '.join(names)}")


def upgrade_all(engine: Engine) -> None:
    """Run the migrations that are missing. Raises UnfinishedBackfill and what `Database.migrate` says."""
    (_upgrade_file if engine.dialect.name == "sqlite" else _upgrade_server)(engine)


def complete(engine: Engine) -> None:
    """On PostgreSQL make what migrations have left for afterwards; quick where that is nothing."""
    if engine.dialect.name == "postgresql":
        indexes.complete(engine)
        constraints.complete(engine)
        partitions.keep(engine)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run what is missing up to a revision, inside the connection's transaction if it is in one."""
    from alembic import command

    command.upgrade(schema.alembic_config(connection), revision)


def _is_behind(connection: Connection) -> bool:
    return schema.standing(connection) is Standing.BEHIND


def _upgrade_file(engine: Engine) -> None:
    has_copy = False
    while True:
        with engine.begin() as connection:  # nobody else writes from here on
            if not _is_behind(connection):
                break
            if not has_copy:
                keep_copy(connection)
            has_copy = True
            upgrade(connection, reachable(connection))
    with engine.execution_options(begin=None).connect() as connection:  # so that it does not hang on a side file alone
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def keep_copy(connection: Connection) -> None:
    """Copy a SQLite file beside itself before its schema is changed; an empty one, or one that is current, is not."""
    name, found = connection.engine.url.database, schema.revision(connection)
    if not name or name == ":memory:" or found in (None, schema.newest_revision()):
        return
    from core.db.copies import copy_sqlite

    copy_sqlite(Path(name), Path(f"{name}.before-{schema.newest_revision()}"))


def _upgrade_server(engine: Engine) -> None:
    with _alone(engine):
        attempt = 1
        while not _upgrade_in_steps(engine, is_last=attempt == TRIES):
            log.warning("a table is in use; what is missing of the schema is tried again (%d of %d)", attempt, TRIES)
            time.sleep(min(_LONGEST_PAUSE_SECONDS, attempt) * random.uniform(0.5, 1))  # noqa: S311 -- no cryptography
            attempt += 1


def _upgrade_in_steps(engine: Engine, *, is_last: bool) -> bool:
    """From where the database is; what is committed stays. False when a lock was not to be had, and others wait."""
    try:
        while True:
            with engine.connect() as connection:
                if not _is_behind(connection):
                    return True
                target = reachable(connection)
                coming = [each for each in pending(schema.revision(connection)) if each.revision <= target]
            _prepare(engine, [statement for each in coming for statement in beforehand(each)])
            with engine.connect() as connection:
                event.listen(connection, "begin", _wait_for_no_lock_long)
                upgrade(connection, target)
    except DBAPIError as failure:
        if is_last or not availability.gave_way(failure):
            raise
        return False


def _prepare(engine: Engine, statements: Sequence[str]) -> None:
    """Run each by itself, so that nobody waits for all that they do together."""
    for statement in statements:
        with engine.begin() as connection:
            _wait_for_no_lock_long(connection)
            connection.execute(text(statement))


def beforehand(script: Script) -> Sequence[str]:
    """What a migration wants done before it, outside of its transaction: statements of PostgreSQL."""
    found: Sequence[str] = getattr(script.module, "before", ())
    return found


def _wait_for_no_lock_long(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


def reachable(connection: Connection) -> str:
    """The newest revision that can be migrated to now; raises UnfinishedBackfill where that is none."""
    current, target = schema.revision(connection), None
    for script in pending(current):
        needs: tuple[str, ...] = getattr(script.module, "needs_backfills", ())
        if unfinished := backfills.unfinished(connection, needs):
            if target is None:
                raise UnfinishedBackfill(script.revision, unfinished)
            return target
        target = script.revision
    return target or schema.newest_revision()


def pending(current: str | None) -> list[Script]:
    """The migrations after a revision, in their order."""
    from alembic.script import ScriptDirectory

    scripts: Any = ScriptDirectory.from_config(schema.alembic_config())
    return [*reversed([*scripts.iterate_revisions("head", current or "base")])]


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """While no other process migrates.

    The lock is tried for again and again instead of waited for: a statement that waits holds a snapshot, and whoever
    builds an index waits for that. It is one of a transaction, which a pooler between us and the server keeps together.
    """
    with engine.connect() as connection:
        has_waited = False
        while True:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            # Without parameters: a statement that has some keeps its snapshot, for which an index would wait.
            if connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_LOCK})").scalar() is True:
                break
            connection.rollback()
            if not has_waited:
                log.warning("another process changes the schema; this one waits for it")
            has_waited = True
            time.sleep(0.5)
        yield
        connection.rollback()
