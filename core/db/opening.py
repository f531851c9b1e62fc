"""Opens the database of an installation, its schema being one that can be worked with, or says why that cannot be.

A sentence names the setting and shows neither password nor query; what a driver says goes to the log on DEBUG.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from core.config import BadSetting, Settings
from core.db import availability, migrating, schema
from core.db.engine import PATIENCE_SECONDS, Database
from core.db.schema import Standing, UnusableSchema
from core.db.server import use_of
from core.redaction import shown_address

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0

_COPY = "Put back a copy of it: docs/how-to/back-up-and-upgrade.md."
_REASONS = {
    "SQLITE_BUSY": "is locked by another program. Close that one and start again.",
    "SQLITE_LOCKED": "is locked by another program. Close that one and start again.",
    "SQLITE_FULL": "cannot be written: the disk is full.",
    "SQLITE_READONLY": "may only be read by this account, or lies on a read-only disk.",
    "SQLITE_PERM": "may not be opened by this account.",
    "SQLITE_CANTOPEN": "cannot be opened: its folder is not there, or this account may not look into it.",
    "SQLITE_CORRUPT": f"is damaged. {_COPY}",
    "SQLITE_NOTADB": f"is damaged, or no database of SQLite at all. {_COPY}",
    "SQLITE_IOERR": "cannot be read or written: its disk reports an error.",
}
"""What SQLite's result codes mean to an operator (https://www.sqlite.org/rescode.html)."""


def open_database(
    settings: Settings,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    waits: bool = False,
    info: Mapping[str, object] = MappingProxyType({}),
    role: str = "command",
) -> Database:
    """The database of these settings, its schema one to work with. Raises BadSetting, which shows no secret.

    A schema that is behind is brought up to date where AUTO_MIGRATE is on, and else refused.

    `patience_seconds` is how long it is waited for while somebody else holds it. With `waits` it is waited for until it
    is there, as befits a process that would only be started again. `info` is what every session of it carries;
    `role` is one of `server.ROLES`.
    """
    database = connect(settings, patience_seconds=patience_seconds, info=info, role=role)
    address = settings.database_url
    try:
        with told(address):
            _look_at_schema(database, migrates=settings.auto_migrate, waits=waits)
    except BaseException:
        database.dispose()
        raise
    return database


def connect(
    settings: Settings,
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    info: Mapping[str, object] = MappingProxyType({}),
    role: str = "command",
) -> Database:
    """The database of these settings, whatever schema it has; it may not even be there. Raises BadSetting."""
    address = settings.database_url
    try:
        database = Database(address, patience_seconds=patience_seconds, info=info, use=use_of(role, settings))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError, TypeError):
        raise _bad(address, "is no address of a database we can use.") from None
    try:
        _check(database, address)
    except BaseException:
        database.dispose()
        raise
    return database


def _look_at_schema(database: Database, *, migrates: bool, waits: bool) -> None:
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        try:
            return database.migrate() if migrates else _must_not_be_behind(database)
        except (DBAPIError, sqlite3.Error) as failure:
            if not (waits and availability.is_away(failure)):
                raise
        time.sleep(pause_seconds)
        pause_seconds = min(LONGEST_PAUSE_SECONDS, pause_seconds * 2)


def _must_not_be_behind(database: Database) -> None:
    if database.standing() is Standing.BEHIND:
        with database.read_connection() as connection:
            raise UnusableSchema(behind(schema.revision(connection)))


def _check(database: Database, address: str) -> None:
    if database.engine.dialect.is_async:
        raise _bad(address, "names a driver that cannot be used here. Leave out what follows the +.")
    if database.engine.dialect.name == "sqlite":
        _check_file(database.file, address)


def _check_file(path: Path | None, address: str) -> None:
    """What SQLite itself notices late, or not at all."""
    if path is None:
        raise _bad(
            address, "is kept in memory, where no two processes see the same. Name a file: sqlite:////srv/studio.db"
        )
    if path.is_dir():
        raise _bad(address, "is a folder.")
    if not path.parent.is_dir():
        raise _bad(address, "cannot be made: its folder is not there.")
    if path.exists():
        if not all(os.access(each, os.R_OK | os.W_OK) for each in (path, path.parent)):
            raise _bad(address, _REASONS["SQLITE_READONLY"])
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # nobody else reads it, nor what SQLite puts beside it
    except OSError as failure:
        raise _bad(address, f"cannot be made: {failure.strerror}.") from None


def behind(found: str | None) -> str:
    """What is said of a schema that is not brought up to date by itself."""
    has = f"has the schema {found}" if found else "has no schema yet"
    return f"{has}, and this version needs {schema.newest_revision()}: run `python -m core.admin migrate` once"


@contextmanager
def told(address: str) -> Iterator[None]:
    """What a database or its driver refuses in here is said in a sentence. Raises BadSetting."""
    try:
        yield
    except migrating.UnfinishedBackfill as waits:
        raise _bad(
            address,
            f"cannot be brought to the schema {waits.revision} before {', '.join(waits.names)} is filled in. "
            "Let the version that runs finish it, or run `python -m core.admin migrate --backfill`.",
        ) from None
    except OSError as failure:
        raise _bad(address, f"cannot be copied before its schema is changed: {failure.strerror or failure}.") from None
    except UnusableSchema as unusable:
        what_helps = "." if "core.admin migrate" in str(unusable) else ". Start what it belongs to, or put back a copy."
        raise _bad(address, f"{unusable}{what_helps}") from None
    except (DBAPIError, sqlite3.Error) as failure:
        log.debug("the database cannot be used", exc_info=True)
        raise _bad(address, _reason(failure, make_url(address))) from None


def _reason(failure: BaseException, url: URL) -> str:
    driver = failure.orig if isinstance(failure, DBAPIError) and failure.orig is not None else failure
    name = getattr(driver, "sqlite_errorname", "")
    for code, sentence in _REASONS.items():
        if name.startswith(code):
            return sentence
    said = " ".join(str(driver).split()) or type(driver).__name__
    if url.password:
        said = said.replace(str(url.password), "***")
    return f"does not answer or refuses us: {said[:300]}"


def _bad(address: str, what: str) -> BadSetting:
    return BadSetting(f"DATABASE_URL: the database at '{shown_address(address)}' {what}")
