from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.tables import Generation, User
from core.generations import lifecycle
from core.insights import model_stats
from tests.factories.generations import HANDED, SUBMITTING, WAITING, advance, completed, ordered


def finish(database: Database, user: User, seconds: int) -> None:
    """A demo clip that took so long."""
    row = completed(database, user)
    end = utc_now()
    with database.write_session() as session:
        session.execute(
            update(Generation)
            .where(Generation.id == row.id)
            .values(submitted_at=end - timedelta(seconds=seconds), ended_at=end)
        )


def fail(database: Database, user: User) -> None:
    """A demo clip that its provider could not make."""
    row = ordered(database, user)
    row = advance(database, row.id, HANDED, SUBMITTING, WAITING)
    with database.write_session() as session:
        assert lifecycle.fail(session, row, errors.GenerationFailed())


def test_record_when_some_failed(database: Database, person: User) -> None:
    """Success and times are those of the recent past; what a person cancelled counts neither way."""
    for seconds in (10, 20, 30):
        finish(database, person, seconds)
    fail(database, person)
    cancelled = ordered(database, person)
    with database.write_session() as session:
        lifecycle.cancel(session, cancelled, actor="test")
    with database.read_session() as session:
        found = model_stats.track_records(session, ["demo-film", "veo3"])

    assert set(found) == {"demo-film"}
    record = found["demo-film"]
    assert (record.completed, record.ended, record.success_rate) == (3, 4, 0.75)
    assert record.p50_seconds == pytest.approx(20, abs=0.1)
    assert record.p90_seconds == pytest.approx(30, abs=0.1)


def test_record_when_all_failed(database: Database, person: User) -> None:
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
