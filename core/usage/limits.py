"""What orders take of monthly budgets, and the stop: in the order's own transaction, by one guarded UPDATE a budget.

Whether there is a budget or not, each order is counted by workspace, project and member in the month it was ordered in;
what is given back leaves that month again, whenever it ends. The workspace's account is locked before (by its hold or
release), so no two orders of one workspace can deadlock here. This module knows nothing of who may set a budget.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Update,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from core import errors
from core.db import Reader, WriteSession, types
from core.db.enums import BudgetMode, BudgetScope
from core.db.tables import Budget, BudgetMonth, Generation, Project, User, Workspace, table_of
from core.messages import message
from core.notices import causes
from core.workspaces import months

MARKS = (50, 80, 100)
"""Percent of a budget at which its managers are told, each once a month."""

Key = tuple[BudgetScope, str]
"""What is counted: the scope, and the id of the workspace, project or person."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A budget and what is taken of it in a month; `name` is that of the project or person, empty for the workspace.

    That of a member is their own, or else the one that the workspace gives to each.
    """

    scope: BudgetScope
    subject_id: str
    name: str
    month: str
    mode: BudgetMode
    limit_credits: int
    taken_credits: int

    @property
    def left_credits(self) -> int:
        """What can still be ordered within it; 0 where more is taken than it has."""
        return max(0, self.limit_credits - self.taken_credits)

    def breaks_with(self, credits: int) -> bool:
        """Whether an order of so many credits would go beyond it; one that costs nothing never does."""
        return credits > 0 and self.taken_credits + credits > self.limit_credits

    def stops(self, credits: int) -> bool:
        """Whether it refuses an order of so many credits."""
        return self.mode is BudgetMode.STOP and self.breaks_with(credits)


def take(session: WriteSession, row: Generation) -> None:
    """Count an order against the budgets of its month. BudgetExceeded where one stops it.

    Its credits are held already, in the same transaction.
    """
    take_many(session, [row])


def take_many(session: WriteSession, rows: Sequence[Generation], *, is_refusable: bool = True) -> None:
    """Count orders of one person in one workspace and month, which are all taken or none; as `take`.

    What was sent already cannot be refused any more, and is counted whatever stops.
    """
    first, credits_by_project = rows[0], Counter[str]()
    for row in rows:
        credits_by_project[row.project_id] += row.credits
    taken = _by_key(first.workspace_id, first.user_id, credits_by_project)
    for (scope, subject_id), credits in taken.items():
        key = {"in_workspace": first.workspace_id, "in_month": first.budget_month}
        key |= {"of_scope": scope, "of_subject": subject_id}
        if not _moved(session, _TAKE if is_refusable else _COUNT, {**key, "credits": credits}):
            [limit] = _limits(session, first.workspace_id, [(scope, subject_id)], str(first.budget_month))
            raise refused(limit, credits)
    _tell_of_marks(session, first, taken)


def _tell_of_marks(session: WriteSession, first: Generation, taken: Mapping[Key, int]) -> None:
    """Tell managers of the highest mark that these orders have passed, and somebody of their own budget's."""
    for limit in _limits(session, first.workspace_id, list(taken), str(first.budget_month)):
        before_credits = limit.taken_credits - taken[limit.scope, limit.subject_id]
        passed = [
            mark for mark in MARKS if before_credits * 100 < mark * limit.limit_credits <= limit.taken_credits * 100
        ]
        if passed:
            causes.budget_reached(
                session,
                first.workspace_id,
                budget_id=f"{limit.scope}:{limit.subject_id}",
                name=limit.name,
                month=date.fromisoformat(f"{limit.month}-01"),
                percent=passed[-1],
                used_credits=limit.taken_credits,
                budget_credits=limit.limit_credits,
                also_tell=limit.subject_id if limit.scope is BudgetScope.MEMBER else None,
            )


def give_back(
    session: WriteSession, *, workspace_id: str, project_id: str, user_id: str, credits: int, month: str | None
) -> None:
    """Free what an order has taken of the month it was counted in; None for one of before orders were counted."""
    if not credits or month is None:
        return
    keys = {"in_workspace": workspace_id, "in_month": month, "in_project": project_id, "by_user": user_id}
    freed = session.execute(_GIVE_BACK, {**keys, "credits": credits}).all()
    if len(freed) != len(BudgetScope):
        raise errors.AppError(detail=f"only {len(freed)} of the counters of {keys} are there")


def of_order(
    session: Reader, *, workspace_id: str, project_id: str | None, user_id: str, at: datetime
) -> Sequence[Limit]:
    """The budgets that an order of somebody in a project counts against: the project's, their own, the workspace's.

    Without a project, those that hold for an order in a new one.
    """
    keys: list[Key] = [] if project_id is None else [(BudgetScope.PROJECT, project_id)]
    keys += [(BudgetScope.MEMBER, user_id), (BudgetScope.WORKSPACE, workspace_id)]
    return _limits(session, workspace_id, keys, months.month_in(session, workspace_id, at))


def stopping(
    session: Reader, *, workspace_id: str, user_id: str, credits_by_project: Mapping[str, int], at: datetime
) -> Sequence[tuple[Limit, int]]:
    """The budgets that refuse all these orders together as things stand, and what each is asked for; tightest first."""
    credits_of = _by_key(workspace_id, user_id, credits_by_project)
    found = _limits(session, workspace_id, list(credits_of), months.month_in(session, workspace_id, at))
    asked = [(limit, credits_of[limit.scope, limit.subject_id]) for limit in found]
    broken = [(limit, credits) for limit, credits in asked if limit.stops(credits)]
    return sorted(broken, key=lambda each: each[0].limit_credits - each[0].taken_credits - each[1])


def check(
    session: Reader, *, workspace_id: str, user_id: str, credits_by_project: Mapping[str, int], at: datetime
) -> None:
    """BudgetExceeded where a budget refuses all these orders together as things stand; `take` is what decides."""
    found = stopping(session, workspace_id=workspace_id, user_id=user_id, credits_by_project=credits_by_project, at=at)
    if found:
        raise refused(*found[0])


def refused(limit: Limit, needed_credits: int) -> errors.BudgetExceeded:
    """The refusal of orders that ask so many credits of a budget."""
    figures = {
        "needed_credits": needed_credits,
        "left_credits": limit.left_credits,
        "limit_credits": limit.limit_credits,
    }
    named = {"name": limit.name} if limit.scope is not BudgetScope.WORKSPACE else {}
    return errors.BudgetExceeded(
        message(f"budget_stops_{limit.scope}", **figures, **named),
        scope=limit.scope,
        subject_id=limit.subject_id,
        month=limit.month,
        **figures,
    )


def _by_key(workspace_id: str, user_id: str, credits_by_project: Mapping[str, int]) -> dict[Key, int]:
    """What is asked of each counter, without those that are asked for nothing."""
    total = sum(credits_by_project.values())
    credits_of: dict[Key, int] = {(BudgetScope.PROJECT, each): credits_by_project[each] for each in credits_by_project}
    credits_of |= {(BudgetScope.MEMBER, user_id): total, (BudgetScope.WORKSPACE, workspace_id): total}
    return {key: credits for key, credits in credits_of.items() if credits}


def _moved(session: WriteSession, statement: Update, values: Mapping[str, Any]) -> bool:
    """Whether the counter took it; one that is not there yet is made first."""
    if session.execute(statement, values).first() is not None:
        return True
    fresh = types.insert(session, BudgetMonth).values(
        workspace_id=values["in_workspace"],
        month=values["in_month"],
        scope=values["of_scope"],
        subject_id=values["of_subject"],
        taken_credits=0,
    )
    session.execute(fresh.on_conflict_do_nothing())
    return session.execute(statement, values).first() is not None


def _limits(session: Reader, workspace_id: str, keys: Sequence[Key], month: str) -> list[Limit]:
    """The budgets among these keys, in their order."""
    ids = [subject_id for _scope, subject_id in keys]
    rows = session.execute(_LIMITS, {"in_workspace": workspace_id, "in_month": month, "subject_ids": ids}).all()
    found = {(row.scope, row.subject_id): Limit(month=month, **row._asdict()) for row in rows}
    return [found[key] for key in keys if key in found]


# Put together once: every order and every release runs them.
_MONTHS, _BUDGETS, _WORKSPACES = table_of(BudgetMonth), table_of(Budget), table_of(Workspace)
_HERE = (_MONTHS.c.workspace_id == bindparam("in_workspace"), _MONTHS.c.month == bindparam("in_month"))
_COUNT = (
    update(_MONTHS)
    .where(*_HERE, _MONTHS.c.scope == bindparam("of_scope"), _MONTHS.c.subject_id == bindparam("of_subject"))
    .values(taken_credits=_MONTHS.c.taken_credits + bindparam("credits"))
    .returning(_MONTHS.c.taken_credits)
)
_IS_OWN = (
    _BUDGETS.c.workspace_id == _MONTHS.c.workspace_id,
    _BUDGETS.c.scope == _MONTHS.c.scope,
    _BUDGETS.c.subject_id == _MONTHS.c.subject_id,
)
_TAKE = _COUNT.where(
    ~exists().where(
        *_IS_OWN,
        _BUDGETS.c.mode == BudgetMode.STOP,
        _MONTHS.c.taken_credits + bindparam("credits") > _BUDGETS.c.limit_credits,
    ),
    or_(  # what each member has, unless they have a budget of their own
        ~exists().where(
            _WORKSPACES.c.id == _MONTHS.c.workspace_id,
            _MONTHS.c.scope == BudgetScope.MEMBER,
            _WORKSPACES.c.member_budget_mode == BudgetMode.STOP,
            _MONTHS.c.taken_credits + bindparam("credits") > _WORKSPACES.c.member_budget_credits,
        ),
        exists().where(*_IS_OWN),
    ),
)
_GIVE_BACK = (
    update(_MONTHS)
    .where(
        *_HERE,
        or_(
            and_(_MONTHS.c.scope == BudgetScope.WORKSPACE, _MONTHS.c.subject_id == bindparam("in_workspace")),
            and_(_MONTHS.c.scope == BudgetScope.PROJECT, _MONTHS.c.subject_id == bindparam("in_project")),
            and_(_MONTHS.c.scope == BudgetScope.MEMBER, _MONTHS.c.subject_id == bindparam("by_user")),
        ),
    )
    .values(taken_credits=_MONTHS.c.taken_credits - bindparam("credits"))
    .returning(_MONTHS.c.scope)
)
_SUBJECT_IDS: BindParameter[str] = bindparam("subject_ids", expanding=True)
_OWN = (
    select(
        Budget.scope,
        Budget.subject_id,
        func.coalesce(Project.name, func.nullif(User.name, ""), User.email, "").label("name"),
        Budget.mode,
        Budget.limit_credits,
        func.coalesce(BudgetMonth.taken_credits, 0).label("taken_credits"),
    )
    .outerjoin(
        BudgetMonth,
        and_(
            BudgetMonth.workspace_id == Budget.workspace_id,
            BudgetMonth.scope == Budget.scope,
            BudgetMonth.subject_id == Budget.subject_id,
            BudgetMonth.month == bindparam("in_month"),
        ),
    )
    .outerjoin(Project, and_(Budget.scope == BudgetScope.PROJECT, Project.id == Budget.subject_id))
    .outerjoin(User, and_(Budget.scope == BudgetScope.MEMBER, User.id == Budget.subject_id))
    .where(Budget.workspace_id == bindparam("in_workspace"), Budget.subject_id.in_(_SUBJECT_IDS))
)
_OF_EACH_MEMBER = (
    select(
        literal(BudgetScope.MEMBER, Budget.scope.type).label("scope"),
        User.id.label("subject_id"),
        func.coalesce(func.nullif(User.name, ""), User.email).label("name"),
        Workspace.member_budget_mode.label("mode"),
        Workspace.member_budget_credits.label("limit_credits"),
        func.coalesce(BudgetMonth.taken_credits, 0).label("taken_credits"),
    )
    .select_from(Workspace)
    .join(User, User.id.in_(_SUBJECT_IDS))
    .outerjoin(
        BudgetMonth,
        and_(
            BudgetMonth.workspace_id == Workspace.id,
            BudgetMonth.scope == BudgetScope.MEMBER,
            BudgetMonth.subject_id == User.id,
            BudgetMonth.month == bindparam("in_month"),
        ),
    )
    .where(
        Workspace.id == bindparam("in_workspace"),
        Workspace.member_budget_credits.is_not(None),
        ~exists().where(
            Budget.workspace_id == Workspace.id, Budget.scope == BudgetScope.MEMBER, Budget.subject_id == User.id
        ),
    )
)
_LIMITS: CompoundSelect[*tuple[Any, ...]] = union_all(_OWN, _OF_EACH_MEMBER)
