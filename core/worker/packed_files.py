"""Where packed files go: stored for as long as somebody writes them down, removed when their time is over."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from core import db, errors
from core.db import WriteSession
from core.files.storage import Storage
from core.installation import Installation

log = logging.getLogger(__name__)

Packed = TypeVar("Packed")


def store(storage: Storage, key: str, path: Path, write_down: Callable[[WriteSession, int], bool]) -> bool:
    """Store a ZIP whole and write it and its bytes down; one that was not written down is removed again, and False."""
    is_written = False
    try:
        found = storage.put_file(key, path, media_type="application/zip")
        with db.write_session() as session:
            is_written = write_down(session, found.size_bytes)
    finally:
        if not is_written:
            with suppress(errors.StorageUnavailable):
                storage.delete(key)
    return is_written


def remove_expired(
    installation: Installation,
    expired: Iterable[Packed],
    *,
    folder_of: Callable[[Packed], str],
    forget: Callable[[WriteSession, Packed], object],
    what: str,
) -> int:
    """Remove the files of these, and then what is written of them; how many lost theirs.

    One whose files cannot be removed now holds up no other: it is tried again the next time. `what` they are is said
    in the log.
    """
    removed = 0
    for each in expired:
        folder = folder_of(each)
        try:
            installation.storage.delete_below(folder)
        except errors.StorageUnavailable:
            if installation.told.is_news(f"{what} that cannot be removed"):
                log.exception("%s of %s, and perhaps of others, cannot be removed now", folder, what)
            continue
        removed += 1
        with db.write_session() as session:
            forget(session, each)
    return removed
