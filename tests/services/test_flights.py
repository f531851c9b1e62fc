"""What is under way has a slim row of its own, which agrees with its generation at every moment of its life."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from core import db, errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation
from core.generations import lifecycle, queries
from core.ids import new_id
from core.installation import Installation
from core.providers.contract import JobState, JobStatus
from core.worker import claims, maintenance, poll_results
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_generation,
    load_flight,
    load_generation,
    set_flight,
    values_of,
)
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases


def count(database: Database) -> int:
    """How many flights there are."""
    with database.read_session() as session:
        return session.scalar(select(func.count(Flight.id))) or 0


def test_flight_from_order_to_end(database: Database, person: Member) -> None:
    """It begins with the order, follows each move, and goes with each kind of end."""
    made, failed, cancelled = (create_generation(database, person).id for _ in range(3))
    assert count(database) == 3
    for step in (DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING):
        row = advance(database, made, step, provider_job_id="j1", submitted_at=utc_now())
        flight = load_flight(made, database)
        assert (flight.status, flight.stage) == step
        assert (flight.version, flight.next_at, flight.provider_job_id) == (row.version, row.next_at, "j1")
        assert broken_rules(database) == []
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(made))
        assert lifecycle.fail(session, session.get_one(Generation, failed), errors.GenerationFailed())
        assert lifecycle.cancel(session, session.get_one(Generation, cancelled), actor="system")

    assert count(database) == 0
    assert broken_rules(database) == []


def test_looks_write_the_flight_alone(database: Database, person: Member) -> None:
    """The clip itself is untouched by them; what they tell is shown with it, and still there after its end."""
    row = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING, WAITING)
    as_moved = written(database, row.id)
    with db.using(database):
        for share in (0.3, 0.6):
            set_flight(row.id, next_at=utc_now())
            [claimed] = claims.claim_polls(lambda _provider: 9)
            look = poll_results.PollResult(claimed, JobStatus(JobState.RUNNING, progress=share))
            poll_results.record([look], poll_seconds=1, words_logged=set())
            late = poll_results.PollResult(claimed, JobStatus(JobState.RUNNING, progress=0.9))
            set_flight(row.id, next_at=utc_now())
            assert claims.claim_polls(lambda _provider: 9) != []
            poll_results.record([late], poll_seconds=1, words_logged=set())  # somebody else asks about it by now
            assert load_generation(row.id).progress == share
    assert written(database, row.id) == as_moved
    with database.read_session() as reading:
        assert queries.get(reading, person, row.id).progress == 0.6

    with database.write_session() as session:
        ended = session.get_one(Generation, row.id)
        assert lifecycle.fail(session, ended, errors.GenerationFailed())
    assert (load_generation(row.id, database).progress, count(database)) == (0.6, 0)


def written(database: Database, generation_id: str) -> dict[str, object]:
    """All that stands in the row of a generation itself."""
    with database.engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM generations WHERE id = :id"), {"id": generation_id})
        return dict(found.one()._mapping)


@pytest.mark.parametrize(
    "damage",
    [
        delete(Flight),
        update(Flight).values(stage=Stage.DISPATCHED),
        update(Flight).values(deadline_at=utc_now() + timedelta(days=1)),
        update(Generation).values(status=Status.CANCELLED, stage=Stage.FINALIZED, next_at=None),
    ],
)
def test_audit_when_they_differ(database: Database, person: Member, damage: object) -> None:
    """A flight that is missing, says otherwise or is left over is found; healing makes it as the generation is."""
    create_generation(database, person)
    assert broken_rules(database) == []
    with database.write_session() as session:
        session.execute(damage)  # type: ignore[call-overload]  # one of several kinds of statements
    assert "flights_follow" in broken_rules(database)

    with db.using(database):
        maintenance.heal_flights()
    assert "flights_follow" not in broken_rules(database)


def test_orders_of_a_process_of_before_are_taken_up(site: Installation) -> None:
    """What it has ordered is handed over once healed; what it has taken is not taken once more before that."""
    database = site.database
    person = create_member(database, credits=1000)
    theirs, taken = (create_generation(database, person).id for _ in range(2))
    values = values_of(database, theirs) | {"id": new_id()}
    with database.write_session() as session:
        session.execute(delete(Flight).where(Flight.id == theirs))
        session.execute(insert(Generation), [values])
        later = utc_now() + timedelta(minutes=1)
        moved = {"stage": Stage.DISPATCHED, "version": Generation.version + 1, "next_at": later}
        session.execute(update(Generation).where(Generation.id == taken).values(moved))
    assert hand_over(site) == []
    maintenance.heal_flights()
    assert set(hand_over(site)) == {theirs, values["id"]}
    assert load_flight(taken, database).stage is Stage.DISPATCHED
    assert "flights_follow" not in broken_rules(database)


def hand_over(site: Installation) -> list[str]:
    """What one round hands over."""
    return [flight.id for flight in claims.claim_submits(site.settings, lambda _provider: True)]
