"""What operators do with the schema: `python -m core.admin migrate [--check | --sql | --wait | --backfill]`, `version`.

Lines are given one by one, as they come; a refusal is an AppError or a BadSetting. Nothing but `migrate` itself changes
a schema of PostgreSQL: processes that start there only look (AUTO_MIGRATE).
"""

import argparse
import time
from collections.abc import Iterator

from core import errors, process_settings
from core.config import BadSetting, Settings
from core.db import Database, backfills, constraints, indexes, migrating, migration_sql, opening, partitions, schema
from core.db.schema import Standing
from core.messages import message, plain
from core.startup import StartError
from core.version import VERSION
from core.worker import filling_in

WAIT_SECONDS = 300
LOOK_SECONDS = 1.0


class NotReady(StartError):
    """The schema has not become what this code needs; ends the command with its sentence."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let a parser know the commands."""
    move = commands.add_parser("migrate", help="bring the schema of the database to this version's")
    way = move.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="change nothing; exit code 2 when something is missing")
    way.add_argument("--sql", action="store_true", help="change nothing; write what is missing as SQL of PostgreSQL")
    way.add_argument(
        "--wait",
        nargs="?",
        type=_seconds,
        const=WAIT_SECONDS,
        metavar="SECONDS",
        help=f"change nothing; wait until this version can work with it, at most so long (default {WAIT_SECONDS})",
    )
    way.add_argument(
        "--backfill",
        action="store_true",
        help="do now what dispatchers would fill in afterwards; for a version that was skipped",
    )
    move.add_argument(
        "--from", dest="found", metavar="REVISION", help="with --sql: from this schema on, without any database"
    )
    commands.add_parser("version", help="say which version this is, and which schema it knows")


def version() -> list[str]:
    """The version, and the newest schema that it knows."""
    return [f"{VERSION} (schema {schema.newest_revision()})"]


def run(chosen: argparse.Namespace) -> Iterator[str]:
    """The lines to print."""
    if chosen.sql:
        return write_sql(chosen.found)
    settings = process_settings.read()
    if chosen.check:
        return check(settings)
    if chosen.wait is not None:
        return wait(settings, seconds=chosen.wait)
    return migrate(settings, fills_in=chosen.backfill)


def migrate(settings: Settings, *, fills_in: bool = False) -> Iterator[str]:
    """Bring the schema to the newest. Conflict when what comes after the migrations could not be done.

    With `fills_in` everything that is to be filled in is done here as well.
    """
    database = opening.connect(settings)
    try:
        with opening.told(settings.database_url):
            found = _revision(database)
            while True:
                try:
                    database.migrate()
                    break
                except migrating.UnfinishedBackfill as needed:
                    if not (fills_in and filling_in.are_known(needed.names)):
                        raise
                    yield from _fill_in(database)
                    time.sleep(LOOK_SECONDS)  # another process may be at it
            if fills_in:
                yield from _fill_in(database)
            now = _revision(database)
            if found == now:
                yield f"The database is at {now}, as this version {_needs(database)}."
            else:
                yield f"The database was at {found or 'nothing'} and is at {now}."
            yield from _afterwards(database)
    finally:
        database.dispose()


def bring_up_to_date(settings: Settings) -> None:
    """For a database that was put back by a command: it may be of an older version."""
    database = opening.connect(settings)
    try:
        with opening.told(settings.database_url):
            database.migrate()
    finally:
        database.dispose()


def check(settings: Settings) -> Iterator[str]:
    """Say what is missing, which raises Conflict; what is being filled in is told and is no fault."""
    database = opening.connect(settings)
    try:
        with opening.told(settings.database_url):
            found = _revision(database)
            if database.standing() is Standing.BEHIND:
                wanted = schema.newest_revision()
                raise errors.Conflict(message("schema_is_behind", found=found or "0", wanted=wanted))
            yield f"The database is at {found}, as this version {_needs(database)}."
            yield from _afterwards(database)
    finally:
        database.dispose()


def wait(settings: Settings, *, seconds: int) -> Iterator[str]:
    """Until this version can work with the schema; a database that is away is waited for as well. Raises NotReady."""
    end = time.monotonic() + seconds
    database = opening.connect(settings)
    try:
        while reason := _not_ready(database, settings):
            if time.monotonic() >= end:
                raise NotReady(str(message("schema_wait_is_over", seconds=seconds, reason=reason)))
            time.sleep(min(LOOK_SECONDS, max(0.0, end - time.monotonic())))
        yield f"The database is at {_revision(database)}, as this version {_needs(database)}."
    finally:
        database.dispose()


def _not_ready(database: Database, settings: Settings) -> str | None:
    try:
        with opening.told(settings.database_url):
            if database.standing() is not Standing.BEHIND:
                return None
            return f"The database {opening.behind(_revision(database))}."
    except BadSetting as refused:
        return str(refused)


def write_sql(found: str | None) -> Iterator[str]:
    """What is missing as SQL; without `found` the database is asked where it is. Conflict when it cannot be written."""
    try:
        return migration_sql.write(found or _revision_of_server())
    except migration_sql.Unwritable as refused:
        raise errors.Conflict(plain(str(refused))) from None


def _revision_of_server() -> str | None:
    settings = process_settings.read()
    database = opening.connect(settings)
    try:
        if database.engine.dialect.name == "sqlite":
            raise errors.Conflict(message("sql_needs_postgresql"))
        with opening.told(settings.database_url):
            return _revision(database)
    finally:
        database.dispose()


def _fill_in(database: Database) -> Iterator[str]:
    if filled := filling_in.work_down(database, lambda: False):
        yield f"{filled:,} rows were filled in."


def _afterwards(database: Database) -> Iterator[str]:
    """What is still to be done behind the migrations; Conflict for what only `migrate` does."""
    if database.standing() is Standing.CURRENT and database.engine.dialect.name == "postgresql":
        with database.read_connection() as connection:
            lacking = [*indexes.missing(connection), *constraints.unchecked(connection)]
        if lacking:
            raise errors.Conflict(message("schema_is_not_whole", names=", ".join(lacking)))
    with database.read_connection() as connection:
        for table in partitions.lacking(connection):
            yield f"{table} lacks months to come: a dispatcher makes them, or `migrate` as the owner of the table."
    with database.read_session() as session:
        for row in backfills.progress(session):
            yield f"{row.name} is being filled in by dispatchers: {row.row_count:,} rows so far."


def _needs(database: Database) -> str:
    is_newer = database.standing() is Standing.NEWER
    return "can work with, too" if is_newer else "needs it"


def _revision(database: Database) -> str | None:
    with database.read_connection() as connection:
        return schema.revision(connection)


def _seconds(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 0 < int(value) <= 86_400):
        raise argparse.ArgumentTypeError(f"'{value}' is not a whole number of seconds up to a day.")
    return int(value)
