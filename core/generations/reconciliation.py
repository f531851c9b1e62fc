"""Settles an uncertain submit by the provider's own list: found, never received, or left to an administrator.

A job belongs to one generation only. Whoever gives a generation its job id takes `lock_providers` first, before any
row, and asks `jobs_taken` in the same transaction, so that two never get the same one, however many processes run.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select

from core import db, errors
from core.catalog_changes import current
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Flight, Generation, GenerationEvent, is_live
from core.generations import flights, lifecycle, spending
from core.insights import call_watch
from core.messages import Message, message
from core.providers import registry
from core.providers.contract import JobMatches, ProviderJob
from core.providers.vendor_calls import JobNotice

LATE_ARRIVAL_WINDOW = timedelta(minutes=5)
"""How long after it was lost an order may still arrive: a worker that sleeps with its machine and wakes has
`tasks.SUBMIT_SECONDS` left, and the rest is for the provider to show it in its list."""
OWNERS_ENDED_WITHIN = timedelta(hours=1)
"""How long before a submit the owner of a job that may be taken for its own can have ended."""
DEADLINE_OF_A_REMOVED_MODEL = timedelta(minutes=30)
RETRY_SOON = timedelta(seconds=30)
RETRY_SLOW = timedelta(minutes=5)
_CANDIDATES = "It may be one of these jobs: "


def lock_providers(session: WriteSession, providers: Iterable[str]) -> None:
    """Be the only one who gives out jobs of these providers until the transaction ends (on SQLite any writer is)."""
    if session.get_bind().dialect.name == "postgresql":
        for provider in sorted(set(providers)):
            session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"job ids {provider}"))))


def jobs_taken(session: ReadSession, row: Generation, job_ids: Collection[str]) -> set[str]:
    """The job ids that already belong to a generation submitted at about the same time as `row`.

    So their owner is alive or has ended since, which two indexes answer; the whole table is never searched through.
    """
    models = [model.id for model in current.of(session).of_provider(row.provider)]
    has_one = select(Generation.provider_job_id).where(
        Generation.provider == row.provider, Generation.provider_job_id.in_(job_ids)
    )
    since = sent_at(session, row) - OWNERS_ENDED_WITHIN
    ended = has_one.where(Generation.model_id.in_(models), Generation.ended_at >= since)
    return {job_id for part in (has_one.where(is_live()), ended) for job_id in session.scalars(part) if job_id}


def accept(
    session: WriteSession,
    row: Generation,
    job: ProviderJob,
    *,
    what: Message,
    next_at: datetime,
    actor: str = lifecycle.SYSTEM,
) -> None:
    """The provider has it as this job: wait for it. Raises Conflict if the job is another generation's; see `lock`."""
    if jobs_taken(session, row, [job.id]):
        raise errors.Conflict(message("job_of_another", job_id=job.id))
    now, entry = db.now(session), current.of(session).find(row.model_id)
    lifecycle.transition(
        session,
        row,
        Status.PROCESSING,
        Stage.WAITING,
        what=what,
        next_at=next_at,
        actor=actor,
        provider_job_id=job.id,
        provider_response=dict(job.response) or None,
        submitted_at=now,
        setbacks=0,
        deadline_at=now + (entry.model.deadline if entry else DEADLINE_OF_A_REMOVED_MODEL),
        error_code=None,
        error_message=None,
        error=None,
        error_detail=None,
        **spending.told_with_order(job),
    )


def take_notice(session: WriteSession, generation_id: str, notice: JobNotice | None, *, poll_seconds: float) -> None:
    """A provider called this generation's own address, which nobody else knows: look at it at once.

    However often it calls, it is asked once more at most in each pause that it asks for.

    The job it names is the job of a submit that was lost; the link is kept for when the provider has forgotten the job
    before it was looked at. What it says of success or failure is asked for, and nothing is ended by it.
    """
    owner = session.scalar(select(Generation.provider).where(Generation.id == generation_id))
    if owner is None:
        return
    if notice is not None:
        lock_providers(session, [owner])
        row = lifecycle.locked(session, generation_id)
        if row is not None and row.status not in ENDED_STATUSES:
            _learn(session, row, notice)
    pause = max(poll_seconds, registry.provider_class(owner).min_poll_seconds)
    flights.expedite(session, generation_id, pause=timedelta(seconds=pause))
    call_watch.note_call(session, owner)


def _learn(session: WriteSession, row: Generation, notice: JobNotice) -> None:
    if row.stage is Stage.SUBMITTING and row.status is Status.UNCERTAIN:
        try:
            accept(session, row, ProviderJob(notice.job_id), what=message("told_by_provider"), next_at=db.now(session))
        except errors.Conflict:
            return
    if notice.video_url and row.stage is Stage.WAITING and row.provider_job_id == notice.job_id:
        row.provider_video_url = notice.video_url


def sent_at(session: ReadSession, row: Generation) -> datetime:
    """When its last submit began; the step is written before anything is sent."""
    begun = select(func.max(GenerationEvent.at)).where(
        GenerationEvent.generation_id == row.id,
        GenerationEvent.stage == Stage.SUBMITTING,
        GenerationEvent.status == Status.PROCESSING,
    )
    return session.scalar(begun) or row.created_at


def reconcile(session: WriteSession, row: Generation, found: JobMatches) -> None:
    """Decide by what the provider's list shows; the caller holds `lock`.

    An order with the same words that is being sent right now may be the one the list shows, so its end is waited for;
    that is asked before the owners, since it may get its job in between.
    """
    now, over = db.now(session), row.updated_at + LATE_ARRIVAL_WINDOW
    if (found.exact or found.candidates) and _twin_is_being_sent(session, row):
        reschedule(session, row, RETRY_SOON)
        return
    taken = jobs_taken(session, row, [job.id for job in (*found.exact, *found.candidates)])
    sure = [job for job in found.exact if job.id not in taken]
    possible = [job for job in found.candidates if job.id not in taken]
    if len(sure) == 1:
        accept(session, row, sure[0], what=message("found_in_list"), next_at=now)
    elif sure or possible:
        reschedule(session, row, error_detail=_with_candidates(row.error_detail, [*sure, *possible]))
    elif found.complete and now > over:
        gone = errors.GenerationFailed(message("never_received"))
        lifecycle.fail(session, row, gone)
    else:
        reschedule(session, row, min(RETRY_SLOW, max(RETRY_SOON, over - now)))


def _with_candidates(detail: str | None, jobs: Iterable[ProviderJob]) -> str:
    """The jobs that an administrator can choose from, and below them what broke, as it was kept."""
    broke = detail or ""
    if broke.startswith(_CANDIDATES):
        broke = broke.partition("\n")[2]
    return f"{_CANDIDATES}{', '.join(job.id for job in jobs)}\n{broke}"[:4000]


def _twin_is_being_sent(session: ReadSession, row: Generation) -> bool:
    twin = exists().where(
        is_live(),
        Generation.stage == Stage.SUBMITTING,
        Generation.status == Status.PROCESSING,
        Generation.model_id == row.model_id,
        Generation.prompt == row.prompt,
        Generation.id != row.id,
    )
    return session.scalar(select(twin)) is True


def reschedule(
    session: WriteSession, row: Generation, pause: timedelta = RETRY_SLOW, *, error_detail: str | None = None
) -> None:
    """Leave it uncertain, for the next look or a person to decide; the row is locked, or stays as it is."""
    stands = (Generation.id == row.id, Generation.version == row.version)
    if error_detail is not None and update_where(session, Generation, *stands, error_detail=error_detail) != 1:
        return
    flights.note(session, row.id, Flight.stage == row.stage, next_at=db.now(session) + pause, setbacks=0)
