"""What is to be done to every clip that matches a filter: asked for, looked at, stopped. Workers do it (`core.worker`).

The clips are those that matched when the job was asked for: their ids are written down in the same statement that finds
them, so nothing that is made or changed later joins them or drops out. What cannot be changed by the time its turn
comes (deleted, under way, out of reach) is left as it is and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, literal, select

from core import audit_log, db, errors
from core.audit_log import Act
from core.clock import utc_now
from core.config import Settings
from core.db import Reader, ReadSession, WriteSession, update_where
from core.db.enums import BulkKind, BulkState
from core.db.tables import BulkFile, BulkItem, BulkJob, Generation, User, table_of
from core.generations import clip_names, queries, review
from core.generations.filters import KeptFilter
from core.identity import users
from core.messages import Message, message
from core.projects import projects
from core.workspaces import quota
from core.workspaces.access import Member, bound_workspaces, in_workspace, visible_to
from core.workspaces.permissions import Action

MAX_CLIPS = 100_000
"""So many clips a job: their ids are written down while its person waits, in about a second."""
MAX_LIVE_JOBS = 5
"""So many jobs one person may have under way in a workspace."""
LISTED_JOBS = 50

LIVE = (BulkState.WAITING, BulkState.RUNNING)

NEEDS: Mapping[BulkKind, Action] = {
    BulkKind.TAG: Action.EDIT,
    BulkKind.UNTAG: Action.EDIT,
    BulkKind.MOVE: Action.EDIT,
    BulkKind.KEEP: Action.EDIT,
    BulkKind.REJECT: Action.EDIT,
    BulkKind.UNDECIDE: Action.EDIT,
    BulkKind.FAVOURITE: Action.EDIT,
    BulkKind.UNFAVOURITE: Action.EDIT,
    BulkKind.DELETE: Action.DELETE,
    BulkKind.FETCH: Action.SEE,
}
"""What a person must be allowed to do for each kind, when they ask and again when it is done."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to do: `tags` for TAG and UNTAG, `project_id` for MOVE, `names` (a template) for FETCH, else nothing."""

    kind: BulkKind
    tags: Sequence[str] = ()
    project_id: str | None = None
    names: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, as lists show it; the figures of `BulkJob`, and its files while they are kept."""

    job: BulkJob
    files: Sequence[BulkFile]

    @property
    def share(self) -> float:
        """0 to 1 of its clips, those of the file that is being packed included."""
        job = self.job
        treated = job.done_count + job.left_count + job.under_way_count
        return min(1.0, treated / job.matched_count) if job.matched_count else 1.0

    @property
    def is_live(self) -> bool:
        """Whether it is still to go on."""
        return self.job.state in LIVE


def start(session: WriteSession, member: Member, task: Task, asked: KeptFilter, *, settings: Settings) -> BulkJob:
    """Write down a job over everything that matches now; a worker takes it from there.

    Raises Forbidden, NotFound for a project they do not see, InvalidRequest for what the kind lacks, when nothing
    matches or too much, Conflict for too many jobs under way, and for FETCH StorageFull when the files do not fit.
    """
    member.require(NEEDS[task.kind])
    users.lock(session, member.id)  # two presses count one after the other
    details = _details(session, member, task)
    if _count_live(session, member) >= MAX_LIVE_JOBS:
        raise errors.Conflict(message("bulk_too_many_at_once", limit=MAX_LIVE_JOBS))
    now = db.now(session)
    job = BulkJob(
        workspace_id=member.workspace_id,
        user_id=member.id,
        token_id=member.token_id,
        kind=task.kind,
        asked=asked.to_json(),
        details=details,
        next_at=now,
        created_at=now,
    )
    with session.begin_nested():  # a refusal takes back what was written, whoever catches it
        session.add(job)
        session.flush()
        job.matched_count = _write_items(session, member, job, asked)
        if task.kind is BulkKind.FETCH:
            job.matched_bytes = _size_bytes(session, job)
            _check_room(session, job, settings)
        session.flush()
    _note(session, member, job)
    return job


def get(session: ReadSession, member: Member, job_id: str) -> Progress:
    """A job of the person's own, in a workspace in their reach; else NotFound."""
    job = session.scalar(_own(member).where(BulkJob.id == job_id).execution_options(populate_existing=True))
    if job is None:
        raise errors.NotFound(message("bulk_not_found"))
    return Progress(job, _files(session, [job]).get(job.id, ()))


def list_own(session: ReadSession, member: Member, *, limit: int = LISTED_JOBS) -> Sequence[Progress]:
    """The person's own jobs in the present workspace, newest first."""
    mine = _own(member).where(in_workspace(BulkJob, member)).order_by(BulkJob.id.desc()).limit(limit)
    jobs = session.scalars(mine.execution_options(populate_existing=True)).all()
    files = _files(session, jobs)
    return [Progress(job, files.get(job.id, ())) for job in jobs]


def file_name(progress: Progress, file: BulkFile) -> str:
    """What a browser saves a file of a job under."""
    of_all = "" if len(progress.files) == 1 and not progress.is_live else f"-part-{file.number}"
    return f"clips-{progress.job.created_at:%Y-%m-%d}{of_all}.zip"


def cancel(session: WriteSession, member: Member, job_id: str) -> Progress:
    """Stop a job; what it has done stays done. NotFound as `get`; Conflict when it has ended."""
    get(session, member, job_id)
    stopped = update_where(
        session,
        BulkJob,
        BulkJob.id == job_id,
        BulkJob.state.in_(LIVE),
        state=BulkState.CANCELLED,
        version=BulkJob.version + 1,
        under_way_count=0,
        next_at=None,
        ended_at=utc_now(),
    )
    if not stopped:
        raise errors.Conflict(message("bulk_has_ended"))
    forget_rest(session, job_id)
    return get(session, member, job_id)


def end(session: WriteSession, job: BulkJob, state: BulkState, *, error: Message | None = None) -> None:
    """Write a job's end; only for who holds its row."""
    job.state, job.error, job.next_at, job.ended_at = state, error, None, utc_now()
    job.under_way_count = 0
    session.flush()
    forget_rest(session, job.id)


def forget_rest(session: WriteSession, job_id: str) -> None:
    """Forget the clips of an ended job that were still to be done; its files go at once where it is not done."""
    session.execute(delete(BulkItem).where(BulkItem.job_id == job_id))
    update_where(
        session,
        BulkJob,
        BulkJob.id == job_id,
        BulkJob.kind == BulkKind.FETCH,
        BulkJob.state != BulkState.DONE,
        expires_at=utc_now(),
    )


def _details(session: WriteSession, member: Member, task: Task) -> dict[str, Any]:
    """What the kind needs, checked. InvalidRequest, NotFound."""
    if task.kind in (BulkKind.TAG, BulkKind.UNTAG):
        tags = review.clean_tags(task.tags)
        if not tags:
            raise errors.InvalidRequest(fields={"tags": message("bulk_tags_missing")})
        return {"tags": tags}
    if task.kind is BulkKind.MOVE:
        if task.project_id is None:
            raise errors.InvalidRequest(fields={"projectId": message("bulk_project_missing")})
        project = projects.get(session, member, task.project_id)
        if project.archived_at is not None:
            raise errors.InvalidRequest(fields={"projectId": message("project_archived")})
        return {"project_id": project.id}
    if task.kind is BulkKind.FETCH:
        chosen = clip_names.parse(task.names) if task.names else clip_names.of_person(session.get_one(User, member.id))
        return {"names": chosen.text}
    return {}


def _write_items(session: WriteSession, member: Member, job: BulkJob, asked: KeptFilter) -> int:
    """Write the ids of everything that matches down; how many. InvalidRequest for none and for too many."""
    found = queries.matching_ids(session, member, asked.by_now(), limit=MAX_CLIPS + 1).subquery()
    rows = select(literal(job.id), found.c.id)
    written = insert(table_of(BulkItem)).from_select(["job_id", "generation_id"], rows)
    session.connection().execute(written, bound_workspaces(member))
    # Counted, since Python's SQLite tells no count of rows for a statement that begins with WITH, as searches do.
    count = session.scalar(select(func.count()).where(BulkItem.job_id == job.id)) or 0
    if count == 0:
        raise errors.InvalidRequest(fields={"filter": message("bulk_nothing")})
    if count > MAX_CLIPS:
        raise errors.InvalidRequest(fields={"filter": message("bulk_too_many", limit=MAX_CLIPS)})
    return count


def _size_bytes(session: ReadSession, job: BulkJob) -> int:
    """What its clips take with their posters and previews, a little more than they will take packed."""
    total = select(func.coalesce(func.sum(Generation.stored_bytes), 0)).join(
        BulkItem, BulkItem.generation_id == Generation.id
    )
    return int(session.scalar(total.where(BulkItem.job_id == job.id)) or 0)


def _check_room(session: ReadSession, job: BulkJob, settings: Settings) -> None:
    if job.matched_bytes > settings.archive_max_bytes:
        told = message(
            "bulk_too_large", size_gb=job.matched_bytes / 1024**3, limit_gb=settings.archive_max_bytes / 1024**3
        )
        raise errors.InvalidRequest(fields={"filter": told})
    if quota.used_bytes(session, job.workspace_id) + job.matched_bytes > settings.storage_quota_bytes:
        raise errors.StorageFull


def _note(session: WriteSession, member: Member, job: BulkJob) -> None:
    """Deleting, and taking data away, are administrative acts; each deleted clip is one more of its own."""
    figures = {"clips": job.matched_count}
    if job.kind is BulkKind.DELETE:
        act = Act.CLIPS_DELETION_STARTED
        audit_log.record(
            session, member.user, act, target="clips", target_id=job.id, workspace_id=job.workspace_id, after=figures
        )
    elif job.kind is BulkKind.FETCH:
        act = Act.EXPORT_MADE
        audit_log.record(
            session, member.user, act, target="clips", target_id=job.id, workspace_id=job.workspace_id, after=figures
        )


def _own(member: Member) -> Any:
    return select(BulkJob).where(visible_to(BulkJob, member), BulkJob.user_id == member.id)


def _count_live(session: ReadSession, member: Member) -> int:
    live = _own(member).where(in_workspace(BulkJob, member), BulkJob.next_at.is_not(None))
    return session.scalar(select(func.count()).select_from(live.subquery())) or 0


def _files(session: Reader, jobs: Sequence[BulkJob]) -> Mapping[str, Sequence[BulkFile]]:
    ids = [job.id for job in jobs if job.kind is BulkKind.FETCH]
    if not ids:
        return {}
    found: dict[str, list[BulkFile]] = {}
    query = select(BulkFile).where(BulkFile.job_id.in_(ids)).order_by(BulkFile.job_id, BulkFile.number)
    for row in session.scalars(query):
        found.setdefault(row.job_id, []).append(row)
    return found
