from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core import db
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation, ProviderHealth, WebhookDelivery, WebhookEndpoint
from core.generations import lifecycle
from core.insights import circuit_breaker
from core.installation import Installation
from core.notifications import webhooks
from core.worker import claims, clock_watch
from core.worker.clock_watch import ClockStep, ClockWatch
from core.worker.lease_watch import LeaseWatch
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    load_flight,
    load_generation,
    lose_submit,
    make_due,
    rewrite,
)
from tests.factories.users import create_member

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
STEPS = [
    timedelta(days=365),
    timedelta(hours=7),
    timedelta(hours=2),
    timedelta(hours=1),
    timedelta(minutes=30),
    timedelta(minutes=2),
    timedelta(seconds=90),
]


class Clocks:
    """A database's clock and a steady one, both moved by the test."""

    def __init__(self) -> None:
        self.database = NOON
        self.steady = 500.0
        self.watch = ClockWatch(lambda: self.steady)

    def pass_time(self, seconds: float) -> None:
        """Time goes by, for both."""
        self.database += timedelta(seconds=seconds)
        self.steady += seconds

    def look(self, *, takes_seconds: float = 0.0) -> ClockStep | None:
        """One look, of which the question takes a while."""

        def ask() -> datetime:
            self.pass_time(takes_seconds)
            return self.database

        return self.watch.look(ask)[1]


def test_watch_when_nothing_is_set() -> None:
    """However long a look or the pause before it takes, time that passes is no step."""
    clocks = Clocks()
    for seconds in (0.0, 0.5, 3600, 0.5):
        clocks.pass_time(seconds)
        assert clocks.look() is None
        assert clocks.look(takes_seconds=40) is None


@pytest.mark.parametrize("size", [sign * size for size in STEPS for sign in (1, -1)])
def test_watch_when_the_clock_is_set(size: timedelta) -> None:
    """A step is noticed once, by the next look, with its size and what the time would be."""
    clocks = Clocks()
    clocks.look()
    clocks.pass_time(0.5)
    would_be = clocks.database
    clocks.database += size
    step = clocks.look()

    assert step == ClockStep(would_be, would_be + size)
    clocks.pass_time(0.5)
    assert clocks.look() is None


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits, on a database of the kind that the test's mark asks for."""
    return create_member(db.default(), credits=100_000)


def everything_shifted(by: timedelta) -> ClockStep:
    """Set the clock, as rows see it: what they say lies as far from now as it would after such a step."""
    with db.write_session() as session:
        for table in (Generation, Flight):
            times = [each for each in table.__table__.columns if str(each.type).startswith(("DATETIME", "TIMESTAMP"))]
            for row in session.scalars(select(table)).all():
                for column in times:
                    if (value := getattr(row, column.key)) is not None:
                        setattr(row, column.key, value - by)
        for delivery in session.scalars(select(WebhookDelivery)).all():
            if delivery.next_at is not None:
                delivery.next_at -= by
        for endpoint in session.scalars(select(WebhookEndpoint)).all():
            if endpoint.failing_since is not None:
                endpoint.failing_since -= by
        for health in session.scalars(select(ProviderHealth)).all():
            if health.retry_at is not None:
                health.retry_at -= by
        session.flush()
        now = db.now(session)
    return ClockStep(now - by, now)


def follow(step: ClockStep, times: int = 1) -> None:
    """As one dispatcher does, or several."""
    for _ in range(times):
        with db.write_session() as session:
            clock_watch.follow(session, step)


def seconds_until(moment: datetime | None) -> float:
    """From now, by this machine."""
    assert moment is not None
    return (moment - utc_now()).total_seconds()


@pytest.mark.both_databases
@pytest.mark.parametrize("size", STEPS)
def test_clock_set_back_when_things_wait(ana: Member, size: timedelta) -> None:
    """Whatever waits for its moment waits no longer than it would have: orders, looks, events, breaker, previews."""
    waiting, pending, done = (create_generation(db.default(), ana) for _ in range(3))
    later = utc_now() + timedelta(seconds=20)
    deadline = utc_now() + timedelta(minutes=30)
    advance(db.default(), waiting.id, DISPATCHED, SUBMITTING, WAITING, next_at=later, deadline_at=deadline)
    with db.write_session() as session:
        rewrite(session, Generation.id == pending.id, next_at=later)
        session.add(ProviderHealth(provider="demo", failures=5, retry_at=utc_now() + circuit_breaker.PAUSE))
        webhooks.create(session, ana, webhooks.ValidUrl("https://example.org/hook"), key=b"key of this test")
    with db.write_session() as session:
        row = lifecycle.locked(session, done.id)
        assert row is not None
        lifecycle.cancel(session, row, actor="system")
    clip = create_completed(db.default(), ana)
    with db.write_session() as session:
        rewrite(session, Generation.id == clip.id, next_at=later)
    step = everything_shifted(-size)
    assert seconds_until(load_flight(waiting.id).next_at) > size.total_seconds()
    follow(step)

    assert 0 < seconds_until(load_generation(clip.id).next_at) <= 21
    for row_id in (waiting.id, pending.id):
        assert 0 < seconds_until(load_flight(row_id).next_at) <= 21
    with db.read_session() as session:
        assert (session.scalar(select(func.max(WebhookDelivery.next_at))) or utc_now()) <= utc_now()
        health = session.get_one(ProviderHealth, "demo")
        assert seconds_until(health.retry_at) <= circuit_breaker.PAUSE.total_seconds()
    follow(step)
    assert load_generation(waiting.id).status is Status.PROCESSING


@pytest.mark.both_databases
@pytest.mark.parametrize("size", STEPS)
def test_clock_set_forward_when_things_are_under_way(ana: Member, size: timedelta) -> None:
    """No deadline passes by a step, however many dispatchers follow it: nothing is uncertain, failed or refunded."""
    waiting, pending, sending, fetching, lost = (create_generation(db.default(), ana) for _ in range(5))
    deadline = utc_now() + timedelta(minutes=1)
    known: dict[str, Any] = {"deadline_at": deadline, "submitted_at": utc_now(), "provider_job_id": "j1"}
    advance(db.default(), waiting.id, DISPATCHED, SUBMITTING, WAITING, **known)
    advance(db.default(), sending.id, DISPATCHED, SUBMITTING)
    advance(db.default(), fetching.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING, **known)
    lose_submit(db.default(), lost.id)
    watch = LeaseWatch(20)
    step = everything_shifted(size)
    follow(step, times=2)
    now = step.after
    claims.sweep(watch, now=now)
    claims.end_overdue(now)
    claims.sweep(watch, now=now)

    assert 0 < seconds_until(load_generation(waiting.id).deadline_at) <= 60
    assert [load_generation(row.id).status for row in (waiting, sending, fetching)] == [Status.PROCESSING] * 3
    assert load_generation(pending.id).status is Status.PENDING
    uncertain = load_generation(lost.id)
    assert abs(seconds_until(uncertain.updated_at)) < 20


@pytest.mark.both_databases
def test_recall_when_the_clock_was_set_back_unseen(ana: Member) -> None:
    """What waits longer than anything may, for the clock was set back while nothing ran, is due now."""
    far, near, aside = (create_generation(db.default(), ana) for _ in range(3))
    seven_hours, half_an_hour = utc_now() + timedelta(hours=7), utc_now() + timedelta(minutes=30)
    for row, moment in ((far, seven_hours), (near, half_an_hour)):
        advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, next_at=moment)
    lose_submit(db.default(), aside.id)
    with db.write_session() as session:
        rewrite(session, Generation.id == aside.id, next_at=seven_hours)
        rewrite(session, Generation.id == far.id, deadline_at=utc_now() + timedelta(days=400))
    clock_watch.recall(utc_now())

    assert seconds_until(load_flight(far.id).next_at) <= 0
    assert seconds_until(load_generation(far.id).deadline_at) <= clock_watch.LONGEST_DEADLINE.total_seconds()
    assert load_flight(near.id).next_at == half_an_hour
    assert load_flight(aside.id).next_at == seven_hours
    assert [row.id for row in claims.claim_polls(lambda _provider: 9)] == [far.id]


@pytest.mark.both_databases
def test_sweep_when_a_lease_is_far_in_the_future(ana: Member) -> None:
    """A worker that fell silent before the clock was set back is missed after its lease by the steady clock."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, next_at=utc_now() + timedelta(hours=7))
    seconds = 0.0
    watch = LeaseWatch(20, monotonic=lambda: seconds)
    claims.sweep(watch)
    for now in (5.0, 10.0, 15.0):
        seconds = now
        claims.sweep(watch)
    assert load_generation(row.id).status is Status.PROCESSING
    seconds = 20.0
    claims.sweep(watch)

    assert (load_generation(row.id).status, load_generation(row.id).stage) == (Status.UNCERTAIN, Stage.SUBMITTING)


@pytest.mark.both_databases
def test_sweep_when_a_lease_runs_out_by_the_wall_clock(ana: Member) -> None:
    """A worker that still renews its lease is alive, however late the clock says it is."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    seconds = 0.0
    watch = LeaseWatch(20, monotonic=lambda: seconds)
    for _ in range(10):
        make_due(row.id)
        claims.sweep(watch)
        seconds += 5

    assert load_generation(row.id).status is Status.PROCESSING


@pytest.mark.only_postgresql
def test_now_when_the_machine_is_behind(site: Installation) -> None:
    """On a server all processes go by its clock, asked once a unit of work."""
    with db.read_session() as session:
        first = db.now(session)
        of_server = session.scalar(select(func.clock_timestamp()))
        assert db.now(session) == first

    assert first.tzinfo is not None
    assert of_server is not None
    assert timedelta(0) <= of_server - first < timedelta(minutes=1)
