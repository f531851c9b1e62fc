"""Closes months of the books, for administrators: from then on their figures never change. Nothing opens one again.

What comes late falls in the open month, since a row of the ledger has the time at which it is written; where a clock is
set back into a closed month, the ledger takes the first moment after it (`core.billing.ledger`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text

from core import audit_log, db, errors
from core.audit_log import Act
from core.billing import chain, months
from core.db import ReadSession, WriteSession
from core.db.tables import Account, ClosedEntry, ClosedPeriod, CostAdjustment, LedgerEntry, UsageDay, Workspace
from core.messages import message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

CLOSE_AFTER = timedelta(hours=1)
"""So long after its end a month can be closed: what was written down in it is committed by then."""

USAGE_SUMS = (
    "completed",
    "failed",
    "cancelled",
    "settled_credits",
    "released_credits",
    "video_seconds",
    "estimated_cost_idr",
    "estimate_replaced_idr",
    "reported_cost_microusd",
    "reported_cost_idr",
    "estimate_from_price_idr",
    "wasted_cost_idr",
    "cost_unknown_count",
    "adjusted_cost_idr",
)
"""Figures of daily usage that are final with a clip's end; verdicts, which people change later, are not."""


def close(session: WriteSession, member: Member, month: str) -> ClosedPeriod:
    """Close a month and every open one before it, each with a link to the one before; for administrators.

    One that is closed stays as it was closed first. Raises Forbidden, InvalidRequest for what is no month, Conflict for
    one that has not ended an hour ago or before which nothing was ever booked.
    """
    member.require(Action.CLOSE_BOOKS)
    ends_at = months.bounds(month)[1]
    one_at_a_time(session)
    if (known := session.get(ClosedPeriod, month)) is not None:
        return known
    now = db.now(session)
    if now < ends_at + CLOSE_AFTER:
        raise errors.Conflict(message("month_not_over", month=month))
    first = first_open(session)
    if first is None or month < first:
        raise errors.Conflict(message("month_without_entries", month=month))
    period, extents = _newest(session), {}
    for each in months.between(first, month):
        extents[each] = chain.extent_of(session, each)
        period = _close(session, member, each, period.hash if period else "", now)
    _check_unchanged(session, extents)
    assert period is not None, "the last of these months is the one asked for"  # noqa: S101 -- for the type checker
    return period


def periods(session: ReadSession, member: Member) -> Sequence[ClosedPeriod]:
    """Every closed month with its figures of all workspaces, newest first; for analysts and administrators."""
    member.require(Action.SEE_ALL_USAGE)
    return session.scalars(select(ClosedPeriod).order_by(ClosedPeriod.month.desc())).all()


def closed_months(session: ReadSession) -> frozenset[str]:
    """Which months are closed; everybody may know."""
    return frozenset(session.scalars(select(ClosedPeriod.month)))


def can_be_closed(session: ReadSession, member: Member) -> list[str]:
    """The months that have ended and are open, oldest first; for administrators."""
    member.require(Action.CLOSE_BOOKS)
    first = first_open(session)
    if first is None:
        return []
    now = db.now(session)
    over = (month for month in months.between(first, months.of(now)) if months.bounds(month)[1] + CLOSE_AFTER <= now)
    return list(over)


def first_open(session: ReadSession) -> str | None:
    """The oldest month that is not closed; None while nothing was ever booked."""
    if (last := _newest(session)) is not None:
        return months.next_of(last.month)
    first: datetime | None = session.scalar(
        select(func.min(LedgerEntry.created_at))
        .join(Account, Account.id == LedgerEntry.account_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .where(~Workspace.is_sample)
    )
    return None if first is None else months.of(first)


def usage_sums(session: ReadSession, month: str) -> Mapping[str, int]:
    """The final figures of a month's daily usage, without the sample company's, with vendors' costs without a clip."""
    sums = (func.coalesce(func.sum(getattr(UsageDay, name)), 0) for name in USAGE_SUMS)
    of_books = select(*sums).join(Workspace, Workspace.id == UsageDay.workspace_id).where(~Workspace.is_sample)
    row = session.execute(of_books.where(UsageDay.day > month, UsageDay.day < months.next_of(month))).one()
    found = {name: int(figure) for name, figure in zip(USAGE_SUMS, row, strict=True)}
    without_clip = select(func.coalesce(func.sum(CostAdjustment.amount_idr), 0)).where(
        CostAdjustment.generation_id.is_(None),
        CostAdjustment.day > month,
        CostAdjustment.day < months.next_of(month),
    )
    found["adjusted_cost_idr"] += int(session.scalar(without_clip) or 0)
    return found


def differs(found: Mapping[str, int], kept: Any) -> bool:
    """Whether a month's daily usage is another than was kept; what was not counted then yet is nothing."""
    if not isinstance(kept, Mapping) or kept.keys() - found.keys():
        return True
    return any(figure != kept.get(name, 0) for name, figure in found.items())


def _newest(session: ReadSession) -> ClosedPeriod | None:
    return session.scalar(select(ClosedPeriod).order_by(ClosedPeriod.month.desc()).limit(1))


def one_at_a_time(session: WriteSession) -> None:
    """Who else closes waits; on SQLite who writes is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE closed_periods IN SHARE ROW EXCLUSIVE MODE"))


def _check_unchanged(session: WriteSession, extents: Mapping[str, tuple[int, int, int]]) -> None:
    """Let no row into these months from here on, and none that came while their chains were made. Raises Conflict.

    A row that waits for the lock is written after the commit, sees the closed month, and takes a later time.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE ledger_entries IN SHARE MODE"))
    for month, extent in extents.items():
        if chain.extent_of(session, month) != extent:
            raise errors.Conflict(message("month_still_moves", month=month))


def _close(session: WriteSession, member: Member, month: str, previous_hash: str, now: datetime) -> ClosedPeriod:
    last, number = write_links(session, month, previous_hash)
    period = ClosedPeriod(
        month=month,
        ends_at=months.bounds(month)[1],
        closed_at=now,
        closed_by_id=member.id,
        closed_by=member.email,
        last_entry_id=last.entry_id,
        entry_count=number,
        totals={"ledger": dict(chain.sums_of(session, month)), "usage": dict(usage_sums(session, month))},
        previous_hash=previous_hash,
        entries_hash=last.link.hex(),
        hash="",
    )
    session.add(period)
    session.flush()
    period.hash = hash_of(session, month)
    session.flush()
    told: dict[str, Any] = {"month": month, "entries": number, "hash": period.hash}
    audit_log.record(session, member.user, Act.PERIOD_CLOSED, target=month, target_id=month, after=told)
    return period


def write_links(session: WriteSession, month: str, previous_hash: str) -> tuple[chain.Link, int]:
    """Write the chain over a month's rows, which has none; its last link, and how many there are."""
    number, last = 0, chain.Link(0, chain.head(month, previous_hash))
    for some in _in_parts(chain.links(month, previous_hash, chain.rows_of(session, month))):
        links = [
            {"month": month, "place": place, "entry_id": each.entry_id, "link": each.link}
            for place, each in enumerate(some, start=number + 1)
        ]
        session.execute(insert(ClosedEntry), links)
        number, last = number + len(some), some[-1]
    return last, number


def hash_of(session: WriteSession, month: str) -> str:
    """The hash of a month by what is stored of it now."""
    return next(each.expected_hash for each in chain.sealed(session) if each.month == month)


def _in_parts(links: Iterable[chain.Link]) -> Iterator[list[chain.Link]]:
    left = iter(links)
    while some := list(islice(left, chain.ROWS_AT_ONCE)):
        yield some
