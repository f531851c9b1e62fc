"""How often is looked at providers whose calls come, and how it is noticed that they do not."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core import db
from core.clock import utc_now
from core.db import Database
from core.db.enums import Stage
from core.db.schema import alembic_config
from core.db.tables import Flight, Generation, ProviderHealth
from core.generations import reconciliation
from core.insights import call_watch, circuit_breaker
from core.installation import Installation
from core.providers.contract import JobState, JobStatus
from core.worker import cadence, poll_results
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_flight,
    load_generation,
)
from tests.factories.users import create_member

PACE = timedelta(seconds=5)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def person(installation: Installation) -> Member:
    """Somebody with 10,000 credits in the installation."""
    return create_member(db.default())


def waiting(person: Member, *, sent: timedelta = timedelta(seconds=5)) -> Generation:
    """A clip that its provider has had for a while."""
    row = create_generation(db.default(), person, model_id="seedance-t2v")
    sent_at = utc_now() - sent
    return advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, next_at=utc_now(), submitted_at=sent_at)


def call(row: Generation) -> None:
    """Its provider calls."""
    with db.write_session() as session:
        reconciliation.take_notice(session, row.id, None, poll_seconds=5)


def look(row: Generation, state: JobState = JobState.RUNNING, *, can_be_called: bool = True) -> timedelta:
    """Look at it as it stands; how long it is until the next look."""
    before, link = utc_now(), "http://x/v.mp4" if state is JobState.SUCCEEDED else None
    found = poll_results.PollResult(load_flight(row.id), JobStatus(state, video_url=link))
    poll_results.record([found], poll_seconds=5, words_logged=set(), can_be_called=can_be_called)
    return (load_flight(row.id).next_at or before) - before


def test_looks_are_rare_where_calls_come(person: Member) -> None:
    """After a call of the provider its next clips are looked at seldom; in its own line or after a call, often."""
    row = waiting(person)
    assert look(row) < timedelta(seconds=10)
    call(row)
    row = waiting(person)
    pause = look(row)
    assert timedelta(seconds=20) < pause <= cadence.NET + PACE
    assert look(row, JobState.QUEUED) <= cadence.IN_LINE + PACE
    assert look(row, can_be_called=False) < timedelta(seconds=10)
    late = waiting(person, sent=timedelta(hours=1))
    assert timedelta(seconds=59) < look(late) <= cadence.NET + PACE


def test_calls_that_stay_away_are_noticed(person: Member) -> None:
    """Clips that end without a call are counted, and after a few looks are as often as ever, until a call comes."""
    call(waiting(person))
    for _ in range(call_watch.MISSED_IN_A_ROW):
        assert look(waiting(person)) > timedelta(seconds=20)
        ended = waiting(person)
        look(ended, JobState.SUCCEEDED)
        assert load_generation(ended.id).stage is Stage.READY_TO_DOWNLOAD
    row = waiting(person)
    assert look(row) < timedelta(seconds=10)
    call(row)
    assert look(waiting(person)) > timedelta(seconds=20)


def test_clip_that_ends_with_a_call_counts_for_calls(person: Member) -> None:
    """A call makes the clip due at once, and its end is none that was missed."""
    call(waiting(person))
    for _ in range(call_watch.MISSED_IN_A_ROW + 1):
        row = waiting(person)
        look(row)
        call(row)
        assert (load_flight(row.id).next_at or utc_now()) <= utc_now()
        look(row, JobState.SUCCEEDED)
        with db.read_session() as session:
            assert session.get_one(ProviderHealth, row.provider).calls_missed == 0

    with db.read_session() as session:
        assert call_watch.come(session, row.provider)
        assert circuit_breaker.state(session.get(ProviderHealth, row.provider)) is circuit_breaker.State.OK


@given(st.floats(0, 5000), st.floats(1, 4000), st.sampled_from([JobState.RUNNING, JobState.QUEUED]), st.floats(0.5, 30))
def test_pause_between_looks(waited_seconds: float, usual_seconds: float, state: JobState, pace_seconds: float) -> None:
    """Never shorter than without calls, never longer than a minute, and one look is at the usual time."""
    usual, pace = timedelta(seconds=usual_seconds), timedelta(seconds=pace_seconds)
    row = Flight(submitted_at=NOW - timedelta(seconds=waited_seconds))
    pause = cadence.pause_where_calls_come(row, state, pace=pace, usual=usual, now=NOW)
    assert pace <= pause <= cadence.NET
    left = usual_seconds - waited_seconds
    if state is JobState.RUNNING and left > 2 * pace_seconds:
        looks = left / pause.total_seconds()
        assert looks == pytest.approx(math.ceil(left / cadence.NET.total_seconds()), rel=1e-3)


@pytest.mark.both_databases
def test_upgrade_of_providers(database: Database) -> None:
    """What is known of providers stays; none has called yet; there and back and there again."""
    with database.write_session() as session:
        session.add(ProviderHealth(provider="fal", failures=3))
    for _turn in range(2):
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), "0042")
        database.migrate()
        with database.read_session() as session:
            [row] = session.scalars(select(ProviderHealth))
            assert (row.provider, row.failures, row.called_at, row.calls_missed) == ("fal", 3, None, 0)
