"""The chain over the ledger rows of a closed month, by which one altered byte is found; reads, and writes nothing.

Anyone can compute it anew from a copy of the database, by these rules:

- A row's bytes are a JSON array in UTF-8 without spaces, with letters as they are (no `\\uXXXX` but for control
  characters): id, account id, workspace id of the account, kind, amount, generation id, key, available after, held
  after, actor, reason, the text of `message` as it is stored, and its time in UTC as `2026-10-31 23:59:59.999999`;
  what there is none of is `null`.
- Rows are those whose time lies in the month, by their id; those of the sample company, which goes away, are left out.
- A link is the SHA-256 of the link before and the row's bytes. The first one follows SHA-256 of the JSON array
  `["closed period", 1, month, hash of the closed month before]`, in which the first closed month has `""`.
- The hash of the month is the SHA-256 of the JSON array of month, first moment after it, moment of closing, id and
  address of who closed it, id of the last row, number of rows, `totals` with sorted keys, hash before, and last link;
  times as above, links and hashes in hexadecimal.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    cast,
    false,
    func,
    literal_column,
    select,
    type_coerce,
)

from core.billing import months
from core.db import ReadSession
from core.db.tables import Account, ClosedPeriod, LedgerEntry, Workspace

VERSION = 1
ROWS_AT_ONCE = 500


class Link(NamedTuple):
    """A row's place in the chain."""

    entry_id: int
    link: bytes


def canonical(values: Iterable[Any]) -> bytes:
    """Values as the bytes that are hashed. What is no JSON, as only a stranger could have written, has bytes, too."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=repr).encode(
        "utf-8", "surrogatepass"
    )


def links(month: str, previous_hash: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[Link]:
    """The chain over rows as `rows_of` gives them: one link a row, and nothing is held but the last; pure."""
    link = head(month, previous_hash)
    for row in rows:
        link = hashlib.sha256(link + canonical(row)).digest()
        yield Link(row[0], link)


def head(month: str, previous_hash: str) -> bytes:
    """What the first link follows, and the last one where there are no rows; pure."""
    return hashlib.sha256(canonical(["closed period", VERSION, month, previous_hash])).digest()


def period_hash(period: ClosedPeriod) -> str:
    """The hash of a closed month, of all that its row says beside it; pure."""
    return hashlib.sha256(
        canonical(
            [
                period.month,
                _written(period.ends_at),
                _written(period.closed_at),
                period.closed_by_id,
                period.closed_by,
                period.last_entry_id,
                period.entry_count,
                period.totals,
                period.previous_hash,
                period.entries_hash,
            ]
        )
    ).hexdigest()


def rows_of(session: ReadSession, month: str) -> Iterator[tuple[Any, ...]]:
    """The ledger rows of a month in their order, as they are hashed; read some hundred at a time."""
    query = _ROWS[session.get_bind().dialect.name].where(*in_month(month)).order_by(LedgerEntry.id)
    found = session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    return (tuple(row) for row in found)


def sums_of(session: ReadSession, month: str) -> Mapping[str, int]:
    """Kind -> sum of the amounts of a month's rows, in credits."""
    amount = func.coalesce(func.sum(LedgerEntry.amount_credits), 0)
    moved = _of_books(select(LedgerEntry.kind, amount)).where(*in_month(month)).group_by(LedgerEntry.kind)
    return {kind.value: int(credits) for kind, credits in session.execute(moved)}


def extent_of(session: ReadSession, month: str) -> tuple[int, int, int]:
    """(Number of rows, highest id, sum of ids) of a month: what grows when a row is added to it."""
    ids = LedgerEntry.id
    row = session.execute(
        _of_books(select(func.count(ids), func.coalesce(func.max(ids), 0), func.coalesce(func.sum(ids), 0))).where(
            *in_month(month)
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def in_month(month: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Rows whose time lies in a month."""
    begin, end = months.bounds(month)
    return LedgerEntry.created_at >= begin, LedgerEntry.created_at < end


def _of_books(query: Select[Any]) -> Select[Any]:
    """Without the sample company."""
    return (
        query.join(Account, Account.id == LedgerEntry.account_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .where(Workspace.is_sample == false())
    )


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _rows(time: ColumnElement[str]) -> Select[Any]:
    """Columns as they are stored: read as our types, a change that these do not see would not be found."""
    return _of_books(
        select(
            type_coerce(LedgerEntry.id, Integer),
            LedgerEntry.account_id,
            Account.workspace_id,
            type_coerce(LedgerEntry.kind, String),
            LedgerEntry.amount_credits,
            LedgerEntry.generation_id,
            LedgerEntry.key,
            LedgerEntry.available_after,
            LedgerEntry.held_after,
            LedgerEntry.actor,
            LedgerEntry.reason,
            cast(LedgerEntry.message, Text),
            time,
        )
    )


_ROWS: Mapping[str, Select[Any]] = {
    "sqlite": _rows(literal_column("ledger_entries.created_at", String)),
    "postgresql": _rows(
        literal_column("to_char(timezone('UTC', ledger_entries.created_at), 'YYYY-MM-DD HH24:MI:SS.US')", String)
    ),
}
