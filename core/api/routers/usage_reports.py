"""Saved views of usage that are sent to their person regularly, over REST."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import NoticeWay, ReportEvery
from core.notifications import report_schedules
from core.notifications.report_schedules import Scheduled

router = routing.router("usage")


class ReportBody(requests.Body):
    """Which saved view is sent by which of your ways, and how often; without a time zone it is the workspace's."""

    view_id: requests.ProjectId
    way: Literal["email", "webhook"]
    every: Annotated[ReportEvery, Field(strict=False, examples=[ReportEvery.MONTHLY])]
    time_zone: Annotated[requests.Word | None, Field(examples=["Asia/Jakarta"])] = None


class ReportShape(responses.ApiModel):
    """A saved view that is sent to you at eight in the morning of `timeZone`.

    Days of usage are UTC: a week or a month is sent on the first morning on which it is over in UTC. `lastPeriod` is
    what was sent last, or tried: `error` says why it has not arrived, or not yet. `isWayOn` is false where you are told
    in this way no more, and so nothing is sent. `viewName` is empty for a view that is shared with you no more.
    """

    id: fields.Id
    view_id: fields.Id
    view_name: fields.Name
    way: NoticeWay
    every: ReportEvery
    time_zone: Annotated[str, Field(examples=["Asia/Jakarta"])]
    next_at: datetime
    is_way_on: bool
    last_period: Annotated[str | None, Field(examples=["2026-12"])]
    last_sent_at: fields.MomentOrNull
    error: fields.TextOrNull

    @classmethod
    def of(cls, found: Scheduled) -> Self:
        """The shape of one."""
        return cls(
            id=found.id,
            view_id=found.view_id,
            view_name=found.view_name,
            way=found.way,
            every=found.every,
            time_zone=found.time_zone,
            next_at=found.next_at,
            is_way_on=found.is_way_on,
            last_period=found.period,
            last_sent_at=found.sent_at,
            error=None if found.error is None else str(found.error),
        )


class ReportsAnswer(responses.Response):
    """What is sent to you of the workspace, by the names of the views."""

    usage_reports: list[ReportShape]


class ReportAnswer(responses.Response):
    """One of them."""

    usage_report: ReportShape


@router.get("/usage-reports")
def list_usage_reports(member: CurrentMember) -> ReportsAnswer:
    """List the saved views of usage in the workspace that are sent to you."""
    with db.read_session() as session:
        found = report_schedules.of_person(session, member)
    return ReportsAnswer(usage_reports=[ReportShape.of(each) for each in found])


@router.put(
    "/usage-reports",
    responses=refuses(403, 404) | {200: {"links": leads_to("deleteUsageReport", id_at="usageReport/id")}},
)
def put_usage_report(member: CurrentMember, body: ReportBody) -> ReportAnswer:
    """Have a saved view of usage sent to you as CSV, or send it otherwise than before.

    By mail to the address you sign in with, or to your own webhook, signed; one that is too large is linked to. What
    you may see is looked at when it is sent. 404 for a way that is not set up.
    """
    with db.write_session() as session:
        found = report_schedules.put(
            session, member, body.view_id, NoticeWay(body.way), every=body.every, time_zone=body.time_zone
        )
    return ReportAnswer(usage_report=ReportShape.of(found))


@router.delete("/usage-reports/{id}", responses=refuses(404, 409))
def delete_usage_report(member: CurrentMember, report_id: PathId) -> responses.Response:
    """Send a saved view of usage to you no more."""
    with db.write_session() as session:
        report_schedules.remove(session, member, report_id)
    return responses.Response()
