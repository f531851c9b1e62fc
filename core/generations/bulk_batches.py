"""The next few clips of a bulk job: changed, and taken off its list, in the one transaction that also counts them.

So a process that dies changes nothing, a second worker finds the row locked or the clips gone, and a repeat has nothing
left to do. Rights are those that the job's person has by now, never those of when they asked.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import Select, delete, func, select

from core import db, errors
from core.db import ReadSession, WriteSession
from core.db.enums import ENDED_STATUSES, BulkKind, BulkState, Status
from core.db.tables import ApiToken, BulkItem, BulkJob, Generation, GenerationTag, User
from core.generations import bulk_jobs, commands, review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.identity import api_tokens
from core.messages import message
from core.projects import projects
from core.workspaces import members
from core.workspaces.access import Member, visible_to

BATCH = 100
SMALLER: Mapping[BulkKind, int] = {BulkKind.TAG: 40, BulkKind.UNTAG: 40, BulkKind.DELETE: 40}
"""So many clips at once, fewer where each takes longer: a tenth of a second or two in which nobody else writes to
SQLite."""

TRIES = 4
AGAIN_AFTER = timedelta(seconds=10)

_VERDICTS = {
    BulkKind.KEEP: ReviewStatus.KEPT,
    BulkKind.REJECT: ReviewStatus.REJECTED,
    BulkKind.UNDECIDE: ReviewStatus.UNDECIDED,
}


def work_next(session: WriteSession, *, size: int | None = None) -> bool:
    """One batch of the change that is longest due; False when none is. Whatever goes wrong with it ends that job.

    The database's own failures are raised, and take everything back.
    """
    job = _claim(session)
    if job is None:
        return False
    ids = session.scalars(_first_items(job.id).limit(size or SMALLER.get(job.kind, BATCH))).all()
    if not ids:
        bulk_jobs.end(session, job, BulkState.DONE)
        return True
    try:
        with session.begin_nested():
            member = person_of(session, job)
            done = _change(session, member, job, _rows(session, member, ids))
    except errors.AppError as refused:
        bulk_jobs.end(session, job, BulkState.FAILED, error=refused.message)
        return True
    session.execute(delete(BulkItem).where(BulkItem.job_id == job.id, BulkItem.generation_id.in_(ids)))
    job.done_count += done
    job.left_count += len(ids) - done
    job.state, job.attempt = BulkState.RUNNING, 0
    job.next_at = db.now(session)  # behind the other jobs, so that each gets its turn
    session.flush()
    if job.done_count + job.left_count == job.matched_count:
        bulk_jobs.end(session, job, BulkState.DONE)
    return True


def put_off(session: WriteSession) -> None:
    """Let the change that is longest due wait, since its batch broke; one that broke too often is ended."""
    job = _claim(session)
    if job is None:
        return
    job.attempt += 1
    if job.attempt >= TRIES:
        bulk_jobs.end(session, job, BulkState.FAILED, error=message("bulk_broke"))
    else:
        job.next_at = db.now(session) + AGAIN_AFTER * job.attempt
        session.flush()


def person_of(session: ReadSession, job: BulkJob) -> Member:
    """The person of a job as they are by now, at work where they asked for it.

    Forbidden when they were deactivated, have left, came with a token that is over, or may no longer do this.
    """
    user = session.get_one(User, job.user_id, populate_existing=True)
    try:
        if job.token_id is None:
            member = members.at_work(session, user, job.workspace_id)
        else:
            member = members.with_token(session, user, _live_token(session, job.token_id)).moved_to(job.workspace_id)
        member.require(bulk_jobs.NEEDS[job.kind])
    except (errors.NotFound, errors.Unauthorized, errors.Forbidden):
        raise errors.Forbidden(message("bulk_departed")) from None
    return member


def _live_token(session: ReadSession, token_id: str) -> ApiToken:
    if not api_tokens.is_valid(session, token_id):
        raise errors.Unauthorized
    return session.get_one(ApiToken, token_id)


def _claim(session: WriteSession) -> BulkJob | None:
    """The change that is longest due, its row locked until the transaction ends: nobody else takes it meanwhile."""
    due = (
        select(BulkJob)
        .where(BulkJob.next_at <= db.now(session), BulkJob.kind != BulkKind.FETCH)
        .order_by(BulkJob.next_at, BulkJob.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return session.scalar(due.execution_options(populate_existing=True))


def _first_items(job_id: str) -> Select[str]:
    return select(BulkItem.generation_id).where(BulkItem.job_id == job_id).order_by(BulkItem.generation_id)


def _rows(session: WriteSession, member: Member, ids: Sequence[str]) -> Sequence[Generation]:
    """Those of these clips that are there and in reach, kept from changing until the transaction ends."""
    query = (
        select(Generation)
        .where(visible_to(Generation, member), Generation.deleted_at.is_(None), Generation.id.in_(ids))
        .order_by(Generation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def _change(session: WriteSession, member: Member, job: BulkJob, rows: Sequence[Generation]) -> int:
    """Do what is asked to those of these clips that it can be done to; how many."""
    needed = bulk_jobs.NEEDS[job.kind]
    rows = [row for row in rows if member.may(needed, row.workspace_id)]
    if job.kind is BulkKind.DELETE:
        return commands.delete_many(session, member, [row.id for row in rows])
    changes = Changes()
    if job.kind in _VERDICTS:
        changes = Changes(verdict=_VERDICTS[job.kind])
        rows = [row for row in rows if row.status is Status.COMPLETED]
    elif job.kind in (BulkKind.FAVOURITE, BulkKind.UNFAVOURITE):
        changes = Changes(favourite=job.kind is BulkKind.FAVOURITE)
    elif job.kind is BulkKind.MOVE:
        target = projects.get_held(session, member, job.details["project_id"])
        changes = Changes(project_id=target.id)
        rows = [row for row in rows if row.status in ENDED_STATUSES and row.workspace_id == target.workspace_id]
    elif job.kind is BulkKind.TAG:
        changes = Changes(add_tags=job.details["tags"])
        full = _without_room(session, [row.id for row in rows], job.details["tags"])
        rows = [row for row in rows if row.id not in full]
    else:
        changes = Changes(remove_tags=job.details["tags"])
    return review.update_many(session, member, [row.id for row in rows], changes) if rows else 0


def _without_room(session: ReadSession, ids: Sequence[str], tags: Sequence[str]) -> set[str]:
    """Those of these clips that would have more tags than one can have."""
    others = (
        select(GenerationTag.generation_id)
        .where(GenerationTag.generation_id.in_(ids), GenerationTag.tag.not_in(tags))
        .group_by(GenerationTag.generation_id)
        .having(func.count() + len(tags) > review.TAGS_LIMIT)
    )
    return set(session.scalars(others))
