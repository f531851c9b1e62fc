"""Monthly budgets over REST: how a month stands, with a forecast, and setting one."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentUser
from core.api.http.installed import CurrentInstallation
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
    """How a month stands."""

    month: Month


class BudgetBody(requests.Body):
    """A monthly budget; null for none. Without `projectId` one's own. It warns and never refuses."""

    monthly_budget_credits: int | None
    project_id: requests.Word | None = None


@router.get("/usage/month")
def get_month(
    person: CurrentUser, installation: CurrentInstallation, query: Annotated[SelectionQuery, Query()]
) -> MonthAnswer:
    """The month in which the days asked for end, with its budget and a forecast."""
    with db.read_session() as session:
        today, cache = utc_now().date(), installation.usage
        return _month(budgets.month(session, person, selection(query), today=today, cache=cache))


@router.put("/usage/budget")
def put_budget(person: CurrentUser, installation: CurrentInstallation, body: BudgetBody) -> MonthAnswer:
    """Set a budget; how this month stands against it."""
    today = utc_now().date()
    chosen = reports.UsageQuery(today, today, project_id=body.project_id)
    with db.write_session() as session:
        if body.project_id is None:
            budgets.set_user(session, person, credits=body.monthly_budget_credits)
        else:
            budgets.set_project(session, person, body.project_id, credits=body.monthly_budget_credits)
        return _month(budgets.month(session, person, chosen, today=today, cache=installation.usage))


def _month(found: budgets.Month) -> MonthAnswer:
    return MonthAnswer(
        month=Month(
            since=found.first,
            until=found.last,
            budget_credits=found.budget_credits,
            spent_credits=found.spent_credits,
            is_exceeded=found.is_exceeded,
            will_be_exceeded=found.will_be_exceeded,
            forecast=Forecast(**asdict(found.forecast)) if found.forecast else None,
        )
    )
