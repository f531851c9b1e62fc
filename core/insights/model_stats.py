"""How long clips take, told from those that ended last: for forecasts and comparisons, never for money."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db.enums import Status
from core.db.tables import Generation
from core.providers import registry
from core.usage import reports

RECENT = 50
SEARCHED = 500
"""Among so many newest of a model the recent ones of a kind are looked for: a rare kind must not search them all."""
FASTEST_SECONDS = 1.0
SPEED_SAMPLE = 200
"""How many of a model's newest ended clips its times are told from."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """How long half and nine in ten take, in seconds; `based_on` is how many were looked at, 0 for a first guess."""

    p50_seconds: float
    p90_seconds: float
    based_on: int


def of_models(session: Session, model_ids: Iterable[str], days: reports.Selection) -> dict[str, TimeRange]:
    """How long models took in the chosen days, over all people: told from each one's newest ended clips only."""
    begin, end = reports.moments(days)
    found = {}
    for model_id in model_ids:
        newest = (
            select(Generation.submitted_at, Generation.ended_at, Generation.status)
            .where(Generation.model_id == model_id, Generation.ended_at >= begin, Generation.ended_at < end)
            .order_by(Generation.ended_at.desc())
            .limit(SPEED_SAMPLE)
        )
        took = sorted(
            (ended - sent).total_seconds()
            for sent, ended, status in session.execute(newest)
            if status is Status.COMPLETED and sent and ended
        )
        if took:
            found[model_id] = spread(took)
    return found


class TypicalSeconds:
    """How long a generation like this one usually takes here, by its model's recent history; asked once a kind."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str, int], TimeRange] = {}

    def __call__(self, row: Generation) -> float:
        """Median seconds from acceptance to the end of recent completed ones, else the model's first guess."""
        return self.range(row).p50_seconds

    def range(self, row: Generation) -> TimeRange:
        """Median and 90th percentile of the same model, resolution and duration."""
        key = (row.model_id, row.resolution, row.duration_seconds)
        if key not in self._known:
            self._known[key] = self._look(*key)
        return self._known[key]

    def _look(self, model_id: str, resolution: str, duration_seconds: int) -> TimeRange:
        took = sorted(
            seconds_taken(
                self._session,
                model_id,
                resolution=resolution,
                duration_seconds=duration_seconds,
            )
        )
        if not took:
            guess = float(registry.model(model_id).typical_seconds)
            return TimeRange(guess, guess * 2, 0)
        return spread(took)


def spread(took: Sequence[float]) -> TimeRange:
    """Median and 90th percentile of at least one time, ascending."""
    last = len(took) - 1
    p50, p90 = took[last // 2], took[math.ceil(last * 0.9)]
    return TimeRange(max(FASTEST_SECONDS, p50), max(FASTEST_SECONDS, p90), len(took))


def seconds_taken(session: Session, model_id: str, *, since: datetime | None = None, **kind: str | int) -> list[float]:
    """Seconds from acceptance to the end of the most recent completed generations of a kind."""
    newest = select(
        Generation.submitted_at, Generation.ended_at, Generation.status, *(getattr(Generation, name) for name in kind)
    ).where(Generation.model_id == model_id, Generation.ended_at.is_not(None))
    if since is not None:
        newest = newest.where(Generation.ended_at >= since)
    among = newest.order_by(Generation.ended_at.desc()).limit(SEARCHED).subquery().c
    query = select(among.submitted_at, among.ended_at).where(
        among.status == Status.COMPLETED, *(among[name] == value for name, value in kind.items())
    )
    return [(end - start).total_seconds() for start, end in session.execute(query.limit(RECENT)) if start and end]
