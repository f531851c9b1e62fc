"""What was spent and how long things take; figures come from the roll-ups, never from raw rows."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Generation, Status, UsageDay, User
from core.ownership import owned
from core.providers import registry

RECENT = 50
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


class TypicalSeconds:
    """How long a generation like this one usually takes here, by its model's recent history; asked once a model."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str, int], float] = {}

    def __call__(self, row: Generation) -> float:
        """Median seconds from acceptance to the end of recent completed ones, else the model's first guess."""
        key = (row.model_id, row.resolution, row.duration_seconds)
        if key not in self._known:
            self._known[key] = self._median(*key)
        return self._known[key]

    def _median(self, model_id: str, resolution: str, duration_seconds: int) -> float:
        query = (
            select(Generation.submitted_at, Generation.ended_at)
            .where(
                Generation.model_id == model_id,
                Generation.ended_at.is_not(None),
                Generation.status == Status.COMPLETED,
                Generation.resolution == resolution,
                Generation.duration_seconds == duration_seconds,
            )
            .order_by(Generation.ended_at.desc())
            .limit(RECENT)
        )
        took = [(end - start).total_seconds() for start, end in self._session.execute(query) if start and end]
        if took:
            return max(FASTEST_SECONDS, statistics.median(took))
        return float(registry.model(model_id).typical_seconds)
