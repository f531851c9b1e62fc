"""Views of usage that people have sent to themselves: set, listed and taken back. Nothing is sent from here.

Each is its person's own, and so is the way that it goes: mail to the address they sign in with, or a webhook of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select

from core import db, errors
from core.db import Reader, ReadSession, WriteSession
from core.db.enums import NoticeWay, ReportEvery
from core.db.tables import ReportIssue, ReportSchedule, UsageView, WayToTell
from core.db.types import insert as insert_or
from core.ids import new_id
from core.messages import Message, message
from core.notifications import report_calendar
from core.usage import saved_views
from core.usage.views import View, Whose
from core.workspaces import months
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action

WAYS = (NoticeWay.EMAIL, NoticeWay.WEBHOOK)
"""What takes files."""

MOST = 50
"""How many somebody can have in a workspace."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A schedule and what became of the newest report; `error` says why it has not arrived, or not yet.

    `view_name` is empty for a view of somebody else that is shared no more.
    """

    id: str
    view_id: str
    view_name: str
    way: NoticeWay
    every: ReportEvery
    time_zone: str
    next_at: datetime
    is_way_on: bool
    period: str | None
    sent_at: datetime | None
    error: Message | None


def of_person(session: ReadSession, member: Member, view_id: str | None = None) -> Sequence[Scheduled]:
    """What somebody has sent to themselves of the present workspace, or of one view there, by its name."""
    newest = (
        select(func.max(ReportIssue.created_at))
        .where(ReportIssue.schedule_id == ReportSchedule.id)
        .correlate(ReportSchedule)
        .scalar_subquery()
    )
    name = case((or_(UsageView.user_id == member.id, UsageView.shared), UsageView.name), else_="")
    query = (
        select(ReportSchedule, name, WayToTell.is_on, ReportIssue)
        .join(UsageView, UsageView.id == ReportSchedule.view_id)
        .outerjoin(WayToTell, (WayToTell.user_id == member.id) & (WayToTell.way == ReportSchedule.way))
        .outerjoin(ReportIssue, (ReportIssue.schedule_id == ReportSchedule.id) & (ReportIssue.created_at == newest))
        .where(ReportSchedule.user_id == member.id, in_workspace(UsageView, member))
        .order_by(UsageView.name, UsageView.id, ReportSchedule.way)
        .execution_options(populate_existing=True)
    )
    if view_id is not None:
        query = query.where(UsageView.id == view_id)
    return [
        Scheduled(
            id=row.id,
            view_id=row.view_id,
            view_name=view_name,
            way=row.way,
            every=row.every,
            time_zone=row.time_zone,
            next_at=row.next_at,
            is_way_on=bool(is_on),
            period=issue.period if issue else None,
            sent_at=issue.sent_at if issue else None,
            error=issue.error if issue else None,
        )
        for row, view_name, is_on, issue in session.execute(query)
    ]


def put(
    session: WriteSession,
    member: Member,
    view_id: str,
    way: NoticeWay,
    *,
    every: ReportEvery,
    time_zone: str | None = None,
) -> Scheduled:
    """Have a view sent by a way of one's own from the next period on, or otherwise than before.

    `time_zone` is where it is morning then, None for the workspace's. NotFound for a view that one may not use, or a
    way that is not set up; Forbidden for figures beyond the one workspace that a token was made for; InvalidRequest for
    a way that takes no files, a time zone that is none, or too many.
    """
    view = saved_views.get(session, member, view_id)
    there = member.moved_to(view.workspace_id)
    _check(session, there, view, way)
    zone = months.zone_of(session, view.workspace_id) if time_zone is None else _zone(time_zone)
    found = _found(session, there, view_id, way)
    if found is None:
        _make(session, there, view_id, way, every=every, zone=zone)
    elif (found.every, found.time_zone) != (every, str(zone)):
        found.every, found.time_zone = every, str(zone)
        found.next_at = report_calendar.following(every, zone, db.now(session))
        session.flush()
    return next(one for one in of_person(session, there, view_id) if one.way is way)


def remove(session: WriteSession, member: Member, schedule_id: str) -> None:
    """Send a view no more; what is on its way is dropped. NotFound unless it is the person's own, in their reach."""
    query = (
        select(ReportSchedule)
        .join(UsageView, UsageView.id == ReportSchedule.view_id)
        .where(ReportSchedule.id == schedule_id, ReportSchedule.user_id == member.id, visible_to(UsageView, member))
    )
    found = session.scalar(query)
    if found is None:
        raise errors.NotFound(message("report_not_found"))
    session.delete(found)
    session.flush()


def _check(session: WriteSession, there: Member, row: UsageView, way: NoticeWay) -> None:
    """Whether this person may see the figures now, and has the way; both are asked once more when it is sent."""
    whose = View.from_json(row.asked).whose
    there.require(Action.SEE)
    if whose is Whose.ALL:
        there.require(Action.SEE_ALL_USAGE)
    if there.is_confined and whose is not Whose.PRESENT:
        raise errors.Forbidden(message("not_allowed"))
    if way not in WAYS:
        raise errors.InvalidRequest(fields={"way": message("report_way_takes_no_files")})
    if session.scalar(select(WayToTell.id).where(WayToTell.user_id == there.id, WayToTell.way == way)) is None:
        raise errors.NotFound(message("way_not_found"))


def _make(
    session: WriteSession, there: Member, view_id: str, way: NoticeWay, *, every: ReportEvery, zone: ZoneInfo
) -> None:
    count = session.scalar(
        select(func.count())
        .select_from(ReportSchedule)
        .join(UsageView, UsageView.id == ReportSchedule.view_id)
        .where(ReportSchedule.user_id == there.id, in_workspace(UsageView, there))
    )
    if (count or 0) >= MOST:
        raise errors.InvalidRequest(fields={"view": message("too_many_reports", limit=MOST)})
    new = insert_or(session, ReportSchedule).values(
        id=new_id(),
        view_id=view_id,
        user_id=there.id,
        way=way,
        every=every,
        time_zone=str(zone),
        next_at=report_calendar.following(every, zone, db.now(session)),
    )
    session.execute(new.on_conflict_do_nothing(index_elements=["view_id", "user_id", "way"]))  # of two tabs


def _found(session: WriteSession, there: Member, view_id: str, way: NoticeWay) -> ReportSchedule | None:
    query = select(ReportSchedule).where(
        ReportSchedule.view_id == view_id, ReportSchedule.user_id == there.id, ReportSchedule.way == way
    )
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def _zone(name: str) -> ZoneInfo:
    if name not in months.zones():
        raise errors.InvalidRequest(fields={"timeZone": message("time_zone_unknown")})
    return ZoneInfo(name)


def zone_of(session: Reader, member: Member, wished: str | None) -> str:
    """A zone of a browser where it is one that can be chosen, else the workspace's."""
    return wished if wished in months.zones() else str(months.zone_of(session, member.workspace_id))
