"""Slow chores of the dispatcher: files of what was deleted, left-overs, archives, old deliveries, the regular audit."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Select, or_, select, update

from core import db, errors
from core.assets import retention
from core.audit import full_audits, log_retention
from core.clock import utc_now
from core.db import ReadSession, partitions, snapshots, update_where
from core.db.enums import Stage
from core.db.tables import Generation, is_live
from core.files import scratch
from core.generations import flights
from core.installation import Installation
from core.notifications import inbox, webhooks
from core.worker import analyst_packs, bulk_archives, person_exports, previews, recovery, retention_rounds, sweep
from core.workspaces import quota

log = logging.getLogger(__name__)

LEFT_OVER_SECONDS = 86_400
ID_LENGTH = 36
"""Files that are being worked on are named after their generation."""
ENDED_SECONDS = 600
"""How long a file of an ended generation may still be one that its worker is about to remove."""
PURGED_AT_ONCE = 330
"""Three files each: a thousand are removed in one call where they lie in a bucket."""
PURGE_SECONDS = 20.0
PURGE_LEASE = timedelta(minutes=10)
"""How long a dispatcher that has claimed deleted rows may take to remove their files, before another one does."""


def run(installation: Installation, is_over: Callable[[], bool] = lambda: False) -> None:
    """Everything once; each part is short and safe to run beside another dispatcher's.

    `is_over` says that the process is about to end.
    """
    heal_flights()
    purge_deleted_files(installation)
    retention.purge(installation.storage)
    remove_orphans(installation)
    sweep.run(installation)
    bulk_archives.remove_expired(installation)
    analyst_packs.remove_expired(installation)
    person_exports.remove_expired(installation)
    recovery.prune_journal(installation)
    with db.write_session() as session:
        webhooks.prune(session, days=installation.settings.webhook_delivery_days)
        inbox.prune(session, days=installation.settings.inbox_days)
    prune_audit_log(installation)
    retention_rounds.run(installation)
    keep_partitions(installation)
    tell_of_snapshots(installation)
    full_audits.run(installation.database, is_over=is_over)


def keep_partitions(installation: Installation) -> None:
    """See to the months of what grows for ever; the log says where another role has to."""
    for table in partitions.keep(installation.database.engine):
        if installation.told.is_news(("months of", table)):
            log.warning("%s has no room made for the months to come: run `migrate` as its owner once a month", table)


def tell_of_snapshots(installation: Installation, *, seconds: float = snapshots.HELD_SECONDS) -> None:
    """Let the log say who has kept the database from cleaning up for so long, once an hour for each."""
    with db.read_connection() as reader:
        old = [each for each in snapshots.held(reader) if each.is_old(seconds)]
    for each in old:
        if installation.told.is_news(("an old snapshot", each.name)):
            log.warning(
                "%s holds back what the database can clean up, by %d transactions (%s): everything gets slower until "
                "it ends",
                each.name,
                each.transactions,
                f"{each.seconds:.0f} s" if each.log_bytes is None else f"{each.log_bytes:,} bytes of its log",
            )


def heal_flights() -> None:
    """Take up what a process of the version before has ordered, moved or ended, for it knows no flights."""
    with db.read_session() as session:
        if not flights.needs_healing(session):
            return
    with db.write_session() as session:
        healed = flights.heal(session)
    log.info("%s clips under way were moved by a process of the version before, and are taken up", healed)


def prune_audit_log(installation: Installation) -> None:
    """Remove what the log of administrative acts has kept for long enough, if this database role may."""
    if days := installation.settings.audit_log_days:
        with db.read_session() as session:
            may_prune = log_retention.may_prune(session)
        if may_prune:
            log_retention.prune(days=days)


def purge_deleted_files(
    installation: Installation, *, limit: int = PURGED_AT_ONCE, seconds: float = PURGE_SECONDS
) -> int:
    """Remove the files of what was deleted long enough ago, and give their bytes back; returns how many.

    The files of all that are claimed at once go in one call, where the place can do that. Goes on while there are any,
    `limit` at a time, for about so many seconds; no two dispatchers take the same. One whose files cannot be removed
    now holds up no other: it is tried again the next time.
    """
    end = time.monotonic() + seconds
    purged, stuck = 0, set[str]()
    trash_days = installation.settings.trash_days
    while rows := _claim_deleted(limit, besides=stuck, trash_days=trash_days):
        gone = _remove_files(rows, installation)
        stuck |= {row.id for row in rows} - {row.id for row in gone}
        _record_purged(rows, gone)
        purged += len(gone)
        if not gone or time.monotonic() >= end:
            break
    return purged


def _claim_deleted(limit: int, *, besides: Collection[str], trash_days: int = 0) -> Sequence[Generation]:
    """Deleted rows whose files are still there, oldest first, by moving `next_at`, which they have no other use for."""
    with db.read_session() as reading:  # first, so that with nothing to do no write lock is taken
        if reading.scalar(select(_deleted(reading, besides, trash_days).exists())) is not True:
            return []
    with db.write_session() as session:
        due = _deleted(session, besides, trash_days).order_by(Generation.deleted_at).limit(limit)
        taken = (
            update(Generation)
            .where(Generation.id.in_(due.with_for_update(skip_locked=True)))
            .values(next_at=db.now(session) + PURGE_LEASE)
            .returning(Generation)
            .execution_options(synchronize_session=False)
        )
        return session.scalars(taken).all()


def _deleted(session: ReadSession, besides: Collection[str], trash_days: int) -> Select[str]:
    """Ids of deleted rows that nobody purges now; a lease longer than any was taken before the clock was set back."""
    now = db.now(session)
    is_free = or_(Generation.next_at.is_(None), Generation.next_at <= now, Generation.next_at > now + 2 * PURGE_LEASE)
    return select(Generation.id).where(
        Generation.deleted_at <= now - timedelta(days=trash_days),
        Generation.purged_at.is_(None),
        is_free,
        Generation.id.not_in(besides),
    )


def _remove_files(rows: Sequence[Generation], installation: Installation) -> Sequence[Generation]:
    """Remove the files of all of these at once, or of one by one where that cannot be done; those whose files went."""
    try:
        installation.storage.delete_many([key for row in rows for key in _files_of(row)])
    except errors.StorageUnavailable as away:
        if installation.storage.answers() is False:
            if installation.told.is_news("files that cannot be removed"):
                log.warning("the files of what was deleted cannot be removed now: %s", away.detail)
            return []
        return [row for row in rows if _remove_files_of(row, installation)]
    return rows


def _remove_files_of(row: Generation, installation: Installation) -> bool:
    try:
        for key in _files_of(row):
            installation.storage.delete(key)
    except errors.StorageUnavailable:
        if installation.told.is_news("files that cannot be removed"):
            log.exception("the files of %s, and perhaps of others, cannot be removed now", row.id)
        return False
    return True


def _files_of(row: Generation) -> Sequence[str]:
    """The preview also by its name, since a maker may have died between storing and noting it."""
    preview_key = row.preview_key or (row.output_key and previews.key_of(row.output_key))
    return [key for key in (row.output_key, row.thumbnail_key, preview_key) if key is not None]


def _record_purged(claimed: Sequence[Generation], gone: Sequence[Generation]) -> None:
    """Note what is gone, and give back the rest of what was claimed."""
    freed_bytes: Counter[str] = Counter()
    with db.write_session() as session:
        for row in gone:
            is_first = update_where(
                session, Generation, Generation.id == row.id, Generation.purged_at.is_(None), purged_at=utc_now()
            )
            freed_bytes[row.workspace_id] += row.stored_bytes or 0 if is_first else 0
        update_where(session, Generation, Generation.id.in_([row.id for row in claimed]), next_at=None)
        for workspace_id, size_bytes in sorted(freed_bytes.items()):
            if size_bytes:
                quota.free(session, workspace_id, size_bytes=size_bytes)


def remove_orphans(installation: Installation) -> None:
    """Remove what killed processes and ended generations have left among the files that are being worked on.

    A download may be gone on with for a day; one whose generation has ended, and one nobody touched for as long, is
    removed. What vanishes meanwhile is somebody else's doing.
    """
    folder = installation.settings.incoming_dir
    if not folder.is_dir():
        return
    scratch.remove_abandoned(folder)
    ages = {path: age for path in folder.iterdir() if path.is_file() and (age := _age_seconds(path)) is not None}
    old = {_owner(path) for path, age in ages.items() if age > ENDED_SECONDS}
    if not old:
        return
    ended = _those(old, Generation.stage == Stage.FINALIZED)
    # A clock that is set makes a download old that has just begun.
    fetching = _those(old, is_live(), Generation.stage == Stage.DOWNLOADING)
    for path, age in ages.items():
        is_over = age > ENDED_SECONDS and _owner(path) in ended
        if is_over or (age > LEFT_OVER_SECONDS and _owner(path) not in fetching):
            path.unlink(missing_ok=True)


def _owner(path: Path) -> str:
    return path.name.lstrip(".")[:ID_LENGTH]


def _age_seconds(path: Path) -> float | None:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return None


def _those(ids: Collection[str], *where: ColumnElement[bool]) -> set[str]:
    """Which of these are generations of which this holds."""
    with db.read_session() as session:
        return set(session.scalars(select(Generation.id).where(Generation.id.in_(ids), *where)))
