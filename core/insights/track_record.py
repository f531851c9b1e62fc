"""How well and how fast each model works here, told from its most recent generations; for choosing only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from core.db.enums import Status
from core.db.tables import Generation
from core.insights import model_stats

RECENT = 100
"""So many that ended last are looked at, a model: a bounded walk along `ix_generations_model_ended`."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The recent past of one model, everybody's together.

    `ended` counts completed and failed ones; the seconds are from acceptance to the end, of half and of nine in ten
    that completed, None before one did.
    """

    completed: int
    ended: int
    p50_seconds: float | None
    p90_seconds: float | None

    @property
    def success_rate(self) -> float | None:
        """Completed of those that ended by themselves; None before there are any."""
        return self.completed / self.ended if self.ended else None


def of_models(session: Session, model_ids: Sequence[str]) -> Mapping[str, TrackRecord]:
    """Model id -> its record; models that never ended anything are left out. One query."""
    if not model_ids:
        return {}
    recent = [
        select(Generation.model_id, Generation.status, Generation.submitted_at, Generation.ended_at)
        .where(Generation.model_id == model_id, Generation.ended_at.is_not(None))
        .order_by(Generation.ended_at.desc())
        .limit(RECENT)
        .subquery()
        for model_id in model_ids
    ]
    took: dict[str, list[float]] = {}
    ended: dict[str, int] = {}
    for row in session.execute(union_all(*(select(part) for part in recent))):
        if row.status is Status.CANCELLED:
            continue
        ended[row.model_id] = ended.get(row.model_id, 0) + 1
        if row.status is Status.COMPLETED:
            took.setdefault(row.model_id, []).append(
                (row.ended_at - (row.submitted_at or row.ended_at)).total_seconds()
            )
    return {model_id: _record(took.get(model_id, []), number) for model_id, number in ended.items()}


def _record(seconds: Sequence[float], ended: int) -> TrackRecord:
    if not seconds:
        return TrackRecord(0, ended, None, None)
    usual = model_stats.spread(sorted(seconds))
    return TrackRecord(len(seconds), ended, usual.p50_seconds, usual.p90_seconds)
