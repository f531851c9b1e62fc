"""Monthly budgets over REST: how a month stands, with a forecast, and setting one."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.api.routers.usage import SelectionQuery, reaches_far_enough, selection
from core.api.schemas import requests, responses
from core.clock import utc_now
from core.usage import budgets, reports

router = routing.router("usage", dependencies=[Depends(reaches_far_enough)])


class Forecast(responses.ApiModel):
    """Credits by the end of the month: as the mean of the last `weeks` whole weeks, the calmest and the busiest go."""

    until: date
    weeks: int
    low_credits: int
    expected_credits: int
    high_credits: int


class Month(responses.ApiModel):
    """A calendar month (UTC). `forecast` is null where there is too little to tell, and for a month that is over."""

    since: date
    until: date
    budget_credits: int | None
    spent_credits: int
    is_exceeded: bool
    will_be_exceeded: bool
    forecast: Forecast | None


class MonthAnswer(responses.Response):
    """Usage of a month against its budget."""

    month: Month


class BudgetBody(requests.Body):
    """A monthly budget; null removes it. Without `projectId` it is that of the workspace. A new one warns.

    One that stops is changed with `PUT /budgets`.
    """

    monthly_budget_credits: Annotated[int | None, Field(examples=[100_000])]
    project_id: requests.ProjectId | None = None


@router.get("/usage/month", responses=refuses(403, 404))
def get_usage_month(
    member: CurrentMember, installation: CurrentInstallation, query: Annotated[SelectionQuery, Query()]
) -> MonthAnswer:
    """Get the usage of a month with its budget and a forecast.

    It is the month in which the selected days end.
    """
    with db.read_session() as session:
        today, cache = utc_now().date(), installation.usage
        return _month(budgets.month(session, member, selection(query), today=today, cache=cache))


@router.put("/usage/budget", responses=refuses(404, 409))
def set_budget(member: CurrentMember, installation: CurrentInstallation, body: BudgetBody) -> MonthAnswer:
    """Set a monthly budget and get how this month stands against it."""
    today = utc_now().date()
    selected = reports.UsageQuery(today, today, project_id=body.project_id)
    with db.write_session() as session:
        budgets.check_warns(session, member, body.project_id)
        if body.project_id is None:
            budgets.set_workspace(session, member, credits=body.monthly_budget_credits)
        else:
            budgets.set_project(session, member, body.project_id, credits=body.monthly_budget_credits)
        return _month(budgets.month(session, member, selected, today=today, cache=installation.usage))


def _month(month: budgets.Month) -> MonthAnswer:
    return MonthAnswer(
        month=Month(
            since=month.first,
            until=month.last,
            budget_credits=month.budget_credits,
            spent_credits=month.spent_credits,
            is_exceeded=month.is_exceeded,
            will_be_exceeded=month.will_be_exceeded,
            forecast=Forecast(**asdict(month.forecast)) if month.forecast else None,
        )
    )
