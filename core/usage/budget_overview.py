"""How the budgets of a workspace stand in the month under way: what is taken, what is left, what it will come to."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.orm import aliased

from core.clock import utc_now
from core.db import ReadSession
from core.db.enums import BudgetMode, BudgetScope
from core.db.tables import Budget, BudgetMonth, Project, User, Workspace
from core.usage import budgets, limits, reports
from core.usage.cache import UsageCache
from core.usage.forecast import WEEKS, forecast
from core.workspaces import months
from core.workspaces.access import Member, in_bound_workspace
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Standing:
    """What a month's orders of a workspace, a project or somebody have taken, and the budget where there is one.

    `name` is what the subject is called, `taken_credits` is reserved and charged. `expected_credits` is what the month
    will probably come to, None where there is too little to tell. `is_of_each` says that the budget is
    the one that each member has who has none of their own.
    """

    scope: BudgetScope
    subject_id: str
    name: str
    taken_credits: int
    limit_credits: int | None
    mode: BudgetMode | None
    is_of_each: bool = False
    expected_credits: int | None = None

    @property
    def left_credits(self) -> int | None:
        """What can still be ordered within the budget; None without one."""
        return None if self.limit_credits is None else max(0, self.limit_credits - self.taken_credits)

    @property
    def is_exceeded(self) -> bool:
        """More is taken than the budget has."""
        return self.limit_credits is not None and self.taken_credits > self.limit_credits

    @property
    def will_be_exceeded(self) -> bool:
        """The month will probably come to more than the budget has."""
        return self.limit_credits is not None and (self.expected_credits or 0) > self.limit_credits


@dataclass(frozen=True, slots=True)
class Overview:
    """The month under way of a workspace, in its time zone; the workspace stands first, then projects, then people.

    `of_each_member` is the budget of each member who has none of their own.
    """

    month: str
    time_zone: str
    begins_at: datetime
    ends_at: datetime
    standings: Sequence[Standing]
    of_each_member: budgets.Set | None = None


def overview(
    session: ReadSession, member: Member, *, cache: UsageCache, at: datetime | None = None, with_forecast: bool = True
) -> Overview:
    """The workspace, its projects, and of its people all for who manages budgets, else oneself.

    Projects and people stand in it that have a budget or have taken something this month; oneself always does.
    """
    zone, now = months.zone_of(session, member.workspace_id), at or utc_now()
    month = months.month_of(now, zone)
    expected = _expected(session, member, now.astimezone(zone).date(), cache) if with_forecast else {}
    values = {"workspace_id": member.workspace_id, "month": month, "user_id": member.id}
    rows = session.execute(_ROWS, values).all()
    sees_all = member.may(Action.SET_BUDGET)
    seen = [row for row in rows if sees_all or row.scope is not BudgetScope.MEMBER or row.subject_id == member.id]
    return Overview(
        month,
        str(zone),
        months.begin_of(month, zone),
        months.end_of(month, zone),
        [_standing(row._asdict(), expected) for row in sorted(seen, key=_place)],
        budgets.for_each_member(session.get_one(Workspace, member.workspace_id)),
    )


def warned(
    session: ReadSession, member: Member, *, cache: UsageCache, at: datetime | None = None
) -> Sequence[Standing]:
    """Budgets of the month under way that are exceeded or probably will be."""
    if session.scalar(_ANY, {"workspace_id": member.workspace_id}) is None:
        return []
    found = overview(session, member, cache=cache, at=at).standings
    return [one for one in found if one.is_exceeded or one.will_be_exceeded]


def _standing(row: Mapping[str, Any], expected: Mapping[limits.Key, tuple[int, int]]) -> Standing:
    rest = expected.get((row["scope"], row["subject_id"]))
    comes_to = None if rest is None else row["taken_credits"] + max(0, rest[1] - rest[0])
    return Standing(**{**row, "is_of_each": bool(row["is_of_each"])}, expected_credits=comes_to)


def _expected(
    session: ReadSession, member: Member, today: date, cache: UsageCache
) -> Mapping[limits.Key, tuple[int, int]]:
    """What was charged so far and what will probably have been by the month's end, where there is enough to tell."""
    first, last = today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1])
    chosen = reports.UsageQuery(min(first, today - timedelta(weeks=WEEKS)), last)
    spent: defaultdict[limits.Key, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for group, scope in ((reports.Group.PROJECT, BudgetScope.PROJECT), (reports.Group.USER, BudgetScope.MEMBER)):
        for row in cache.aggregate(session, member, chosen, [reports.Group.DAY, group]):
            day, credits = date.fromisoformat(row.keys["day"]), row.figures.settled_credits
            spent[scope, row.keys[f"{group}_id"]][day] += credits
            if scope is BudgetScope.PROJECT:
                spent[BudgetScope.WORKSPACE, member.workspace_id][day] += credits
    found = {}
    for key, by_day in spent.items():
        ahead = forecast(by_day, since=first, today=today, until=last)
        if ahead is not None:
            found[key] = (sum(credits for day, credits in by_day.items() if day >= first), ahead.expected_credits)
    return found


def _place(row: Row[Any]) -> tuple[int, str, str]:
    return list(BudgetScope).index(row.scope), row.name.casefold(), row.subject_id


_ANY = select(Workspace.id).where(
    Workspace.id == bindparam("workspace_id"),
    or_(
        Workspace.member_budget_credits.is_not(None),
        exists().where(in_bound_workspace(Budget)).correlate(None),
    ),
)


def _subjects() -> Subquery:
    """Everything that a line is made for."""
    in_month = (in_bound_workspace(BudgetMonth), BudgetMonth.month == bindparam("month"))
    scope = Budget.scope.type
    return union(
        select(Budget.scope, Budget.subject_id).where(in_bound_workspace(Budget)),
        select(BudgetMonth.scope, BudgetMonth.subject_id).where(*in_month, BudgetMonth.taken_credits > 0),
        select(literal(BudgetScope.WORKSPACE, scope), bindparam("workspace_id", type_=String())),
        select(literal(BudgetScope.MEMBER, scope), bindparam("user_id", type_=String())),
    ).subquery()


def _rows() -> Select[*tuple[Any, ...]]:
    of, here = _subjects(), aliased(Workspace)
    scope, subject_id = of.c.scope, of.c.subject_id

    def is_of(table: type[Budget] | type[BudgetMonth]) -> ColumnElement[bool]:
        return and_(in_bound_workspace(table), table.scope == scope, table.subject_id == subject_id)

    has_that_of_each = and_(
        scope == BudgetScope.MEMBER, Budget.limit_credits.is_(None), here.member_budget_credits.is_not(None)
    )
    return (
        select(
            scope,
            subject_id,
            func.coalesce(Project.name, func.nullif(User.name, ""), User.email, Workspace.name, "").label("name"),
            func.coalesce(BudgetMonth.taken_credits, 0).label("taken_credits"),
            case((has_that_of_each, here.member_budget_credits), else_=Budget.limit_credits).label("limit_credits"),
            case((has_that_of_each, here.member_budget_mode), else_=Budget.mode).label("mode"),
            case((has_that_of_each, 1), else_=0).label("is_of_each"),
        )
        .select_from(of)
        .join(here, here.id == bindparam("workspace_id"))
        .outerjoin(Budget, is_of(Budget))
        .outerjoin(BudgetMonth, is_of(BudgetMonth) & (BudgetMonth.month == bindparam("month")))
        .outerjoin(Project, (scope == BudgetScope.PROJECT) & (Project.id == subject_id))
        .outerjoin(User, (scope == BudgetScope.MEMBER) & (User.id == subject_id))
        .outerjoin(Workspace, (scope == BudgetScope.WORKSPACE) & (Workspace.id == subject_id))
    )


_ROWS = _rows()
