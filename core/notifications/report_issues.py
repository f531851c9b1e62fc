"""Writes down the reports that are due, once a period, and makes their files when they are sent; sends nothing itself.

A message is written in the transaction that marks its period as done. Who may see the figures is asked then and once
more for the file: what they are, and whether the view is still theirs, at the time of sending.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select, update

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession
from core.db.enums import NoticeAudience, NoticeKind, NoticeWay, SendState
from core.db.tables import Notice, NoticeSend, ReportIssue, ReportSchedule, UsageView, User, WayToTell
from core.db.types import insert as insert_or
from core.messages import Message, message
from core.notifications import report_calendar
from core.usage import explorer, explorer_file, saved_views
from core.usage.periods import Period
from core.usage.spreadsheet import SpreadsheetFormat
from core.usage.views import View, Whose
from core.workspaces import members
from core.workspaces.access import Member

AT_ONCE = 100
SENT_BYTES: Mapping[NoticeWay, int] = {NoticeWay.EMAIL: 5 * 1024**2, NoticeWay.WEBHOOK: 1024**2}
"""Larger files stay here and are linked to: mail servers take 10 MB in Base64 at least, receivers often much less."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it is sent now; `data` is None where it is too large for its way."""

    schedule_id: str
    view_id: str
    view_name: str
    workspace_id: str
    period: str
    days: Period
    file_name: str
    data: bytes | None
    address: Mapping[str, str]
    query: Sequence[tuple[str, str]]

    @property
    def title(self) -> Message:
        """What it is about."""
        days = {"since": self.days.since.isoformat(), "until": self.days.until.isoformat()}
        return message("notice_report", view=self.view_name, **days)

    @property
    def body(self) -> Message:
        """Where the figures are."""
        if self.data is None:
            return message("notice_report_too_large")
        return message("notice_report_attached", file=self.file_name)


def are_due(session: ReadSession, now: datetime) -> bool:
    """Whether anything is to be written down."""
    return bool(session.scalar(select(exists().where(ReportSchedule.next_at <= now))))


def write_due(session: WriteSession) -> None:
    """Write down the message of each schedule that is due, and set when it goes out next, in one transaction.

    After a time without a dispatcher it is one message, of the newest morning.
    """
    now = db.now(session)
    due = select(ReportSchedule).where(ReportSchedule.next_at <= now).order_by(ReportSchedule.id).limit(AT_ONCE)
    locked = due.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    for schedule in session.scalars(locked).all():
        zone = ZoneInfo(schedule.time_zone)
        schedule.next_at = report_calendar.following(schedule.every, zone, now)
        session.flush()
        view = session.get_one(UsageView, schedule.view_id)
        if _reach(session, schedule.user_id, view.workspace_id) is not None:
            _write(session, schedule, view, report_calendar.newest(zone, now), now)


def _write(session: WriteSession, schedule: ReportSchedule, view: UsageView, morning: datetime, now: datetime) -> None:
    period = report_calendar.period(schedule.every, ZoneInfo(schedule.time_zone), morning)
    issue = {"schedule_id": schedule.id, "period": period, "asked_on": morning.date(), "created_at": now}
    once = insert_or(session, ReportIssue).values(issue).on_conflict_do_nothing().returning(ReportIssue.period)
    if session.scalar(once) is None:
        return
    way = session.scalar(
        select(WayToTell).where(WayToTell.user_id == schedule.user_id, WayToTell.way == schedule.way, WayToTell.is_on)
    )
    error = None if way is not None else message("report_way_off")
    notice = Notice(
        user_id=schedule.user_id,
        workspace_id=view.workspace_id,
        audience=NoticeAudience.MEMBER,
        kind=NoticeKind.REPORT,
        group_key=f"report:{schedule.id}:{period}",
        title=message("notice_report_failed", view=view.name),
        body=error,
        in_inbox=way is None,  # a report that arrives is no news
        told_at=now,
    )
    session.add(notice)
    session.flush()
    session.execute(
        update(ReportIssue)
        .where(ReportIssue.schedule_id == schedule.id, ReportIssue.period == period)
        .values(notice_id=notice.id, error=error)
        .execution_options(synchronize_session=False)
    )
    if way is not None:
        session.add(NoticeSend(way_id=way.id, notice_id=notice.id, next_at=now))
    session.flush()


def read(
    session: ReadSession, notice_id: str, user_id: str, *, sent_bytes: Mapping[NoticeWay, int] = SENT_BYTES
) -> Report | None:
    """The report of a message with the figures of now; None where it is not wished any more.

    Raises what the explorer refuses its person with: NotFound for a view that is shared no more, Forbidden for
    everybody's figures, InvalidRequest for too many rows.
    """
    query = (
        select(ReportIssue, ReportSchedule)
        .join(ReportSchedule, ReportSchedule.id == ReportIssue.schedule_id)
        .where(ReportIssue.notice_id == notice_id, ReportSchedule.user_id == user_id)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    issue, schedule = found
    user = session.get_one(User, user_id)
    row = saved_views.get(session, members.at_work(session, user), schedule.view_id)
    member = members.at_work(session, user, row.workspace_id)
    view = View.from_json(row.asked)
    asked = view.question(issue.asked_on)
    answer = explorer.explore(session, member, asked)
    data = b"".join(explorer_file.write(answer, SpreadsheetFormat.CSV))
    days = Period(asked.selection.since, asked.selection.until)
    return Report(
        schedule_id=schedule.id,
        view_id=row.id,
        view_name=row.name,
        workspace_id=row.workspace_id,
        period=issue.period,
        days=days,
        file_name=explorer_file.name(answer, SpreadsheetFormat.CSV),
        data=data if len(data) <= sent_bytes[schedule.way] else None,
        address={**view.address(days), "workspace": row.workspace_id},
        query=view.query(days),
    )


def record(session: WriteSession, notice_id: str, *, state: SendState, error: Message | None, way: NoticeWay) -> None:
    """Write down what came of an attempt at a report: with its schedule, and in the inbox that it will not arrive.

    That it was sent is an export in the audit log; other kinds of notices are left alone.
    """
    notice = session.get(Notice, notice_id, populate_existing=True)
    if notice is None or notice.kind is not NoticeKind.REPORT:
        return
    now = db.now(session)
    values = {"error": error, "sent_at": now if state is SendState.SENT else None}
    session.execute(
        update(ReportIssue)
        .where(ReportIssue.notice_id == notice_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if state is SendState.SENT:
        _note_export(session, notice, way)
    elif error is not None and state in (SendState.GIVEN_UP, SendState.DROPPED):
        notice.in_inbox, notice.body, notice.told_at = True, error, now
    session.flush()


def why(refused: errors.AppError) -> Message:
    """What to tell the owner of a report that was refused."""
    fields = refused.fields if isinstance(refused, errors.InvalidRequest) else {}
    return next(iter(fields.values()), refused.message)


def _note_export(session: WriteSession, notice: Notice, way: NoticeWay) -> None:
    row = session.scalar(
        select(UsageView)
        .join(ReportSchedule, ReportSchedule.view_id == UsageView.id)
        .join(ReportIssue, ReportIssue.schedule_id == ReportSchedule.id)
        .where(ReportIssue.notice_id == notice.id)
    )
    if row is None:
        return
    is_of_one = View.from_json(row.asked).whose is Whose.PRESENT
    audit_log.record(
        session,
        session.get_one(User, notice.user_id),
        Act.EXPORT_MADE,
        target="usage",
        workspace_id=row.workspace_id if is_of_one else None,
        after={"format": SpreadsheetFormat.CSV.value, "by": way.value, "view": row.name},
    )


def _reach(session: ReadSession, user_id: str, workspace_id: str) -> Member | None:
    """The person in the workspace; None for who was deactivated or has left it."""
    try:
        return members.at_work(session, session.get_one(User, user_id), workspace_id)
    except (errors.NotFound, errors.Unauthorized):
        return None
