"""What waits for an administrator is found without a look at what does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event

from core import errors
from core.catalog import catalogue, in_force
from core.catalog.catalogue import Catalogue
from core.catalog.records import Life, LifeState
from core.clock import utc_now
from core.db import Database, Reader
from core.db.enums import Stage, Status
from core.db.tables import AuditRun, Generation
from core.generations import under_way, unresolved
from core.insights import attention, circuit_breaker, health
from core.insights.attention import EVERYTHING
from core.insights.late_clips import Line
from core.workspaces.access import Charge, Member
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    lose_submit,
    rewrite,
)


def test_unclear_clips_and_refused_accounts_wait(database: Database, person: Member) -> None:
    """Counted are clips that nobody knows about and accounts that a provider refuses, not a provider in trouble."""
    create_generation(database, person)
    unclear = create_generation(database, person)
    advance(database, unclear.id, DISPATCHED, SUBMITTING, (Status.UNCERTAIN, Stage.SUBMITTING))
    with database.write_session() as session:
        circuit_breaker.record_failure(session, "modelslab", errors.BadKey())
        circuit_breaker.record_failure(session, "edenai", errors.ProviderUnavailable())

    with database.read_connection() as reader:
        assert attention.waiting(reader) == attention.Attention(1, ("modelslab",))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL plans by how full the tables are
def test_unclear_and_unsigned_clips_are_found_by_their_own_indexes(database: Database) -> None:
    """Every page of an administrator asks: clips that have ended cost it nothing, however many there are."""
    plans = explained(database, attention.waiting)
    assert len(plans) == 3
    assert "ix_generations_uncertain" in plans[0]
    assert "ix_generations_due" in plans[1] or "ix_generations_live" in plans[1]
    assert "ix_generations_unsigned" in plans[2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_waits_for_a_manager_is_found_by_indexes(database: Database) -> None:
    """Every page of a manager asks: neither clips that have ended nor those of others are gone through."""
    plans = explained(database, lambda reader: attention.waiting(reader, Charge(("a", "b")), low_credits=1))
    assert len(plans) == 3
    assert "ix_generations_uncertain" in plans[0] or "ix_generations_status" in plans[0]
    assert "ix_flights_workspace" in plans[1]
    assert "ix_generations_workspace_newest" in plans[2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("charge", [EVERYTHING, Charge(("a", "b"))])
def test_queue_is_found_by_indexes(database: Database, charge: Charge) -> None:
    """Clips that have ended cost it nothing."""
    plans: list[str] = []

    def explain(_connection: object, cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        told = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]  # sqlite3's own cursor
        plans.append(" ".join(str(line[3]) for line in told))

    with database.read_session() as session:
        event.listen(database.read_engine, "before_cursor_execute", explain)
        under_way.counts(session, charge)
        under_way.page(session, charge, limit=25)
        unresolved.cases_of(session, charge)
        event.remove(database.read_engine, "before_cursor_execute", explain)
    live = ("ix_generations_due", "ix_flights_workspace")
    assert "generations" not in plans[0], plans[0]
    assert any(name in plans[1] for name in live), plans[1]
    assert "ix_generations_uncertain" in plans[2] or "ix_generations_status" in plans[2]


def test_clip_is_late_when_it_takes_three_times_as_long_as_its_model(database: Database, person: Member) -> None:
    """Nine in ten of its model took some seconds: eleven minutes are late, nine are not yet, whoever ordered."""
    create_completed(database, person)
    late, other = (create_generation(database, person) for _ in range(2))
    for row, minutes in ((late, 11), (other, 9)):
        sent_at = utc_now() - timedelta(minutes=minutes)
        advance(database, row.id, DISPATCHED, SUBMITTING, WAITING)
        be_as_of(database, row.id, created_at=sent_at, submitted_at=sent_at)

    with database.read_connection() as reader:
        found = attention.waiting(reader)
    assert [one.id for one in found.line.late] == [late.id]
    assert found.line.late[0].usual_seconds < 60
    assert found.line.waits_since is None
    assert found.count == 1


def test_clip_of_a_slow_model_is_not_late(database: Database, person: Member) -> None:
    """Where a model usually takes a quarter of an hour, half an hour is no reason to call anybody."""
    usual = create_completed(database, person)
    be_as_of(database, usual.id, submitted_at=utc_now() - timedelta(minutes=15))
    slow = create_generation(database, person)
    advance(database, slow.id, DISPATCHED, SUBMITTING, WAITING)
    sent_at = utc_now() - timedelta(minutes=30)
    be_as_of(database, slow.id, created_at=sent_at, submitted_at=sent_at)

    with database.read_connection() as reader:
        assert attention.waiting(reader).count == 0


def test_line_that_stands_is_told_with_its_first(database: Database, person: Member) -> None:
    """Since when the oldest order waits that nobody has sent; an unclear one is told of as such, not as late."""
    waits_since = utc_now() - timedelta(minutes=12)
    for minutes in (0, 1):
        row = create_generation(database, person)
        be_as_of(database, row.id, created_at=waits_since + timedelta(minutes=minutes))
    unclear = lose_submit(database, create_generation(database, person).id)
    be_as_of(database, unclear.id, created_at=waits_since - timedelta(hours=1))

    with database.read_connection() as reader:
        found = attention.waiting(reader)
    assert found.line == Line((), waits_since)
    assert (found.unclear_clips, found.count) == (1, 2)


@pytest.mark.parametrize(("in_days", "is_told"), [(-29, True), (5, True), (31, False)])
def test_model_that_ends_is_told_of_while_it_is_used(
    database: Database, person: Member, in_days: int, is_told: bool
) -> None:
    """A month ahead and a month after, if clips were made with it; a model that nobody uses may end in peace."""
    at = utc_now() + timedelta(days=in_days)
    known = catalogue.shipped()
    life = (Life(at, LifeState.WITHDRAWN),)
    ended = {name: replace(known.entries[name], lives=life) for name in ("demo-film", "kling-2.5")}
    create_completed(database, person)

    with in_force.seen(Catalogue({**known.entries, **ended})), database.read_connection() as reader:
        found = attention.waiting(reader)
    assert [end.model_id for end in found.ending] == (["demo-film"] if is_told else [])
    assert found.count == is_told


def test_broken_rules_of_the_last_check_wait(database: Database) -> None:
    """What was broken once and holds again waits for nobody."""
    for broken in (2, 0, 1):
        with database.write_session() as session:
            session.add(AuditRun(broken=broken, results={}))
        with database.read_connection() as reader:
            found = attention.waiting(reader)
        assert (found.broken_rules, found.count) == (broken, broken)


def test_disk_that_is_nearly_full_waits(database: Database) -> None:
    """With room for a few clips only somebody must make some."""
    with database.read_connection() as reader:
        assert attention.waiting(reader, free_bytes=health.NEARLY_FULL_BYTES).count == 0
        assert attention.waiting(reader, free_bytes=health.NEARLY_FULL_BYTES - 1).is_disk_nearly_full


def test_count_of_the_bar_is_kept_for_seconds_and_new_where_it_is_acted_on(database: Database) -> None:
    """Every page of a process shares it; a page that decides sees what it did at once, and so do the others then."""
    kept = attention.AttentionCounter()
    with database.read_connection() as reader:
        look = partial(attention.waiting, reader)
        assert kept.count(EVERYTHING, look) == 0
    with database.write_session() as session:
        session.add(AuditRun(broken=1, results={}))
    with database.read_connection() as reader:
        look = partial(attention.waiting, reader)
        assert kept.count(EVERYTHING, look) == 0
        assert kept.count(EVERYTHING, look, anew=True) == 1
        assert kept.count(EVERYTHING, look) == 1
        assert kept.count(Charge(("another",)), partial(attention.waiting, reader, Charge(("another",)))) == 0


def be_as_of(database: Database, generation_id: str, **moments: datetime) -> None:
    """Let a row be of another time."""
    with database.write_session() as session:
        rewrite(session, Generation.id == generation_id, **moments)


def explained(database: Database, look: Callable[[Reader], object]) -> list[str]:
    """How SQLite finds what is asked of generations."""
    plans: list[str] = []

    def explain(_connection: object, cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if "FROM generations" in statement:
            told = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]  # sqlite3's own cursor
            plans.append(" ".join(str(line[3]) for line in told))

    event.listen(database.read_engine, "before_cursor_execute", explain)
    with database.read_connection() as reader:
        look(reader)
    event.remove(database.read_engine, "before_cursor_execute", explain)
    return plans
