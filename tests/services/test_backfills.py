"""Filling in afterwards what a migration made room for: in batches, each row once, whoever works on it."""

import threading

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, text

from core.db import Database, WriteSession, backfills
from core.db.backfills import Backfill, Batch
from core.db.tables import BackfillProgress

pytestmark = pytest.mark.both_databases  # claims are made by what each database has for it

ROWS = 60


@pytest.fixture
def things(database: Database) -> Database:
    """A table of a test, with rows to be filled in, and what a migration says of it."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (id VARCHAR(8) PRIMARY KEY, times INTEGER NOT NULL)"))
        connection.execute(text("CREATE TABLE no_things (id VARCHAR(8) PRIMARY KEY)"))
        connection.execute(
            text("INSERT INTO things VALUES (:id, 0)"), [{"id": f"{number:04}"} for number in range(ROWS)]
        )
        operations = Operations(MigrationContext.configure(connection))
        backfills.begin(operations, "counts", "things")
        backfills.begin(operations, "nothing", "no_things")
    return database


def count_up(session: WriteSession, after: str, limit: int) -> Batch:
    """Count each row up by one."""
    ids = session.scalars(
        text("SELECT id FROM things WHERE id > :after ORDER BY id LIMIT :limit"), {"after": after, "limit": limit}
    ).all()
    for each in ids:
        session.execute(text("UPDATE things SET times = times + 1 WHERE id = :id"), {"id": each})
    return Batch(ids[-1] if ids else None, len(ids))


COUNTS = Backfill("counts", count_up)


def times(database: Database) -> list[int]:
    """How often each row was counted up."""
    with database.read_session() as session:
        return list(session.scalars(text("SELECT times FROM things ORDER BY id")))


def work(database: Database, known: Backfill = COUNTS) -> int:
    """As one dispatcher does."""
    return backfills.work_down(database, [known], lambda: False, batch=7)


def test_rows_are_filled_in_by_several(things: Database) -> None:
    """Several dispatchers at once: all rows, each once; the end is noted, and what was never begun is left alone."""
    filled: list[int] = []
    threads = [threading.Thread(target=lambda: filled.append(work(things))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    filled.append(work(things))

    assert times(things) == [1] * ROWS
    assert sum(filled) == ROWS
    assert work(things, Backfill("unknown", count_up)) == 0
    with things.read_session() as session:
        assert backfills.progress(session) == []
        row = session.get_one(BackfillProgress, "counts")
        assert (row.row_count, row.last_id, row.done_at is not None) == (ROWS, f"{ROWS - 1:04}", True)
    with things.engine.connect() as connection:
        assert backfills.unfinished(connection, ["counts", "nothing"]) == ()


def test_batch_that_breaks(things: Database) -> None:
    """A batch that breaks in its middle has done nothing, and the next try begins where it began; twice."""
    breaks_at = {"0010", "0031"}

    def break_off(session: WriteSession, after: str, limit: int) -> Batch:
        done = count_up(session, after, limit)
        if broken := {each for each in breaks_at if after < each <= (done.last_id or after)}:
            breaks_at.difference_update(broken)
            raise RuntimeError(broken)
        return done

    known = Backfill("counts", break_off)
    for done in (7, 28):
        with pytest.raises(RuntimeError):
            work(things, known)
        assert sum(times(things)) == done
        with things.read_session() as session:
            assert [row.row_count for row in backfills.progress(session)] == [done]
        with things.engine.connect() as connection:
            assert backfills.unfinished(connection, ["counts", "nothing"]) == ("counts",)
    work(things, known)

    assert times(things) == [1] * ROWS


def test_backfill_that_goes_nowhere(things: Database) -> None:
    """One that would come to the same row for ever is stopped instead."""

    def stand(session: WriteSession, after: str, limit: int) -> Batch:
        return Batch("0003" if after == "" else after, 1) if limit else Batch(session.scalar(select(text("''"))))

    with pytest.raises(ValueError, match="never ends so"):
        work(things, Backfill("counts", stand))
