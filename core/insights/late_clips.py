"""Clips that are under way far longer than usual, and how long the first in line waits; it only looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from core.db import Reader
from core.db.enums import Stage, Status
from core.db.tables import Generation, is_live
from core.insights import model_stats
from core.workspaces.access import Charge, live_in

AT_LEAST = timedelta(minutes=10)
"""Nothing is late before, however quick its model usually is: a provider may have a bad quarter of an hour."""
TIMES_USUAL = 3
"""So many times what nine in ten of its model took."""
LOOKED_AT = 200
"""Of so many that were ordered first it is told; with more than that the line itself is told of."""


@dataclass(frozen=True, slots=True)
class LateClip:
    """A clip that its provider has had for far longer than nine in ten of its model took, `usual_seconds`."""

    id: str
    model_id: str
    model_name: str
    project_id: str
    provider: str
    workspace_id: str
    user_id: str
    credits: int
    status: Status
    stage: Stage
    submitted_at: datetime
    created_at: datetime
    cancel_requested_at: datetime | None
    usual_seconds: float


@dataclass(frozen=True, slots=True)
class Line:
    """What is late, the oldest first; and since when the first in line waits, None while none waits for long."""

    late: Sequence[LateClip] = ()
    waits_since: datetime | None = None


def look(reader: Reader, now: datetime, charge: Charge) -> Line:
    """What is under way for too long there; one small statement while nothing is under way for ten minutes.

    A clip that nobody knows about is not late: it waits for a decision, and `core.insights.attention` tells it apart.
    """
    query = _OLD.where(live_in(charge), Generation.created_at < now - AT_LEAST)
    old = reader.execute(query.limit(LOOKED_AT)).all()
    if not old:
        return Line()
    late = _late(reader, old, now)
    return Line(late, min((row.created_at for row in old if row.stage in _UNSENT), default=None))


def find(reader: Reader, generation_id: str, now: datetime) -> LateClip | None:
    """This clip, if it is late."""
    found = _late(reader, reader.execute(_OLD.where(Generation.id == generation_id)).all(), now)
    return found[0] if found else None


def _late(reader: Reader, old: Sequence[Row[*tuple[Any, ...]]], now: datetime) -> Sequence[LateClip]:
    sent = [(row, row.submitted_at) for row in old if row.submitted_at and row.submitted_at < now - AT_LEAST]
    records = model_stats.track_records(reader, sorted({row.model_id for row, _at in sent}))
    late = []
    for row, at in sent:
        record = records.get(row.model_id)
        usual_seconds = (record and record.p90_seconds) or model_stats.first_guess(row.model_id).p90_seconds
        if (now - at).total_seconds() > TIMES_USUAL * usual_seconds:
            late.append(LateClip(**{**row._asdict(), "submitted_at": at, "usual_seconds": usual_seconds}))
    return tuple(late)


_UNSENT = (Stage.QUEUED, Stage.DISPATCHED)
_OLD = (
    select(
        Generation.id,
        Generation.model_id,
        Generation.model_name,
        Generation.project_id,
        Generation.provider,
        Generation.workspace_id,
        Generation.user_id,
        Generation.credits,
        Generation.status,
        Generation.stage,
        Generation.submitted_at,
        Generation.created_at,
        Generation.cancel_requested_at,
    )
    .where(is_live(), Generation.status != Status.UNCERTAIN)
    .order_by(Generation.created_at)
)
