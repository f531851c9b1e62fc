"""What was spent and how long things take; figures come from the roll-ups, never from raw rows."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Generation, Status, UsageDay, User, is_live, utc_now
from core.ownership import owned
from core.providers import registry

RECENT = 50
SEARCHED = 500
"""Among so many newest of a model the recent ones of a kind are looked for: a rare kind must not search them all."""
FASTEST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """One day of one model."""

    day: date
    provider: str
    model_id: str
    completed: int
    failed: int
    cancelled: int
    settled_credits: int
    released_credits: int
    video_seconds: int
    estimated_cost_idr: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The sum of a period."""

    completed: int
    failed: int
    cancelled: int
    settled_credits: int
    released_credits: int
    video_seconds: int
    estimated_cost_idr: int

    @property
    def success_rate(self) -> float | None:
        """Completed of those that were not cancelled; None before there are any."""
        ended = self.completed + self.failed
        return self.completed / ended if ended else None


def by_day_and_model(
    session: Session, user: User, *, since: date, until: date, project_id: str | None = None
) -> Sequence[Row]:
    """A person's usage, a row a day and model, oldest first; `until` is included. Days are UTC."""
    sums = [func.sum(getattr(UsageDay, name)) for name in _FIGURES]
    query = select(UsageDay.day, UsageDay.provider, UsageDay.model_id, *sums).where(
        owned(UsageDay, user), UsageDay.day >= since.isoformat(), UsageDay.day <= until.isoformat()
    )
    if project_id is not None:
        query = query.where(UsageDay.project_id == project_id)
    groups = (UsageDay.day, UsageDay.provider, UsageDay.model_id)
    rows = session.execute(query.group_by(*groups).order_by(*groups)).all()
    return [Row(date.fromisoformat(r[0]), r[1], r[2], *(int(figure) for figure in r[3:])) for r in rows]


def totals(rows: Sequence[Row]) -> Totals:
    """Add up rows of `by_day_and_model`."""
    return Totals(*(sum(getattr(row, name) for row in rows) for name in _FIGURES))


_FIGURES = (
    "completed",
    "failed",
    "cancelled",
    "settled_credits",
    "released_credits",
    "video_seconds",
    "estimated_cost_idr",
)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """How long half and nine in ten take, in seconds; `based_on` is how many were looked at, 0 for a first guess."""

    p50_seconds: float
    p90_seconds: float
    based_on: int


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
            _seconds_taken(
                self._session,
                model_id,
                resolution=resolution,
                duration_seconds=duration_seconds,
            )
        )
        if not took:
            guess = float(registry.model(model_id).typical_seconds)
            return TimeRange(guess, guess * 2, 0)
        last = len(took) - 1
        p50, p90 = took[last // 2], took[math.ceil(last * 0.9)]
        return TimeRange(max(FASTEST_SECONDS, p50), max(FASTEST_SECONDS, p90), len(took))


def _seconds_taken(session: Session, model_id: str, *, since: datetime | None = None, **kind: str | int) -> list[float]:
    """Seconds from acceptance to the end of the most recent completed generations of a kind."""
    newest = select(Generation).where(Generation.model_id == model_id, Generation.ended_at.is_not(None))
    if since is not None:
        newest = newest.where(Generation.ended_at >= since)
    among = newest.order_by(Generation.ended_at.desc()).limit(SEARCHED).subquery().c
    query = select(among.submitted_at, among.ended_at).where(
        among.status == Status.COMPLETED, *(among[name] == value for name, value in kind.items())
    )
    return [(end - start).total_seconds() for start, end in session.execute(query.limit(RECENT)) if start and end]


@dataclass(frozen=True, slots=True)
class ProviderWeek:
    """How a provider did for everybody in the last seven days; None where there is nothing to tell from."""

    in_flight: int
    success_rate: float | None
    median_seconds: float | None


def provider_week(session: Session, provider: str, model_ids: Sequence[str]) -> ProviderWeek:
    """Figures of one provider over all people: for its status, not for anybody's spend."""
    since = utc_now() - timedelta(days=7)
    done, failed = session.execute(
        select(func.coalesce(func.sum(UsageDay.completed), 0), func.coalesce(func.sum(UsageDay.failed), 0)).where(
            UsageDay.provider == provider, UsageDay.day >= since.date().isoformat()
        )
    ).one()
    in_flight = session.scalar(
        select(func.count()).where(is_live(), Generation.provider == provider, Generation.status == Status.PROCESSING)
    )
    took = [seconds for model_id in model_ids for seconds in _seconds_taken(session, model_id, since=since)]
    rate = int(done) / (int(done) + int(failed)) if done or failed else None
    return ProviderWeek(in_flight or 0, rate, statistics.median(took) if took else None)
