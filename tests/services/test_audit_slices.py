"""The look at everything in slices finds what one look at all finds, can be ended anywhere, and is made once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle
from threading import Barrier

import pytest
from sqlalchemy import func, select, text, update

from core.audit import full_audits, runs
from core.audit.slices import PARTS, Found, Place, Slices, everything
from core.clock import utc_now
from core.db import Database
from core.db.tables import Account, AuditRun, FullAudit
from core.generations import commands, review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.projects import projects
from core.workspaces.access import Member
from tests.factories.generations import create_completed, create_generation
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases  # snapshots, claims and plans are each database's own

DAMAGES = (
    "UPDATE accounts SET available_credits = available_credits + 5 WHERE id = (SELECT min(id) FROM accounts)",
    "UPDATE ledger_entries SET available_after = available_after + 1 WHERE id % 5 = 2",
    "UPDATE ledger_entries SET amount_credits = 1 WHERE kind = 'hold' AND id % 2 = 0",
    "UPDATE ledger_entries SET kind = 'release' WHERE id = (SELECT max(id) FROM ledger_entries WHERE kind = 'settle')",
    "UPDATE generations SET stored_bytes = 0 WHERE id = (SELECT min(id) FROM generations WHERE status = 'completed')",
    "UPDATE accounts SET held_credits = held_credits + 1 WHERE id = (SELECT max(id) FROM accounts)",
    "DELETE FROM generation_events WHERE generation_id = (SELECT max(id) FROM generations)",
    "UPDATE usage_days SET settled_credits = settled_credits + 1, kept_count = kept_count + 1",
    "UPDATE projects SET spent_credits = spent_credits + 1 WHERE id = (SELECT max(id) FROM projects)",
    "UPDATE generations SET charged_project_id = (SELECT min(id) FROM projects)"
    " WHERE id = (SELECT max(id) FROM generations WHERE status = 'completed')",
    "UPDATE generations SET kept = true WHERE id = (SELECT min(id) FROM generations WHERE status = 'completed')",
    "UPDATE generations SET deadline_at = '2020-01-01 00:00:00+00:00' WHERE stage <> 'ended'",
    "UPDATE budget_months SET taken_credits = taken_credits + 3",
)
"""Faults as somebody with the database's password would plant them, one on top of the other."""


@pytest.fixture
def people(database: Database) -> list[Member]:
    """Three people: two clips each, one of them cancelled, one under way, one moved to another project."""
    found = [create_member(database, f"p{n}@example.org") for n in range(3)]
    for person in found:
        row = create_completed(database, person)
        stopped = create_generation(database, person)
        create_generation(database, person)
        with database.write_session() as session:
            commands.cancel(session, person, stopped.id)
            other = projects.create(session, person, name="Elsewhere")
            review.update(session, person, row.id, Changes(project_id=other.id, verdict=ReviewStatus.KEPT))
    return found


def at_once(database: Database) -> Mapping[str, tuple[int, frozenset[str]]]:
    """What one look at all finds."""
    with database.read_session() as session:
        return as_sets(runs.run(session))


def in_slices(database: Database, size: int) -> Mapping[str, tuple[int, frozenset[str]]]:
    """What slices of so many keys find, each kept and taken up by another."""
    slices = Slices(Place(), Found(), first_size=size)
    while not slices.place.is_end:
        slices.take(database)
        slices = Slices(slices.place, Found.from_json(slices.found.to_json()), first_size=size)
    return as_sets(slices.found.results)


def as_sets(results: object) -> Mapping[str, tuple[int, frozenset[str]]]:
    """Code -> how much was looked at, and all that break it."""
    return {each.code: (each.checked, frozenset(each.offenders)) for each in results}  # type: ignore[attr-defined]  # results of either


def test_slices_find_what_one_look_finds(database: Database, people: list[Member]) -> None:
    """Whatever is planted, and however small or large the slices are: as many looked at, and the same offenders."""
    broken: set[str] = set()
    for damage, size in zip(("SELECT 1", *DAMAGES), cycle((1, 2, 3, 1000))):
        with database.write_session() as session:
            session.execute(text(damage))
        expected = at_once(database)
        assert list(expected) == list(PARTS)
        assert in_slices(database, size) == expected, (damage, size)
        broken |= {code for code, (_checked, offenders) in expected.items() if offenders}
    assert len(broken) >= 12, broken
    assert as_sets(everything(database).results) == at_once(database)


def kept_runs(database: Database) -> list[AuditRun]:
    """What was written down, the oldest first."""
    with database.read_session() as session:
        return list(session.scalars(select(AuditRun).order_by(AuditRun.id)))


def step(database: Database) -> None:
    """A dispatcher that takes one slice and ends."""
    full_audits.run(database, is_over=lambda: True)


def test_audit_that_is_ended_after_each_slice(database: Database, people: list[Member]) -> None:
    """It goes on where it was, in whatever process, and is written down once, as of when it began."""
    steps = 0
    while not kept_runs(database):
        step(database)
        steps += 1
        assert steps < 200
    [kept] = kept_runs(database)

    assert steps >= len(PARTS)
    assert (kept.broken, kept.results["full_at"]) == (0, kept.at.isoformat())
    assert {rule["code"]: rule["checked"] for rule in kept.results["rules"]} == {
        code: checked for code, (checked, _offenders) in at_once(database).items()
    }
    step(database)
    assert len(kept_runs(database)) == 1  # it is not due


def test_audit_while_another_dispatcher_has_it(database: Database, people: list[Member]) -> None:
    """What one has claimed no other touches, until it has been silent for too long."""
    step(database)
    with database.write_session() as session:
        now = utc_now()
        session.execute(update(FullAudit).values(claim="another", claimed_until=now + timedelta(minutes=5)))
    full_audits.run(database)
    assert kept_runs(database) == []

    with database.write_session() as session:
        session.execute(update(FullAudit).values(claimed_until=utc_now() - timedelta(seconds=1)))
    full_audits.run(database)
    assert len(kept_runs(database)) == 1


def test_audit_by_several_dispatchers(database: Database, people: list[Member]) -> None:
    """However many begin at one moment, one look at everything is made."""
    together = Barrier(4)

    def one() -> None:
        together.wait(60)
        full_audits.run(database)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(one) for _ in range(4)]:
            done.result()

    assert [run.results["full_at"] == run.at.isoformat() for run in kept_runs(database)] == [True]


def test_news_while_everything_is_looked_at(database: Database, people: list[Member]) -> None:
    """What is new is looked at in between; a rule it finds broken lets the look at everything begin anew."""
    full_audits.run(database)
    late(database, timedelta(days=2))
    create_completed(database, people[0])
    step(database)
    began = under_way(database)
    assert (len(kept_runs(database)), began is None) == (1, False)
    late(database, timedelta(days=2))
    step(database)
    assert (len(kept_runs(database)), under_way(database)) == (2, began)
    assert kept_runs(database)[-1].results["full_at"] != kept_runs(database)[-1].at.isoformat()

    with database.write_session() as session:
        session.execute(update(Account).values(available_credits=Account.available_credits + 5))
        runs.record(session, runs.run_incremental(session))
    assert kept_runs(database)[-1].broken
    late(database, timedelta(minutes=11))
    with database.write_session() as session:  # it began before that
        session.execute(update(FullAudit).values(started_at=utc_now() - timedelta(hours=1)))
    step(database)
    assert under_way(database) != began
    while under_way(database) is not None:
        step(database)
    assert kept_runs(database)[-1].broken == 1

    with database.write_session() as session:
        session.execute(update(Account).values(available_credits=Account.available_credits - 5))
    late(database, timedelta(minutes=11))
    full_audits.run(database)
    last = kept_runs(database)[-1]
    assert (last.broken, last.results["full_at"]) == (0, last.at.isoformat())


def under_way(database: Database) -> object:
    """When the look at everything began that is under way; None without one."""
    with database.read_session() as session:
        return session.scalars(select(FullAudit.started_at)).one()


def late(database: Database, by: timedelta) -> None:
    """Let the last pass have been made, and everything looked at, so long ago."""
    with database.write_session() as session:
        last = session.scalars(select(AuditRun).order_by(AuditRun.id.desc()).limit(1)).one()
        at = utc_now() - by
        last.at, last.results = at, last.results | {"full_at": at.isoformat()}
    with database.read_session() as session:
        assert session.scalar(select(func.count(AuditRun.id)))
