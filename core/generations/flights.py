"""The slim rows of what is under way: begun with an order, following its moves, claimed, looked at, gone at its end.

It decides nothing: `core.generations.lifecycle` makes the moves, and calls this in the transaction of each. Who needs
both rows locks the generation first, or skips what is locked.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Integer,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from core import db
from core.db import ReadSession, WriteSession, types, update_where
from core.db.enums import Stage, Status
from core.db.shares import ALL, Share
from core.db.tables import Flight, Generation, is_live, table_of
from core.db.types import UtcDateTime
from core.generations import turns

MANY_SETBACKS = 5
"""After so many in a row, the next look is a long way off: it may be what ends the process."""

SHARED = (
    "workspace_id",
    "user_id",
    "provider",
    "status",
    "stage",
    "deadline_at",
    "provider_job_id",
    "provider_base_url",
    "submitted_at",
    "cancel_requested_at",
)
"""What a flight says as its generation does, and may change."""

_FOLLOWS = frozenset((*SHARED, "setbacks", "progress", "progress_is_estimate"))
_COPIED = ("id", "model_id", "resolution", "duration_seconds", "created_at", "next_at", "version", *SHARED)
_MOST_HEALED = 500


def begin(session: WriteSession, rows: Sequence[Generation]) -> None:
    """Let these live generations have their flights, at the end of their lines; what has one keeps it."""
    if not rows:
        return
    turn_of = turns.of(session, rows)
    values = [
        {name: getattr(row, name) for name in _COPIED}
        | {
            "turn": turn_of[row.id],
            "setbacks": 0,
            "progress": row.moved_progress,
            "progress_is_estimate": row.moved_progress_is_estimate,
        }
        for row in rows
    ]
    insert = types.insert(session, Flight).on_conflict_do_nothing(index_elements=["id"])
    session.connection().execute(insert, values)


def follow(
    session: WriteSession, generation_id: str, status: Status, stage: Stage, next_at: datetime | None, **values: Any
) -> None:
    """Write a move that its generation has made: what of `values` a flight has, too, and where it stands now."""
    if stage is Stage.FINALIZED:
        session.execute(_END, {"generation_id": generation_id})
        return
    kept = {name: value for name, value in values.items() if name in _FOLLOWS}
    moved = note(
        session, generation_id, status=status, stage=stage, next_at=next_at, version=Flight.version + 1, **kept
    )
    if not moved and (row := session.get(Generation, generation_id, populate_existing=True)) is not None:
        begin(session, [row])  # ordered by a process of the version before


def follow_many(
    session: WriteSession, rows: Sequence[Generation], status: Status, stage: Stage, next_at: datetime, **values: Any
) -> None:
    """Write the same move of several, none of which has ended by it."""
    update_where(
        session,
        Flight,
        Flight.id.in_([row.id for row in rows]),
        status=status,
        stage=stage,
        next_at=next_at,
        version=Flight.version + 1,
        **values,
    )


_END = delete(table_of(Flight)).where(table_of(Flight).c.id == bindparam("generation_id"))


def note(session: WriteSession, generation_id: str, *where: ColumnElement[bool], **values: Any) -> bool:
    """Set something of one flight; True if it is there and meets the conditions."""
    return update_where(session, Flight, Flight.id == generation_id, *where, **values) == 1


def join_line(session: WriteSession, row: Generation) -> None:
    """Give what comes into the line by a decision its place at the end of it."""
    note(session, row.id, turn=turns.of(session, [row])[row.id])


def progress_of(generation_id: str) -> Mapping[str, Any]:
    """What a move writes down of the progress that its flight has learned."""
    learned = select(Flight.progress).where(Flight.id == generation_id).scalar_subquery()
    is_estimate = select(Flight.progress_is_estimate).where(Flight.id == generation_id).scalar_subquery()
    return {
        "moved_progress": func.coalesce(learned, Generation.moved_progress),
        "moved_progress_is_estimate": func.coalesce(is_estimate, Generation.moved_progress_is_estimate),
    }


def claim(
    session: WriteSession,
    stage: Stage,
    *,
    limit: int,
    lease: timedelta,
    provider: str,
    statuses: Sequence[Status] = tuple(Status),
    counts: bool = False,
    share: Share = ALL,
    late: timedelta = timedelta(),
) -> Sequence[Flight]:
    """Take up to `limit` due flights of a stage of a provider, oldest due first, by moving `next_at` forward.

    Nobody else gets them. A claim that dies becomes due again after `lease`. With `counts` it is a setback until its
    result is written, and after many of them in a row the lease is long. Only flights of the `share` that are due for
    so long are taken. They come back as they are after the claim.
    """
    now = db.now(session)
    waits = Flight.next_at <= now - late
    due = (
        select(Flight.id)
        .where(Flight.provider == provider, Flight.stage == stage, Flight.status.in_(statuses), waits)
        .order_by(Flight.next_at)
        .limit(limit)
    )
    if not share.is_all:
        due = due.where(share.holds(Flight.id))
    if session.scalar(due.limit(1)) is None:
        return []
    values: dict[str, Any] = {"next_at": now + lease}
    if counts:
        leases = {0: lease, MANY_SETBACKS: 10 * lease, 2 * MANY_SETBACKS: 60 * lease}
        steps = [(Flight.setbacks >= least, now + longer) for least, longer in sorted(leases.items(), reverse=True)]
        values = {"next_at": case(*steps), "setbacks": Flight.setbacks + 1}
    taken = (
        update(Flight)
        .where(Flight.id.in_(due.with_for_update(skip_locked=True)))
        .values(version=Flight.version + 1, **values)
        .returning(Flight)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(taken).all()


def still(session: WriteSession, flight: Flight) -> Generation | None:
    """The generation, locked, of a flight that still stands as `flight` says; None where somebody else was there."""
    found = session.execute(
        select(Generation, Flight.version)
        .join(Flight, Flight.id == Generation.id)
        .where(
            Flight.id == flight.id,
            Flight.version == flight.version,
            Generation.stage == flight.stage,
            Generation.status == flight.status,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if found is None else found[0]


def current(session: ReadSession, generation_id: str) -> Flight | None:
    """The flight as it is now."""
    return session.get(Flight, generation_id, populate_existing=True)


def expedite(session: WriteSession, generation_id: str, *, pause: timedelta) -> bool:
    """Let a waiting one come due sooner; True if it will. It changes nothing else.

    At once, unless that was done less than a `pause` ago: then when the pause is over, if that is sooner.
    """
    now = db.now(session)
    before = session.scalar(select(Flight.expedited_at).where(Flight.id == generation_id))
    due = now if before is None else max(now, min(before, now) + pause)
    return note(
        session,
        generation_id,
        Flight.stage == Stage.WAITING,
        Flight.next_at > due,
        Flight.expedited_at.is_not_distinct_from(before),
        next_at=due,
        expedited_at=due,
    )


def renew(
    session: WriteSession, generation_id: str, stage: Stage, until: datetime, *where: ColumnElement[bool]
) -> None:
    """Hold the lease of who sends or fetches a generation for longer; also where processes of before look for it."""
    held = select(Flight.id).where(Flight.id == generation_id, Flight.stage == stage, *where)
    if update_where(session, Generation, Generation.id.in_(held), Generation.stage == stage, next_at=until):
        note(session, generation_id, Flight.stage == stage, next_at=until)


def write_looks(session: WriteSession, learned: Sequence[Mapping[str, Any]]) -> None:
    """Write down what looks told of flights that go on, each where it still stands as `version` says.

    `learned` has of each `id`, `version`, `progress`, `progress_is_estimate` and `next_at`. What somebody else is about
    to move is left alone, so that nobody waits for another.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_WRITE_ALL, {f"new_{name}": [each[name] for each in learned] for name in _LEARNED})
    else:
        connection.execute(_WRITE_EACH, [{f"new_{name}": each[name] for name in _LEARNED} for each in learned])


_LEARNED: Mapping[str, Any] = {
    "id": String(),
    "version": Integer(),
    "progress": Double(),
    "progress_is_estimate": Boolean(),
    "next_at": UtcDateTime(),
}
_TABLE = table_of(Flight)
_told = (
    func.unnest(*(bindparam(f"new_{name}", type_=ARRAY(kind)) for name, kind in _LEARNED.items()))
    .table_valued(*_LEARNED, name="told")
    .render_derived()
)
_free = (
    select(_TABLE.c.id, _told.c.progress, _told.c.progress_is_estimate, _told.c.next_at)
    .join(_told, and_(_told.c.id == _TABLE.c.id, _told.c.version == _TABLE.c.version))
    .with_for_update(skip_locked=True, of=_TABLE)
    .cte("free")
)
_WRITE_ALL = (
    update(_TABLE)
    .where(_TABLE.c.id == _free.c.id)
    .values(
        progress=_free.c.progress,
        progress_is_estimate=_free.c.progress_is_estimate,
        next_at=_free.c.next_at,
        setbacks=0,
    )
)
_WRITE_EACH = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("new_id"), _TABLE.c.version == bindparam("new_version"))
    .values(
        progress=bindparam("new_progress"),
        progress_is_estimate=bindparam("new_progress_is_estimate"),
        next_at=bindparam("new_next_at"),
        setbacks=0,
    )
)


def differs() -> ColumnElement[bool]:
    """Of a flight beside its generation: one says otherwise than the other."""
    pairs = [(getattr(Flight, name), getattr(Generation, name)) for name in SHARED]
    return or_(*(ours.is_distinct_from(theirs) for ours, theirs in pairs))


def heal(session: WriteSession) -> int:
    """Mend what a process of the version before has moved, which knows no flights; how many were, a part at a time.

    The generation is what counts. What somebody moves just now is left for the next time.
    """
    lost = select(Generation).outerjoin(Flight, Flight.id == Generation.id).where(is_live(), Flight.id.is_(None))
    rows = session.scalars(
        lost.order_by(Generation.id).limit(_MOST_HEALED).with_for_update(skip_locked=True, of=Generation)
    ).all()
    begin(session, rows)
    both = select(Generation).join(Flight, Flight.id == Generation.id).where(differs())
    others = session.scalars(both.order_by(Generation.id).limit(_MOST_HEALED).with_for_update(skip_locked=True)).all()
    for row in others:
        values = {name: getattr(row, name) for name in SHARED}
        follow(session, row.id, next_at=row.next_at, **values)
    return len(rows) + len(others)


def needs_healing(session: ReadSession) -> bool:
    """Whether there is anything for `heal`, by reads alone."""
    lost = select(Generation.id).outerjoin(Flight, Flight.id == Generation.id).where(is_live(), Flight.id.is_(None))
    other = select(Flight.id).join(Generation, Generation.id == Flight.id).where(differs())
    return any(session.scalar(query.limit(1)) is not None for query in (lost, other))
