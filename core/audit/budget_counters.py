"""The rule that what is counted against budgets is what the ledger holds and has charged; as two queries."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from core.audit.scope import Since, within
from core.db.enums import BudgetScope, EntryKind
from core.db.tables import Account, BudgetMonth, Generation, LedgerEntry

SUBJECT: dict[BudgetScope, SQLColumnExpression[str]] = {
    BudgetScope.WORKSPACE: Account.workspace_id.expression,
    BudgetScope.PROJECT: Generation.charged_in_id,
    BudgetScope.MEMBER: Generation.user_id.expression,
}
"""Whose counter an order is counted in."""


def of_ledger(scope: BudgetScope) -> Select[*tuple[Any, ...]]:
    """What orders that were counted have taken and not given back, by workspace, month and subject."""
    amount = LedgerEntry.amount_credits
    subject: ColumnElement[str] = SUBJECT[scope].label("subject_id")
    return (
        select(
            Account.workspace_id,
            Generation.budget_month.label("month"),
            literal(scope.value, String()).label("scope"),
            subject,
            func.sum(case((LedgerEntry.kind == EntryKind.HOLD, amount), else_=-amount)).label("credits"),
        )
        .join(LedgerEntry, LedgerEntry.generation_id == Generation.id)
        .join(Account, Account.id == LedgerEntry.account_id)
        .where(Generation.budget_month.is_not(None), LedgerEntry.kind.in_((EntryKind.HOLD, EntryKind.RELEASE)))
        .group_by(Account.workspace_id, Generation.budget_month, subject)
    )


def queries(since: object) -> tuple[Select[Any], Select[Any]]:
    """In full: counters that differ from the ledger. Else: months whose projects or people do not add up to the whole.

    Counting the ledger anew reads every order; that the three sums of a month agree is quick to see.
    """
    here = within(since, BudgetMonth.workspace_id)
    count = select(func.count()).select_from(BudgetMonth).where(here)
    where = BudgetMonth.workspace_id + literal(" ") + BudgetMonth.month
    if isinstance(since, Since):
        sums = [
            func.sum(case((BudgetMonth.scope == scope, BudgetMonth.taken_credits), else_=0)) for scope in BudgetScope
        ]
        differ = or_(*(one != sums[0] for one in sums[1:]))
        return count, select(where).group_by(BudgetMonth.workspace_id, BudgetMonth.month).having(differ)
    counted = select(
        BudgetMonth.workspace_id,
        BudgetMonth.month,
        cast(BudgetMonth.scope, String()).label("scope"),
        BudgetMonth.subject_id,
        (-BudgetMonth.taken_credits).label("credits"),
    ).where(here)
    both = union_all(counted, *_booked(within(since, Account.workspace_id))).subquery()
    keys = (both.c.workspace_id, both.c.month, both.c.scope, both.c.subject_id)
    named = both.c.workspace_id + literal(" ") + both.c.month + literal(" ") + both.c.subject_id
    return count, select(named).group_by(*keys).having(func.sum(both.c.credits) != 0)


def _booked(here: ColumnElement[bool]) -> Iterator[Select[*tuple[Any, ...]]]:
    """The same as `of_ledger` for each scope, reading every order once, which is most of the work; not yet added up."""
    orders = of_ledger(BudgetScope.MEMBER).where(here).add_columns(SUBJECT[BudgetScope.PROJECT].label("project_id"))
    each = orders.group_by(SUBJECT[BudgetScope.PROJECT]).cte("orders")
    subjects = {
        BudgetScope.WORKSPACE: each.c.workspace_id,
        BudgetScope.PROJECT: each.c.project_id,
        BudgetScope.MEMBER: each.c.subject_id,
    }
    for scope, subject in subjects.items():
        named = literal(scope.value, String()).label("scope")
        yield select(each.c.workspace_id, each.c.month, named, subject.label("subject_id"), each.c.credits)
