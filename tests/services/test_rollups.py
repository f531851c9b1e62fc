import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.db import Database
from core.db.tables import UsageDay, Workspace
from core.ids import new_id
from core.projects import projects
from core.usage import rollups
from core.usage.rollups import Key
from core.workspaces.access import Member
from tests.factories.users import ensure_member

pytestmark = pytest.mark.both_databases  # adding to a row is an upsert, in each database's words

FIGURES = ("completed", "settled_credits", "video_seconds", "kept_count")


@pytest.fixture
def key(database: Database, person: Member) -> Key:
    """A row of this person's, not there yet."""
    with database.write_session() as session:
        return Key(
            "2026-11-21", person.id, person.id, projects.create(session, person, name="Lakes").id, "demo", "demo-film"
        )


def row(database: Database, key: Key) -> UsageDay | None:
    """What the row holds now."""
    with database.read_session() as session:
        return session.get(UsageDay, tuple(asdict(key).values()))


def version(database: Database, key: Key) -> int:
    """How often the person's usage has changed."""
    with database.read_session() as session:
        return session.scalars(select(Workspace.usage_version).where(Workspace.id == key.workspace_id)).one()


@given(steps=st.lists(st.dictionaries(st.sampled_from(FIGURES), st.integers(-(10**6), 10**6), min_size=1), min_size=1))
def test_add_any_figures(database: Database, key: Key, steps: Sequence[dict[str, int]]) -> None:
    """Whatever is added or taken away in whatever steps, each figure is its sum, and what was not named stays 0."""
    fresh = replace(key, model_id=new_id())
    for step in steps:
        with database.write_session() as session:
            rollups.add(session, fresh, **step)

    found = row(database, fresh)
    assert found is not None
    for name in FIGURES:
        assert getattr(found, name) == sum(step.get(name, 0) for step in steps)
    assert (found.failed, found.reported_cost_microusd) == (0, 0)


def test_add_when_the_transaction_is_undone(database: Database, key: Key) -> None:
    """Figures and the sign that they changed come with what they tell of, or not at all."""

    def undone() -> None:
        with database.write_session() as session:
            rollups.add(session, key, completed=1)
            raise RuntimeError

    before = version(database, key)
    with pytest.raises(RuntimeError):
        undone()
    assert (row(database, key), version(database, key)) == (None, before)

    with database.write_session() as session:
        rollups.add(session, key, completed=1)
    assert version(database, key) == before + 1


def test_add_when_many_do_it_at_once(database: Database, key: Key) -> None:
    """Not one of them is lost, neither a figure nor a change of the version, also when the row is not there yet."""
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        for _ in range(10):
            with database.write_session() as session:
                rollups.add(session, key, completed=1, settled_credits=50)

    before = version(database, key)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = row(database, key)
    assert found is not None
    assert (found.completed, found.settled_credits) == (40, 2000)
    assert version(database, key) == before + 40


def test_add_leaves_other_rows_alone(database: Database, key: Key) -> None:
    """Every part of the key tells rows apart, and nobody else's figures are said to have changed."""
    with database.write_session() as session:
        eve = ensure_member(session, "eve@example.org", signup_credits=0)
    hers = version(database, replace(key, workspace_id=eve.workspace_id))
    others = [replace(key, day="2026-11-22"), replace(key, provider="fal"), replace(key, model_id="demo-draft")]
    for one in (key, *others):
        with database.write_session() as session:
            rollups.add(session, one, completed=1)

    assert [found.completed for one in (key, *others) if (found := row(database, one))] == [1] * 4
    assert version(database, replace(key, workspace_id=eve.workspace_id)) == hers


@pytest.mark.parametrize(
    ("ended_at", "day"),
    [
        (datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC), "2026-11-21"),
        (datetime(2026, 11, 22, 6, 59, tzinfo=timezone(timedelta(hours=7))), "2026-11-21"),
        (datetime(2026, 11, 21, 20, 0, tzinfo=timezone(-timedelta(hours=5))), "2026-11-22"),
    ],
)
def test_day_is_that_of_utc(ended_at: datetime, day: str) -> None:
    """Wherever a clock stands, the day is that of UTC."""
    assert rollups.day_of(ended_at) == day
