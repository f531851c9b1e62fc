"""What a dollar is taken for: rates with the moment that each begins at, set by administrators.

It never changes what has been counted: each order keeps the rate of its own moment.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import select

from core import audit_log, db, errors
from core.audit_log import Act
from core.catalog import price_list
from core.db import ReadSession, WriteSession, types
from core.db.tables import ExchangeRate
from core.messages import message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LEAST_IDR_PER_USD, MOST_IDR_PER_USD = 1_000, 1_000_000
"""Beyond these somebody has mistyped."""


class Rate(NamedTuple):
    """Rupiah for a dollar from a moment on; `since` is None for the rate that there always was."""

    since: datetime | None
    idr_per_usd: int


FIRST = Rate(None, price_list.IDR_PER_USD)


def at(session: ReadSession, moment: datetime) -> int:
    """The rate of a moment, in rupiah for a dollar."""
    newest = select(ExchangeRate.idr_per_usd).where(ExchangeRate.since <= moment).order_by(ExchangeRate.since.desc())
    return session.scalar(newest.limit(1)) or FIRST.idr_per_usd


class Change(NamedTuple):
    """Rupiah for a dollar on the days from the first on, up to that of the next change."""

    first_day: date
    idr_per_usd: int


def changes(session: ReadSession, since: date, until: date) -> Sequence[Change]:
    """The rates that these days (UTC) begin with, at least one; one that begins during a day is that of the next."""
    begin, last = (datetime.combine(day, time(), UTC) for day in (since, until))
    found = [Change(since, at(session, begin))]
    later = select(ExchangeRate.since, ExchangeRate.idr_per_usd).where(
        ExchangeRate.since > begin, ExchangeRate.since <= last
    )
    for moment, idr_per_usd in session.execute(later.order_by(ExchangeRate.since)):
        day = moment.date() if moment.time() == time() else moment.date() + timedelta(days=1)
        if found[-1].first_day == day:
            found.pop()
        found.append(Change(day, idr_per_usd))
    return found


def rates(session: ReadSession, member: Member) -> Sequence[Rate]:
    """All rates, the latest first; Forbidden for who sees no figures of all workspaces."""
    member.require(Action.SEE_ALL_USAGE)
    found = session.execute(select(ExchangeRate.since, ExchangeRate.idr_per_usd).order_by(ExchangeRate.since.desc()))
    return [*(Rate(since, idr_per_usd) for since, idr_per_usd in found), FIRST]


def set_rate(session: WriteSession, member: Member, *, idr_per_usd: int, since: datetime | None = None) -> Rate:
    """Let a rate begin, at once or at a moment to come; one that was to begin just then is replaced.

    Forbidden for others than administrators; InvalidRequest for a moment that is past or a rate that cannot be.
    """
    member.require(Action.OPERATE)
    now = db.now(session)
    wrong = {}
    if not LEAST_IDR_PER_USD <= idr_per_usd <= MOST_IDR_PER_USD:
        wrong["idrPerUsd"] = message("rate_out_of_range", least=LEAST_IDR_PER_USD, most=MOST_IDR_PER_USD)
    if since is not None and since < now:
        wrong["since"] = message("rate_begins_in_the_past")
    if wrong:
        raise errors.InvalidRequest(fields=wrong)
    begins = since or now
    before = at(session, begins)
    row = types.insert(session, ExchangeRate).values(since=begins, idr_per_usd=idr_per_usd)
    session.execute(row.on_conflict_do_update(index_elements=["since"], set_={"idr_per_usd": row.excluded.idr_per_usd}))
    audit_log.record(
        session,
        member.user,
        Act.EXCHANGE_RATE_SET,
        target="USD",
        before={"idr_per_usd": before},
        after={"idr_per_usd": idr_per_usd, "since": begins.isoformat()},
    )
    return Rate(begins, idr_per_usd)
