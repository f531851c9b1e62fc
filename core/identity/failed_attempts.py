"""Counts who fails to come in, by address and by account, and makes them wait longer each time."""

import ipaddress
import math
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import case, delete, select

from core import db, errors
from core.clock import is_within
from core.db import ReadSession, WriteSession, types
from core.db.tables import FailedAttempts
from core.messages import message

FREE = 5
"""So many failures cost no wait: people mistype, and offices share an address."""

LONGEST = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)
"""After so long without another one the count begins anew."""

_KEY_LIMIT_CHARS = 300


def of_address(address: str) -> str:
    """The key of a client's address; of IPv6 the /64 that one subscriber is given."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address}"[:_KEY_LIMIT_CHARS]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return f"address:{ipaddress.ip_network((found, 64), strict=False)}"
    return f"address:{getattr(found, 'ipv4_mapped', None) or found}"


def of_account(account: str) -> str:
    """The key of an account: an address of a person, or what an issuer calls them."""
    return f"account:{account}"[:_KEY_LIMIT_CHARS]


def wait(count: int) -> timedelta:
    """How long after the last of so many failures the next try may be: nothing at first, then doubling from 2 s."""
    return timedelta() if count < FREE else min(LONGEST, timedelta(seconds=2.0 ** min(count - FREE + 1, 20)))


def check(session: ReadSession, keys: Iterable[str]) -> None:
    """Return when all of them may try; else RateLimited with the time to wait."""
    now = db.about_now(session)
    rows = session.scalars(select(FailedAttempts).where(FailedAttempts.key.in_(list(keys)))).all()
    live = [row for row in rows if is_within(FORGOTTEN_AFTER, row.last_at, now=now)]
    left = max((wait(row.count) - (now - row.last_at) for row in live), default=timedelta())
    if left > timedelta():
        seconds = math.ceil(left.total_seconds())
        raise errors.RateLimited(message("sign_in_slowed", seconds=seconds), retry_after_seconds=seconds)


def count(session: WriteSession, keys: Iterable[str]) -> None:
    """Count a failure for each, also when several do at once; what is long over is forgotten."""
    now = db.about_now(session)
    session.execute(delete(FailedAttempts).where(FailedAttempts.last_at < now - FORGOTTEN_AFTER))
    for key in sorted(keys):  # always in one order, so that two do not wait for each other
        added = types.insert(session, FailedAttempts).values(key=key, count=1, last_at=now)
        again = case((FailedAttempts.last_at < now - FORGOTTEN_AFTER, 1), else_=FailedAttempts.count + 1)
        session.execute(added.on_conflict_do_update(index_elements=["key"], set_={"count": again, "last_at": now}))


def forget(session: WriteSession, keys: Iterable[str]) -> None:
    """Begin anew with those who came in."""
    session.execute(delete(FailedAttempts).where(FailedAttempts.key.in_(list(keys))))
