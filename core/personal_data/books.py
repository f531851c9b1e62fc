"""A name in closed months of the books: it is replaced, and the months are sealed anew, in one transaction.

The chain covers who did each booking, so no name can go without it (`core.billing.chain`). Amounts, times and order are
untouched. The months are looked at before: what was changed by somebody else is never sealed over. The audit log says
which hash each month had and has.
"""

from sqlalchemy import delete, select

from core import audit_log, errors
from core.audit import closed_books
from core.audit_log import Act
from core.billing import months
from core.db import WriteSession
from core.db.tables import ClosedEntry, ClosedPeriod, LedgerEntry, table_of
from core.messages import message
from core.personal_data import scanning
from core.personal_data.names import Names
from core.usage import closing


def replace(session: WriteSession, names: Names) -> None:
    """Replace a person's addresses in closed months, and seal those anew; Conflict where the books differ already."""
    closing.one_at_a_time(session)
    periods = session.scalars(select(ClosedPeriod).order_by(ClosedPeriod.month)).all()
    if not periods:
        return
    table = table_of(LedgerEntry)
    ends_at = periods[-1].ends_at
    rows = session.execute(
        select(table).where(table.c.created_at < ends_at, scanning.mentions(table, names)).order_by(table.c.id)
    ).all()
    touched = {months.of(row.created_at) for row in rows}
    touched |= {each.month for each in periods if names.replaced(each.closed_by) != each.closed_by}
    if not touched:
        return
    _checked, wrong = closed_books.check(session, full=True)
    if wrong:
        raise errors.Conflict(message("erase_books_differ", months=", ".join(wrong[:5])))
    for row in rows:
        scanning.change_row(session, table, row, names)
    first, previous = min(touched), ""
    for period in periods:
        if period.month >= first:
            _seal(session, period, previous, names)
        previous = period.hash


def _seal(session: WriteSession, period: ClosedPeriod, previous_hash: str, names: Names) -> None:
    before = period.hash
    session.execute(delete(ClosedEntry).where(ClosedEntry.month == period.month))
    last, number = closing.write_links(session, period.month, previous_hash)
    period.previous_hash, period.entries_hash, period.entry_count = previous_hash, last.link.hex(), number
    period.closed_by = names.replaced(period.closed_by)
    session.flush()
    period.hash = closing.hash_of(session, period.month)
    session.flush()
    audit_log.record(
        session,
        None,
        Act.PERIOD_SEALED_ANEW,
        target=period.month,
        target_id=period.month,
        before={"hash": before},
        after={"month": period.month, "hash": period.hash},
    )
