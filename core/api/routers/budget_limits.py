"""Budgets that warn or stop, over REST: how they stand this month, and setting them and the time zone of the months."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import BudgetMode, BudgetScope
from core.db.sessions import ReadSession
from core.installation import Installation
from core.usage import budget_overview, budgets
from core.workspaces import months
from core.workspaces.access import Member

router = routing.router("budgets")
setting = routing.router("budgets")

Mode = Annotated[BudgetMode, Field(strict=False)]
CreditsOrNull = Annotated[int | None, Field(examples=[50_000])]


class BudgetShape(responses.ApiModel):
    """What a month's orders of a workspace, a project or a member have taken, and the budget where there is one.

    `takenCredits` are reserved and charged, `leftCredits` what can still be ordered. `expectedCredits` is what the
    month will probably come to, null where there is too little to tell. With the mode `stop` an order that needs more
    than is left is refused with 402 `budget_exceeded`; with `warn` it is taken.
    `isOfEach` is the budget that each member has who has none of their own.
    """

    scope: BudgetScope
    id: fields.Id
    name: fields.Name
    limit_credits: CreditsOrNull
    mode: Annotated[BudgetMode | None, Field(examples=[BudgetMode.STOP])]
    taken_credits: fields.Credits
    left_credits: CreditsOrNull
    expected_credits: CreditsOrNull
    is_of_each: bool
    is_exceeded: bool
    will_be_exceeded: bool

    @classmethod
    def of(cls, standing: budget_overview.Standing) -> Self:
        """The shape of one."""
        values = {name: getattr(standing, name) for name in cls.model_fields if name != "id"}
        return cls(id=standing.subject_id, **values)


class EachMember(responses.ApiModel):
    """The monthly budget of each member who has none of their own."""

    limit_credits: fields.Credits
    mode: BudgetMode


class BudgetsAnswer(responses.Response):
    """The month under way, in the time zone of the workspace: the workspace, its projects, and you.

    Who may set budgets sees all members. Projects and members stand in it that have a budget or have taken something.
    """

    month: Annotated[str, Field(examples=["2026-11"])]
    time_zone: Annotated[str, Field(examples=["Asia/Jakarta"])]
    begins_at: datetime
    ends_at: datetime
    budgets: list[BudgetShape]
    each_member: EachMember | None


class BudgetsQuery(requests.Query):
    """With `forecast=false` what the month will come to is left out, which is quicker."""

    forecast: bool = True


class LimitBody(requests.Body):
    """A monthly budget: of the workspace, or of the project or member with this `id`; null credits remove it.

    Without a mode it stays what it was, and a new budget warns.
    """

    scope: Annotated[BudgetScope, Field(strict=False)]
    id: requests.ProjectId | None = None
    limit_credits: Annotated[int | None, Field(examples=[50_000])]
    mode: Mode | None = None


class EachMemberBody(requests.Body):
    """A monthly budget for each member who has none of their own; null credits remove it."""

    limit_credits: Annotated[int | None, Field(examples=[5_000])]
    mode: Mode | None = None


class TimeZoneBody(requests.Body):
    """The time zone in which the months of budgets begin and end from the next order on."""

    time_zone: Annotated[requests.Word, Field(examples=["Asia/Jakarta"])]


@router.get("/budgets")
def list_budgets(
    member: CurrentMember, installation: CurrentInstallation, query: Annotated[BudgetsQuery, Query()]
) -> BudgetsAnswer:
    """List the budgets of the month under way, with what is taken and left of each."""
    with db.read_session() as session:
        return _answer(session, member, installation, with_forecast=query.forecast)


@setting.put("/budgets", responses=refuses(404))
def set_budget_limit(member: CurrentMember, installation: CurrentInstallation, body: LimitBody) -> BudgetsAnswer:
    """Set or remove a monthly budget, and get how all stand."""
    with db.write_session() as session:
        subject_id = body.id or (member.workspace_id if body.scope is BudgetScope.WORKSPACE else "")
        budgets.set_limit(session, member, body.scope, subject_id, credits=body.limit_credits, mode=body.mode)
        return _answer(session, member, installation)


@setting.put("/budgets/each-member")
def set_budget_of_each_member(
    member: CurrentMember, installation: CurrentInstallation, body: EachMemberBody
) -> BudgetsAnswer:
    """Set or remove the monthly budget of each member who has none of their own, and get how all stand."""
    with db.write_session() as session:
        budgets.set_for_each_member(session, member, credits=body.limit_credits, mode=body.mode)
        return _answer(session, member, installation)


@setting.put("/budgets/time-zone")
def set_time_zone(member: CurrentMember, installation: CurrentInstallation, body: TimeZoneBody) -> BudgetsAnswer:
    """Set the time zone of the workspace's months, and get how all budgets stand."""
    with db.write_session() as session:
        months.set_zone(session, member, body.time_zone)
        session.flush()
        return _answer(session, member, installation)


def _answer(
    session: ReadSession, member: Member, installation: Installation, *, with_forecast: bool = True
) -> BudgetsAnswer:
    found = budget_overview.overview(session, member, cache=installation.usage, with_forecast=with_forecast)
    of_each = found.of_each_member
    return BudgetsAnswer(
        month=found.month,
        time_zone=found.time_zone,
        begins_at=found.begins_at,
        ends_at=found.ends_at,
        budgets=[BudgetShape.of(each) for each in found.standings],
        each_member=None if of_each is None else EachMember(limit_credits=of_each.limit_credits, mode=of_each.mode),
    )
