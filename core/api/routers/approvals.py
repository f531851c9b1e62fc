"""Orders that wait for approval, over REST: those that the caller may decide, the decision, and when it is asked."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import next_page, refuses
from core.api.routers.media import RequestLinks
from core.api.schemas import fields, requests, responses
from core.db.enums import ApprovalCause, BudgetMode, BudgetScope, Stage, Status
from core.generations import approval_list, approvals
from core.generations.approval_list import Waiting
from core.usage import approval_rules
from core.usage.approval_rules import Rule
from core.usage.limits import Limit

router = routing.router("approvals")
deciding = routing.router("approvals")

Word = Annotated[str, Field(max_length=approvals.NOTE_LIMIT_CHARS, examples=["Please take the draft model first."])]


class ApprovalsQuery(requests.Query):
    """Which page of them."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 100


class LimitShape(responses.ApiModel):
    """A monthly budget that an order counts against, in the order's month and with it."""

    scope: BudgetScope
    id: fields.Id
    name: str
    mode: BudgetMode
    limit_credits: fields.Credits
    taken_credits: fields.Credits
    left_credits: fields.Credits

    @classmethod
    def of(cls, limit: Limit) -> Self:
        """The shape of one."""
        values = {name: getattr(limit, name) for name in cls.model_fields if name != "id"}
        return cls(id=limit.subject_id, **values)


class WaitingShape(responses.ApiModel):
    """An order that waits for approval, with who made it. Its credits are reserved, at the price of its moment.

    `cause` is `price` where its press costs more than the workspace lets pass, `budget` where it goes beyond a budget
    that warns. All of one press have one `pressId` and cost `pressCredits`. `budgets` and `availableCredits` are as
    they stand with it. `generation` is null for administrators who are not in the workspace: they see no prompt.
    """

    id: fields.Id
    workspace_id: fields.Id
    workspace_name: Annotated[str, Field(examples=["Film unit"])]
    project_id: fields.Id
    project_name: fields.Name
    person: Annotated[str, Field(examples=["Ben"])]
    credits: fields.Credits
    breakdown: fields.Breakdown
    cause: ApprovalCause
    press_id: fields.Id
    press_credits: fields.Credits
    asked_at: datetime
    lapses_at: datetime
    budgets: list[LimitShape]
    available_credits: fields.Credits
    start_image_url: fields.TextOrNull
    end_image_url: fields.TextOrNull
    generation: responses.Clip | None

    @classmethod
    def of(cls, waiting: Waiting, link: responses.Link) -> Self:
        """The shape of one."""
        row = waiting.row
        return cls(
            id=row.id,
            workspace_id=row.workspace_id,
            workspace_name=waiting.workspace,
            project_id=row.project_id,
            project_name=waiting.project,
            person=waiting.maker,
            credits=row.credits,
            breakdown={line["kind"]: line["credits"] for line in row.quote["lines"]},
            cause=waiting.cause,
            press_id=waiting.press_id,
            press_credits=waiting.press_credits,
            asked_at=waiting.asked_at,
            lapses_at=waiting.lapses_at,
            budgets=[LimitShape.of(limit) for limit in waiting.limits],
            available_credits=waiting.available_credits,
            start_image_url=link(row.start_image_key) if waiting.is_inside else None,
            end_image_url=link(row.end_image_key) if waiting.is_inside else None,
            generation=responses.Clip.of(row, link) if waiting.is_inside else None,
        )


class ApprovalsAnswer(responses.Response):
    """A page of orders, oldest first; `nextCursor` asks for the next one."""

    approvals: list[WaitingShape]
    next_cursor: fields.TextOrNull


class DecisionBody(requests.Body):
    """Yes or no. A no needs a `note`, which its maker reads; with a yes it may stand as well."""

    decision: Literal["approve", "decline"]
    note: Word = ""


class DecisionsBody(DecisionBody):
    """The same decision on several orders."""

    generation_ids: Annotated[list[requests.ProjectId], Field(min_length=1, max_length=approvals.MOST)]


class DecidedAnswer(responses.Response):
    """One decided order, as it stands now: in line at the price of its moment, or cancelled."""

    id: fields.Id
    status: Status
    stage: Stage
    credits: fields.Credits


class RefusedShape(responses.ApiModel):
    """An order that the decision did not change, and why; `code` is that of the refusal of a single one."""

    id: fields.Id
    code: Annotated[str, Field(examples=["already_decided"])]
    message: Annotated[str, Field(examples=["Ben has approved this already."])]


class DecisionsAnswer(responses.Response):
    """What was decided, and what was not."""

    decided: list[fields.Id]
    refused: list[RefusedShape]


class RuleShape(requests.Body):
    """When orders need approval: above a price of all that one press orders, null for never; beyond a warning budget.

    An order of more than `aboveCredits` waits; 0 lets every order that costs something wait.
    """

    above_credits: Annotated[int | None, Field(examples=[5_000])]
    over_budget: bool


class RuleAnswer(responses.Response):
    """When orders of the workspace need approval."""

    above_credits: Annotated[int | None, Field(examples=[5_000])]
    over_budget: bool


@router.get("/approvals", responses={200: {"links": next_page("listApprovals")}})
def list_approvals(
    member: CurrentMember, link: RequestLinks, query: Annotated[ApprovalsQuery, Query()]
) -> ApprovalsAnswer:
    """List the orders of others that wait for your approval.

    They are those of the workspace where you manage it; for administrators also those of any workspace where nobody but
    its maker does.
    """
    with db.read_session() as session:
        found = approval_list.decidable(session, member, after_id=query.cursor or "", limit=query.limit + 1)
        page = found[: query.limit]
        return ApprovalsAnswer(
            approvals=[WaitingShape.of(each, link) for each in page],
            next_cursor=page[-1].row.id if len(found) > query.limit else None,
        )


@router.get("/approvals/rule")
def get_approval_rule(member: CurrentMember) -> RuleAnswer:
    """Get when orders of the workspace need approval."""
    with db.read_session() as session:
        rule = approval_rules.of(session, member.workspace_id)
    return RuleAnswer(above_credits=rule.above_credits, over_budget=rule.over_budget)


@deciding.put("/approvals/rule")
def set_approval_rule(member: CurrentMember, body: RuleShape) -> RuleAnswer:
    """Set when orders of the workspace need approval, from the next order on.

    What waits goes on waiting.
    """
    with db.write_session() as session:
        approval_rules.set_rule(session, member, Rule(body.above_credits, body.over_budget))
    return RuleAnswer(above_credits=body.above_credits, over_budget=body.over_budget)


@deciding.post("/approvals")
def decide_approvals(member: CurrentMember, installation: CurrentInstallation, body: DecisionsBody) -> DecisionsAnswer:
    """Approve or decline several orders of others; one that cannot be decided any more hinders no other one."""
    with db.write_session() as session:
        outcomes = approvals.decide_many(
            session,
            member,
            body.generation_ids,
            approve=body.decision == "approve",
            note=body.note,
            configured=installation.configured,
        )
    return DecisionsAnswer(
        decided=[each.generation_id for each in outcomes if each.refused is None],
        refused=[
            RefusedShape(id=each.generation_id, code=each.refused.code, message=str(each.refused))
            for each in outcomes
            if each.refused is not None
        ],
    )


@deciding.post("/approvals/{id}", responses=refuses(404, 409))
def decide_approval(
    member: CurrentMember, installation: CurrentInstallation, generation_id: PathId, body: DecisionBody
) -> DecidedAnswer:
    """Approve or decline an order of somebody else that waits for approval.

    Nobody decides about their own (`own_order`). One that was decided, cancelled or has lapsed meanwhile is
    `already_decided`, one that could not be ordered any more `no_longer_orderable`: it can still be declined.
    """
    with db.write_session() as session:
        row = approvals.decide(
            session,
            member,
            generation_id,
            approve=body.decision == "approve",
            note=body.note,
            configured=installation.configured,
        )
        return DecidedAnswer(id=row.id, status=row.status, stage=row.stage, credits=row.credits)
