"""Makes the hover preview of a clip and looks the clip over, once it is delivered and charged; it harms no clip.

What is due stands in the table: a completed row with a `next_at`. A try is counted before it begins, so that a clip
that ends its process is given up, too.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, literal_column, select

from core import db, errors, installation, metrics
from core.clock import utc_now
from core.db import ReadSession, WriteSession, update_where
from core.db.tables import Generation
from core.generations import delivery_findings, told
from core.redis import connection as redis_connection
from core.redis import job_queue
from core.worker import traces
from core.workspaces import quota

log = logging.getLogger(__name__)

TRIES = 3
LEASE = timedelta(minutes=5)
"""How long after a try began the next one may; it takes about a second, and a minute for the largest clips."""
AWAY = timedelta(seconds=30)
"""How long after its file could not be read or kept a clip is tried again."""
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
    """Make the preview of the clip that is longest due, and look that clip over; False when none is."""
    with db.write_session() as session:
        row = _claim(session)
    if row is None:
        return False
    began = time.monotonic()
    with told.about(row):
        _try(row)
        seconds = time.monotonic() - began
        metrics.PREVIEW.observe(seconds)
        log.info("preview and check of %s, after %.3f s", row.id, seconds)
    now = utc_now()
    traces.preview(row, began=now - timedelta(seconds=seconds), over=now)
    return True


def _try(row: Generation) -> None:
    try:
        _make(row)
    except errors.StorageUnavailable as away:  # which says nothing of this clip
        log.warning("the file of %s cannot be read or kept now, and is later: %s", row.id, away.detail)
        _put_back(row)
    except (errors.AppError, OSError) as error:
        log.warning("the file of %s cannot be read at try %s of %s: %r", row.id, row.preview_attempt, TRIES, error)


def _due(session: ReadSession) -> tuple[ColumnElement[bool], ...]:
    """The status is written as a literal: SQLite uses a partial index only for the very same words."""
    is_completed = Generation.status == literal_column("'completed'")
    return is_completed, Generation.next_at <= db.now(session), Generation.deleted_at.is_(None)


def _claim(session: WriteSession) -> Generation | None:
    """The clip that is longest due, its try counted."""
    query = select(Generation).where(*_due(session)).order_by(Generation.next_at).limit(1)
    row = session.scalar(query.with_for_update(skip_locked=True))
    if row is not None:
        row.preview_attempt += 1
        row.next_at = db.now(session) + LEASE if row.preview_attempt < TRIES else None
    return row


def _is_to_be_checked(row: Generation) -> bool:
    return row.findings is None and installation.current().settings.delivery_checks


def _make(row: Generation) -> None:
    """What is missing of preview and check; each is tried though the other has failed, and both are due once more."""
    assert row.output_key is not None  # noqa: S101 -- a constraint of completed rows
    with installation.current().storage.as_file(row.output_key) as clip:
        is_made = row.preview_key is not None or _is_done("preview", _make_preview, row, clip)
        is_checked = not _is_to_be_checked(row) or _is_done("check", _check, row, clip)
    if is_made and is_checked:
        with db.write_session() as session:
            _end(session, row)


def _is_done(what: str, step: Callable[[Generation, Path], None], row: Generation, clip: Path) -> bool:
    try:
        step(row, clip)
    except errors.StorageUnavailable:
        raise
    except (errors.AppError, OSError) as error:
        log.warning("no %s of %s at try %s of %s: %r", what, row.id, row.preview_attempt, TRIES, error)
        return False
    return True


def _check(row: Generation, clip: Path) -> None:
    """A clip that breaks the check, or keeps it too long, would do so again: it stays one that nobody has looked at."""
    from core.files import delivery_checks  # large, and only this needs it

    try:
        checked = delivery_checks.check_isolated(clip)
    except errors.MediaRejected as refused:
        log.warning("%s cannot be looked over: %r", row.id, refused)
        return
    with db.write_session() as session:
        delivery_findings.record(session, row, checked.findings, loudness_lufs=checked.loudness_lufs)


def _make_preview(row: Generation, clip: Path) -> None:
    from core.files import video_derivatives  # large, and only this needs it

    assert row.output_key is not None  # noqa: S101 -- a constraint of completed rows
    storage = installation.current().storage
    key = key_of(row.output_key)
    stored = storage.put_bytes(key, video_derivatives.preview(clip), media_type="video/mp4")
    with db.write_session() as session:
        is_wanted = _record(session, row, key, stored.size_bytes)
    if not is_wanted:
        storage.delete(key)


def _put_back(row: Generation) -> None:
    """Due once more in a while; it is no failed try."""
    with db.write_session() as session:
        update_where(
            session,
            Generation,
            Generation.id == row.id,
            Generation.preview_attempt == row.preview_attempt,
            preview_attempt=row.preview_attempt - 1,
            next_at=db.now(session) + AWAY,
        )


def _end(session: WriteSession, row: Generation) -> None:
    """Nothing is due any more, unless somebody else has begun a further try."""
    update_where(
        session, Generation, Generation.id == row.id, Generation.preview_attempt == row.preview_attempt, next_at=None
    )


def _record(session: WriteSession, row: Generation, key: str, size_bytes: int) -> bool:
    """Note the preview and count its bytes, once; False when the clip was deleted meanwhile."""
    noted = update_where(
        session,
        Generation,
        Generation.id == row.id,
        Generation.preview_key.is_(None),
        Generation.deleted_at.is_(None),
        preview_key=key,
        stored_bytes=Generation.stored_bytes + size_bytes,
    )
    if noted == 1:
        quota.reserve(session, row.workspace_id, size_bytes=size_bytes, quota_bytes=None)
        return True
    return session.scalar(select(Generation.preview_key).where(Generation.id == row.id)) == key
