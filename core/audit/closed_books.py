"""The rule that closed months stay as they were closed: every row of theirs, and what was written down of them.

Its pass over everything reads each row of the closed months once and holds none; the one over what is new looks at the
closed months alone, since rows that come later lie in an open one.
"""

import re
from collections.abc import Iterator
from itertools import zip_longest

from sqlalchemy import func, select

from core.audit_log import Act
from core.billing import chain, months
from core.db import ReadSession
from core.db.tables import AuditLogEntry, ClosedEntry, ClosedPeriod
from core.usage import closing

CODE = "closed_periods"


def check(session: ReadSession, *, full: bool) -> tuple[int, list[str]]:
    """How many rows of closed months were looked at, or months if not `full`, and what differs.

    `2026-10: 4711` is the first row of a month that was changed, added, moved or taken out; `2026-10: closing` means
    that what was written down when it was closed was changed; `2026-10: usage` that its daily usage was.
    """
    found = session.scalars(select(ClosedPeriod).order_by(ClosedPeriod.month)).all()
    wrong = [*_unsealed(found), *_otherwise_told(session, found), *_without_period(session, found)]
    if not full:
        return len(found), _as_offenders(wrong)
    for period in found:
        if not re.fullmatch(months.PATTERN, period.month):
            continue  # told as a closing
        if (entry_id := _first_difference(session, period)) is not None:
            wrong.append((period.month, str(entry_id)))
        if dict(chain.sums_of(session, period.month)) != period.totals.get("ledger"):
            wrong.append((period.month, "closing"))
        if dict(closing.usage_sums(session, period.month)) != period.totals.get("usage"):
            wrong.append((period.month, "usage"))
    return sum(period.entry_count for period in found), _as_offenders(wrong)


def _as_offenders(wrong: list[tuple[str, str]]) -> list[str]:
    return [f"{month}: {what}" for month, what in sorted(set(wrong))]


def _unsealed(found: list[ClosedPeriod]) -> Iterator[tuple[str, str]]:
    """Months whose hash is not that of what they say, or that do not go on from the month before."""
    previous: ClosedPeriod | None = None
    for period in found:
        goes_on = previous is None or period.month == months.next_of(previous.month)
        ends_well = re.fullmatch(months.PATTERN, period.month) and period.ends_at == months.bounds(period.month)[1]
        links_well = period.previous_hash == (previous.hash if previous else "")
        if not (goes_on and ends_well and links_well and period.hash == chain.period_hash(period)):
            yield period.month, "closing"
        previous = period if ends_well else previous


def _otherwise_told(session: ReadSession, found: list[ClosedPeriod]) -> Iterator[tuple[str, str]]:
    """Months of which the audit log, while it keeps the entry, tells another hash than their row."""
    hashes = {period.month: period.hash for period in found}
    told = session.execute(
        select(AuditLogEntry.target_id, AuditLogEntry.after).where(AuditLogEntry.action == Act.PERIOD_CLOSED.value)
    )
    for month, after in told:
        if hashes.get(month) != (after or {}).get("hash"):
            yield str(month), "closing"


def _without_period(session: ReadSession, found: list[ClosedPeriod]) -> Iterator[tuple[str, str]]:
    """Months whose rows were chained, and how many of them, that have another number or no row of their own."""
    counted = {period.month: period.entry_count for period in found if period.entry_count}
    kept = session.execute(
        select(ClosedEntry.month, func.count()).group_by(ClosedEntry.month).order_by(ClosedEntry.month)
    )
    links = {month: int(number) for month, number in kept}
    yield from ((month, "closing") for month in counted.keys() | links.keys() if counted.get(month) != links.get(month))


def _first_difference(session: ReadSession, period: ClosedPeriod) -> int | None:
    """The id of the first row that is not as it was closed, or is missing; None when all are there as they were."""
    rows = chain.rows_of(session, period.month)
    kept = session.execute(
        select(ClosedEntry.place, ClosedEntry.entry_id, ClosedEntry.link)
        .where(ClosedEntry.month == period.month)
        .order_by(ClosedEntry.place),
        execution_options={"yield_per": chain.ROWS_AT_ONCE},
    )
    last, number = chain.head(period.month, period.previous_hash).hex(), 0
    now = chain.links(period.month, period.previous_hash, rows)
    for number, (link, was) in enumerate(zip_longest(now, kept), start=1):
        if link is None or was is None:
            return int(was.entry_id if link is None else link.entry_id)
        if (number, link.entry_id, link.link) != tuple(was):
            return min(int(link.entry_id), int(was.entry_id))
        last = link.link.hex()
    if (last, number) != (period.entries_hash, period.entry_count):
        return period.last_entry_id
    return None
