"""The files of a person who is erased: removed first, and then their rows say so, some at a time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, delete, select

from core import db
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import BulkKind, BulkState, WorkspaceKind
from core.db.tables import (
    AnalystPack,
    AssetGroupItem,
    BulkFile,
    BulkJob,
    Generation,
    GenerationUpload,
    PersonExport,
    Project,
    Upload,
    Workspace,
    is_live,
)
from core.installation import Installation
from core.workspaces import quota

BATCH = 100


@dataclass(slots=True)
class Removed:
    """What was removed just now; `record` writes that down. `is_last` says that nothing is left."""

    clips: Sequence[Generation] = ()
    uploads: Sequence[Upload] = ()
    job_ids: Sequence[str] = ()
    is_last: bool = False

    def record(self, session: WriteSession) -> dict[str, int]:
        """Write down that these files are gone and give their bytes back; counts by kind."""
        _record_clips(session, self.clips)
        _record_uploads(session, self.uploads)
        for job_id in self.job_ids:
            freed = session.scalars(delete(BulkFile).where(BulkFile.job_id == job_id).returning(BulkFile.size_bytes))
            job = session.get(BulkJob, job_id)
            if job is not None and (size_bytes := sum(freed.all())):
                quota.free(session, job.workspace_id, size_bytes=size_bytes)
            update_where(session, BulkJob, BulkJob.id == job_id, BulkJob.next_at.is_(None), expires_at=None)
        found = {"clips": len(self.clips), "uploads": len(self.uploads), "archives": len(self.job_ids)}
        return {kind: number for kind, number in found.items() if number}


def remove_some(opened: Installation, user_id: str) -> Removed:
    """Remove the files of some clips of the personal workspace, else of some uploads, else of archives, else the rest.

    Raises StorageUnavailable: then nothing is written down, and it is done again.
    """
    with db.read_session() as session:
        clips = _clips(session, user_id)
        uploads = [] if clips else _uploads(session, user_id)
        jobs = [] if clips or uploads else _jobs(session, user_id)
        shared = _also_needed(session, user_id, [key for row in uploads for key in _keys(row)])
        packs = [] if clips or uploads or jobs else _of(session, AnalystPack, user_id)
        exports = [] if clips or uploads or jobs else _of(session, PersonExport, user_id)
    if clips:
        for row in clips:
            opened.storage.delete_below(f"videos/{row.id}")
        return Removed(clips=clips)
    if uploads:
        opened.storage.delete_many([key for row in uploads for key in _keys(row) if key not in shared])
        return Removed(uploads=uploads)
    if jobs:
        for job_id in jobs:
            opened.storage.delete_below(f"exports/{job_id}")
        return Removed(job_ids=jobs)
    for pack_id in packs:
        opened.storage.delete_below(f"packs/{pack_id}")
    for export_id in exports:
        opened.storage.delete_below(f"people/{export_id}")
    return Removed(is_last=True)


def _personal(user_id: str) -> Select[str]:
    return select(Workspace.id).where(Workspace.id == user_id, Workspace.kind == WorkspaceKind.PERSONAL)


def _clips(session: ReadSession, user_id: str) -> Sequence[Generation]:
    own = Generation.workspace_id.in_(_personal(user_id)), ~is_live(), Generation.purged_at.is_(None)
    with_files = Generation.output_key.is_not(None)
    return session.scalars(select(Generation).where(*own, with_files).order_by(Generation.id).limit(BATCH)).all()


def _uploads(session: ReadSession, user_id: str) -> Sequence[Upload]:
    own = Upload.workspace_id.in_(_personal(user_id))
    return session.scalars(select(Upload).where(own).order_by(Upload.id).limit(BATCH)).all()


def _jobs(session: ReadSession, user_id: str) -> Sequence[str]:
    files = select(BulkFile.job_id).join(BulkJob, BulkJob.id == BulkFile.job_id).where(BulkJob.user_id == user_id)
    return session.scalars(files.distinct().limit(BATCH)).all()


def _of(session: ReadSession, table: type[AnalystPack] | type[PersonExport], user_id: str) -> Sequence[str]:
    return session.scalars(select(table.id).where(table.user_id == user_id)).all()


def _keys(row: Upload) -> list[str]:
    return [key for key in (row.storage_key, row.poster_key) if key is not None]


def _also_needed(session: ReadSession, user_id: str, keys: Sequence[str]) -> set[str]:
    """Files that another workspace has brought, too, or made a clip from: the same bytes have the same key."""
    if not keys:
        return set()
    elsewhere = select(Upload.storage_key, Upload.poster_key).where(
        Upload.storage_key.in_(keys), Upload.workspace_id != user_id, Upload.purged_at.is_(None)
    )
    used = (
        select(GenerationUpload.storage_key)
        .join(Generation, Generation.id == GenerationUpload.generation_id)
        .where(GenerationUpload.storage_key.in_(keys), Generation.workspace_id != user_id)
        .where(Generation.purged_at.is_(None))
    )
    return {key for row in session.execute(elsewhere) for key in row if key} | set(session.scalars(used))


def _record_clips(session: WriteSession, clips: Sequence[Generation]) -> None:
    now = db.now(session)
    freed: Counter[str] = Counter()
    for row in clips:
        still = Generation.id == row.id, Generation.purged_at.is_(None)
        if update_where(session, Generation, *still, Generation.deleted_at.is_(None), deleted_at=now):
            left = Project.generation_count - 1
            update_where(session, Project, Project.id == row.project_id, generation_count=left)
        if update_where(session, Generation, *still, purged_at=now, next_at=None):
            freed[row.workspace_id] += row.stored_bytes or 0
    for workspace_id, size_bytes in sorted(freed.items()):
        if size_bytes:
            quota.free(session, workspace_id, size_bytes=size_bytes)


def _record_uploads(session: WriteSession, uploads: Sequence[Upload]) -> None:
    ids = [row.id for row in uploads]
    freed = sum(row.size_bytes for row in uploads if row.purged_at is None)
    if not ids:
        return
    session.execute(delete(AssetGroupItem).where(AssetGroupItem.upload_id.in_(ids)))
    gone = session.scalars(delete(Upload).where(Upload.id.in_(ids)).returning(Upload.id)).all()
    if len(gone) == len(ids) and freed:
        quota.free(session, uploads[0].workspace_id, size_bytes=freed)


def let_packed_expire(session: WriteSession, user_id: str) -> None:
    """What others have packed may hold the person's prompts and name: it goes before its time, and can be packed anew.

    Packs of figures, of which one that is being made is begun anew, and archives of every workspace in which the person
    has made a clip.
    """
    now = db.now(session)
    update_where(session, AnalystPack, AnalystPack.expires_at > now, expires_at=now)
    update_where(
        session,
        AnalystPack,
        AnalystPack.state == BulkState.RUNNING,
        state=BulkState.WAITING,
        version=AnalystPack.version + 1,
        next_at=now,
    )
    made = select(Generation.workspace_id).where(Generation.user_id == user_id).distinct()
    fetched = BulkJob.kind == BulkKind.FETCH, BulkJob.expires_at > now, BulkJob.workspace_id.in_(made)
    update_where(session, BulkJob, *fetched, expires_at=now)
