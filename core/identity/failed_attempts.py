"""Counts failed tries to come in, by key, and slows who goes on; it judges no try itself."""

import math
from datetime import timedelta

from sqlalchemy import delete, select

from core import db, errors
from core.db import WriteSession, update_where
from core.db.tables import FailedAttempts
from core.db.types import insert
from core.messages import message

FREE_TRIES = 5
LONGEST = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


def check(session: WriteSession, key: str) -> None:
    """Return when this key may try now; else RateLimited.

    Others with the same key wait until the session ends: a caller that counts the try as `failed` in it, and takes it
    back by `succeeded` when it was right, lets no two of them slip through on one allowance.
    """
    now = db.now(session)
    fresh = insert(session, FailedAttempts).values(key=key, count=0, last_at=now)
    session.execute(fresh.on_conflict_do_nothing(index_elements=["key"]))
    counted = select(FailedAttempts.count, FailedAttempts.last_at).where(FailedAttempts.key == key)
    count, last_at = session.execute(counted.with_for_update()).one()
    if now - last_at >= FORGOTTEN_AFTER:
        update_where(session, FailedAttempts, FailedAttempts.key == key, count=0)
        return
    pause = _pause(count)
    left = min(last_at + pause - now, pause)  # a clock that was set back locks nobody out
    if left > timedelta():
        seconds = max(1, math.ceil(left.total_seconds()))
        raise errors.RateLimited(message("too_many_tries", seconds=seconds), retry_after_seconds=seconds)


def failed(session: WriteSession, key: str) -> None:
    """Count a failure."""
    now = db.now(session)
    first = insert(session, FailedAttempts).values(key=key, count=1, last_at=now)
    again = {"count": FailedAttempts.count + 1, "last_at": now}
    session.execute(first.on_conflict_do_update(index_elements=["key"], set_=again))


def succeeded(session: WriteSession, key: str) -> None:
    """Forget the failures of a key."""
    session.execute(delete(FailedAttempts).where(FailedAttempts.key == key))


def _pause(count: int) -> timedelta:
    """Nothing after the first few, then 2 s, doubling."""
    if count < FREE_TRIES:
        return timedelta()
    return min(LONGEST, timedelta(seconds=2 ** min(count - FREE_TRIES + 1, 20)))
