"""Monthly budgets of workspaces, projects and members: set, and a month of usage looked at against them.

What orders take of them, and the refusal of those that go beyond, is `limits`.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import bindparam, select

from core import audit_log, errors
from core.audit_log import Act
from core.clock import utc_now
from core.db import ReadSession, WriteSession, types
from core.db.enums import BudgetMode, BudgetScope
from core.db.tables import Budget, User, Workspace, WorkspaceMember
from core.messages import message
from core.projects import projects
from core.usage import reports
from core.usage.cache import UsageCache
from core.usage.forecast import WEEKS, Forecast, forecast
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LIMIT_CREDITS = 10**12
_FIELD = "monthlyBudgetCredits"


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month (UTC) of some usage: its budget if it has one, and credits spent by day.

    `forecast` is for a month under way, None where there is too little to tell from.
    """

    first: date
    last: date
    budget_credits: int | None
    by_day: Mapping[date, int]
    forecast: Forecast | None

    @property
    def spent_credits(self) -> int:
        """What was charged in this month."""
        return sum(credits for day, credits in self.by_day.items() if self.first <= day <= self.last)

    @property
    def is_exceeded(self) -> bool:
        """More is spent than the budget has."""
        return self.budget_credits is not None and self.spent_credits > self.budget_credits

    @property
    def will_be_exceeded(self) -> bool:
        """The forecast goes beyond the budget."""
        expected = self.forecast.expected_credits if self.forecast else 0
        return self.budget_credits is not None and expected > self.budget_credits


@dataclass(frozen=True, slots=True)
class Set:
    """A budget as it is set."""

    limit_credits: int
    mode: BudgetMode


def set_limit(
    session: WriteSession,
    member: Member,
    scope: BudgetScope,
    subject_id: str,
    *,
    credits: int | None,
    mode: BudgetMode | None = None,
    field: str = "limitCredits",
) -> None:
    """Set a monthly budget of the workspace, of a project or of somebody in the workspace; None for none.

    Without a `mode` it stays what it was, and a new one warns. Orders feel it at once, with what this month has taken
    already. `field` is what an unusable number is called. InvalidRequest for one that is not a whole number above 0,
    NotFound for what they do not see.
    """
    workspace_id, name = _subject(session, member, scope, subject_id)
    member.require(Action.SET_BUDGET, workspace_id)
    if credits is not None and not 0 < credits <= LIMIT_CREDITS:
        raise errors.InvalidRequest(fields={field: message("budget_not_positive")})
    row = session.get(Budget, (workspace_id, scope, subject_id), with_for_update=True, populate_existing=True)
    before = None if row is None else Set(row.limit_credits, row.mode)
    after = None if credits is None else Set(credits, mode or (before.mode if before else BudgetMode.WARN))
    if before == after:
        return
    if row is not None and after is None:
        session.delete(row)
    elif row is not None and after is not None:
        row.limit_credits, row.mode, row.updated_at = after.limit_credits, after.mode, utc_now()
    elif after is not None:
        key = {"workspace_id": workspace_id, "scope": scope, "subject_id": subject_id}
        values = {"limit_credits": after.limit_credits, "mode": after.mode, "updated_at": utc_now()}
        written = types.insert(session, Budget).values(**key, **values)
        session.execute(written.on_conflict_do_update(index_elements=list(key), set_=values))
    session.flush()
    _record(session, member, (workspace_id, scope, subject_id, name), before=before, after=after)


def set_for_each_member(
    session: WriteSession, member: Member, *, credits: int | None, mode: BudgetMode | None = None
) -> None:
    """Set the monthly budget of each member of the workspace who has none of their own; None for none.

    As `set_limit`: what a member has taken this month counts already.
    """
    member.require(Action.SET_BUDGET)
    if credits is not None and not 0 < credits <= LIMIT_CREDITS:
        raise errors.InvalidRequest(fields={"limitCredits": message("budget_not_positive")})
    row = session.get_one(Workspace, member.workspace_id, with_for_update={"key_share": True}, populate_existing=True)
    before = for_each_member(row)
    after = None if credits is None else Set(credits, mode or (before.mode if before else BudgetMode.WARN))
    if before == after:
        return
    row.member_budget_credits = after.limit_credits if after else None
    row.member_budget_mode = after.mode if after else None
    session.flush()
    _record(session, member, (row.id, "each_member", row.id, row.name), before=before, after=after)


def for_each_member(row: Workspace) -> Set | None:
    """The budget of each member of a workspace who has none of their own."""
    if row.member_budget_credits is None or row.member_budget_mode is None:
        return None
    return Set(row.member_budget_credits, row.member_budget_mode)


def set_workspace(session: WriteSession, member: Member, *, credits: int | None) -> None:
    """Set the workspace's monthly budget; as `set_limit`."""
    set_limit(session, member, BudgetScope.WORKSPACE, member.workspace_id, credits=credits, field=_FIELD)


def set_project(session: WriteSession, member: Member, project_id: str, *, credits: int | None) -> None:
    """Set the monthly budget of a project; as `set_limit`."""
    set_limit(session, member, BudgetScope.PROJECT, project_id, credits=credits, field=_FIELD)


def check_warns(session: ReadSession, member: Member, project_id: str | None) -> None:
    """Conflict where the budget of a project, else of the workspace, stops orders: not every token may lift that."""
    workspace_id, scope, subject_id = member.workspace_id, BudgetScope.WORKSPACE, member.workspace_id
    if project_id is not None:
        workspace_id, scope = projects.get(session, member, project_id).workspace_id, BudgetScope.PROJECT
        subject_id = project_id
    row = session.get(Budget, (workspace_id, scope, subject_id))
    if row is not None and row.mode is BudgetMode.STOP:
        raise errors.Conflict(message("budget_that_stops"))


def _subject(session: WriteSession, member: Member, scope: BudgetScope, subject_id: str) -> tuple[str, str]:
    """The workspace that a budget belongs to, and what its subject is called."""
    if scope is BudgetScope.PROJECT:
        project = projects.get(session, member, subject_id)
        return project.workspace_id, project.name
    if scope is BudgetScope.WORKSPACE:
        if subject_id != member.workspace_id:
            raise errors.NotFound(message("workspace_not_found"))
        return subject_id, session.get_one(Workspace, subject_id).name
    member.require(Action.SEE)
    email = session.scalar(_PERSON, {"workspace_id": member.workspace_id, "user_id": subject_id})
    if email is None:
        raise errors.NotFound(message("budget_of_nobody"))
    return member.workspace_id, email


def _record(
    session: WriteSession,
    member: Member,
    of: tuple[str, str, str, str],
    *,
    before: Set | None,
    after: Set | None,
) -> None:
    workspace_id, scope, subject_id, name = of

    def details(of: Set | None) -> dict[str, int | str | None]:
        return {"scope": scope, "credits": of.limit_credits if of else None, "mode": of.mode if of else None}

    acts = [Act.BUDGET_CHANGED] if (before and before.limit_credits) != (after and after.limit_credits) else []
    if after and after.mode is not (before.mode if before else BudgetMode.WARN):
        acts.append(Act.BUDGET_MODE_CHANGED)
    for act in acts:
        audit_log.record(
            session,
            member.user,
            act,
            target=name,
            target_id=subject_id,
            workspace_id=workspace_id,
            before=details(before),
            after=details(after),
        )


def of_workspace(session: ReadSession, member: Member) -> int | None:
    """The workspace's monthly budget, in credits."""
    return _limit_of(session, member.workspace_id, BudgetScope.WORKSPACE, member.workspace_id)


def _limit_of(session: ReadSession, workspace_id: str, scope: BudgetScope, subject_id: str) -> int | None:
    row = session.get(Budget, (workspace_id, scope, subject_id))
    return None if row is None else row.limit_credits


def month(session: ReadSession, member: Member, chosen: reports.UsageQuery, *, today: date, cache: UsageCache) -> Month:
    """The month in which the chosen days end.

    It has a budget where one is meant for just this: a workspace's for all that is in it, a project's for all of
    it. Raises as `usage.grouped`.
    """
    is_part = chosen != replace(chosen, provider=None, model_id=None, everybody=False, user_id=None)
    if is_part:
        budget = None
    elif chosen.project_id is not None:
        project = projects.get(session, member, chosen.project_id)
        budget = _limit_of(session, project.workspace_id, BudgetScope.PROJECT, project.id)
    else:
        budget = of_workspace(session, member)
    rows = cache.aggregate(session, member, _with_history(chosen, today), [reports.Group.DAY])
    by_day = {date.fromisoformat(row.keys["day"]): row.figures.settled_credits for row in rows}
    return _month(chosen.until, by_day, budget, today)


def _with_history(chosen: reports.UsageQuery, today: date) -> reports.UsageQuery:
    """The month of the last chosen day and the weeks that its forecast is made from."""
    first, last = _ends(chosen.until)
    return replace(
        chosen, since=min(first, today - timedelta(weeks=WEEKS)) if first <= today <= last else first, until=last
    )


def _month(day: date, by_day: Mapping[date, int], budget: int | None, today: date) -> Month:
    first, last = _ends(day)
    return Month(first, last, budget, dict(by_day), forecast(by_day, since=first, today=today, until=last))


def _ends(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


_PERSON = (
    select(User.email)
    .join(WorkspaceMember, WorkspaceMember.user_id == User.id)
    .where(WorkspaceMember.workspace_id == bindparam("workspace_id"), User.id == bindparam("user_id"))
)
