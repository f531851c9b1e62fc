from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import lifecycle
from core.insights import model_stats
from core.projects import projects
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    rewrite,
)
from tests.factories.histories import Ended
from tests.factories.users import ensure_member

LAST = date(2026, 11, 21)
FIRST = LAST - timedelta(days=60)


def test_times_of_models_are_told_from_completed_clips_of_the_days(database: Database, person: Member) -> None:
    """Times are of completed clips of all people in the chosen days, and say how many they are from."""
    with database.write_session() as session:
        other = ensure_member(session, "ben@example.org", signup_credits=0)
        mine, theirs = (projects.create(session, one, name="Lakes").id for one in (person, other))
        histories.book(session, person, [Ended(LAST, mine, "veo3", took_seconds=seconds) for seconds in (10, 20, 30)])
        histories.book(
            session,
            other,
            [
                Ended(LAST, theirs, "veo3", took_seconds=40),
                Ended(LAST, theirs, "veo3", Status.FAILED, took_seconds=900),
                Ended(FIRST, theirs, "veo3", took_seconds=500),
            ],
        )
    with database.read_session() as session:
        found = model_stats.render_times(session, ["veo3", "kling-2.5"], UsageQuery(LAST, LAST))

    assert found == {"veo3": model_stats.TimeRange(20, 40, 4)}


def test_typical_seconds_when_there_is_a_history(database: Database, person: Member) -> None:
    """The usual time is the median of this model's own history, and the model's guess before there is one."""
    row = create_completed(database, person)
    with database.write_session() as session:
        assert model_stats.RenderTimeEstimator(session)(row) > 1
        start = utc_now() - timedelta(seconds=42)
        rewrite(session, submitted_at=start, ended_at=start + timedelta(seconds=42))
    with database.read_session() as session:
        assert model_stats.RenderTimeEstimator(session)(row) == pytest.approx(42)
        assert model_stats.RenderTimeEstimator(session).range(row).based_on == 1


def test_typical_seconds_of_another_kind_are_the_first_guess(database: Database, person: Member) -> None:
    """Another length of the same model has a history of its own, here none: the guess says so by being of nothing."""
    row = create_completed(database, person)
    row.duration_seconds += 1
    with database.read_session() as session:
        found = model_stats.RenderTimeEstimator(session).range(row)
    assert (found.based_on, found.p90_seconds) == (0, 2 * found.p50_seconds)


@given(st.lists(st.floats(0, 10**6), min_size=1, max_size=60))
def test_half_and_nine_in_ten_are_not_slower_than_told(seconds: list[float]) -> None:
    """At least half take at most the one, nine in ten at most the other, and nothing is told to take no time."""
    found = model_stats.percentiles(sorted(seconds))
    assert 1 <= found.p50_seconds <= found.p90_seconds
    assert sum(took <= found.p50_seconds for took in seconds) * 2 >= len(seconds)
    assert sum(took <= found.p90_seconds for took in seconds) * 10 >= len(seconds) * 9
    assert found.based_on == len(seconds)


def finish(database: Database, user: Member, seconds: int) -> None:
    """A demo clip that took so long."""
    row = create_completed(database, user)
    end = utc_now()
    with database.write_session() as session:
        rewrite(session, Generation.id == row.id, submitted_at=end - timedelta(seconds=seconds), ended_at=end)


def fail(database: Database, user: Member, error: errors.AppError | None = None) -> None:
    """A demo clip that its provider could not make."""
    row = create_generation(database, user)
    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING)
    with database.write_session() as session:
        assert lifecycle.fail(session, row, error or errors.GenerationFailed())


def test_record_when_some_failed(database: Database, person: Member) -> None:
    """Success and times are those of the recent past; what a person cancelled counts neither way."""
    for seconds in (10, 20, 30):
        finish(database, person, seconds)
    fail(database, person)
    cancelled = create_generation(database, person)
    with database.write_session() as session:
        lifecycle.cancel(session, cancelled, actor="test")
    with database.read_session() as session:
        found = model_stats.track_records(session, ["demo-film", "veo3"])

    assert set(found) == {"demo-film"}
    record = found["demo-film"]
    assert (record.completed, record.ended, record.success_rate) == (3, 4, 0.75)
    assert record.p50_seconds == pytest.approx(20, abs=0.1)
    assert record.p90_seconds == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize(
    "error",
    [
        errors.BadKey(),
        errors.ProviderOutOfCredits(),
        errors.ProviderNotConfigured(),
        errors.ContentRefused(),
        errors.InvalidInput(),
        errors.StorageFull(),
    ],
)
def test_record_leaves_out_what_says_nothing_of_the_model(
    database: Database, person: Member, error: errors.AppError
) -> None:
    """Our key, our empty account and what a person was refused lower no model's success."""
    finish(database, person, 10)
    fail(database, person, error)
    with database.read_session() as session:
        record = model_stats.track_records(session, ["demo-film"])["demo-film"]
    assert (record.completed, record.ended) == (1, 1)


@pytest.mark.parametrize(
    "error", [errors.ProviderUnavailable(), errors.MediaRejected(reason="not_a_video"), errors.ModelUnavailable()]
)
def test_record_counts_what_the_model_did_not_deliver(
    database: Database, person: Member, error: errors.AppError
) -> None:
    """A clip that nobody can play, and a model that is not there, are failures of the model."""
    finish(database, person, 10)
    fail(database, person, error)
    with database.read_session() as session:
        assert model_stats.track_records(session, ["demo-film"])["demo-film"].success_rate == 0.5


def deliver(database: Database, user: Member, sent: int, came: int) -> None:
    """A demo clip that was sent and came so many seconds after some moment."""
    row = create_completed(database, user)
    start = utc_now() - timedelta(hours=1)
    with database.write_session() as session:
        rewrite(
            session,
            Generation.id == row.id,
            submitted_at=start + timedelta(seconds=sent),
            ended_at=start + timedelta(seconds=came),
        )


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], None),
        ([(0, 12), (100, 112), (500, 512)], 12),  # one at a time; that nobody ordered in between is no slowness
        ([(0, 12), (0, 24), (0, 36), (0, 48)], 12),  # a line at the provider: each waited for those before
        ([(0, 60), (0, 60), (5, 65), (5, 65)], 65 / 4),  # four at once
        ([(0, 100), (10, 20)], 50),
    ],
)
def test_pace_is_told_from_what_was_delivered(
    database: Database, person: Member, spans: list[tuple[int, int]], seconds: float | None
) -> None:
    """How long a provider takes for each of a line counts the time in which it had any, and no other."""
    for sent, came in spans:
        deliver(database, person, sent, came)
    with database.read_session() as session:
        found = model_stats.pace_seconds(session, ["demo-film", "veo3"])
    assert found == (None if seconds is None else pytest.approx(seconds, rel=0.05))


def test_record_when_all_failed(database: Database, person: Member) -> None:
    """A model that never delivered says so and has no times."""
    fail(database, person)
    with database.read_session() as session:
        assert model_stats.track_records(session, ["demo-film"])["demo-film"] == model_stats.TrackRecord(
            0, 1, None, None
        )
        assert model_stats.track_records(session, []) == {}


def test_record_is_one_walk_along_the_index(sqlite_template: Path) -> None:
    """However many models and generations there are: one statement, each model a bounded search of its index."""
    database = Database(f"sqlite:///{sqlite_template}")
    statements: list[tuple[str, Any]] = []
    event.listen(
        database.read_engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, *_: statements.append((statement, parameters)),
    )
    with database.read_session() as session:
        model_stats.track_records(session, ["demo-film", "veo3"])
    asked = [found for found in statements if found[0].lstrip().startswith("SELECT")]
    with database.engine.connect() as connection:
        plan = " ".join(
            str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1])
        )
    database.dispose()

    assert len(asked) == 1
    assert plan.count("USING INDEX ix_generations_model_ended (model_id=?") == 2
    assert "SCAN generations" not in plan
    assert "TEMP B-TREE" not in plan
