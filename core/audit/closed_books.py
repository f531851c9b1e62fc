"""The rule that closed months stay as they were closed: every row of theirs, and what was written down of them.

Its pass over everything reads each row of the closed months once and holds none; the one over what is new looks at the
closed months alone, since rows that come later lie in an open one. A pass over everything can be made in parts.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

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
    if not full:
        found = chain.sealed(session)
        return len(found), _as_offenders(_of_months(session, found))
    checked, offenders, after = 0, set[str](), ""
    while True:
        part = look(session, after)
        checked += part.checked
        offenders.update(part.offenders)
        if part.next_after is None:
            return checked, sorted(offenders)
        after = part.next_after


class Part(NamedTuple):
    """A part of the look at everything: what it was, and after which place the next one goes on, None at the end."""

    checked: int
    offenders: list[str]
    next_after: str | None


def look(session: ReadSession, after: str, most: int | None = None) -> Part:
    """The rows of one closed month, or so many of them, after a place (`2026-10 500`); first of all months.

    A month that is come to its end is compared with its totals.
    """
    found = chain.sealed(session)
    wrong = [] if after else _of_months(session, found)
    month, _, place = after.partition(" ")
    at = next((n for n, period in enumerate(found) if period.month >= month), len(found))
    if at == len(found):
        return Part(0, _as_offenders(wrong), None)
    period, following = found[at], found[at + 1].month if at + 1 < len(found) else None
    if _end_of(period) is None:  # told as a closing
        return Part(0, _as_offenders(wrong), following)
    begin = int(place or 0) if period.month == month else 0
    entry_id, reached = _first_difference(session, period, begin, most)
    if reached is not None:
        return Part(0, _as_offenders(wrong), f"{period.month} {reached}")
    if entry_id is not None:
        wrong.append((period.month, str(entry_id)))
    totals = _totals(period)
    if dict(chain.sums_of(session, period.month)) != totals.get("ledger"):
        wrong.append((period.month, "closing"))
    if closing.differs(closing.usage_sums(session, period.month), totals.get("usage")):
        wrong.append((period.month, "usage"))
    checked = period.entry_count if isinstance(period.entry_count, int) else 0
    return Part(checked, _as_offenders(wrong), following)


def _of_months(session: ReadSession, found: Sequence[Sealed]) -> list[tuple[str, str]]:
    """What is wrong with what was written down of months, without a look at their rows."""
    return [*_unsealed(found), *_otherwise_told(session, found), *_without_period(session, found)]


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


def _first_difference(session: ReadSession, period: Sealed, begin: int, most: int | None) -> tuple[object, int | None]:
    """The id of the first row after `begin` that is not as it was closed, or is missing; None when all are as closed.

    Beside it where the look ended, when it ended before the month does.
    """
    number, after_id, last = begin, None, chain.head(period.month, period.previous_hash)
    if begin:
        before = (ClosedEntry.month == period.month, ClosedEntry.place == begin)
        of_row = select(ClosedEntry.entry_id, type_coerce(ClosedEntry.link, NullType())).where(*before)
        row = session.execute(of_row).first()
        if row is None or not isinstance(row[1], bytes):  # it was there as it should be when the part before ended
            return period.last_entry_id, None
        after_id, last = row
    rows = chain.rows_of(session, period.month, after_id=after_id, most=most)
    kept = session.execute(
        select(ClosedEntry.place, ClosedEntry.entry_id, type_coerce(ClosedEntry.link, NullType()))
        .where(ClosedEntry.month == period.month, ClosedEntry.place > begin)
        .order_by(ClosedEntry.place)
        .limit(most),
        execution_options={"yield_per": chain.ROWS_AT_ONCE},
    )
    now = chain.links(period.month, period.previous_hash, rows, after=last)
    for number, (link, was) in enumerate(zip_longest(now, kept), start=begin + 1):
        if link is None or was is None:
            return (was[1] if link is None else link.entry_id), None
        if (number, link.entry_id, link.link) != tuple(was):
            return min(each for each in (link.entry_id, was[1]) if isinstance(each, int)), None
        last = link.link
    if most is not None and number - begin == most:
        return None, number
    if (last.hex(), number) != (period.entries_hash, period.entry_count):
        return period.last_entry_id, None
    return None, None
