import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation, GenerationEvent, UsageDay, User
from core.generations import lifecycle
from core.generations.state_machine import TRANSITIONS
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    create_completed,
    create_generation,
)


def test_moves_lead_to_an_end() -> None:
    """Every place has its moves written down, ends have none, and from everywhere an end can be reached."""
    ends = {place for place, onward in TRANSITIONS.items() if not onward}

    assert {status for status, _ in ends} == set(ENDED_STATUSES)
    assert all(onward <= TRANSITIONS.keys() for onward in TRANSITIONS.values())
    reaching = set(ends)
    while more := {place for place, onward in TRANSITIONS.items() if onward & reaching} - reaching:
        reaching |= more
    assert reaching == TRANSITIONS.keys()


def test_moves_never_send_the_uncertain_again() -> None:
    """No move leads from uncertain back to where it would be sent."""
    for (status, _), onward in TRANSITIONS.items():
        if status is Status.UNCERTAIN:
            assert not onward & {DISPATCHED, SUBMITTING, (Status.PENDING, Stage.QUEUED)}


def test_move_when_it_does_not_exist(database: Database, person: User) -> None:
    """A move that the table does not have is a fault of ours and changes nothing."""
    row = create_generation(database, person)
    with pytest.raises(ValueError, match="no move"), database.write_session() as session:
        lifecycle.transition(session, row, Status.PROCESSING, Stage.WAITING, what="skip", next_at=utc_now())

    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_move_when_two_try(database: Database, person: User) -> None:
    """Of many who hold the same picture of a row, one moves it; the others change nothing."""
    row = create_generation(database, person)
    barrier = threading.Barrier(8)

    def try_once(_n: int) -> bool:
        barrier.wait()
        with database.write_session() as session:
            return lifecycle.cancel(session, row, actor="ana@example.org")

    with ThreadPoolExecutor(8) as threads:
        moved = list(threads.map(try_once, range(8)))

    assert sum(moved) == 1
    assert broken_rules(database) == []
    with database.read_session() as session:
        ended = select(GenerationEvent).where(GenerationEvent.status == Status.CANCELLED)
        assert len(session.scalars(ended).all()) == 1


@pytest.mark.both_databases
def test_complete_when_all_went_well(database: Database, person: User) -> None:
    """Completing charges the quoted total, counts the clip and its bytes, and leaves a full timeline."""
    row = create_completed(database, person)

    assert (row.status, row.stage, row.progress) == (Status.COMPLETED, Stage.FINALIZED, 1.0)
    assert row.provider_cost is not None
    assert row.provider_cost_is_estimate
    with database.read_session() as session:
        assert ledger.balance(session, person.id) == ledger.Balance(9_950, 0)
        day = session.scalars(select(UsageDay)).one()
        assert (day.completed, day.settled_credits, day.video_seconds) == (1, 50, 5)
        user = session.get(User, person.id)
        assert user is not None
        assert user.storage_bytes == 1000
        steps = session.scalars(select(GenerationEvent.stage).order_by(GenerationEvent.id)).all()
    assert steps == ["queued", "handed", "submitting", "waiting", "ready", "downloading", "ended"]
    assert broken_rules(database) == []


@pytest.mark.parametrize("places", [(), (DISPATCHED,), (DISPATCHED, SUBMITTING), (DISPATCHED, SUBMITTING, WAITING)])
def test_fail_when_it_gives_no_clip(database: Database, person: User, places: tuple[tuple[Status, Stage], ...]) -> None:
    """Failing gives the hold back once, wherever it happens, and says why."""
    row = advance(database, create_generation(database, person).id, *places)
    for expected in (True, False):
        with database.write_session() as session:
            assert lifecycle.fail(session, row, errors.ContentRefused(detail="raw words")) is expected

    with database.read_session() as session:
        found = session.get(Generation, row.id)
        assert found is not None
        assert (found.error_code, found.error_detail) == ("content_refused", "raw words")
        assert ledger.balance(session, person.id) == ledger.Balance(10_000, 0)
        assert session.scalars(select(UsageDay.released_credits)).all() == [50]
    assert broken_rules(database) == []


def test_lose_when_nobody_can_know(database: Database, person: User) -> None:
    """An uncertain submit keeps its hold; found again it goes on, and is charged once."""
    row = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    with database.write_session() as session:
        assert lifecycle.mark_uncertain(session, row, errors.SubmitUncertain(), next_at=utc_now())
    with database.read_session() as session:
        assert ledger.balance(session, person.id).held_credits == 50
    assert broken_rules(database) == []

    row = advance(database, row.id, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    with database.read_session() as session:
        assert ledger.balance(session, person.id) == ledger.Balance(9_950, 0)
    assert broken_rules(database) == []


def test_complete_when_lease_ran_out_twice(database: Database, person: User) -> None:
    """A slow worker whose row was taken over twice finds nothing to change; the clip is charged once."""
    slow = advance(
        database,
        create_generation(database, person).id,
        DISPATCHED,
        SUBMITTING,
        WAITING,
        READY_TO_DOWNLOAD,
        DOWNLOADING,
    )
    for _ in range(2):
        current = advance(database, slow.id, READY_TO_DOWNLOAD, DOWNLOADING)

    with database.write_session() as session:
        assert not lifecycle.complete(session, slow, build_output(slow.id))
    with database.write_session() as session:
        assert lifecycle.complete(session, current, build_output(slow.id))
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_claim_when_many_claim(database: Database, person: User) -> None:
    """Due rows are given out once each, oldest due first, and come due again after the lease."""
    ids = [create_generation(database, person).id for _ in range(12)]
    barrier = threading.Barrier(4)

    def take(_n: int) -> list[str]:
        barrier.wait()
        with database.write_session() as session:
            rows = lifecycle.claim(session, Stage.QUEUED, limit=5, lease=timedelta(seconds=60))
            return [row.id for row in rows]

    with ThreadPoolExecutor(4) as threads:
        taken = [found for batch in threads.map(take, range(4)) for found in batch]

    assert len(taken) == len(set(taken))
    with database.write_session() as session:
        rest = lifecycle.claim(session, Stage.QUEUED, limit=20, lease=timedelta(seconds=60))
        assert sorted(taken + [row.id for row in rest]) == sorted(ids)
        session.execute(update(Generation).values(next_at=utc_now()))
    with database.write_session() as session:
        again = lifecycle.claim(session, Stage.QUEUED, limit=20, lease=timedelta(seconds=60))
    assert sorted(row.id for row in again) == sorted(ids)
