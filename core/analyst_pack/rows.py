"""The rows of the pack's files, read from the views in one snapshot and handed on some thousand at a time.

Each file is one statement whose rows are taken from the database as they are written (a cursor on the server), so that
neither memory nor the number of rows of a file has a part in the other.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from core.analyst_pack.asked import Asked
from core.analyst_pack.columns import Table
from core.analyst_pack.description import ACCOUNTS, PEOPLE, PROMPTS
from core.billing import ledger
from core.db import ReadSession
from core.db.tables import Account, Generation, LedgerEntry, UsageDay, WorkspaceMember

BATCH_ROWS = 5_000


def batches(
    session: ReadSession, table: Table, asked: Asked, prompts_of: Sequence[str], *, size: int = BATCH_ROWS
) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows in the order of the table's key, so many at a time."""
    found = session.execute(statement(table, asked, prompts_of), execution_options={"yield_per": size})
    yield from found.partitions(size)


def statement(table: Table, asked: Asked, prompts_of: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """All rows of a file, with its columns in their order."""
    if table is PROMPTS:
        return _prompts(asked, prompts_of)
    view = table.view
    query = select(*(view.c[each.name] for each in table.viewed)).order_by(*(view.c[name] for name in table.key))
    if table is ACCOUNTS:
        query = _with_balances(query, view.c.workspace_id, asked)
    if asked.workspace_id is not None:
        query = query.where(
            _at_work_in(view.c.person_id, asked.workspace_id)
            if table is PEOPLE
            else view.c.workspace_id == asked.workspace_id
        )
    return query.where(*within(table, view.c, asked))


def within(table: Table, columns: Any, asked: Asked) -> list[ColumnElement[bool]]:
    """The conditions by which the rows of a table lie in the period."""
    if table.moments:
        return [or_(*(and_(*_between(columns[name], asked)) for name in table.moments))] if asked.since else []
    found: list[ColumnElement[bool]] = []
    if asked.since is None or asked.until is None:
        return found
    if table.day is not None:
        found += [columns[table.day] >= asked.since, columns[table.day] <= asked.until]
    if table.month is not None:
        first, last = (day.isoformat()[:7] for day in (asked.since, asked.until))
        found += [columns[table.month] >= first, columns[table.month] <= last]
    return found


def _between(moment: ColumnElement[Any], asked: Asked) -> list[ColumnElement[bool]]:
    return [moment >= asked.begin, moment < asked.end]


def _prompts(asked: Asked, prompts_of: Sequence[str]) -> Select[*tuple[Any, ...]]:
    query = select(Generation.id, Generation.workspace_id, Generation.prompt, Generation.negative_prompt)
    columns = {"ordered_at": Generation.created_at, "ended_at": Generation.ended_at}
    mine = Generation.workspace_id.in_(prompts_of)
    return query.where(mine, *within(PROMPTS, columns, asked)).order_by(Generation.id)


def _at_work_in(person_id: ColumnElement[str], workspace_id: str) -> ColumnElement[bool]:
    """Who is in a workspace, or has made something that is or was charged there."""
    at_work = [
        select(each.user_id).where(each.workspace_id == workspace_id)
        for each in (WorkspaceMember, UsageDay, Generation)
    ]
    return or_(*(person_id.in_(each) for each in at_work))


def effect(position: int) -> ColumnElement[int]:
    """What a movement did to available (0) or held (1)."""
    signs = {kind.value: by[position] for kind, by in ledger.EFFECTS.items()}
    return case(signs, value=LedgerEntry.kind, else_=0) * LedgerEntry.amount_credits


def _with_balances(
    query: Select[*tuple[Any, ...]], workspace_id: ColumnElement[str], asked: Asked
) -> Select[*tuple[Any, ...]]:
    """With the balances before the period, by the ledger, and after it, by the account less what came later.

    What is counted from one end must meet what is counted from the other: the checks compare them.
    """
    account = Account.__table__
    query = query.join(account, account.c.workspace_id == workspace_id)
    whose = [] if asked.workspace_id is None else [LedgerEntry.account_id == _account_of(asked.workspace_id)]
    before, later = (_moved(*whose, *each) for each in _outside(asked))
    opening = [func.coalesce(before.c[f"moved_{place}"], 0) for place in (0, 1)]
    closing = [
        now - func.coalesce(later.c[f"moved_{place}"], 0)
        for place, now in enumerate((account.c.available_credits, account.c.held_credits))
    ]
    joined = query.outerjoin(before, before.c.account_id == account.c.id).outerjoin(
        later, later.c.account_id == account.c.id
    )
    return joined.add_columns(*opening, *closing)


def _outside(asked: Asked) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """What was booked before the period, and what after it; nothing where it has no such end."""
    nothing = [LedgerEntry.id < 0]
    before = nothing if asked.begin is None else [LedgerEntry.created_at < asked.begin]
    return before, nothing if asked.end is None else [LedgerEntry.created_at >= asked.end]


def _account_of(workspace_id: str) -> Any:
    return select(Account.id).where(Account.workspace_id == workspace_id).scalar_subquery()


def _moved(*where: ColumnElement[bool]) -> Any:
    sums = [func.sum(effect(place)).label(f"moved_{place}") for place in (0, 1)]
    return select(LedgerEntry.account_id, *sums).where(*where).group_by(LedgerEntry.account_id).subquery()
