"""How long clips take, told from those that ended last: for forecasts and comparisons, never for money."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Subquery, select, union_all

from core import errors
from core.catalog import in_force
from core.db import Reader, ReadSession
from core.db.enums import Status
from core.db.tables import Flight, Generation
from core.usage import reports

SAMPLE_ROWS = 50
SCANNED_ROWS = 500
"""Among so many newest of a model the recent ones of a kind are looked for: a rare kind must not search them all."""
FASTEST_SECONDS = 1.0
GUESS_SECONDS = 90.0
"""Of a model that is not here any more and has left no history."""
SPEED_SAMPLE = 200
"""How many of a model's newest ended clips its times are told from."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """How long half and nine in ten take, in seconds; `based_on` is how many were looked at, 0 for a first guess."""

    p50_seconds: float
    p90_seconds: float
    based_on: int


def render_times(session: ReadSession, model_ids: Iterable[str], days: reports.UsageQuery) -> dict[str, TimeRange]:
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
            found[model_id] = percentiles(took)
    return found


class RenderTimeEstimator:
    """How long a generation like this one usually takes here, by its model's recent history; asked once a kind."""

    def __init__(self, session: ReadSession) -> None:
        self._session = session
        self._known: dict[tuple[str, str, int], TimeRange] = {}

    def __call__(self, row: Generation | Flight) -> float:
        """Median seconds from acceptance to the end of recent completed ones, else the model's first guess."""
        return self.range(row).p50_seconds

    def range(self, row: Generation | Flight) -> TimeRange:
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
        return percentiles(took) if took else first_guess(model_id)


def first_guess(model_id: str) -> TimeRange:
    """What is said of a model before it has a history."""
    entry = in_force.find(model_id)
    guess = float(entry.model.typical_seconds) if entry else GUESS_SECONDS
    return TimeRange(guess, guess * 2, 0)


def percentiles(took: Sequence[float]) -> TimeRange:
    """Median and 90th percentile of at least one time, ascending."""
    last = len(took) - 1
    p50, p90 = took[last // 2], took[math.ceil(last * 0.9)]
    return TimeRange(max(FASTEST_SECONDS, p50), max(FASTEST_SECONDS, p90), len(took))


def seconds_taken(
    session: ReadSession, model_id: str, *, since: datetime | None = None, **kind: str | int
) -> list[float]:
    """Seconds from acceptance to the end of the most recent completed generations of a kind."""
    newest = select(
        Generation.submitted_at, Generation.ended_at, Generation.status, *(getattr(Generation, name) for name in kind)
    ).where(Generation.model_id == model_id, Generation.ended_at.is_not(None))
    if since is not None:
        newest = newest.where(Generation.ended_at >= since)
    among = newest.order_by(Generation.ended_at.desc()).limit(SCANNED_ROWS).subquery().c
    query = select(among.submitted_at, among.ended_at).where(
        among.status == Status.COMPLETED, *(among[name] == value for name, value in kind.items())
    )
    return [(end - start).total_seconds() for start, end in session.execute(query.limit(SAMPLE_ROWS)) if start and end]


PACE_ROWS = 50
"""So many that ended last, over all models together, tell how fast a line goes."""


def pace_seconds(session: ReadSession, model_ids: Sequence[str]) -> float | None:
    """Seconds a clip at which these models delivered lately, while they had any of ours; None before the first.

    One provider's models are asked for together, as they share its line. Where it takes several at once, a clip counts
    for less than it takes.
    """
    if not model_ids:
        return None
    newest = [_ended(model_id, limit=PACE_ROWS) for model_id in model_ids]
    spans = sorted(
        (row.ended_at, row.submitted_at)
        for row in session.execute(union_all(*(select(part) for part in newest)))
        if row.status is Status.COMPLETED and row.submitted_at
    )[-PACE_ROWS:]
    busy_seconds, until = 0.0, None
    for begin, end in sorted((begin, end) for end, begin in spans):
        after = begin if until is None or begin > until else until
        busy_seconds += max(0.0, (end - after).total_seconds())
        until = end if until is None else max(until, end)
    return busy_seconds / len(spans) if spans else None


def _ended(model_id: str, *, limit: int) -> Subquery:
    """A model's newest ended ones."""
    return (
        select(
            Generation.model_id,
            Generation.status,
            Generation.submitted_at,
            Generation.ended_at,
            Generation.error_code,
            Generation.findings.is_not(None).label("is_checked"),
            Generation.finding_kinds,
            Generation.kept,
        )
        .where(Generation.model_id == model_id, Generation.ended_at.is_not(None))
        .order_by(Generation.ended_at.desc())
        .limit(limit)
        .subquery()
    )


TRACK_RECORD_ROWS = 100
"""So many that ended last are looked at, a model: a bounded walk along `ix_generations_model_ended`."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The recent past of one model, everybody's together.

    `ended` counts completed ones and those that the model or its provider failed: what was refused to a person, and
    what our key, our account there or this installation spoiled, says nothing of the model. The seconds are from
    acceptance to the end, of half and of nine in ten that completed, None before one did. `checked` are those of the
    completed that were looked over, `with_findings` those of them about which something was noticed; `judged` those
    that somebody kept or rejected, `kept` those of them that were kept.
    """

    completed: int
    ended: int
    p50_seconds: float | None
    p90_seconds: float | None
    checked: int = 0
    with_findings: int = 0
    judged: int = 0
    kept: int = 0

    @property
    def success_rate(self) -> float | None:
        """Completed of those that could have been; None before there are any."""
        return self.completed / self.ended if self.ended else None

    @property
    def kept_rate(self) -> float | None:
        """Clips that were kept of those that were judged; None before there are any."""
        return self.kept / self.judged if self.judged else None

    @property
    def findings_rate(self) -> float | None:
        """Clips with findings of those that were looked over; None before there are any."""
        return self.with_findings / self.checked if self.checked else None


def _codes(kind: type[errors.AppError]) -> Iterator[str]:
    if kind.fault in (errors.Fault.USER, errors.Fault.ACCOUNT, errors.Fault.OPERATOR):
        yield kind.code
    for below in kind.__subclasses__():
        yield from _codes(below)


NOT_OF_THE_MODEL = frozenset(_codes(errors.AppError)) - {errors.MediaRejected.code, errors.ModelUnavailable.code}
"""Codes of failures that say nothing of the model: the error tree says who is at fault.

Of a generation, a medium that was rejected is the one that was delivered; and a model that is not there cannot work.
"""


def track_records(session: Reader, model_ids: Sequence[str]) -> Mapping[str, TrackRecord]:
    """Model id -> its record; models that never ended anything are left out. One query."""
    if not model_ids:
        return {}
    recent = [_ended(model_id, limit=TRACK_RECORD_ROWS) for model_id in model_ids]
    rows: dict[str, list[Row[Any]]] = {}
    for row in session.execute(union_all(*(select(part) for part in recent))):
        if row.status is Status.CANCELLED or (row.status is Status.FAILED and row.error_code in NOT_OF_THE_MODEL):
            continue
        rows.setdefault(row.model_id, []).append(row)
    return {model_id: _record(ended) for model_id, ended in rows.items()}


def _record(ended: Sequence[Row[Any]]) -> TrackRecord:
    """The record of one model by its ended rows."""
    completed = [row for row in ended if row.status is Status.COMPLETED]
    checked = [row for row in completed if row.is_checked]
    took = sorted((row.ended_at - (row.submitted_at or row.ended_at)).total_seconds() for row in completed)
    usual = percentiles(took) if took else None
    return TrackRecord(
        completed=len(completed),
        ended=len(ended),
        p50_seconds=usual.p50_seconds if usual else None,
        p90_seconds=usual.p90_seconds if usual else None,
        checked=len(checked),
        with_findings=sum(row.finding_kinds > 0 for row in checked),
        judged=sum(row.kept is not None for row in completed),
        kept=sum(bool(row.kept) for row in completed),
    )
