"""Views of usage that people have sent to themselves: once a period, with the figures of then, for who may see them."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from sqlalchemy import func, select, update

from core import db, errors
from core.clock import utc_now
from core.config import Settings
from core.db.enums import NoticeKind, NoticeWay, ReportEvery, Role, SendState, WorkspaceRole
from core.db.tables import AuditLogEntry, Notice, NoticeSend, ReportIssue, ReportSchedule, User
from core.identity import users
from core.installation import Installation
from core.messages import Writer
from core.notifications import notice_sender, report_issues, report_schedules, report_texts, ways
from core.notifications.report_schedules import Scheduled
from core.usage import explorer, explorer_file, saved_views
from core.usage.dimensions import Dimension
from core.usage.spreadsheet import SpreadsheetFormat
from core.usage.views import View, Whose
from core.workspaces import members
from core.workspaces.access import Member
from pages.ui import catalogues
from tests.factories import histories
from tests.factories import workspaces as teams
from tests.factories.histories import Ended
from tests.factories.notices import PUBLIC, all_notices, all_sends, by_address, by_mail, reaching, send_due, told
from tests.factories.projects import create_project
from tests.factories.users import create_member, deactivate
from tests.fixtures.mail_server import MailServer, words
from tests.fixtures.receiver import Receiver
from tests.said import codes

pytestmark = pytest.mark.both_databases

DAY = timedelta(days=1)


@pytest.fixture
def site(site: Installation, post_office: MailServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an installation that sends mail by this server, and may send to the receiver."""
    return reaching(post_office, receiver, monkeypatch)


@pytest.fixture
def ana(site: Settings) -> Member:
    """Somebody with clips of last month and of this week, who is told by mail."""
    person = create_member(db.default(), credits=100_000)
    project = create_project(db.default(), person, "Lakes").id
    today = utc_now().date()
    with db.write_session() as session:
        ends = [Ended(today - DAY * days, project, "veo3") for days in (1, 20, 40)]
        histories.book(session, person, ends)
    by_mail(db.default(), person)
    return person


def scheduled(
    person: Member,
    view: View | None = None,
    *,
    way: NoticeWay = NoticeWay.EMAIL,
    every: ReportEvery = ReportEvery.DAILY,
    name: str = "Ours",
    shared: bool = False,
) -> Scheduled:
    """A view that is sent to somebody."""
    view = view or View(period="7", by=(Dimension.PROJECT, Dimension.MODEL))
    with db.write_session() as session:
        row = saved_views.create(session, person, name=name, view=view, shared=shared)
        return report_schedules.put(session, person, row.id, way, every=every, time_zone="UTC")


def come_due() -> None:
    """Let the morning come on which everything goes out, rather than to wait for it."""
    with db.write_session() as session:
        session.execute(update(ReportSchedule).values(next_at=utc_now()))


def on_another_day() -> None:
    """Let all that was sent have been for an earlier period."""
    with db.write_session() as session:
        session.execute(update(Notice).values(group_key=Notice.id))
        session.execute(update(ReportIssue).values(period="2026-01-01", created_at=utc_now() - DAY))


def standing(person: Member) -> Scheduled:
    """How the one schedule of somebody stands."""
    with db.read_session() as session:
        [found] = report_schedules.of_person(session, person)
    return found


def round_of_a_sender(settings: Settings) -> None:
    """What a sender does: write down what is due, then send it."""
    come_due()
    send_due(settings)  # writes down
    send_due(settings)  # sends


def csv_of_page(person: Member, view: View, asked_on: datetime) -> bytes:
    """What the page Usage and `GET /usage/explore` give for the same question."""
    with db.read_session() as session:
        found = explorer.explore(session, person, view.question(asked_on.date()))
    return b"".join(explorer_file.write(found, SpreadsheetFormat.CSV))


def newest_morning() -> datetime:
    """The newest eight o'clock in UTC."""
    now = utc_now()
    morning = now.replace(hour=8, minute=0, second=0, microsecond=0)
    return morning if morning <= now else morning - DAY


@pytest.mark.parametrize(
    "view",
    [
        View(period="7", by=(Dimension.PROJECT, Dimension.MODEL)),
        View(period="last-month", by=(Dimension.PERSON,)),
    ],
)
def test_mail_has_the_file_of_the_page(site: Settings, ana: Member, post_office: MailServer, view: View) -> None:
    """The attachment is the page's CSV to the byte, of the period as it is then; with a link to just these days."""
    scheduled(ana, view)
    round_of_a_sender(site)
    (mail,) = post_office.mails
    [file] = mail.iter_attachments()
    asked_on = newest_morning()
    days = view.days(asked_on.date())
    assert file.get_payload(decode=True) == csv_of_page(ana, view, asked_on)
    by = "-".join(view.by)
    assert file.get_filename() == f"usage-{by}-{days.since}-to-{days.until}.csv"
    assert file.get_content_type() == "text/csv"
    assert mail["To"] == ana.email
    assert mail["Subject"] == f"Ours, {days.since} to {days.until}"
    assert f"{PUBLIC}/usage?show=explore&when=own&since={days.since}&until={days.until}" in words(mail)
    found = standing(ana)
    assert found.sent_at is not None
    assert (found.error, found.period) == (None, asked_on.date().isoformat())
    assert found.next_at == newest_morning() + DAY
    assert told(db.default(), ana) == []


def test_webhook_is_signed(site: Settings, ana: Member, receiver: Receiver) -> None:
    """A webhook gets the same file as text in a body that is signed with its secret, and where to get it again."""
    way = by_address(ana, NoticeWay.WEBHOOK, receiver.url, site)
    view = View(period="7", by=(Dimension.PROJECT,))
    schedule = scheduled(ana, view, way=NoticeWay.WEBHOOK)
    round_of_a_sender(site)
    [call] = receiver.calls
    secret = ways.secret(way, key=site.secret_key)
    said = standardwebhooks.Webhook(secret).verify(call.body, call.headers)
    assert said == json.loads(call.body)
    data = said["data"]
    assert said["type"] == "report"
    assert data["csv"].encode() == csv_of_page(ana, view, newest_morning())
    assert (data["scheduleId"], data["viewId"]) == (schedule.id, schedule.view_id)
    assert data["links"]["csv"].endswith("&by=project&measure=spent&workspaces=present&format=csv")
    assert call.headers["webhook-id"] == all_sends(db.default())[0].id


def test_file_that_is_too_large(site: Settings, ana: Member) -> None:
    """A link stands in its place, in the mail as for a webhook."""
    schedule = scheduled(ana)
    come_due()
    with db.write_session() as session:
        report_issues.write_due(session)
    [send] = all_sends(db.default())
    with db.read_session() as session:
        found = report_issues.read(session, send.notice_id or "", ana.id, sent_bytes={NoticeWay.EMAIL: 10})
    assert found is not None
    mail = report_texts.mail(found, Writer(), site.public_url, send=send, to=ana.email)
    assert mail.attachment is None
    assert "too large" in mail.lines[1]
    [(_words, link)] = mail.links
    assert link.startswith(f"{PUBLIC}/usage?show=explore")
    body = report_texts.webhook(found, Writer(), site.public_url, notice_id="1", written_at=send.created_at)
    data = json.loads(body)["data"]
    assert (data["csv"], data["url"], data["scheduleId"]) == (None, link, schedule.id)


def test_report_in_the_language_of_its_reader(site: Settings, ana: Member, post_office: MailServer) -> None:
    """The mail is in the language its person has chosen; the file is the same."""
    scheduled(ana)
    with db.write_session() as session:
        session.execute(update(User).where(User.id == ana.id).values(language="id"))
    come_due()
    send_due(site)
    send_due(site, catalogues.writers())
    (mail,) = post_office.mails
    assert "sampai" in mail["Subject"]


def test_many_senders_and_one_period(site: Settings, ana: Member, post_office: MailServer) -> None:
    """However many look at the same time and however often: one message for the period, and one of the next."""
    scheduled(ana)
    for number in (1, 1):
        come_due()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _nth: notice_sender.claim(100), range(8)))
        with db.write_session() as session:
            session.execute(update(NoticeSend).where(NoticeSend.state == SendState.DUE).values(next_at=utc_now()))
        send_due(site)
        assert len(post_office.mails) == number
    with db.read_session() as session:
        assert session.scalar(select(func.count()).select_from(ReportIssue)) == 1
        assert len(all_sends(db.default())) == 1


def test_period_is_done_exactly_if_its_message_is_there(site: Settings, ana: Member) -> None:
    """What writes down the message marks the period as done in the same transaction: an undone one leaves neither."""
    scheduled(ana)
    come_due()

    def die_before_the_commit() -> None:
        with db.write_session() as session:
            report_issues.write_due(session)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die_before_the_commit()
    assert standing(ana).period is None
    assert standing(ana).next_at <= utc_now()
    assert all_sends(db.default()) == []


def test_who_was_deactivated_gets_nothing(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Neither what comes due then nor what was written down before."""
    scheduled(ana)
    come_due()
    with db.write_session() as session:
        report_issues.write_due(session)
    deactivate(ana)
    send_due(site)
    assert [one.state for one in all_sends(db.default())] == [SendState.DROPPED]
    come_due()
    send_due(site)
    assert (len(all_sends(db.default())), post_office.mails) == (1, [])


def test_who_left_gets_nothing(site: Settings, ana: Member, post_office: MailServer) -> None:
    """A view of a team is sent to who is in it at the time of sending."""
    boss = create_member(db.default(), "boss@example.org")
    there, _boss = teams.create_team(db.default(), (ana, WorkspaceRole.MAKER), (boss, WorkspaceRole.MANAGER))
    scheduled(there)
    come_due()
    with db.write_session() as session:
        report_issues.write_due(session)
    with db.write_session() as session:
        members.remove(session, teams.now(db.default(), boss, there.workspace_id), there.workspace_id, ana.id)
    send_due(site)
    come_due()
    send_due(site)
    assert [one.state for one in all_sends(db.default())] == [SendState.DROPPED]
    assert post_office.mails == []


def test_analyst_no_more(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Everybody's figures are sent to analysts; who is none any more is told why nothing comes."""
    with db.write_session() as session:
        users.get(session, ana.email).role = Role.ANALYST
        analyst = members.at_work(session, users.get(session, ana.email))
    view = View(period="7", whose=Whose.ALL, by=(Dimension.WORKSPACE,))
    scheduled(analyst, view)
    round_of_a_sender(site)
    assert len(post_office.mails) == 1
    with db.write_session() as session:
        users.get(session, ana.email).role = Role.USER
    on_another_day()
    round_of_a_sender(site)
    assert len(post_office.mails) == 1
    error = standing(ana).error
    assert error is not None
    assert codes(error) == {"analysts_see_everybody"}
    [notice] = told(db.default(), ana)
    assert (notice.kind, codes(notice.title)) == (NoticeKind.REPORT, {"notice_report_failed"})


def test_view_that_is_shared_no_more(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Somebody else's view is sent as long as it is shared; afterwards it can still be stopped."""
    boss = create_member(db.default(), "boss@example.org")
    there, boss = teams.create_team(db.default(), (ana, WorkspaceRole.MAKER), (boss, WorkspaceRole.MANAGER))
    with db.write_session() as session:
        row = saved_views.create(session, boss, name="Theirs", view=View(period="7"), shared=True)
        report_schedules.put(session, there, row.id, NoticeWay.EMAIL, every=ReportEvery.WEEKLY)
    with db.write_session() as session:
        saved_views.update(session, boss, row.id, name="Secret", shared=False)
    round_of_a_sender(site)
    found = standing(there)
    assert found.error is not None
    assert (codes(found.error), found.view_name, post_office.mails) == ({"usage_view_not_found"}, "", [])
    with db.write_session() as session, pytest.raises(errors.NotFound):
        report_schedules.remove(session, boss, found.id)
    with db.write_session() as session:
        report_schedules.remove(session, there, found.id)
    with db.read_session() as session:
        assert report_schedules.of_person(session, there) == []


def test_mail_server_that_refuses(site: Settings, ana: Member, post_office: MailServer) -> None:
    """A failure stands beside the schedule until the mail arrives, and in the inbox when it never will."""
    scheduled(ana)
    post_office.answers.append("451 later")
    round_of_a_sender(site)
    found = standing(ana)
    assert found.error is not None
    assert (codes(found.error), found.sent_at) == ({"mail_not_taken"}, None)
    assert told(db.default(), ana) == []
    post_office.refuses_recipients = True
    with db.write_session() as session:
        session.execute(update(NoticeSend).values(next_at=utc_now()))
    send_due(site)
    [notice] = told(db.default(), ana)
    assert notice.body is not None
    assert codes(notice.body) == {"mail_not_taken"}


def test_way_that_is_off(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Nothing is sent, and the schedule and the inbox say why; turned on again, the next period is sent."""
    scheduled(ana)
    with db.write_session() as session:
        ways.turn_off(session, ana, NoticeWay.EMAIL)
    round_of_a_sender(site)
    found = standing(ana)
    assert (found.is_way_on, codes(found.error) if found.error else None) == (False, {"report_way_off"})
    assert len(told(db.default(), ana)) == 1
    with db.write_session() as session:
        ways.turn_on(session, ana, NoticeWay.EMAIL)
    on_another_day()
    round_of_a_sender(site)
    assert len(post_office.mails) == 1


def test_report_that_was_stopped(site: Settings, ana: Member, post_office: MailServer) -> None:
    """What was on its way is dropped, with a stop and with the end of its view."""
    for stop in ("schedule", "view"):
        schedule = scheduled(ana, name=stop)
        come_due()
        with db.write_session() as session:
            report_issues.write_due(session)
            if stop == "schedule":
                report_schedules.remove(session, ana, schedule.id)
            else:
                saved_views.delete(session, ana, schedule.view_id)
        send_due(site)
    assert {one.state for one in all_sends(db.default())} == {SendState.DROPPED}
    assert post_office.mails == []
    assert all(not notice.in_inbox for notice in all_notices(db.default()))


def test_setting_it_otherwise(site: Settings, ana: Member) -> None:
    """One schedule for a view and way; another rhythm or time zone moves the next morning."""
    first = scheduled(ana)
    with db.write_session() as session:
        report_schedules.put(
            session, ana, first.view_id, NoticeWay.EMAIL, every=ReportEvery.MONTHLY, time_zone="Asia/Jakarta"
        )
    found = standing(ana)
    assert (found.id, found.every, found.time_zone) == (first.id, ReportEvery.MONTHLY, "Asia/Jakarta")
    assert found.next_at.astimezone(UTC).hour == 1
    with db.write_session() as session:
        same = report_schedules.put(
            session, ana, first.view_id, NoticeWay.EMAIL, every=ReportEvery.MONTHLY, time_zone="Asia/Jakarta"
        )
    assert same.next_at == found.next_at


def test_what_cannot_be_sent(site: Settings, ana: Member) -> None:
    """A way that is not set up or takes no files, a zone that is none, somebody else's view, and too many."""
    view_id = scheduled(ana).view_id
    ben = create_member(db.default(), "ben@example.org")

    def refused(person: Member, way: NoticeWay, time_zone: str = "UTC") -> type[Exception]:
        with pytest.raises(errors.AppError) as raised, db.write_session() as session:
            report_schedules.put(session, person, view_id, way, every=ReportEvery.DAILY, time_zone=time_zone)
        return raised.type

    assert refused(ana, NoticeWay.WEBHOOK) is errors.NotFound
    assert refused(ana, NoticeWay.SLACK) is errors.InvalidRequest
    assert refused(ana, NoticeWay.EMAIL, "Mars/Olympus") is errors.InvalidRequest
    assert refused(ben, NoticeWay.EMAIL) is errors.NotFound
    for number in range(1, report_schedules.MOST):
        scheduled(ana, name=f"View {number}")
    with pytest.raises(errors.InvalidRequest):
        scheduled(ana, name="One more")


def test_sent_report_is_an_export(site: Settings, ana: Member) -> None:
    """The audit log says what left the installation, once."""
    scheduled(ana)
    round_of_a_sender(site)
    with db.read_session() as session:
        [act] = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "export.made"))
    assert (act.actor, act.target, act.workspace_id) == (ana.email, "usage", ana.workspace_id)
    assert act.after == {"format": "csv", "by": "email", "view": "Ours"}
