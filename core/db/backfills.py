"""Fills in afterwards what a migration has only made room for: in batches, while everything goes on.

A migration calls `begin`, dispatchers do the rest (`core.worker.backfills`), and a later migration that needs it says
so in `needs_backfills`. A batch and the note of how far it came are one transaction: whoever is killed in the middle
has done nothing, and what is done is not done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, inspect, select, text

from core.db.sessions import ReadSession, WriteSession, now
from core.db.tables import BackfillProgress

if TYPE_CHECKING:
    from alembic.operations import Operations

    from core.db.engine import Database

BATCH = 1000
LONGEST_PAUSE_SECONDS = 2.0

_FINISHED = text("SELECT name FROM backfills WHERE done_at IS NOT NULL AND name IN :names").bindparams(
    bindparam("names", expanding=True)
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call has filled in: how many rows, and the last of their ids; None when there were none any more."""

    last_id: str | None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Backfill:
    """A name, and what fills in the next `limit` rows behind an id, in ascending order of their ids.

    `fill` gets the session, the last id that is done ('' at first) and the limit. It must go by ids alone, skip nothing
    that processes of the version before still write, and use no more than the tables have since the migration that
    began it.
    """

    name: str
    fill: Callable[[WriteSession, str, int], Batch]


def begin(operations: Operations, name: str, table: str) -> None:
    """Within a migration: ask for it; where the table is empty there is nothing to do. Such a name comes once."""
    operations.execute(
        f"INSERT INTO backfills (name, last_id, row_count, began_at, done_at) SELECT '{name}', '', 0, "  # noqa: S608 -- names of ours
        f"CURRENT_TIMESTAMP, CASE WHEN EXISTS (SELECT 1 FROM {table}) THEN NULL ELSE CURRENT_TIMESTAMP END"
    )


def unfinished(connection: Connection, names: Sequence[str]) -> tuple[str, ...]:
    """Which of these have not come to their end, in order; all that nobody has begun."""
    if not names:
        return ()
    done: set[str] = set()
    if inspect(connection).has_table("backfills"):
        done = set(connection.scalars(_FINISHED, {"names": list(names)}))
    return tuple(sorted(set(names) - done))


def progress(session: ReadSession) -> Sequence[BackfillProgress]:
    """Those that are not finished, oldest first."""
    wanted = select(BackfillProgress).where(BackfillProgress.done_at.is_(None))
    return session.scalars(wanted.order_by(BackfillProgress.began_at, BackfillProgress.name)).all()


def work_down(database: Database, known: Sequence[Backfill], is_over: Callable[[], bool], *, batch: int = BATCH) -> int:
    """Do what is unfinished of these until it is done or somebody else does it; returns how many rows were filled in.

    Rests after each batch for about as long as that took, so that it never has more than half of what it takes from.
    """
    with database.read_session() as reading:
        asked = {row.name for row in progress(reading)}
    filled = 0
    for each in known:
        while each.name in asked and not is_over():
            began = time.monotonic()
            with database.write_session() as session:
                done = fill_next(session, each, batch)
            if done is None or done.last_id is None:
                break
            filled += done.rows
            time.sleep(min(LONGEST_PAUSE_SECONDS, time.monotonic() - began))
    return filled


def fill_next(session: WriteSession, backfill: Backfill, limit: int) -> Batch | None:
    """One batch; None when it is finished, was not asked for, or another process is at it."""
    claimed = select(BackfillProgress).where(BackfillProgress.name == backfill.name, BackfillProgress.done_at.is_(None))
    row = session.scalars(claimed.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    done = backfill.fill(session, row.last_id, limit)
    if done.last_id is None:
        row.done_at = now(session)
    elif done.last_id <= row.last_id:
        raise ValueError(
            f"the backfill {backfill.name} came from {row.last_id!r} to {done.last_id!r}, and never ends so"
        )
    else:
        row.last_id, row.row_count = done.last_id, row.row_count + done.rows
    session.flush()
    return done
