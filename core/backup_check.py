"""Proves that a backup can be put to use: restores it elsewhere, audits it there, and says how new it is.

The installation's own database and files are only read, and a database that somebody has restored elsewhere as well.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from core import backup, errors, storage_settings
from core.audit import runs
from core.audit.runs import Result
from core.config import Settings
from core.db import Database, copies, schema
from core.db.tables import Generation, GenerationEvent
from core.files.storage import Storage, open_storage
from core.messages import message

_OF_A_RUNNING_ONE = "in_time"
"""The rule that nothing is late: where nothing runs, everything under way is."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a restored backup holds: how many clips, the moment of its newest event, and what the audit found."""

    clips: int
    newest_at: datetime | None
    results: Sequence[Result]

    @property
    def holds(self) -> bool:
        """No rule is broken."""
        return all(result.holds for result in self.results)


def check(settings: Settings, source: str) -> Checked:
    """Restore a backup into a scratch place, audit it there with its files, and leave nothing behind.

    `source` is a folder that `backup` has made, a SQLite file that other means have restored, or the address of a
    PostgreSQL database that was restored elsewhere, which is read as it is. Files are those of the folder, else those
    of `STORAGE_URL`. Raises Conflict for what cannot be read as one of these, AppError for what a database's program
    says, StorageUnavailable while the files cannot be looked at.
    """
    with _restored(settings, source) as database, database.read_session() as session:
        results = runs.run(session, storage=_files(settings, source))
        clips = session.scalar(select(func.count(Generation.id))) or 0
        newest_at = session.scalar(select(GenerationEvent.at).order_by(GenerationEvent.id.desc()).limit(1))
    return Checked(clips, newest_at, [result for result in results if result.code != _OF_A_RUNNING_ONE])


@contextmanager
def _restored(settings: Settings, source: str) -> Iterator[Database]:
    """A database that stands for the backup, at this version's schema."""
    if source.startswith("postgresql"):
        with _opened(source) as database:
            _refuse_another_schema(database)
            yield database
        return
    path = Path(source)
    if path.is_file():
        copy = path
    else:
        contents = backup.contents_of(path)
        if contents.database != backup.SQLITE_COPY:
            with _scratch(make_url(settings.database_url), path / contents.database) as database:
                yield database
            return
        copy = path / contents.database
    with tempfile.TemporaryDirectory(prefix="backup-check-") as folder:
        scratch = Path(folder) / backup.SQLITE_COPY
        try:
            copies.copy_sqlite(copy, scratch)
        except sqlite3.Error as failure:
            raise errors.Conflict(message("backup_check_damaged", said=str(failure))) from None
        with _opened(URL.create("sqlite", database=str(scratch)).render_as_string()) as database:
            _migrate(database)
            yield database


@contextmanager
def _scratch(url: URL, dump: Path) -> Iterator[Database]:
    """A database of its own beside the installation's, on the same server, filled from a dump; gone afterwards."""
    if url.get_backend_name() != "postgresql":
        raise errors.Conflict(message("backup_of_other_database", name=dump.name))
    beside = url.set(database=f"{str(url.database)[:40]}_check_{os.getpid()}")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        _command(server, f'CREATE DATABASE "{beside.database}"')
        try:
            backup.run_postgresql("pg_restore", beside, ["--no-owner", "--no-acl", "--exit-on-error", str(dump)])
            with _opened(beside.render_as_string(hide_password=False)) as database:
                _migrate(database)
                yield database
        finally:
            _command(server, f'DROP DATABASE IF EXISTS "{beside.database}" WITH (FORCE)')
    finally:
        server.dispose()


def _command(server: Engine, statement: str) -> None:
    try:
        with server.connect() as connection:
            connection.execute(text(statement))
    except SQLAlchemyError as failure:
        said = " ".join(str(getattr(failure, "orig", failure)).split())
        raise errors.Conflict(message("backup_check_no_scratch", said=said)) from None


@contextmanager
def _opened(address: str) -> Iterator[Database]:
    try:
        database = Database(address)
    except (ArgumentError, ValueError):
        raise errors.Conflict(message("backup_check_unreadable")) from None
    try:
        yield database
    finally:
        database.dispose()


def _migrate(database: Database) -> None:
    try:
        database.migrate()
    except schema.UnusableSchema as wrong:
        raise errors.Conflict(message("backup_check_damaged", said=f"it {wrong}")) from None


def _refuse_another_schema(database: Database) -> None:
    """It is somebody else's work to change a database that was only given to be read."""
    wanted = schema.newest_revision()
    try:
        with database.read_connection() as reading:
            found = schema.revision(reading)
    except SQLAlchemyError:
        raise errors.Conflict(message("backup_check_unreadable")) from None
    if found != wanted:
        raise errors.Conflict(message("schema_is_behind", found=found or "nothing", wanted=wanted))


def _files(settings: Settings, source: str) -> Storage:
    media = Path(source) / backup.MEDIA
    if media.is_dir():
        return open_storage(media.absolute().as_uri())
    return open_storage(settings.storage_url, storage_settings.access(settings))
