"""The regular check: what is new every few minutes, everything once a day in slices that dispatchers claim.

Who has claimed the look at everything goes on with it for a while and writes down after each slice how far it is, so
that one that dies in the middle, or has to end, is gone on with by the next. It is written down as a pass when it is
complete. Passes over what is new come in between, unless a rule is broken: then only a look at everything can say that
it holds again, and one that began before it was found broken begins anew.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import or_

from core.audit import runs
from core.audit.runs import AuditPass
from core.audit.scope import Since
from core.audit.slices import Found, Place, Slices
from core.clock import is_within, utc_now
from core.db import Database, WriteSession, update_where
from core.db import now as database_now
from core.db.tables import AuditRun, FullAudit
from core.ids import new_id

EVERY = timedelta(minutes=10)
LEASE = timedelta(minutes=10)
SECONDS = 30.0
"""How long one goes on with it at a time, so that other chores come to their turn."""


def run(database: Database, *, seconds: float = SECONDS, is_over: Callable[[], bool] = lambda: False) -> None:
    """What is due now: a pass over what is new, or some slices of the one over everything."""
    now = utc_now()
    with database.read_session() as session:
        last, under_way = runs.last_run(session), session.get_one(FullAudit, 1)
    is_recent = last is not None and is_within(EVERY, last.at, now=now)
    begins = False
    if under_way.started_at is None or _is_outdated(under_way.started_at, last):
        if is_recent:
            return
        begins = runs.needs_everything(last, now)
    if last is not None and not (is_recent or begins or last.broken) and runs.knows_place(last):
        _look_at_news(database, last)
    if begins or under_way.started_at is not None:
        row = _begun(database, last) if begins else _claimed(database)
        if row is not None:
            _look_on(database, row, seconds=seconds, is_over=is_over)


def _is_outdated(started_at: datetime, last: AuditRun | None) -> bool:
    """Whether a rule was found broken since it began: some slices were before that."""
    return last is not None and last.broken > 0 and last.at > started_at


def _look_at_news(database: Database, last: AuditRun) -> None:
    with database.read_session() as session:
        found = runs.run_since(session, last)
    with database.write_session() as session:
        runs.record(session, found)


def _look_on(database: Database, row: FullAudit, *, seconds: float, is_over: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    slices = Slices(Place(row.part, row.after_key), Found.from_json(row.found))
    while not slices.place.is_end:
        slices.take(database)
        gives_back = is_over() or time.monotonic() >= end
        if not _kept(database, row, slices, gives_back=gives_back and not slices.place.is_end):
            return
        if gives_back and not slices.place.is_end:
            return
    _end(database, row, slices)


def _begun(database: Database, last: AuditRun | None) -> FullAudit | None:
    """A look at everything from its beginning, taken by this process; None when another has made one since `last`."""
    with database.write_session() as session:
        if (mine := _claim(session)) is None:
            return None
        newest = runs.last_run(session)
        if (newest and newest.id) != (last and last.id):
            update_where(session, FullAudit, FullAudit.claim == mine, claim=None)
            return None
        anew = {"started_at": utc_now(), "seen": asdict(runs.newest(session))}
        update_where(session, FullAudit, FullAudit.claim == mine, part=0, after_key="", found={}, **anew)
        return session.get_one(FullAudit, 1)


def _claimed(database: Database) -> FullAudit | None:
    """The look at everything that is under way, taken by this process; None while another has it, or none is."""
    with database.write_session() as session:
        if (mine := _claim(session)) is None:
            return None
        row = session.get_one(FullAudit, 1)
        if row.started_at is None:
            update_where(session, FullAudit, FullAudit.claim == mine, claim=None)
            return None
        return row


def _claim(session: WriteSession) -> str | None:
    now, mine = database_now(session), new_id()
    until = FullAudit.claimed_until
    # A lease longer than any was taken before the clock was set back.
    is_free = or_(FullAudit.claim.is_(None), until < now, until > now + 2 * LEASE)
    if update_where(session, FullAudit, FullAudit.id == 1, is_free, claim=mine, claimed_until=now + LEASE):
        return mine
    return None


def _kept(database: Database, row: FullAudit, slices: Slices, *, gives_back: bool) -> bool:
    """Write down how far it is; False when it is somebody else's by now."""
    with database.write_session() as session:
        reached = {"part": slices.place.part, "after_key": slices.place.after, "found": slices.found.to_json()}
        held = {"claim": None if gives_back else row.claim, "claimed_until": database_now(session) + LEASE}
        return update_where(session, FullAudit, FullAudit.claim == row.claim, **reached, **held) == 1


def _end(database: Database, row: FullAudit, slices: Slices) -> None:
    """Write it down as a pass, once."""
    assert row.started_at is not None  # noqa: S101 -- looked at when it was claimed
    with database.write_session() as session:
        if update_where(session, FullAudit, FullAudit.claim == row.claim, started_at=None, claim=None, found={}):
            runs.record(session, AuditPass(slices.found.results, Since(**row.seen), row.started_at, row.started_at))
