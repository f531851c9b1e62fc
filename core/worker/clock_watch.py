"""Notices that the database's clock was set forward or back, and lets what is under way go by the clock as it is.

A step is what the database's clock went beyond this process's steady clock. Any number of dispatchers may notice the
same one: what the second of them does changes nothing, or lets something come due too soon, which is harmless.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update

from core import db
from core.db import WriteSession, update_where
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation, ProviderHealth, WebhookDelivery, WebhookEndpoint, is_live, table_of
from core.db.types import Base
from core.generations import lifecycle, reconciliation
from core.notifications import webhooks

log = logging.getLogger(__name__)

SMALLEST_STEP_SECONDS = 5.0
"""Less than that harms nothing, and a busy machine is no step."""
LONGEST_WAIT = timedelta(minutes=70)
"""More than anything live waits for its turn, except what is uncertain: an hour, when a provider asks for it."""
LONGEST_WAIT_UNCERTAIN = timedelta(hours=25)
"""More than what was put aside rests before it is tried once more."""
LONGEST_DEADLINE = timedelta(hours=25)
"""More than any part of a generation's life may take, once it is with its provider."""
LONGEST_DEADLINE_PENDING = timedelta(days=7, hours=1)
"""More than anything waits in line, as one of many, or for approval."""


_UNCERTAIN = (is_live(), Generation.status == Status.UNCERTAIN)
_BOTH: Sequence[tuple[type[Generation] | type[Flight], tuple[ColumnElement[bool], ...]]] = (
    (Generation, (is_live(),)),
    (Flight, ()),
)
"""What says when a part of a life ends, and which rows of it are alive."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """What the time would be without the step, and what it is."""

    before: datetime
    after: datetime

    @property
    def size(self) -> timedelta:
        """Negative for a clock that was set back."""
        return self.after - self.before


class ClockWatch:
    """Compares the database's clock with the steady one of this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: tuple[datetime, float, float] | None = None  # when it was asked, by both clocks

    def look(self, ask: Callable[[], datetime]) -> tuple[datetime, ClockStep | None]:
        """The time, and the step it has made since the last look, if any."""
        began = self._monotonic()
        now = ask()
        ended = self._monotonic()
        last, self._last = self._last, (now, began, ended)
        if last is None:
            return now, None
        then, then_began, then_ended = last
        went_seconds = (now - then).total_seconds()
        at_least, at_most = began - then_ended, ended - then_began
        step_seconds = went_seconds - min(max(went_seconds, at_least), at_most)
        if abs(step_seconds) < SMALLEST_STEP_SECONDS:
            return now, None
        return now, ClockStep(now - timedelta(seconds=step_seconds), now)


def follow(session: WriteSession, step: ClockStep) -> None:
    """Move due times and deadlines along with the clock, so that each comes when it would have come."""
    log.warning("the database's clock was set by %+.0f s; what is under way goes on", step.size.total_seconds())
    if step.size > timedelta():
        _follow_forward(session, step)
    else:
        _follow_back(session, step)


def _follow_forward(session: WriteSession, step: ClockStep) -> None:
    """What is due too soon is only looked at too soon; but no deadline has passed that had not without the step."""
    for table, alive in _BOTH:
        passed = (table.deadline_at > step.before, table.deadline_at <= step.after)
        _shift(session, table, table.deadline_at, step, *alive, *passed)
    since = step.before - reconciliation.LATE_ARRIVAL_WINDOW
    may_still_arrive = (Generation.updated_at > since, Generation.updated_at <= step.before)
    _shift(session, Generation, Generation.updated_at, step, *_UNCERTAIN, *may_still_arrive)
    limit = lifecycle.PENDING_LIMIT
    for table, alive in _BOTH:
        update_where(
            session,
            table,
            *alive,
            table.status == Status.PENDING,
            table.deadline_at.is_(None),
            table.created_at > step.before - limit,
            table.created_at <= step.after - limit,
            deadline_at=step.after + limit,
        )
    update_where(session, WebhookEndpoint, WebhookEndpoint.failing_since < step.before, failing_since=step.after)


def _follow_back(session: WriteSession, step: ClockStep) -> None:
    """Nothing waits for the clock to come to where it was."""
    _shift(session, Flight, Flight.next_at, step, Flight.next_at > step.after)
    _shift(session, Generation, Generation.updated_at, step, *_UNCERTAIN, Generation.updated_at > step.after)
    previews = (Generation.status == Status.COMPLETED, Generation.next_at > step.after)
    _shift(session, Generation, Generation.next_at, step, *previews)
    late = (webhooks.is_due(), WebhookDelivery.next_at > step.after)
    _shift(session, WebhookDelivery, WebhookDelivery.next_at, step, *late)
    update_where(session, ProviderHealth, ProviderHealth.retry_at > step.after, retry_at=step.after)


def _shift(session: WriteSession, table: type[Base], column: Any, step: ClockStep, *where: ColumnElement[bool]) -> None:
    """Add the step to a time of some rows; row by row, as databases do not agree on how to add."""
    rows = table_of(table)
    place = rows.c[column.key]
    found = session.execute(select(rows.c.id, place).where(*where).order_by(rows.c.id)).all()
    if found:
        session.execute(
            update(rows)
            .where(rows.c.id == bindparam("row_id"), place == bindparam("old", type_=place.type))
            .values({place.name: bindparam("new", type_=place.type)}),
            [{"row_id": row_id, "old": old, "new": old + step.size} for row_id, old in found],
        )


def recall(now: datetime) -> None:
    """Let come due what waits longer than anything may: the clock was set back while no dispatcher ran."""
    uncertain, moving = Flight.status == Status.UNCERTAIN, Flight.stage != Stage.AWAITING_APPROVAL
    too_far = (
        (moving, ~uncertain, Flight.next_at > now + LONGEST_WAIT),
        (moving, uncertain, Flight.next_at > now + LONGEST_WAIT_UNCERTAIN),
    )

    def too_late(table: type[Generation] | type[Flight]) -> Mapping[datetime, tuple[ColumnElement[bool], ...]]:
        pending = table.status == Status.PENDING
        longest = ((~pending, now + LONGEST_DEADLINE), (pending, now + LONGEST_DEADLINE_PENDING))
        return {latest: (which, table.deadline_at > latest) for which, latest in longest}

    with db.read_session() as session:
        wanted = [select(Flight.id).where(*where).limit(1) for where in (*too_far, *too_late(Flight).values())]
        if all(session.scalar(query) is None for query in wanted):
            return
    with db.write_session() as session:
        for where in too_far:
            update_where(session, Flight, *where, next_at=now)
        for table, alive in _BOTH:
            for latest, late in too_late(table).items():
                update_where(session, table, *alive, *late, deadline_at=latest)
