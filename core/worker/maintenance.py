"""Slow chores of the dispatcher: files of deleted clips, left-over downloads, old deliveries, the regular audit."""

import logging
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from core import db
from core.audit import runs
from core.clock import is_within, utc_now
from core.db import update_where
from core.db.enums import Stage
from core.db.tables import Generation, is_live
from core.files.storage import Storage
from core.identity import users
from core.installation import Installation
from core.notifications import webhooks
from core.worker import previews, recovery

log = logging.getLogger(__name__)

AUDIT_EVERY = timedelta(minutes=10)
LEFT_OVER_SECONDS = 86_400


def run(installation: Installation) -> None:
    """Everything once; each part is short and safe to run beside another dispatcher's."""
    purge_deleted_files(installation)
    remove_orphans(installation)
    recovery.prune_journal(installation)
    with db.write_session() as session:
        webhooks.prune(session)
    with db.read_session() as session:
        last = runs.last_run(session)
    if last is None or not is_within(AUDIT_EVERY, last.at, now=utc_now()):
        with db.read_session() as session:
            found = runs.run_incremental(session)
        with db.write_session() as session:
            runs.record(session, found)


def purge_deleted_files(installation: Installation, *, limit: int = 20) -> int:
    """Remove the files of deleted generations and give their bytes back to their person; returns how many.

    One whose files cannot be removed now holds up no other: it is tried again the next time.
    """
    with db.read_session() as session:
        query = select(Generation).where(Generation.deleted_at.is_not(None), Generation.purged_at.is_(None))
        rows = session.scalars(query.limit(limit)).all()
    purged = 0
    for row in rows:
        try:
            _purge(row, installation.storage)
        except OSError:
            log.exception("the files of %s cannot be removed now", row.id)
        else:
            purged += 1
    return purged


def _purge(row: Generation, storage: Storage) -> None:
    # The preview also by its name, since a maker may have died between storing and noting it.
    preview_key = row.preview_key or (row.output_key and previews.key_of(row.output_key))
    for key in (row.output_key, row.thumbnail_key, preview_key):
        if key is not None:
            storage.delete(key)
    with db.write_session() as session:
        noted = update_where(
            session, Generation, Generation.id == row.id, Generation.purged_at.is_(None), purged_at=utc_now()
        )
        if noted == 1 and row.stored_bytes:
            users.free_storage(session, row.user_id, size_bytes=row.stored_bytes)


def remove_orphans(installation: Installation) -> None:
    """Remove downloads that nobody has touched for a day, as it seems, and whose generation has ended.

    One that vanishes meanwhile is somebody else's doing.
    """
    folder = installation.settings.incoming_dir
    if not folder.is_dir():
        return
    old = [path for path in folder.iterdir() if _is_old(path)]
    if not old:
        return
    with db.read_session() as session:  # a clock that is set makes a download old that has just begun
        live = set(session.scalars(select(Generation.id).where(is_live(), Generation.stage == Stage.DOWNLOADING)))
    for path in old:
        if not path.name.startswith(tuple(live)):
            path.unlink(missing_ok=True)


def _is_old(path: Path) -> bool:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > LEFT_OVER_SECONDS
    return False
