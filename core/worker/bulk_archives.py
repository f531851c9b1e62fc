"""Packs everything that a bulk job fetches into ZIP files in storage, one after the other, with little memory.

A file is packed into a temporary one first and stored whole; then one transaction writes it down, counts it and takes
its clips off the list. A claim is a lease with a version: who lost theirs (killed, or too slow) finds nothing to write,
and each claim stores under a key of its own, so that a late worker's file is never taken for a good one.
"""

import logging
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Row, delete, func, select

from core import db, errors
from core.db import ReadSession, WriteSession, availability, update_where
from core.db.enums import BulkKind, BulkState
from core.db.tables import BulkFile, BulkItem, BulkJob, Generation
from core.generations import bulk_batches, bulk_jobs, clip_names, clip_sheet, queries, zip_export
from core.generations.clip_sheet import DescribedClip
from core.installation import Installation
from core.messages import Message, message
from core.worker import packed_files
from core.worker.background import repeating
from core.workspaces import quota
from core.workspaces.access import Member

log = logging.getLogger(__name__)

PART_BYTES = 2 * 1024**3
"""So much goes into one file; the last clip may go beyond."""
PART_CLIPS = 2_000
LEASE = timedelta(seconds=60)
BEAT_SECONDS = 5.0
"""How often a packer says that it lives, and how far it is."""
TRIES = 4
AGAIN_AFTER = timedelta(seconds=20)
ID_PIECE = 500
KEPT = timedelta(days=90)
"""How long a job is told of after its end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large the files become."""

    part_bytes: int = PART_BYTES
    part_clips: int = PART_CLIPS


class _Lost(Exception):
    """The job was cancelled, or is another worker's by now."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file is made of: `ids` of the list, and those of their clips that the person may still fetch."""

    number: int
    ids: Sequence[str]
    clips: Sequence[DescribedClip]
    is_only: bool


def work_down(
    installation: Installation, is_over: Callable[[], bool] = lambda: False, *, limits: Limits = Limits()
) -> None:
    """Pack file after file until none is due, or until it `is_over`, which also breaks off one that is being packed."""
    while not is_over() and any_due():
        with db.write_session() as session:
            job = _claim(session)
        if job is None:
            return
        _work(installation, job, limits, is_over)


def any_due() -> bool:
    """Whether a file is to be packed now."""
    with db.read_session() as session:
        due = select(BulkJob.id).where(BulkJob.next_at <= db.now(session), BulkJob.kind == BulkKind.FETCH)
        return session.scalar(select(due.exists())) is True


def key_of(job: BulkJob, number: int) -> str:
    """Under which key a file of this claim lies."""
    return f"exports/{job.id}/{number}-{job.version}.zip"


def _claim(session: WriteSession) -> BulkJob | None:
    """The job that is longest due, leased; one that came to no end too often is ended instead."""
    due = (
        select(BulkJob)
        .where(BulkJob.next_at <= db.now(session), BulkJob.kind == BulkKind.FETCH)
        .order_by(BulkJob.next_at, BulkJob.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    job = session.scalar(due.execution_options(populate_existing=True))
    if job is None:
        return None
    if job.attempt >= TRIES:
        bulk_jobs.end(session, job, BulkState.FAILED, error=job.error or message("bulk_broke"))
        return None
    job.state, job.attempt, job.version = BulkState.RUNNING, job.attempt + 1, job.version + 1
    job.under_way_count = 0
    job.next_at = db.now(session) + LEASE
    session.flush()
    return job


def _work(installation: Installation, job: BulkJob, limits: Limits, is_over: Callable[[], bool]) -> None:
    try:
        with db.read_session() as session:
            part = _next_part(session, bulk_batches.person_of(session, job), job, limits)
        if part.clips:
            _pack(installation, job, part, is_over)
        else:
            with db.write_session() as session:
                _record(session, installation, job, part)
    except _Lost:
        log.info("the bulk job %s was stopped, or is another worker's", job.id)
    except (errors.Forbidden, errors.StorageFull) as refused:
        _end(job, refused.message)
    except (errors.StorageUnavailable, OSError) as failure:
        log.warning(
            "a file of the bulk job %s cannot be packed at try %s of %s: %r", job.id, job.attempt, TRIES, failure
        )
        _put_off(job, message("bulk_no_room"), is_tried=installation.storage.answers() is not False)
    except errors.AppError as refused:
        log.exception("a file of the bulk job %s cannot be packed", job.id)
        _end(job, refused.message)


def _next_part(session: ReadSession, member: Member, job: BulkJob, limits: Limits) -> _Part:
    """The first clips of the list that fit one file, at least one."""
    sizes = session.execute(
        select(BulkItem.generation_id, Generation.stored_bytes)
        .join(Generation, Generation.id == BulkItem.generation_id, isouter=True)
        .where(BulkItem.job_id == job.id)
        .order_by(BulkItem.generation_id)
        .limit(limits.part_clips + 1)
    ).all()
    ids: list[str] = []
    size_bytes = 0
    for row in sizes[: limits.part_clips]:
        if ids and size_bytes + (row.stored_bytes or 0) > limits.part_bytes:
            break
        ids.append(row.generation_id)
        size_bytes += row.stored_bytes or 0
    files = session.scalar(select(func.count()).select_from(BulkFile).where(BulkFile.job_id == job.id)) or 0
    clips: list[DescribedClip] = []
    for place in range(0, len(ids), ID_PIECE):
        clips += clip_sheet.describe(session, queries.get_many(session, member, ids[place : place + ID_PIECE]))
    return _Part(files + 1, ids, clips, is_only=files == 0 and len(ids) == len(sizes))


def _pack(installation: Installation, job: BulkJob, part: _Part, is_over: Callable[[], bool]) -> None:
    """Pack, store and write down one file; what is stored and cannot be written down is removed again."""
    folder = "" if part.is_only else f"part-{part.number}/"
    entries = zip_export.entries(part.clips, clip_names.parse(job.details["names"]), folder=folder)
    missing: list[str] = []
    lease = _Lease(job, part, expected_bytes=sum(clip.row.stored_bytes for clip in part.clips))
    with (
        tempfile.NamedTemporaryFile(prefix="archive-") as file,
        repeating(lease.extend, every_seconds=BEAT_SECONDS, name="bulk lease"),
    ):
        for piece in zip_export.stream(installation.storage, entries, folder=folder, missing=missing):
            file.write(piece)
            lease.written_bytes += len(piece)
            if lease.is_lost:
                raise _Lost
            if is_over():
                _give_back(job)
                raise _Lost
        file.flush()
        key = key_of(job, part.number)
        is_recorded = False
        try:
            stored = installation.storage.put_file(key, Path(file.name), media_type="application/zip")
            with db.write_session() as session:
                _record(
                    session, installation, job, part, size_bytes=stored.size_bytes, packed=len(entries) - len(missing)
                )
            is_recorded = True
        finally:
            if not is_recorded:
                with suppress(errors.StorageUnavailable):
                    installation.storage.delete(key)


class _Lease:
    """Says now and then that a packer lives and how far it is; `is_lost` when the job is not its own any more."""

    def __init__(self, job: BulkJob, part: _Part, *, expected_bytes: int) -> None:
        self.written_bytes = 0
        self.is_lost = False
        self._job = job
        self._count = len(part.ids)
        self._expected_bytes = max(1, expected_bytes)

    def extend(self) -> None:
        """Move the lease forward; without the database it stays, and what is packed may be packed again."""
        under_way = min(self._count, self._count * self.written_bytes // self._expected_bytes)
        try:
            with db.write_session() as session:
                kept = update_where(
                    session, BulkJob, *_own(self._job), under_way_count=under_way, next_at=db.now(session) + LEASE
                )
        except Exception as failure:
            if not availability.is_away(failure):
                raise
        else:
            self.is_lost = not kept


def _own(job: BulkJob) -> tuple[ColumnElement[bool], ...]:
    """The job as it was claimed, and not stopped since."""
    return BulkJob.id == job.id, BulkJob.version == job.version, BulkJob.state == BulkState.RUNNING


def _record(
    session: WriteSession,
    installation: Installation,
    job: BulkJob,
    part: _Part,
    *,
    size_bytes: int | None = None,
    packed: int = 0,
) -> None:
    """Write a file down and take its clips off the list, all at once; _Lost when the job is not its own any more."""
    now = db.now(session)
    is_ours = update_where(
        session,
        BulkJob,
        *_own(job),
        done_count=BulkJob.done_count + packed,
        left_count=BulkJob.left_count + len(part.ids) - packed,
        under_way_count=0,
        attempt=0,
        next_at=now,
    )
    if not is_ours:
        raise _Lost
    if size_bytes is not None:
        quota_bytes = installation.settings.storage_quota_bytes
        quota.reserve(session, job.workspace_id, size_bytes=size_bytes, quota_bytes=quota_bytes)
        key = key_of(job, part.number)
        session.add(
            BulkFile(job_id=job.id, number=part.number, storage_key=key, size_bytes=size_bytes, clip_count=packed)
        )
    gone = delete(BulkItem).where(BulkItem.job_id == job.id)
    session.execute(gone if not part.ids else gone.where(BulkItem.generation_id <= part.ids[-1]))
    if session.scalar(select(select(BulkItem.job_id).where(BulkItem.job_id == job.id).exists())) is not True:
        row = session.get_one(BulkJob, job.id, populate_existing=True)
        bulk_jobs.end(session, row, BulkState.DONE)
        row.expires_at = now + timedelta(days=installation.settings.archive_days)
        session.flush()


def _give_back(job: BulkJob) -> None:
    """Let another worker pack it at once, since this one ends; it is no failed try."""
    with db.write_session() as session:
        update_where(session, BulkJob, *_own(job), under_way_count=0, attempt=job.attempt - 1, next_at=db.now(session))


def _put_off(job: BulkJob, error: Message, *, is_tried: bool) -> None:
    """Try again a little later: a disk may be emptied, a store come back. What went wrong is told meanwhile.

    While the store of files is away no try is counted, however long that takes.
    """
    with db.write_session() as session:
        next_at = db.now(session) + AGAIN_AFTER * job.attempt
        attempt = job.attempt if is_tried else job.attempt - 1
        update_where(session, BulkJob, *_own(job), under_way_count=0, attempt=attempt, error=error, next_at=next_at)


def _end(job: BulkJob, error: Message) -> None:
    with db.write_session() as session:
        row = session.scalar(select(BulkJob).where(*_own(job)).with_for_update())
        if row is not None:
            bulk_jobs.end(session, row, BulkState.FAILED, error=error)


def remove_expired(installation: Installation, *, limit: int = 100) -> int:
    """Remove the files of jobs whose time is over, and jobs that ended long ago; how many lost their files."""
    with db.read_session() as session:
        now = db.now(session)
        over = select(BulkJob.id, BulkJob.workspace_id).where(BulkJob.expires_at <= now).limit(limit)
        expired = session.execute(over).all()
        old = select(BulkJob.id).where(BulkJob.ended_at < now - KEPT, BulkJob.expires_at.is_(None)).limit(limit)
        forgotten = session.scalars(old).all()
    removed = packed_files.remove_expired(
        installation, expired, folder_of=lambda row: f"exports/{row.id}", forget=_forget_files, what="archives"
    )
    if forgotten:
        with db.write_session() as session:
            session.execute(delete(BulkJob).where(BulkJob.id.in_(forgotten)))
    return removed


def _forget_files(session: WriteSession, job: Row[str, str]) -> None:
    """Their room is free again; `job` has its id and its workspace."""
    taken = session.scalars(delete(BulkFile).where(BulkFile.job_id == job.id).returning(BulkFile.size_bytes))
    if freed := sum(taken.all()):
        quota.free(session, job.workspace_id, size_bytes=freed)
    update_where(session, BulkJob, BulkJob.id == job.id, BulkJob.next_at.is_(None), expires_at=None)
