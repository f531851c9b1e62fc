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
  address of who closed it, id of the last row, number of rows, the text of `totals` as it is stored, hash before, and
  last link; times as above, links and hashes in hexadecimal.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, LargeBinary, Select, Text, cast, false, func, literal_column, select

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
        "utf-8", "surrogateescape"
    )


def links(
    month: str, previous_hash: str, rows: Iterable[tuple[Any, ...]], *, after: bytes | None = None
) -> Iterator[Link]:
    """The chain over rows as `rows_of` gives them: one link a row, and nothing is held but the last; pure.

    `after` is the link of the row before these, None where they are the first of their month.
    """
    link = after or head(month, previous_hash)
    for row in rows:
        link = hashlib.sha256(link + canonical(row)).digest()
        yield Link(row[0], link)


def head(month: str, previous_hash: str) -> bytes:
    """What the first link follows, and the last one where there are no rows; pure."""
    return hashlib.sha256(canonical(["closed period", VERSION, month, previous_hash])).digest()


class Sealed(NamedTuple):
    """What is written down of a closed month, as it is stored; times and totals are texts."""

    month: str
    ends_at: str
    closed_at: str
    closed_by_id: str
    closed_by: str
    last_entry_id: int
    entry_count: int
    totals: str
    previous_hash: str
    entries_hash: str
    hash: str

    @property
    def expected_hash(self) -> str:
        """The hash of all the rest."""
        return hashlib.sha256(canonical(self[:-1])).hexdigest()


def sealed(session: ReadSession) -> list[Sealed]:
    """Every closed month, in their order."""
    query = _PERIODS[session.get_bind().dialect.name]
    return [Sealed(*(_read(value) for value in row)) for row in session.execute(query)]


def rows_of(
    session: ReadSession, month: str, *, after_id: int | None = None, most: int | None = None
) -> Iterator[tuple[Any, ...]]:
    """The ledger rows of a month in their order, as they are hashed; read some hundred at a time.

    After the row of an id, and so many at most, where that is said.
    """
    which = in_month(month) if after_id is None else (*in_month(month), LedgerEntry.id > after_id)
    query = _ROWS[session.get_bind().dialect.name].where(*which).order_by(LedgerEntry.id).limit(most)
    found = session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    return (tuple(_read(value) for value in row) for row in found)


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


def _of_books(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Without the sample company."""
    return (
        query.join(Account, Account.id == LedgerEntry.account_id)
        .join(Workspace, Workspace.id == Account.workspace_id)
        .where(Workspace.is_sample == false())
    )


def written(moment: datetime) -> str:
    """A time as it is hashed."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _read(value: Any) -> Any:
    """A stored value; the bytes of a text, whatever they are, come back by `canonical`."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


# Columns are read as they are stored: of what our types do not see a change would not be found, and what they cannot
# read would end the audit.
def _sqlite_text(column: Any) -> ColumnElement[Any]:
    return cast(column, LargeBinary)


def _postgresql_text(column: Any) -> ColumnElement[Any]:
    return cast(column, Text)


def _postgresql_time(column: Any) -> ColumnElement[Any]:
    return func.to_char(func.timezone(literal_column("'UTC'"), column), literal_column("'YYYY-MM-DD HH24:MI:SS.US'"))


def _rows(
    text: Callable[[Any], ColumnElement[Any]], time: Callable[[Any], ColumnElement[Any]]
) -> Select[*tuple[Any, ...]]:
    return _of_books(
        select(
            LedgerEntry.id,
            text(LedgerEntry.account_id),
            text(Account.workspace_id),
            text(LedgerEntry.kind),
            LedgerEntry.amount_credits,
            text(LedgerEntry.generation_id),
            text(LedgerEntry.key),
            LedgerEntry.available_after,
            LedgerEntry.held_after,
            text(LedgerEntry.actor),
            text(LedgerEntry.reason),
            text(LedgerEntry.message),
            time(LedgerEntry.created_at),
        )
    )


def _periods(
    text: Callable[[Any], ColumnElement[Any]], time: Callable[[Any], ColumnElement[Any]]
) -> Select[*tuple[Any, ...]]:
    return select(
        text(ClosedPeriod.month),
        time(ClosedPeriod.ends_at),
        time(ClosedPeriod.closed_at),
        text(ClosedPeriod.closed_by_id),
        text(ClosedPeriod.closed_by),
        ClosedPeriod.last_entry_id,
        ClosedPeriod.entry_count,
        text(ClosedPeriod.totals),
        text(ClosedPeriod.previous_hash),
        text(ClosedPeriod.entries_hash),
        text(ClosedPeriod.hash),
    ).order_by(ClosedPeriod.month)


_ROWS: Mapping[str, Select[*tuple[Any, ...]]] = {
    "sqlite": _rows(_sqlite_text, _sqlite_text),
    "postgresql": _rows(_postgresql_text, _postgresql_time),
}
_PERIODS: Mapping[str, Select[*tuple[Any, ...]]] = {
    "sqlite": _periods(_sqlite_text, _sqlite_text),
    "postgresql": _periods(_postgresql_text, _postgresql_time),
}
