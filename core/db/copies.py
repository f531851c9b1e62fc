"""Makes whole copies of a SQLite database while it is in use; those of PostgreSQL are made by its own programs."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from core import durable


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database, as it is at one moment, to a file that is there whole or not at all, in place of one that was.

    Other processes may read and write it meanwhile. Raises OSError or sqlite3.Error (a full disk, a damaged file).
    """
    draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as original:
            os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            with closing(sqlite3.connect(draft)) as copy:
                original.backup(copy, pages=4096)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file that needs none beside it
                (found,) = copy.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy of {source} is damaged: {found}")
        durable.sync(draft)
        draft.replace(target)
        durable.sync(target.parent)
    finally:
        draft.unlink(missing_ok=True)
