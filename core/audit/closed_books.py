"""The rule that closed months stay as they were closed: every row of theirs, and what was written down of them.

Its pass over everything reads each row of the closed months once and holds none; the one over what is new looks at the
closed months alone, since rows that come later lie in an open one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import func, select, type_coerce
from sqlalchemy.types import NullType

from core import errors
from core.audit import log_entries
from core.audit_log import Act
from core.billing import chain, months
from core.billing.chain import Sealed
from core.db import ReadSession
from core.db.tables import ClosedEntry
from core.usage import closing

CODE = "closed_periods"


def check(session: ReadSession, *, full: bool) -> tuple[int, list[str]]:
    """How many rows of closed months were looked at, or months if not `full`, and what differs.

    `2026-10: 4711` is the first row of a month that was changed, added, moved or taken out; `2026-10: closing` means
    that what was written down when it was closed was changed; `2026-10: usage` that its daily usage was.
    """
    found = chain.sealed(session)
    wrong = [*_unsealed(found), *_otherwise_told(session, found), *_without_period(session, found)]
    if not full:
        return len(found), _as_offenders(wrong)
    checked = 0
    for period in found:
        if _end_of(period) is None:
            continue  # told as a closing
        if (entry_id := _first_difference(session, period)) is not None:
            wrong.append((period.month, str(entry_id)))
        totals = _totals(period)
        if dict(chain.sums_of(session, period.month)) != totals.get("ledger"):
            wrong.append((period.month, "closing"))
        if closing.differs(closing.usage_sums(session, period.month), totals.get("usage")):
            wrong.append((period.month, "usage"))
        checked += period.entry_count if isinstance(period.entry_count, int) else 0
    return checked, _as_offenders(wrong)


def _as_offenders(wrong: list[tuple[str, str]]) -> list[str]:
    return [f"{month}: {what}" for month, what in sorted(set(wrong))]


def _totals(period: Sealed) -> Mapping[str, Any]:
    """The totals; nothing where somebody has made them unreadable."""
    try:
        found = json.loads(period.totals)
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _end_of(period: Sealed) -> str | None:
    """The first moment after it, as it should be stored; None for what is no month."""
    try:
        return chain.written(months.bounds(period.month)[1])
    except (errors.InvalidRequest, TypeError):
        return None


def _unsealed(found: Sequence[Sealed]) -> Iterator[tuple[str, str]]:
    """Months whose hash is not that of what they say, or that do not go on from the month before."""
    previous: Sealed | None = None
    for period in found:
        end = _end_of(period)
        goes_on = previous is None or period.month == months.next_of(previous.month)
        links_well = period.previous_hash == (previous.hash if previous else "")
        if not (goes_on and links_well and period.ends_at == end and period.hash == period.expected_hash):
            yield period.month, "closing"
        previous = previous if end is None else period


def _otherwise_told(session: ReadSession, found: Sequence[Sealed]) -> Iterator[tuple[str, str]]:
    """Months of which the audit log, while it keeps entries, tells last another hash than their row."""
    hashes = {period.month: period.hash for period in found}
    told = {
        month: after.get("hash")
        for month, after in log_entries.told_after(session, Act.PERIOD_CLOSED, Act.PERIOD_SEALED_ANEW)
    }
    yield from ((month, "closing") for month, hash_ in told.items() if hashes.get(month) != hash_)


def _without_period(session: ReadSession, found: Sequence[Sealed]) -> Iterator[tuple[str, str]]:
    """Months that have another number of links than of rows, or links and no row of their own; by index alone."""
    for period in found:
        last = session.scalar(select(func.max(ClosedEntry.place)).where(ClosedEntry.month == period.month))
        if (last or 0) != period.entry_count:
            yield period.month, "closing"
    newest = found[-1].month if found else ""
    later = select(ClosedEntry.month).where(ClosedEntry.month > newest).order_by(ClosedEntry.month).limit(1)
    if (month := session.scalar(later)) is not None:
        yield month, "closing"


def _first_difference(session: ReadSession, period: Sealed) -> object:
    """The id of the first row that is not as it was closed, or is missing; None when all are there as they were."""
    rows = chain.rows_of(session, period.month)
    kept = session.execute(
        select(ClosedEntry.place, ClosedEntry.entry_id, type_coerce(ClosedEntry.link, NullType()))
        .where(ClosedEntry.month == period.month)
        .order_by(ClosedEntry.place),
        execution_options={"yield_per": chain.ROWS_AT_ONCE},
    )
    last, number = chain.head(period.month, period.previous_hash).hex(), 0
    now = chain.links(period.month, period.previous_hash, rows)
    for number, (link, was) in enumerate(zip_longest(now, kept), start=1):
        if link is None or was is None:
            return was[1] if link is None else link.entry_id
        if (number, link.entry_id, link.link) != tuple(was):
            return min(each for each in (link.entry_id, was[1]) if isinstance(each, int))
        last = link.link.hex()
    if (last, number) != (period.entries_hash, period.entry_count):
        return period.last_entry_id
    return None
