"""The moves of a generation: each is one guarded UPDATE and one event row, with its flight, money and news to people.

Who loses a race changes nothing and is told so by False. `state_machine.TRANSITIONS` says which moves exist; this
module is the only one that makes them. It knows no provider and no queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, insert, select

from core import db, errors
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent, table_of
from core.generations import conformance, delivery_findings, flights, settlement, spending
from core.generations.settlement import Ended
from core.generations.state_machine import TRANSITIONS
from core.insights import cost_drift
from core.messages import Message, message
from core.notices import clips as told
from core.notices.clips import Clip
from core.notifications import outbox
from core.workspaces import quota

SYSTEM = "system"
PENDING_LIMIT = timedelta(hours=24)
"""How long an order waits for a provider to take it."""

_INSERT_EVENT = insert(table_of(GenerationEvent))  # put together once, since every move runs it


@dataclass(frozen=True, slots=True)
class Output:
    """The files of a finished clip, already in storage; without a preview, one is made later.

    `credentials` are those of its file as they were read back, None where it has none, for the `unsigned_reason`; it is
    told in `notes` for the timeline.
    """

    output_key: str
    thumbnail_key: str | None
    preview_key: str | None
    stored_bytes: int
    facts: Mapping[str, Any]
    gaps: Sequence[Message] = ()
    credentials: Mapping[str, Any] | None = None
    unsigned_reason: str | None = None
    notes: Sequence[Message] = ()


def begin(session: WriteSession, what_of: Mapping[Generation, Message], *, actor: str = SYSTEM) -> None:
    """Let orders that were just written down have their flights, in line, and the first of their timelines."""
    for row, what in what_of.items():
        add_event(session, row.id, row.status, row.stage, what=what, actor=actor)
    flights.begin(session, list(what_of))


def locked(session: WriteSession, generation_id: str) -> Generation | None:
    """The row as it is now, kept from changing until the transaction ends."""
    query = select(Generation).where(Generation.id == generation_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def transition(
    session: WriteSession,
    row: Generation,
    status: Status,
    stage: Stage,
    *,
    what: Message,
    next_at: datetime | None = None,
    actor: str = SYSTEM,
    setbacks: int | ColumnElement[int] | None = None,
    progress: float | None = None,
    **values: Any,
) -> bool:
    """Move a row that still stands as `row` says, and its flight; True if it did. ValueError if there is no such move.

    A row of this session is as it is now afterwards; one from elsewhere is left as it was. `setbacks` and `progress`
    stay as its flight has them unless they are said.
    """
    if (status, stage) not in TRANSITIONS[row.status, row.stage]:
        raise ValueError(f"no move from {row.status}/{row.stage} to {status}/{stage}")
    now = db.now(session)
    learned = flights.progress_of(row.id) if progress is None else {"moved_progress": progress}
    moved = update_where(
        session,
        Generation,
        Generation.id == row.id,
        Generation.status == row.status,
        Generation.stage == row.stage,
        Generation.version == row.version,
        status=status,
        stage=stage,
        next_at=next_at,
        version=Generation.version + 1,
        updated_at=now,
        **learned,
        **values,
    )
    if moved != 1:
        return False
    told_to_flight = {"setbacks": setbacks, "progress": progress}
    values |= {name: value for name, value in told_to_flight.items() if value is not None}
    flights.follow(session, row.id, status, stage, next_at, **values)
    add_event(session, row.id, status, stage, what=what, actor=actor)
    outbox.enqueue(session, row.id, row.workspace_id, status)
    if row in session:
        session.refresh(row)
    return True


def status_word(status: Status) -> Message:
    """A status as a word within a sentence."""
    return message(f"status_{status}")


def add_event(
    session: ReadSession, generation_id: str, status: Status, stage: Stage, *, what: Message, actor: str = SYSTEM
) -> None:
    """Append a row to the timeline."""
    add_events(session, {generation_id: what}, status, stage, actor=actor)


def add_events(
    session: ReadSession, what_of: Mapping[str, Message], status: Status, stage: Stage, *, actor: str = SYSTEM
) -> None:
    """Append a row to each of these timelines, by the ids of their generations."""
    now = db.now(session)
    rows = [
        {
            "generation_id": generation_id,
            "at": now,
            "status": status,
            "stage": stage,
            "what": str(what)[:300],
            "message": what,
            "actor": actor,
        }
        for generation_id, what in what_of.items()
    ]
    session.execute(_INSERT_EVENT, rows)


def complete(session: WriteSession, row: Generation, output: Output) -> bool:
    """The file is ours: record it, charge the quoted total, count it; all in this transaction."""
    facts = Ended.of(session, row)
    values: dict[str, Any] = {
        "progress": 1.0,
        "moved_progress_is_estimate": False,
        "output_key": output.output_key,
        "thumbnail_key": output.thumbnail_key,
        "preview_key": output.preview_key,
        "stored_bytes": output.stored_bytes,
        "output_facts": dict(output.facts) | conformance.to_facts(output.gaps),
        "credentials": output.credentials,
        "unsigned_reason": output.unsigned_reason,
        "finding_kinds": delivery_findings.kinds_of_gaps(output.gaps),
        "ended_at": facts.ended_at,
        "error_code": None,
        "error_message": None,
        "error": None,
        "error_detail": None,
    }
    if row.provider_cost is None:
        values |= spending.estimated(row)
    costs = spending.counted(row, values, made=True, delivered=True)
    drift, cost_since = spending.drift_percent(row), row.cost_since
    what = message("stored", credits=row.credits)
    if output.gaps:
        what = message("stored_otherwise", credits=row.credits, gaps=tuple(output.gaps))
    preview_at = facts.ended_at if output.preview_key is None else None
    if not transition(session, row, Status.COMPLETED, Stage.FINALIZED, what=what, next_at=preview_at, **values):
        return False
    for note in output.notes:
        add_event(session, facts.id, Status.COMPLETED, Stage.FINALIZED, what=note)
    settlement.settle(session, facts, actor=SYSTEM, **costs)
    quota.reserve(session, facts.workspace_id, size_bytes=output.stored_bytes, quota_bytes=None)
    if drift is not None and cost_since is not None:
        cost_drift.note(session, facts.model_id, cost_since, drift, now=facts.ended_at)
    told.ended(session, facts.clip, Status.COMPLETED)
    return True


def fail(session: WriteSession, row: Generation, error: errors.AppError, *, actor: str = SYSTEM, **values: Any) -> bool:
    """End a generation that will give no clip: the reason is kept, the hold goes back.

    What its provider took all the same is counted: as reported in `values`, estimated where it made the clip.
    """
    facts = Ended.of(session, row)
    made = isinstance(error, errors.ExpiredAtProvider)
    values = (spending.of_no_clip(row) if not made else {}) | values
    if made and row.provider_cost is None and "provider_cost" not in values:
        values |= spending.estimated(row)
    costs = spending.counted(row, values, made=made, delivered=False)
    moved = transition(
        session,
        row,
        Status.FAILED,
        Stage.FINALIZED,
        what=message("failed", credits=row.credits, error=error.message),
        actor=actor,
        error_code=error.code,
        error_message=str(error)[:1000],
        error=error.message,
        error_detail=error.detail[:4000] or None,
        ended_at=facts.ended_at,
        **values,
    )
    if not moved:
        return False
    settlement.release_hold(session, facts, error.message, actor, error.code, failed=1, **costs)
    told.ended(session, facts.clip, Status.FAILED, reason=error.message)
    return True


def await_approval(
    session: WriteSession, rows: Sequence[Generation], *, what: Message, until: datetime, actor: str
) -> None:
    """Let orders that this transaction has just written down wait for approval; their prices stay held."""
    state = (Status.PENDING, Stage.AWAITING_APPROVAL)
    if any(state not in TRANSITIONS[row.status, row.stage] for row in rows):
        raise ValueError("only what waits in line can wait for approval")
    for row in rows:  # whom nobody else sees yet, so that nobody else can have moved it
        row.status, row.stage = state
        row.next_at = row.deadline_at = until
        row.version += 1
    session.flush()
    flights.follow_many(session, rows, *state, until, deadline_at=until)
    add_events(session, {row.id: what for row in rows}, *state, actor=actor)


def approve(session: WriteSession, row: Generation, *, what: Message, waits: timedelta, actor: str) -> bool:
    """Let an order that waits for approval stand in line, at the price of its moment; it `waits` so long at most."""
    now = db.now(session)
    moved = transition(
        session, row, Status.PENDING, Stage.QUEUED, what=what, next_at=now, deadline_at=now + waits, actor=actor
    )
    if moved:
        flights.join_line(session, row)
    return moved


def cancel(
    session: WriteSession, row: Generation, *, actor: str, because: errors.AppError | None = None, **values: Any
) -> bool:
    """End a generation that nobody wants made, where nothing will be charged: the hold goes back.

    Its person wants it so, unless it is `because` of something else, which is kept as with a failure. What its provider
    reports to have taken all the same, in `values`, is counted.
    """
    values = spending.of_no_clip(row) | values
    facts, costs = Ended.of(session, row), spending.counted(row, values, made=False, delivered=False)
    what, reason = message("cancelled", credits=row.credits), message("hold_released_by_cancel")
    if because is not None:
        reason = because.message
        what = message("cancelled_because", credits=row.credits, reason=reason)
        values |= {"error_code": because.code, "error_message": str(because)[:1000], "error": reason}
    moved = transition(
        session, row, Status.CANCELLED, Stage.FINALIZED, what=what, actor=actor, ended_at=facts.ended_at, **values
    )
    if not moved:
        return False
    settlement.release_hold(session, facts, reason, actor, "", cancelled=1, **costs)
    told.ended(session, facts.clip, Status.CANCELLED)
    return True


def mark_uncertain(
    session: WriteSession, row: Generation, error: errors.AppError, *, next_at: datetime, **values: Any
) -> bool:
    """Mark what cannot be known: the hold stays and nothing is sent again by itself. `values` are written with it."""
    clip = Clip.of(row)
    moved = transition(
        session,
        row,
        Status.UNCERTAIN,
        _UNCERTAIN_AT.get(row.stage, row.stage),
        what=error.message,
        next_at=next_at,
        error_code=error.code,
        error_message=str(error)[:1000],
        error=error.message,
        error_detail=error.detail[:4000] or None,
        **values,
    )
    if moved:
        told.became_unclear(session, clip)
    return moved


_UNCERTAIN_AT: Mapping[Stage, Stage] = {
    Stage.AWAITING_APPROVAL: Stage.SUBMITTING,
    Stage.QUEUED: Stage.SUBMITTING,
    Stage.DISPATCHED: Stage.SUBMITTING,
    Stage.DOWNLOADING: Stage.READY_TO_DOWNLOAD,
}
"""Where what is uncertain stands, if not where it stood: what may have been sent, what may still be fetched."""
