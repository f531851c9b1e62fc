"""Monthly budgets of workspaces and projects: set, and looked at against what is spent. They warn and never refuse."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import bindparam, select

from core import audit_log, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession
from core.db.tables import Project, Workspace
from core.messages import message
from core.projects import projects
from core.usage import reports
from core.usage.cache import UsageCache
from core.usage.forecast import WEEKS, Forecast, forecast
from core.workspaces.access import Member, in_bound_workspace
from core.workspaces.permissions import Action

LIMIT_CREDITS = 10**12


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
class BudgetAlert:
    """A month whose budget is or will be exceeded; `project_name` is None for the workspace's own."""

    month: Month
    project_id: str | None = None
    project_name: str | None = None


def set_workspace(session: WriteSession, member: Member, *, credits: int | None) -> None:
    """Set the workspace's monthly budget; None for none. InvalidRequest for one that is not a whole number above 0."""
    member.require(Action.SET_BUDGET)
    workspace = session.get_one(Workspace, member.workspace_id, with_for_update={"key_share": True})
    before, workspace.monthly_budget_credits = workspace.monthly_budget_credits, _checked(credits)
    _record(session, member, workspace, workspace.id, before=before, after=credits)


def set_project(session: WriteSession, member: Member, project_id: str, *, credits: int | None) -> None:
    """Set the monthly budget of a project; None for none. NotFound when they do not see it."""
    project = projects.get(session, member, project_id)
    member.require(Action.SET_BUDGET, project.workspace_id)
    before, project.monthly_budget_credits = project.monthly_budget_credits, _checked(credits)
    _record(session, member, project, project.workspace_id, before=before, after=credits)


def _record(
    session: WriteSession,
    member: Member,
    of: Workspace | Project,
    workspace_id: str,
    *,
    before: int | None,
    after: int | None,
) -> None:
    if before != after:
        audit_log.record(
            session,
            member.user,
            Act.BUDGET_CHANGED,
            target=of.name,
            target_id=of.id,
            workspace_id=workspace_id,
            before={"credits": before},
            after={"credits": after},
        )


def of_workspace(session: ReadSession, member: Member) -> int | None:
    """The workspace's monthly budget, in credits."""
    return session.scalar(_OWN, {"workspace_id": member.workspace_id})


def month(session: ReadSession, member: Member, chosen: reports.UsageQuery, *, today: date, cache: UsageCache) -> Month:
    """The month in which the chosen days end.

    It has a budget where one is meant for just this: a workspace's for all that is in it, a project's for all of
    it. Raises as `usage.grouped`.
    """
    is_part = chosen != replace(chosen, provider=None, model_id=None, everybody=False, user_id=None)
    if is_part:
        budget = None
    elif chosen.project_id is not None:
        budget = projects.get(session, member, chosen.project_id).monthly_budget_credits
    else:
        budget = of_workspace(session, member)
    rows = cache.aggregate(session, member, _with_history(chosen, today), [reports.Group.DAY])
    by_day = {date.fromisoformat(row.keys["day"]): row.figures.settled_credits for row in rows}
    return _month(chosen.until, by_day, budget, today)


def alerts(session: ReadSession, member: Member, *, today: date, cache: UsageCache) -> Sequence[BudgetAlert]:
    """This month's budgets of the workspace and its projects that are exceeded or will be by the forecast."""
    budgets = session.execute(_OF_PROJECTS, {"workspace_id": member.workspace_id}).all()
    mine = of_workspace(session, member)
    if mine is None and not budgets:
        return []
    chosen = _with_history(reports.UsageQuery(today, today), today)
    spent: defaultdict[str | None, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in cache.aggregate(session, member, chosen, [reports.Group.DAY, reports.Group.PROJECT]):
        day = date.fromisoformat(row.keys["day"])
        spent[row.keys["project_id"]][day] += row.figures.settled_credits
        spent[None][day] += row.figures.settled_credits
    found = [BudgetAlert(_month(today, spent[None], mine, today))]
    found += [BudgetAlert(_month(today, spent[id], budget, today), id, name) for id, name, budget in budgets]
    return [one for one in found if one.month.is_exceeded or one.month.will_be_exceeded]


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget of the month under way and what is spent of it; `project_name` is None for the workspace's own."""

    budget_credits: int
    spent_credits: int
    project_name: str | None = None


def standings(
    session: ReadSession, member: Member, project_id: str | None, *, today: date, cache: UsageCache
) -> Sequence[Standing]:
    """This month's budgets that an order in a project is charged to: the project's and the workspace's."""
    own = of_workspace(session, member)
    of_projects = session.execute(_OF_PROJECTS, {"workspace_id": member.workspace_id}).all() if project_id else ()
    of_project = next((row for row in of_projects if row.id == project_id), None)
    if own is None and of_project is None:
        return []
    first, last = _ends(today)
    rows = cache.aggregate(session, member, reports.UsageQuery(first, last), [reports.Group.PROJECT])
    spent = {row.keys["project_id"]: row.figures.settled_credits for row in rows}
    found = []
    if of_project is not None:
        found.append(Standing(of_project.monthly_budget_credits, spent.get(of_project.id, 0), of_project.name))
    if own is not None:
        found.append(Standing(own, sum(spent.values())))
    return found


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


_OWN = select(Workspace.monthly_budget_credits).where(Workspace.id == bindparam("workspace_id"))
_OF_PROJECTS = (
    select(Project.id, Project.name, Project.monthly_budget_credits)
    .where(in_bound_workspace(Project), Project.monthly_budget_credits.is_not(None))
    .order_by(Project.name, Project.id)
)


def _checked(credits: int | None) -> int | None:
    if credits is not None and not 0 < credits <= LIMIT_CREDITS:
        raise errors.InvalidRequest(fields={"monthlyBudgetCredits": message("budget_not_positive")})
    return credits
