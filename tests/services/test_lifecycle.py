import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import CostBasis, EntryKind, Stage, Status
from core.db.tables import Generation, GenerationEvent, LedgerEntry, Notice, UsageDay
from core.generations import commands, flights, lifecycle, queries
from core.messages import message, plain
from core.workspaces import quota
from core.workspaces.access import Member
from tests.factories import vendors
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
    load_flight,
    load_generation,
    rewrite,
)


def test_move_when_it_does_not_exist(database: Database, person: Member) -> None:
    """A move that the table does not have is a fault of ours and changes nothing."""
    row = create_generation(database, person)
    with pytest.raises(ValueError, match="no move"), database.write_session() as session:
        lifecycle.transition(session, row, Status.PROCESSING, Stage.WAITING, what=plain("skip"), next_at=utc_now())

    assert broken_rules(database) == []


def test_approve_that_comes_too_late(database: Database, person: Member) -> None:
    """An approval of what stands elsewhere by now changes nothing, and no place in line either."""
    row = create_generation(database, person)
    turn = load_flight(row.id, database).turn
    late = Generation(id=row.id, status=Status.PENDING, stage=Stage.AWAITING_APPROVAL, version=row.version)
    with database.write_session() as session:
        assert not lifecycle.approve(session, late, what=plain("yes"), waits=timedelta(days=1), actor="b@example.org")

    assert load_flight(row.id, database).turn == turn
    assert load_generation(row.id, database).stage is Stage.QUEUED
    assert broken_rules(database) == []


@pytest.mark.both_databases
def test_move_when_two_try(database: Database, person: Member) -> None:
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
def test_complete_when_all_went_well(database: Database, person: Member) -> None:
    """Completing charges the quoted total, counts the clip and its bytes, and leaves a full timeline."""
    row = create_completed(database, person)

    assert (row.status, row.stage, row.progress) == (Status.COMPLETED, Stage.FINALIZED, 1.0)
    assert row.provider_cost is not None
    assert row.provider_cost_is_estimate
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(9_950, 0)
        day = session.scalars(select(UsageDay)).one()
        assert (day.completed, day.settled_credits, day.video_seconds) == (1, 50, 5)
        assert quota.used_bytes(session, person.workspace_id) == 1000
        steps = session.scalars(select(GenerationEvent.stage).order_by(GenerationEvent.id)).all()
    assert steps == ["queued", "handed", "submitting", "waiting", "ready", "downloading", "ended"]
    assert broken_rules(database) == []


@pytest.mark.parametrize("places", [(), (DISPATCHED,), (DISPATCHED, SUBMITTING), (DISPATCHED, SUBMITTING, WAITING)])
def test_fail_when_it_gives_no_clip(
    database: Database, person: Member, places: tuple[tuple[Status, Stage], ...]
) -> None:
    """Failing gives the hold back once, wherever it happens, and says why."""
    row = advance(database, create_generation(database, person).id, *places)
    for expected in (True, False):
        with database.write_session() as session:
            assert lifecycle.fail(session, row, errors.ContentRefused(detail="raw words")) is expected

    with database.read_session() as session:
        found = session.get(Generation, row.id)
        assert found is not None
        assert (found.error_code, found.error_detail) == ("content_refused", "raw words")
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)
        assert session.scalars(select(UsageDay.released_credits)).all() == [50]
    assert broken_rules(database) == []


def test_lose_when_nobody_can_know(database: Database, person: Member) -> None:
    """An uncertain submit keeps its hold; found again it goes on, and is charged once."""
    row = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    with database.write_session() as session:
        assert lifecycle.mark_uncertain(session, row, errors.SubmitUncertain(), next_at=utc_now())
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id).held_credits == 50
    assert broken_rules(database) == []

    row = advance(database, row.id, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(9_950, 0)
    assert broken_rules(database) == []


def test_lose_when_somebody_else_has_moved_it(database: Database, person: Member) -> None:
    """A process that is late with it changes nothing, and tells nobody that the clip is unclear."""
    late = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    advance(database, late.id, WAITING)
    with database.write_session() as session:
        assert not lifecycle.mark_uncertain(session, late, errors.SubmitUncertain(), next_at=utc_now())
        assert session.scalars(select(Notice)).all() == []
    assert load_generation(late.id, database).status is Status.PROCESSING


def test_complete_when_lease_ran_out_twice(database: Database, person: Member) -> None:
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
def test_claim_when_many_claim(database: Database, person: Member) -> None:
    """Due rows are given out once each, oldest due first, and come due again after the lease."""
    ids = [create_generation(database, person).id for _ in range(12)]
    barrier = threading.Barrier(4)

    def take(_n: int) -> list[str]:
        barrier.wait()
        with database.write_session() as session:
            rows = flights.claim(session, Stage.QUEUED, limit=5, lease=timedelta(seconds=60), provider="demo")
            return [row.id for row in rows]

    with ThreadPoolExecutor(4) as threads:
        taken = [found for batch in threads.map(take, range(4)) for found in batch]

    assert len(taken) == len(set(taken))
    with database.write_session() as session:
        rest = flights.claim(session, Stage.QUEUED, limit=20, lease=timedelta(seconds=60), provider="demo")
        assert sorted(taken + [row.id for row in rest]) == sorted(ids)
        rewrite(session, next_at=utc_now())
    with database.write_session() as session:
        again = flights.claim(session, Stage.QUEUED, limit=20, lease=timedelta(seconds=60), provider="demo")
    assert sorted(row.id for row in again) == sorted(ids)


def test_claim_of_one_provider(database: Database, person: Member) -> None:
    """Rows of other providers stay where they are."""
    create_generation(database, person)
    theirs = create_generation(database, person, model_id="seedance-t2v")
    with database.write_session() as session:
        rows = flights.claim(
            session, Stage.QUEUED, limit=9, lease=timedelta(seconds=60), statuses=[Status.PENDING], provider="modelslab"
        )

    assert [row.id for row in rows] == [theirs.id]


def test_expedite_when_it_waits(database: Database, person: Member) -> None:
    """What waits for its next look is due at once, and only what waits; a second call finds it due."""
    waiting = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING, WAITING)
    queued = create_generation(database, person)
    with database.write_session() as session:
        hurried = [
            flights.expedite(session, id, pause=timedelta(seconds=5)) for id in (waiting.id, waiting.id, queued.id)
        ]

    assert hurried == [True, False, False]
    assert load_flight(waiting.id, database).next_at <= utc_now()


@pytest.mark.parametrize(
    ("cost", "currency", "reported_microusd"), [("0.351234", "USD", 351_234), ("0.351234", "EUR", 0)]
)
def test_complete_when_the_provider_told_its_cost(
    database: Database, person: Member, cost: str, currency: str, reported_microusd: int
) -> None:
    """A cost in dollars takes the place of the estimate, to the millionth; another currency is kept and not counted."""
    told: dict[str, Any] = {
        "provider_cost": Decimal(cost),
        "provider_cost_currency": currency,
        "provider_cost_is_estimate": False,
    }
    row = create_generation(database, person)
    row = advance(database, row.id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING, **told)
    with database.write_session() as session:
        assert lifecycle.complete(session, row, build_output(row.id))

    row = load_generation(row.id, database)
    assert (row.provider_cost, row.provider_cost_currency) == (Decimal(cost), currency)
    with database.read_session() as session:
        day = session.scalars(select(UsageDay)).one()
    assert day.reported_cost_microusd == reported_microusd
    assert day.estimate_replaced_idr == (day.estimated_cost_idr if reported_microusd else 0)
    assert broken_rules(database) == []


def test_what_is_told_is_kept_as_a_message_beside_its_english(database: Database, person: Member) -> None:
    """Row, timeline and ledger hold the code with its parameters, for every reader, and the words, for scripts."""
    row = advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING)
    refused = errors.ContentRefused(message("never_received"))
    with database.write_session() as session:
        assert lifecycle.fail(session, row, refused)

    with database.read_session() as session:
        failed = session.get_one(Generation, row.id)
        story = queries.details(session, failed)
    assert (failed.error, failed.error_message) == (refused.message, str(refused))
    last, released = story.events[-1], story.entries[-1]
    assert last.message == message("failed", credits=row.credits, error=refused.message)
    assert last.what == f"Failed; {row.credits} credits returned. {refused}"
    assert (released.message, released.reason) == (refused.message, str(refused))


def test_message_of_another_release_leaves_its_english(database: Database, person: Member) -> None:
    """A row whose code is not known here reads as one without a message; its words are still there."""
    row = create_generation(database, person)
    unknown = text("""UPDATE generation_events SET message = '{"code": "of_another_release", "params": {}}'""")
    with database.write_session() as session:
        session.execute(unknown)
        (event,) = queries.details(session, row).events

    assert (event.message, event.what) == (None, "Ordered; 50 credits reserved")


FREE = 'since = 2026-11-28, credits_per_second = { "720p" = 0, "1080p" = 0 }'
OWN_GPU = 'since = 2026-11-28, source = "our power bill", sure = "derived", per_gpu_second = 20'


@pytest.mark.both_databases
def test_life_of_a_clip_that_costs_nothing(database: Database, person: Member, tmp_path: Path) -> None:
    """A model of one's own may be free: its clips are ordered, made, stopped and failed, and no credit moves."""
    with vendors.further_models(tmp_path, vendors.model_of_demo("own", prices=f"{{{FREE}}}", costs=f"{{{OWN_GPU}}}")):
        done = create_completed(database, person, model_id="own")
        failed = advance(database, create_generation(database, person, model_id="own").id, DISPATCHED, SUBMITTING)
        stopped = create_generation(database, person, model_id="own")
        with database.write_session() as session:
            assert lifecycle.fail(session, failed, errors.GenerationFailed())
            commands.cancel(session, person, stopped.id)
    with database.read_session() as session:
        assert ledger.balance(session, person.workspace_id) == ledger.Balance(10_000, 0)
        assert ledger.entries_of_generation(session, done.id) == []
        assert session.scalars(select(LedgerEntry).where(LedgerEntry.kind != EntryKind.GRANT)).all() == []
        days = session.scalars(select(UsageDay)).all()
    assert (done.status, done.credits) == (Status.COMPLETED, 0)
    assert sorted((day.completed, day.failed, day.cancelled, day.settled_credits) for day in days) == [
        (0, 0, 1, 0),
        (0, 1, 0, 0),
        (1, 0, 0, 0),
    ]
    assert (done.cost_basis, done.estimated_cost_microusd) == (CostBasis.ESTIMATE, 90 * 20)  # its usual time
    assert broken_rules(database) == []
