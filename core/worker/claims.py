"""What is due, and who is next: rows claimed from the table for looks, submits and collects, and those left behind.

Each function is a short transaction of its own. It knows limits and the breaker, but neither Redis nor providers.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select

from core import db, errors, metrics
from core.config import Settings
from core.db import ReadSession, WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, is_live
from core.generations import approval_requests, lifecycle
from core.insights import circuit_breaker
from core.messages import message
from core.providers import registry
from core.providers.contract import Provider
from core.worker import answers, setbacks, uncollected
from core.worker.lease_watch import LeaseWatch

MAX_OUTSTANDING_SUBMITS = 8
HAND_OVER_LEASE = timedelta(seconds=30)
POLL_LEASE = timedelta(seconds=60)
REMOVED_LIMIT = timedelta(minutes=10)
"""How long an order waits for a provider that this process does not know: a newer release beside it may."""
OVERDUE_UNSEEN = timedelta(minutes=30)
"""How long after its deadline a row ends whose looks tell nothing: they cannot be written, or nobody fetches it."""


def claim_polls(room: Callable[[str], int]) -> Sequence[Generation]:
    """Rows whose provider is to be asked now: waiting ones, and uncertain ones at a slow pace.

    `room` says how many more a provider may be asked about at once, so that one that hangs holds up nobody else's.
    """
    with db.read_session() as session:
        due = _due_providers(session, (Stage.WAITING, Stage.SUBMITTING))
    rooms = {provider: free for provider in due if (free := room(provider)) > 0}
    if not rooms:
        return []
    claimed: list[Generation] = []
    with db.write_session() as session:
        for provider, free in rooms.items():
            for stage, statuses in ((Stage.WAITING, tuple(Status)), (Stage.SUBMITTING, (Status.UNCERTAIN,))):
                claimed += lifecycle.claim(
                    session, stage, limit=free, lease=POLL_LEASE, statuses=statuses, provider=provider, counts=True
                )
    return claimed


def claim_submits(settings: Settings, may_call: Callable[[type[Provider]], bool]) -> Sequence[Generation]:
    """Due pending rows, a few outstanding a provider, oldest first and in turn between people.

    What a limit or the breaker holds back stays due in the table and is looked at again in the next tick.
    """
    with db.read_session() as session:
        if not _anything_due(session, (Stage.QUEUED, Stage.DISPATCHED)):
            return []
    handed: list[Generation] = []
    with db.write_session() as session:
        again = lifecycle.claim(session, Stage.DISPATCHED, limit=MAX_OUTSTANDING_SUBMITS, lease=HAND_OVER_LEASE)
        handed += again
        for provider in _wanted(session):
            limit = settings.provider_max_in_flight.get(provider.name) or provider.max_in_flight
            for row in _next_in_turn(session, provider.name, _room(session, provider.name, limit)):
                if not may_call(provider):
                    break
                what = message("next_in_line", provider=provider.display_name)
                next_at = db.now(session) + HAND_OVER_LEASE
                if lifecycle.transition(session, row, Status.PENDING, Stage.DISPATCHED, what=what, next_at=next_at):
                    handed.append(row)
    return handed


def claim_downloads(limit: int) -> Sequence[Generation]:
    """Clips that their provider has finished, of each provider up to `limit`, longest waiting first."""
    with db.read_session() as session:
        due = sorted(_due_providers(session, (Stage.READY_TO_DOWNLOAD,)))
    if not due:
        return []
    claimed: list[Generation] = []
    with db.write_session() as session:
        for provider in due:
            claimed += lifecycle.claim(
                session, Stage.READY_TO_DOWNLOAD, limit=limit, lease=HAND_OVER_LEASE * 2, provider=provider
            )
    return claimed


def sweep(watch: LeaseWatch | None = None, *, now: datetime | None = None) -> None:
    """Decide what became of rows whose worker died: a submit is uncertain, a download is done again.

    What nobody took, or approved, in time is ended.

    `watch` knows whose worker fell silent; without it the lease alone says so. `now` is the time to judge deadlines by.
    """
    with db.read_session() as session:
        leases = _leases(session)
        time_is = db.now(session)
        now = now or time_is
        over = watch.silent(leases) if watch else {row_id for row_id, (_, due) in leases.items() if due <= time_is}
        ends = (_too_old(now), _of_nobody(now), approval_requests.overdue(now))
        if not over and not any(session.scalar(select(query.exists())) for query in ends):
            return
    with db.write_session() as session:
        for row in session.scalars(_of(over).with_for_update(skip_locked=True)).all():
            if (row.version, row.next_at) == leases[row.id]:
                _end_lease(session, row)
        for row in session.scalars(_too_old(now).limit(100).with_for_update(skip_locked=True)).all():
            lifecycle.fail(session, row, errors.ProviderUnavailable(message("no_new_jobs")))
        for row in session.scalars(_of_nobody(now).limit(100).with_for_update(skip_locked=True)).all():
            lifecycle.fail(session, row, errors.ProviderRemoved(detail=row.provider))
        unanswered = approval_requests.overdue(now).limit(100).with_for_update(skip_locked=True)
        approval_requests.lapse(session, session.scalars(unanswered).all())


def end_overdue(now: datetime) -> None:
    """Put aside what is long past its deadline though it should have been looked at or fetched.

    Only for a dispatcher that has run for a while: after a night in which nothing ran, a look comes first.
    """
    overdue = (
        select(Generation)
        .where(
            is_live(),
            Generation.stage.in_((Stage.WAITING, Stage.READY_TO_DOWNLOAD)),
            Generation.status == Status.PROCESSING,
            Generation.deadline_at < now - OVERDUE_UNSEEN,
        )
        .limit(100)
    )
    with db.read_session() as session:
        if session.scalar(select(overdue.exists())) is not True:
            return
    with db.write_session() as session:
        for row in session.scalars(overdue.with_for_update(skip_locked=True)).all():
            late = errors.SubmitUncertain(
                message("overdue"), detail="no look or fetch came to an end before the deadline"
            )
            lifecycle.mark_uncertain(session, row, late, next_at=now + uncollected.ASK_AGAIN_AFTER)


def _leases(session: ReadSession) -> dict[str, tuple[int, datetime]]:
    """The leases that workers hold, each as it looks now."""
    held = or_(
        and_(Generation.stage == Stage.SUBMITTING, Generation.status == Status.PROCESSING),
        Generation.stage == Stage.DOWNLOADING,
    )
    rows = session.execute(select(Generation.id, Generation.version, Generation.next_at).where(is_live(), held))
    return {row.id: (row.version, row.next_at) for row in rows}


def _end_lease(session: WriteSession, row: Generation) -> None:
    if row.stage is Stage.DOWNLOADING:
        setbacks.note(
            session, row, "the fetch was begun several times and came to no end, as if its process died of it"
        )
        return
    lost = errors.SubmitUncertain(detail="the worker that sent it fell silent before it wrote down what came of it")
    lifecycle.mark_uncertain(session, row, lost, next_at=db.now(session) + answers.FIND_AFTER)


def _of(ids: set[str]) -> Select[Generation]:
    return select(Generation).where(Generation.id.in_(ids))


def _anything_due(session: ReadSession, stages: Sequence[Stage]) -> bool:
    """A plain read first, so that an idle dispatcher takes no write lock."""
    due = select(Generation.id).where(is_live(), Generation.stage.in_(stages), Generation.next_at <= db.now(session))
    return session.scalar(select(due.exists())) is True


def _due_providers(session: ReadSession, stages: Sequence[Stage]) -> set[str]:
    """Names of the providers of which something is due."""
    now = db.now(session)
    oldest = select(Generation.provider, func.min(Generation.next_at)).where(
        is_live(), Generation.stage.in_(stages), Generation.next_at <= now
    )
    found = {name: due for name, due in session.execute(oldest.group_by(Generation.provider)) if due is not None}
    if Stage.WAITING in stages:
        for name, due in found.items():
            metrics.LOOK_LAG.labels(name).observe((now - due).total_seconds())
    return set(found)


def _wanted(session: ReadSession) -> list[type[Provider]]:
    """Providers that somebody waits for; no other one is asked about, since asking can use up a trial."""
    wanted = _due_providers(session, (Stage.QUEUED,))
    return [provider for provider in registry.providers() if provider.name in wanted]


def _room(session: WriteSession, provider: str, max_in_flight: int | None) -> int:
    """How many more of a provider's rows may be handed over now.

    Counted in SQL, so that nothing is forgotten with Redis; two dispatchers count one after the other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"hand over {provider}"))))
    of_provider = (is_live(), Generation.provider == provider)
    rows = session.execute(
        select(Generation.stage, func.count())
        .where(*of_provider, Generation.stage != Stage.QUEUED, Generation.status != Status.UNCERTAIN)
        .group_by(Generation.stage)
    )
    counts = {row[0]: row[1] for row in rows}
    outstanding = counts.get(Stage.DISPATCHED, 0) + counts.get(Stage.SUBMITTING, 0)
    room = MAX_OUTSTANDING_SUBMITS - outstanding
    if room > 0 and (allowed := circuit_breaker.permitted_submits(session, provider)) is not None:
        room = min(room, allowed)
    if max_in_flight is not None:
        room = min(room, max_in_flight - outstanding - counts.get(Stage.WAITING, 0))
    return max(0, room)


def _next_in_turn(session: WriteSession, provider: str, limit: int) -> Sequence[Generation]:
    """Due queued rows of a provider: each person's first before anybody's second, then by age."""
    if limit == 0:
        return []
    turn = func.row_number().over(partition_by=Generation.user_id, order_by=Generation.id).label("turn")
    due = (
        select(Generation.id, turn)
        .where(
            is_live(),
            Generation.stage == Stage.QUEUED,
            Generation.next_at <= db.now(session),
            Generation.provider == provider,
        )
        .subquery()
    )
    query = select(Generation).join(due, due.c.id == Generation.id).order_by(due.c.turn, due.c.id).limit(limit)
    return session.scalars(query.with_for_update(skip_locked=True, of=Generation)).all()


def _of_nobody(now: datetime) -> Select[Generation]:
    """Queued orders of providers that are not here any more."""
    known = [provider.name for provider in registry.providers()]
    return select(Generation).where(
        is_live(),
        Generation.stage == Stage.QUEUED,
        Generation.provider.not_in(known),
        Generation.created_at < now - REMOVED_LIMIT,
    )


def _too_old(now: datetime) -> Select[Generation]:
    """Orders that nobody took in time."""
    never_taken = or_(
        Generation.deadline_at < now,
        and_(Generation.deadline_at.is_(None), Generation.created_at < now - lifecycle.PENDING_LIMIT),
    )
    pending = Generation.stage.in_((Stage.QUEUED, Stage.DISPATCHED))
    return select(Generation).where(is_live(), pending, never_taken)
