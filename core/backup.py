"""Makes a copy of an installation (database, media, key) while it runs, and puts one back.

The journal of sends is no part of a copy: it has to know what was sent after the copy was made. The database in a copy
knows that it is one, so that whoever puts it to use, in whatever way, sends nothing twice (`core.db.identity`).
"""

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

from core import durable, errors, storage_settings
from core.clock import utc_now
from core.config import Settings
from core.db import copies, identity
from core.messages import message

MANIFEST, SQLITE_COPY, POSTGRESQL_COPY, MEDIA, KEY = (
    "backup.json", "studio.db", "studio.dump", "media", "secret.key",
)  # fmt: skip
_DRAFTS = ".draft-*"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a copy holds."""

    made_at: str
    database: str
    media_files: int
    has_key: bool


def create(settings: Settings, target: Path) -> Contents:
    """Copy this installation into a new folder, which is there whole or not at all; it may run meanwhile.

    The database comes first, so that every clip that it knows is there. Files in a bucket stay there: see
    docs/how-to/store-files-in-s3.md. Raises Conflict with a sentence for a folder
    that cannot be used, AppError for what the database's own program says.
    """
    media = storage_settings.folder_of(settings.storage_url)
    target = target.absolute()
    if target.exists() or (media is not None and target.is_relative_to(media)):
        raise errors.Conflict(message("backup_target_unusable", folder=str(target)))
    draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
    draft.mkdir(mode=0o700, parents=True)
    try:
        database = _copy_database(make_url(settings.database_url), draft)
        media_files = 0 if media is None else _copy_media(media, draft / MEDIA)
        key = settings.data_dir / KEY
        has_key = key.exists() and key.read_text().strip().encode() == settings.secret_key
        if has_key:
            _copy_private(key, draft / KEY)
        contents = Contents(utc_now().isoformat(timespec="seconds"), database, media_files, has_key)
        _write_manifest(draft / MANIFEST, contents)
        durable.sync(draft)
        draft.rename(target)
        durable.sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return contents


def restore(settings: Settings, source: Path) -> Contents:
    """Put a copy in the place of what is there, which is kept beside it; nothing may run meanwhile.

    The database is put in its place last and at once. It is not opened here. Raises Conflict for a folder that is no
    copy, or while something runs, AppError for what the database's own program says.
    """
    contents = contents_of(source)
    url = make_url(settings.database_url)
    media = storage_settings.folder_of(settings.storage_url)
    if media is None and contents.media_files:
        raise errors.Conflict(message("backup_files_need_folder"))
    if (url.get_backend_name() == "sqlite") != (contents.database == SQLITE_COPY):
        raise errors.Conflict(message("backup_of_other_database", name=contents.database))
    with _nothing_runs(settings, url):
        if media is not None and (source / MEDIA).is_dir():
            shutil.copytree(source / MEDIA, media, dirs_exist_ok=True)
        if contents.has_key:
            _put_key(source / KEY, settings.data_dir / KEY)
        if contents.database == SQLITE_COPY:
            _put_sqlite(source / SQLITE_COPY, Path(str(url.database)))
        else:
            run_postgresql("pg_restore", url, ["--clean", "--if-exists", "--no-owner", "--exit-on-error",
                                                "--single-transaction", str(source / POSTGRESQL_COPY)])  # fmt: skip
    return contents


def _copy_database(url: URL, folder: Path) -> str:
    if url.get_backend_name() == "sqlite":
        copies.copy_sqlite(Path(str(url.database)), folder / SQLITE_COPY)
        identity.mark_as_copy(folder / SQLITE_COPY)
        return SQLITE_COPY
    run_postgresql("pg_dump", url, ["--format=custom", f"--file={folder / POSTGRESQL_COPY}"])
    return POSTGRESQL_COPY


def run_postgresql(program: str, url: URL, arguments: Sequence[str]) -> None:
    """Run one of PostgreSQL's own programs; the password is not on its command line, where others could read it.

    AppError where it is not installed, and with what it says where it fails.
    """
    found = shutil.which(program)
    if found is None:
        raise errors.AppError(message("postgresql_program_missing", program=program))
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environ = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    ended = subprocess.run(  # noqa: S603 -- a program of that name on the PATH
        [found, f"--dbname={address}", *arguments], env=environ, capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        said = " ".join(ended.stderr.split())[-500:] or f"exit code {ended.returncode}"
        raise errors.AppError(message("postgresql_program_failed", program=program, said=said))


def _copy_media(media: Path, target: Path) -> int:
    """Copy what lies there, but for files that are being written or that are deleted meanwhile; how many there are."""
    copied = 0
    for path in media.rglob("*"):
        if path.match(_DRAFTS) or not path.is_file():
            continue
        beside = target / path.relative_to(media)
        beside.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(path, beside)
            copied += 1
    return copied


def _copy_private(source: Path, target: Path) -> None:
    with durable.private_file(target) as file:
        file.write(source.read_bytes())


def _put_key(source: Path, target: Path) -> None:
    """Links that were given out, and secrets of webhooks, are made with the key of the copy; another one is kept."""
    if target.exists() and target.read_bytes() != source.read_bytes():
        target.rename(_aside(target))
    _copy_private(source, target)


def _put_sqlite(source: Path, target: Path) -> None:
    draft = target.with_name(f"{target.name}.restoring")
    copies.copy_sqlite(source, draft)
    identity.mark_as_copy(draft)  # also where somebody has started the copy itself meanwhile
    if target.exists():
        aside = _aside(target)
        for end in ("-wal", "-shm"):  # left over only where the file is damaged; with the new one they would spoil it
            side = Path(f"{target}{end}")
            if side.exists():
                side.rename(f"{aside}{end}")
        os.link(target, aside)
    draft.replace(target)
    durable.sync(target.parent)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.replaced-{utc_now():%Y%m%dT%H%M%S}")


@contextmanager
def _nothing_runs(settings: Settings, url: URL) -> Iterator[None]:
    """Raises Conflict while the app or a worker uses this folder or this file; keeps an app from starting meanwhile."""
    runs = errors.Conflict(message("something_runs"))
    with (settings.data_dir / "app.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise runs from None
        if url.get_backend_name() == "sqlite" and Path(str(url.database)).exists() and _is_in_use(str(url.database)):
            raise runs
        yield


def _is_in_use(name: str) -> bool:
    """Whether another process has the file open: SQLite leaves the mode with side files only when nobody has."""
    with closing(sqlite3.connect(name, timeout=2)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as failure:
            return failure.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        except sqlite3.DatabaseError:  # damaged; that is why a copy is put back
            return False
    return bool(mode != "delete")


def _write_manifest(path: Path, contents: Contents) -> None:
    known = {
        "madeAt": contents.made_at,
        "database": contents.database,
        "mediaFiles": contents.media_files,
        "hasKey": contents.has_key,
    }
    path.write_text(json.dumps(known, indent=2) + "\n")
    durable.sync(path)


def contents_of(folder: Path) -> Contents:
    """What a copy says of itself; Conflict for a folder that is none."""
    try:
        known: Mapping[str, Any] = json.loads((folder / MANIFEST).read_text())
        return Contents(known["madeAt"], known["database"], known["mediaFiles"], known["hasKey"])
    except (OSError, ValueError, KeyError, TypeError):
        raise errors.Conflict(message("no_backup", folder=str(folder))) from None
