"""The budgets of the sample company, and what its year has taken of them month by month; pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.db.enums import BudgetMode, BudgetScope, Status
from core.sample import company, projects
from core.sample.plan import Year
from core.workspaces import months

ZONE = "Asia/Jakarta"

Row = dict[str, Any]


def month_of(moment: datetime) -> str:
    """The month that an order of this moment counts in."""
    return months.month_of(moment, ZoneInfo(ZONE))


def of_company(year: Year) -> list[Row]:
    """What teams and projects may spend in a month."""
    found = [
        (year.teams[each.name], BudgetScope.WORKSPACE, year.teams[each.name], each.monthly_budget_credits)
        for each in company.TEAMS
    ]
    found += [
        (year.teams[each.team], BudgetScope.PROJECT, project_id, each.monthly_budget_credits)
        for each, project_id in zip(projects.PROJECTS, year.projects, strict=True)
    ]
    return [
        {
            "workspace_id": workspace_id,
            "scope": scope,
            "subject_id": subject_id,
            "limit_credits": credits,
            "mode": BudgetMode.WARN,
            "updated_at": year.begun_at,
        }
        for workspace_id, scope, subject_id, credits in found
        if credits is not None
    ]


def taken(generations: Iterable[Row]) -> list[Row]:
    """What these orders have taken, each in the month that stands in its row."""
    sums = Counter[tuple[str, str, BudgetScope, str]]()
    for row in generations:
        credits = row["credits"] if row["status"] is Status.COMPLETED else 0
        subjects = {
            BudgetScope.WORKSPACE: row["workspace_id"],
            BudgetScope.PROJECT: row["project_id"],
            BudgetScope.MEMBER: row["user_id"],
        }
        for scope, subject_id in subjects.items():
            sums[row["workspace_id"], row["budget_month"], scope, subject_id] += credits
    names = ("workspace_id", "month", "scope", "subject_id")
    return [dict(zip(names, key, strict=True)) | {"taken_credits": credits} for key, credits in sums.items()]
