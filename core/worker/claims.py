"""What is due, and who is next: rows claimed from the table for looks, submits and collects, and those left behind.

Each function is a short transaction of its own. It knows limits and the breaker, but neither Redis nor providers.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from core import db, errors, metrics
from core.config import Settings
from core.db import ReadSession, WriteSession
from core.db.enums import Stage, Status
from core.db.shares import ALL, Share
from core.db.tables import Flight, Generation, in_line
from core.generations import approval_requests, flights, lifecycle, turns
from core.insights import circuit_breaker
from core.messages import message
from core.providers import registry
from core.providers.contract import Provider
from core.worker import answers, setbacks, uncollected
from core.worker.lease_watch import LeaseWatch

MAX_OUTSTANDING_SUBMITS = 8
HAND_OVER_LEASE = timedelta(seconds=30)
POLL_LEASE = timedelta(seconds=60)
OTHERS_FIRST = timedelta(seconds=1)
"""How long rows are left to the dispatcher that they fall to; then anyone takes them, for it may have died."""
REMOVED_LIMIT = timedelta(minutes=10)
"""How long an order waits for a provider that this process does not know: a newer release beside it may."""
OVERDUE_UNSEEN = timedelta(minutes=30)
"""How long after its deadline a row ends whose looks tell nothing: they cannot be written, or nobody fetches it."""


def claim_polls(room: Callable[[str], int], share: Share = ALL) -> Sequence[Flight]:
    """Those whose provider is to be asked now: waiting ones, and uncertain ones at a slow pace.

    `room` says how many more a provider may be asked about at once, so that one that hangs holds up nobody else's.
    Rows that fall to other dispatchers are left to them for a moment, except on SQLite.
    """
    with db.read_session() as session:
        due = _due(session, _TO_LOOK_AT)
    rooms = {provider: free for provider in dict.fromkeys(name for name, _ in due) if (free := room(provider)) > 0}
    if not rooms:
        return []
    claimed: list[Flight] = []
    with db.write_session() as session:
        is_shared = not share.is_all and session.get_bind().dialect.name == "postgresql"
        parts = ((share, timedelta()), (ALL, OTHERS_FIRST)) if is_shared else ((ALL, timedelta()),)
        for provider, stage in due:
            left = rooms.get(provider, 0)  # for all its stages together
            for part, late in parts if left else ():
                found = flights.claim(
                    session,
                    stage,
                    limit=left,
                    lease=POLL_LEASE,
                    statuses=_TO_LOOK_AT[stage],
                    provider=provider,
                    counts=True,
                    share=part,
                    late=late,
                )
                claimed += found
                if (left := left - len(found)) <= 0:
                    break
            rooms[provider] = left
    return claimed


_TO_LOOK_AT: Mapping[Stage, tuple[Status, ...]] = {
    Stage.WAITING: (Status.PROCESSING, Status.UNCERTAIN),
    Stage.SUBMITTING: (Status.UNCERTAIN,),
}


def claim_submits(settings: Settings, may_call: Callable[[type[Provider]], bool]) -> Sequence[Flight]:
    """Due pending ones, a few outstanding a provider, by their turns.

    What a limit or the breaker holds back stays due in the table and is looked at again in the next tick.
    """
    with db.read_session() as session:
        again = _due(session, {Stage.DISPATCHED: _ANY})
        wanted = {name for name, _stage in _due(session, {Stage.QUEUED: _ANY})}
        if not again and not wanted:
            return []
    handed: list[Flight] = []
    with db.write_session() as session:
        for name, stage in again:
            left = MAX_OUTSTANDING_SUBMITS - len(handed)
            handed += flights.claim(session, stage, limit=left, lease=HAND_OVER_LEASE, provider=name)
        for provider in registry.providers():  # no other one is asked about, since asking can use up a trial
            if provider.name in wanted:
                handed += _hand_over(session, settings, provider, may_call)
    return handed


def _hand_over(
    session: WriteSession, settings: Settings, provider: type[Provider], may_call: Callable[[type[Provider]], bool]
) -> Sequence[Flight]:
    """As many of a provider's line as it has room for."""
    limit = settings.provider_max_in_flight.get(provider.name) or provider.max_in_flight
    handed = []
    for row, flight in next_in_turn(session, provider.name, _room(session, provider.name, limit)):
        if not may_call(provider):
            break
        what = message("next_in_line", provider=provider.display_name)
        next_at = db.now(session) + HAND_OVER_LEASE
        if lifecycle.transition(session, row, Status.PENDING, Stage.DISPATCHED, what=what, next_at=next_at):
            handed.append(flight)
    if not handed:
        return []
    turns.taken(session, provider.name, [flight.turn for flight in handed])
    as_they_are = select(Flight).where(Flight.id.in_([flight.id for flight in handed])).order_by(Flight.turn, Flight.id)
    return session.scalars(as_they_are.execution_options(populate_existing=True)).all()


def claim_downloads(limit: int) -> Sequence[Flight]:
    """Clips that their provider has finished, of each provider up to `limit`, longest waiting first."""
    with db.read_session() as session:
        due = _due(session, {Stage.READY_TO_DOWNLOAD: _ANY})
    if not due:
        return []
    claimed: list[Flight] = []
    with db.write_session() as session:
        for provider, stage in due:
            claimed += flights.claim(session, stage, limit=limit, lease=HAND_OVER_LEASE * 2, provider=provider)
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
        over = (
            watch.silent(leases) if watch else {row_id for row_id, lease in leases.items() if max(lease[1:]) <= time_is}
        )
        ends: Sequence[Select[Any]] = (_too_old(now), _of_nobody(now), approval_requests.overdue(now))
        if not over and not any(session.scalar(query.limit(1)) is not None for query in ends):
            return
    with db.write_session() as session:
        held = select(Generation, Flight).join(Flight, Flight.id == Generation.id).where(Flight.id.in_(over))
        for row, flight in session.execute(held.with_for_update(skip_locked=True)).all():
            if (flight.version, flight.next_at, row.next_at) == leases[row.id] and row.stage is flight.stage:
                _end_lease(session, row, flight)
        for row in _locked(session, _too_old(now)):
            lifecycle.fail(session, row, errors.ProviderUnavailable(message("no_new_jobs")))
        for row in _locked(session, _of_nobody(now)):
            lifecycle.fail(session, row, errors.ProviderRemoved(detail=row.provider))
        unanswered = approval_requests.overdue(now).limit(100).with_for_update(skip_locked=True)
        approval_requests.lapse(session, session.scalars(unanswered).all())


def _locked(session: WriteSession, ids: Select[str]) -> Sequence[Generation]:
    """A part of these, which nobody else moves just now and which stand where their flights say."""
    query = (
        select(Generation)
        .join(Flight, Flight.id == Generation.id)
        .where(Generation.id.in_(ids.limit(100)), Generation.stage == Flight.stage)
    )
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def end_overdue(now: datetime) -> None:
    """Put aside what is long past its deadline though it should have been looked at or fetched.

    Only for a dispatcher that has run for a while: after a night in which nothing ran, a look comes first.
    """
    overdue = select(Flight.id).where(
        Flight.stage.in_((Stage.WAITING, Stage.READY_TO_DOWNLOAD)),
        Flight.status == Status.PROCESSING,
        Flight.deadline_at < now - OVERDUE_UNSEEN,
    )
    with db.read_session() as session:
        if session.scalar(overdue.limit(1)) is None:
            return
    with db.write_session() as session:
        for row in _locked(session, overdue):
            late = errors.SubmitUncertain(
                message("overdue"), detail="no look or fetch came to an end before the deadline"
            )
            lifecycle.mark_uncertain(session, row, late, next_at=now + uncollected.ASK_AGAIN_AFTER)


def _leases(session: ReadSession) -> dict[str, tuple[int, datetime, datetime]]:
    """The leases that workers hold, each as it looks now; those of the version before renew theirs with the clip."""
    held = or_(
        and_(Flight.stage == Stage.SUBMITTING, Flight.status == Status.PROCESSING),
        Flight.stage == Stage.DOWNLOADING,
    )
    query = select(Flight.id, Flight.version, Flight.next_at, Generation.next_at).join(
        Generation, Generation.id == Flight.id
    )
    return {row[0]: (row[1], row[2], row[3] or row[2]) for row in session.execute(query.where(held))}


def _end_lease(session: WriteSession, row: Generation, flight: Flight) -> None:
    if row.stage is Stage.DOWNLOADING:
        setbacks.note(
            session,
            row,
            flight.setbacks,
            "the fetch was begun several times and came to no end, as if its process died of it",
        )
        return
    lost = errors.SubmitUncertain(detail="the worker that sent it fell silent before it wrote down what came of it")
    lifecycle.mark_uncertain(session, row, lost, next_at=db.now(session) + answers.FIND_AFTER)


_ANY = tuple(Status)


def _due(session: ReadSession, statuses: Mapping[Stage, tuple[Status, ...]]) -> Sequence[tuple[str, Stage]]:
    """Of which providers something is due in which of these stages: a few looks into one index, however much waits."""
    now = db.now(session)
    found = []
    for provider, stage in product(_providers(session), statuses):
        of_stage = (Flight.provider == provider, Flight.stage == stage, Flight.status.in_(statuses[stage]))
        first = select(Flight.next_at).where(*of_stage, Flight.next_at <= now).order_by(Flight.next_at).limit(1)
        if (due_at := session.scalar(first)) is not None:
            found.append((provider, stage))
            if stage is Stage.WAITING:
                metrics.LOOK_LAG.labels(provider).observe((now - due_at).total_seconds())
    return found


def _providers(session: ReadSession) -> Sequence[str]:
    """Names of the providers of which anything is under way, each found by a step through one index."""
    names = []
    name = session.scalar(select(func.min(Flight.provider)))
    while name is not None:
        names.append(name)
        name = session.scalar(select(func.min(Flight.provider)).where(Flight.provider > name))
    return names


def _room(session: WriteSession, provider: str, max_in_flight: int | None) -> int:
    """How many more of a provider's rows may be handed over now.

    Counted in SQL, so that nothing is forgotten with Redis; two dispatchers count one after the other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"hand over {provider}"))))
    counted = [Stage.DISPATCHED, Stage.SUBMITTING, *([Stage.WAITING] if max_in_flight is not None else [])]
    rows = session.execute(
        select(Flight.stage, func.count())
        .where(Flight.provider == provider, Flight.stage.in_(counted), Flight.status != Status.UNCERTAIN)
        .group_by(Flight.stage)
    )
    counts = {row[0]: row[1] for row in rows}
    outstanding = counts.get(Stage.DISPATCHED, 0) + counts.get(Stage.SUBMITTING, 0)
    room = MAX_OUTSTANDING_SUBMITS - outstanding
    if room > 0 and (allowed := circuit_breaker.permitted_submits(session, provider)) is not None:
        room = min(room, allowed)
    if max_in_flight is not None:
        room = min(room, max_in_flight - outstanding - counts.get(Stage.WAITING, 0))
    return max(0, room)


def next_in_turn(session: WriteSession, provider: str, limit: int) -> Sequence[tuple[Generation, Flight]]:
    """Due queued rows of a provider by their turns, the older first where two have the same; what is locked waits."""
    if limit == 0:
        return []
    due = select(Flight).where(Flight.provider == provider, in_line(), Flight.next_at <= db.now(session))
    first = due.order_by(Flight.turn, Flight.id).limit(limit)
    chosen = session.scalars(first.with_for_update(skip_locked=True)).all()
    rows = select(Generation).where(
        Generation.id.in_([flight.id for flight in chosen]),
        Generation.status == Status.PENDING,
        Generation.stage == Stage.QUEUED,
    )
    found = {row.id: row for row in session.scalars(rows.with_for_update(skip_locked=True))}
    return [(found[flight.id], flight) for flight in chosen if flight.id in found]


def _of_nobody(now: datetime) -> Select[str]:
    """Queued orders of providers that are not here any more."""
    known = [provider.name for provider in registry.providers()]
    return select(Flight.id).where(in_line(), Flight.provider.not_in(known), Flight.created_at < now - REMOVED_LIMIT)


def _too_old(now: datetime) -> Select[str]:
    """Orders that nobody took in time."""
    never_taken = or_(
        Flight.deadline_at < now,
        and_(Flight.deadline_at.is_(None), Flight.created_at < now - lifecycle.PENDING_LIMIT),
    )
    return select(Flight.id).where(Flight.stage.in_((Stage.QUEUED, Stage.DISPATCHED)), never_taken)
