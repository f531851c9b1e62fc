"""Makes the hover preview of a clip, once the clip is delivered and charged; whatever goes wrong here harms no clip.

What is due stands in the table: a completed row with a `next_at`. A try is counted before it begins, so that a preview
that ends its process is given up, too.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import ColumnElement, literal_column, select

from core import db, errors, installation
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Generation
from core.redis import connection as redis_connection
from core.redis import job_queue
from core.workspaces import quota

log = logging.getLogger(__name__)

TRIES = 3
LEASE = timedelta(minutes=2)
"""How long after a try began the next one may; making one takes well under a second."""
MAX_AT_ONCE = 100


def key_of(output_key: str) -> str:
    """Under which key the preview of a clip lies."""
    return f"{output_key.removesuffix('.mp4')}-preview.mp4"


def any_due() -> bool:
    """Whether a preview is to be made now."""
    with db.read_session() as session:
        return session.scalar(select(select(Generation.id).where(*_due(session)).exists())) is True


def make_due(*, is_wanted_elsewhere: Callable[[], bool] = lambda: False) -> None:
    """Make one due preview after another, as long as no clip waits to be brought home; what an RQ worker runs.

    `is_wanted_elsewhere` says whether this process has such a clip. Without Redis nobody can say what waits in the
    queue, and at the end of the process it may go first: the rest stays due.
    """
    redis = installation.current().redis
    try:
        for _ in range(MAX_AT_ONCE):
            if is_wanted_elsewhere() or job_queue.length(redis, job_queue.DOWNLOAD) or not make_next():
                return
    except redis_connection.Unreachable as away:
        log.warning("Redis is away (%s); previews are made later", away)


def make_next() -> bool:
    """Make the preview that is longest due; False when none is."""
    with db.write_session() as session:
        row = _claim(session)
    if row is None:
        return False
    try:
        _make(row)
    except (errors.AppError, OSError) as error:
        log.warning("no preview of %s at try %s of %s: %r", row.id, row.preview_attempt, TRIES, error)
    return True


def _due(session: ReadSession) -> tuple[ColumnElement[bool], ...]:
    """The status is written as a literal: SQLite uses a partial index only for the very same words."""
    is_completed = Generation.status == literal_column("'completed'")
    return is_completed, Generation.next_at <= db.now(session), Generation.deleted_at.is_(None)


def _claim(session: WriteSession) -> Generation | None:
    query = select(Generation).where(*_due(session)).order_by(Generation.next_at).limit(1)
    row = session.scalar(query.with_for_update(skip_locked=True))
    if row is not None:
        row.preview_attempt += 1
        row.next_at = db.now(session) + LEASE if row.preview_attempt < TRIES else None
    return row


def _make(row: Generation) -> None:
    assert row.output_key is not None  # noqa: S101 -- a constraint of completed rows
    storage = installation.current().storage
    with storage.as_file(row.output_key) as clip:
        from core.files import video_derivatives  # large, and only this needs it

        data = video_derivatives.preview(clip)
    key = key_of(row.output_key)
    stored = storage.put_bytes(key, data, media_type="video/mp4")
    with db.write_session() as session:
        is_wanted = _record(session, row, key, stored.size_bytes)
    if not is_wanted:
        storage.delete(key)


def _record(session: WriteSession, row: Generation, key: str, size_bytes: int) -> bool:
    """Note the preview and count its bytes, once; False when the clip was deleted meanwhile."""
    noted = update_where(
        session,
        Generation,
        Generation.id == row.id,
        Generation.preview_key.is_(None),
        Generation.deleted_at.is_(None),
        preview_key=key,
        next_at=None,
        stored_bytes=Generation.stored_bytes + size_bytes,
    )
    if noted == 1:
        quota.reserve(session, row.workspace_id, size_bytes=size_bytes, quota_bytes=None)
        return True
    return session.scalar(select(Generation.preview_key).where(Generation.id == row.id)) == key
