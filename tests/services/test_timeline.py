from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core.clock import utc_now
from core.db import Database
from core.db.tables import Generation, GenerationEvent
from core.generations import lifecycle, timeline
from core.generations.timeline import Step, Tail
from core.messages import plain
from core.workspaces.access import Member
from tests.factories.generations import DISPATCHED, SUBMITTING, advance, create_completed, create_generation
from tests.factories.users import ensure_member


def read(database: Database, tail: Tail) -> Sequence[Step]:
    """What the tail finds in a session of its own."""
    with database.read_session() as session:
        return tail.read(session)


def at_present(database: Database) -> Tail:
    """A tail of what comes now."""
    with database.read_session() as session:
        return Tail.at_present(session)


def note(database: Database, row: Generation, what: str) -> None:
    """Write one step."""
    with database.write_session() as session:
        lifecycle.add_event(session, row.id, row.status, row.stage, what=plain(what))


def test_tail_reads_each_step_once(database: Database, person: Member) -> None:
    """Everybody's steps from the present on, in order, each once."""
    create_completed(database, person)
    tail = at_present(database)
    assert read(database, tail) == []
    with database.write_session() as session:
        other = ensure_member(session, "ben@example.org", signup_credits=100)
    rows = [create_generation(database, person), create_generation(database, other)]
    advance(database, rows[0].id, DISPATCHED, SUBMITTING)

    found = read(database, tail)
    assert [(step.generation_id, step.stage) for step in found] == [
        (rows[0].id, "queued"),
        (rows[1].id, "queued"),
        (rows[0].id, "handed"),
        (rows[0].id, "submitting"),
    ]
    assert [step.workspace_id for step in found] == [rows[0].user_id, rows[1].user_id, *[rows[0].user_id] * 2]
    assert read(database, tail) == []


def test_tail_reads_in_pieces(database: Database, person: Member) -> None:
    """A long list is read piece by piece, and nothing is left out."""
    tail = at_present(database)
    row = create_generation(database, person)
    for number in range(6):
        note(database, row, str(number))
    found = []
    with database.read_session() as session:
        while steps := tail.read(session, limit=3):
            assert len(steps) <= 3
            found += [step.what for step in steps]
    assert found[1:] == [str(number) for number in range(6)]


@pytest.mark.only_postgresql
def test_tail_waits_for_a_lower_id(database: Database, person: Member) -> None:
    """A step that is committed after one with a higher id comes before it, and neither comes twice."""
    row = create_generation(database, person)
    tail = at_present(database)
    with database.write_session() as slow:
        lifecycle.add_event(slow, row.id, row.status, row.stage, what=plain("slow"))
        note(database, row, "quick")
        for _ in range(3):
            assert read(database, tail) == []
        assert [step.what for step in read(database, at_present(database))] == []
    assert [step.what for step in read(database, tail)] == ["slow", "quick"]
    assert read(database, tail) == []


@pytest.mark.only_postgresql
def test_tail_passes_what_was_undone(database: Database, person: Member) -> None:
    """A hole that a transaction left when it was undone delays the next step to the next look, and no longer."""
    row = create_generation(database, person)
    tail = at_present(database)

    def dies() -> None:
        with database.write_session() as session:
            lifecycle.add_event(session, row.id, row.status, row.stage, what=plain("undone"))
            raise KeyboardInterrupt

    for number in range(2):
        with pytest.raises(KeyboardInterrupt):
            dies()
        note(database, row, str(number))
    found = [*read(database, tail), *read(database, tail)]
    assert [step.what for step in found] == ["0", "1"]


@pytest.mark.only_postgresql
def test_tail_passes_a_transaction_that_is_forgotten(database: Database, person: Member) -> None:
    """After half a minute a hole is passed, although its transaction still runs."""
    row = create_generation(database, person)
    tail = at_present(database)
    with database.write_session() as forgotten:
        lifecycle.add_event(forgotten, row.id, row.status, row.stage, what=plain("forgotten"))
        note(database, row, "later")
        assert read(database, tail) == []
        with database.write_session() as session:
            session.execute(update(GenerationEvent).values(at=utc_now() - timedelta(minutes=1)))
        assert [step.what for step in read(database, tail)] == ["later"]


@pytest.mark.only_postgresql
def test_at_present_hears_what_is_being_written(database: Database, person: Member) -> None:
    """A listener who comes while a step is being committed hears of it: no list it loaded before could hold it."""
    row = create_generation(database, person)
    with database.write_session() as slow:
        lifecycle.add_event(slow, row.id, row.status, row.stage, what=plain("slow"))
        note(database, row, "quick")
        tail = at_present(database)
    assert [step.what for step in read(database, tail)] == ["slow", "quick"]


def test_of_person_gives_what_was_missed(database: Database, person: Member) -> None:
    """Between two ids, the person's own steps; not those of deleted generations or of others."""
    row, deleted = create_completed(database, person), create_completed(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).where(Generation.id == deleted.id).values(deleted_at=utc_now()))
        other = ensure_member(session, "ben@example.org", signup_credits=100)
    create_generation(database, other)
    with database.read_session() as session:
        newest = session.scalar(select(func.max(GenerationEvent.id))) or 0
        ids = [step.id for step in timeline.of_member(session, person, after_id=0, until_id=newest)]
        later = timeline.of_member(session, person, after_id=ids[2], until_id=newest, limit=2)
        assert timeline.of_member(session, person, after_id=newest, until_id=newest) == []
    assert len(ids) == 7
    assert {step.generation_id for step in later} == {row.id}
    assert [step.id for step in later] == ids[3:5]
