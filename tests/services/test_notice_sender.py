"""What people are told arrives by mail, chat and their own webhooks, each message once, at a real far side."""

import json
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import standardwebhooks
from sqlalchemy import update

from core import db, errors, retry
from core.clock import utc_now
from core.config import Settings
from core.db.enums import NoticeKind, NoticeWay, SendState, WorkspaceRole
from core.db.tables import NoticeSend, User, WayToTell
from core.installation import Installation, current
from core.notifications import notice_sender, ways
from core.workspaces import credits, members, workspaces
from core.workspaces.access import Member
from pages.ui import catalogues
from tests.factories import installations
from tests.factories import workspaces as teams
from tests.factories.generations import create_completed, create_generation, finish, lose_submit
from tests.factories.notices import PUBLIC, all_sends, by_address, by_mail, press, reaching, send_due
from tests.factories.users import create_member, deactivate
from tests.fixtures.mail_server import MailServer, mail_server, self_signed, words
from tests.fixtures.receiver import Receiver

pytestmark = pytest.mark.both_databases


@pytest.fixture
def site(site: Installation, post_office: MailServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an installation that sends mail by this server, and may send to the receiver."""
    return reaching(post_office, receiver, monkeypatch)


@pytest.fixture
def ana(site: Settings) -> Member:
    """Somebody with credits in the installation."""
    return create_member(db.default(), credits=100_000)


def headers_of(message_id: str) -> str:
    """The id of a message, as its Message-ID says it."""
    return message_id.strip("<>").partition("@")[0]


def make_due() -> None:
    """Let the time of everything come that is to be sent, rather than to wait for it."""
    with db.write_session() as session:
        session.execute(update(NoticeSend).where(NoticeSend.state == SendState.DUE).values(next_at=utc_now()))


def states() -> list[SendState]:
    """How every message stands."""
    return [one.state for one in all_sends(db.default())]


def test_mail_of_a_press(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Forty clips are one mail, to the address its person signs in with, without the prompt, and with the way back."""
    by_mail(db.default(), ana)
    ids = press(db.default(), ana, 40, prompt="a secret lake")
    for generation_id in ids:
        assert send_due(site) == 0
        finish(db.default(), generation_id)
    assert send_due(site) == 1
    assert send_due(site) == 0
    (mail,) = post_office.mails
    (sent,) = all_sends(db.default())
    assert sent.state is SendState.SENT
    assert (mail["To"], mail["Auto-Submitted"]) == (ana.email, "auto-generated")
    assert headers_of(mail["Message-ID"]) == sent.id
    assert mail["Subject"] == "40 clips are finished: Lakes"
    assert f"{PUBLIC}/history?clip={ids[0]}&workspace={ana.workspace_id}" in words(mail)
    assert "secret" not in mail.as_string()


def test_prompts_where_the_workspace_lets_them_out(site: Settings, ana: Member, post_office: MailServer) -> None:
    """They are told from then on, and no more once a manager says no; a maker cannot say."""
    by_mail(db.default(), ana)
    with db.write_session() as session:
        workspaces.set_tells_prompts(session, ana, ana.workspace_id, is_on=True)
    create_completed(db.default(), ana, prompt="a lake <at> dusk")
    send_due(site)
    with db.write_session() as session:
        workspaces.set_tells_prompts(session, ana, ana.workspace_id, is_on=False)
    create_completed(db.default(), ana, prompt="a lake <at> dusk")
    send_due(site)
    first, second = post_office.mails
    assert "Prompt: a lake <at> dusk" in words(first)
    assert "a lake &lt;at&gt; dusk" in first.as_string()
    assert "dusk" not in second.as_string()
    boss = create_member(db.default(), "boss@example.org")
    maker, _boss = teams.create_team(db.default(), (ana, WorkspaceRole.MAKER), (boss, WorkspaceRole.MANAGER))
    with db.write_session() as session, pytest.raises(errors.Forbidden):
        workspaces.set_tells_prompts(session, maker, maker.workspace_id, is_on=True)


def test_mail_in_the_language_of_its_reader(site: Settings, ana: Member, post_office: MailServer) -> None:
    """A mail is in the language its person has chosen."""
    by_mail(db.default(), ana)
    with db.write_session() as session:
        session.execute(update(User).where(User.id == ana.id).values(language="id"))
    create_completed(db.default(), ana)
    send_due(site, catalogues.writers())
    (mail,) = post_office.mails
    assert "selesai" in mail["Subject"]


def test_chats_get_their_own_forms(site: Settings, ana: Member, receiver: Receiver) -> None:
    """Slack gets text whose signs mean nothing, Teams an adaptive card; each with an id by which a repeat is known."""
    by_address(ana, NoticeWay.SLACK, receiver.url, site)
    by_address(ana, NoticeWay.TEAMS, receiver.url, site)
    create_completed(db.default(), ana)
    send_due(site)
    bodies = {key: json.loads(call.body) for call in receiver.calls for key in json.loads(call.body)}
    assert bodies["text"]["text"].startswith("*A clip is finished: Lakes")
    assert f"<{PUBLIC}/history?clip=" in bodies["text"]["text"]
    card = bodies["attachments"]["attachments"][0]["content"]
    assert card["body"][0]["text"].startswith("A clip is finished: Lakes \\(")
    assert card["actions"][0]["url"].startswith(f"{PUBLIC}/history")
    assert {call.headers["idempotency-key"] for call in receiver.calls} == {one.id for one in all_sends(db.default())}


def test_webhook_of_a_person_is_signed(site: Settings, ana: Member, receiver: Receiver) -> None:
    """Its receiver verifies it with the secret that its person is shown."""
    way = by_address(ana, NoticeWay.WEBHOOK, receiver.url, site)
    row = create_completed(db.default(), ana)
    send_due(site)
    (call,) = receiver.calls
    said = standardwebhooks.Webhook(ways.secret(way, key=site.secret_key)).verify(call.body, call.headers)
    assert said["type"] == "notice"
    assert (said["data"]["kind"], said["data"]["generationId"]) == ("clips_done", row.id)
    assert "prompt" not in said["data"]


def test_address_that_may_not_be_reached(site: Settings, ana: Member) -> None:
    """The guard of webhooks holds: an address of the inside is refused when it is given."""
    for url in ("http://example.org/hook", "https://127.0.0.1:1/hook", "https://169.254.169.254/latest"):
        with pytest.raises(errors.InvalidRequest):
            by_address(ana, NoticeWay.SLACK, url, site)


def test_kinds_that_are_muted(site: Settings, ana: Member, post_office: MailServer) -> None:
    """A kind that is switched off for a way does not take it, and takes the others."""
    by_mail(db.default(), ana)
    with db.write_session() as session:
        ways.mute(session, ana, NoticeWay.EMAIL, NoticeKind.CLIPS_DONE, is_muted=True)
        ways.mute(session, ana, NoticeWay.INBOX, NoticeKind.CLIP_UNCLEAR, is_muted=True)
    create_completed(db.default(), ana)
    lose_submit(db.default(), create_generation(db.default(), ana).id)
    make_due()
    send_due(site)
    assert [mail["Subject"][:19] for mail in post_office.mails] == ["A clip needs review"]


def test_who_has_left_gets_nothing(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Who left a team, or was deactivated, between cause and sending is not told any more."""
    by_mail(db.default(), ana)
    boss = create_member(db.default(), "boss@example.org")
    at, manager = teams.create_team(db.default(), (ana, WorkspaceRole.MAKER), (boss, WorkspaceRole.MANAGER))
    create_completed(db.default(), at)
    with db.write_session() as session:
        members.remove(session, manager, at.workspace_id, ana.id)
    assert send_due(site) == 1
    create_completed(db.default(), ana)
    deactivate(ana)
    send_due(site)
    assert post_office.mails == []
    assert states() == [SendState.DROPPED, SendState.DROPPED]


def test_way_that_is_turned_off(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Nothing is sent by it any more, also of what was written down before; turned on, what comes is."""
    by_mail(db.default(), ana)
    create_completed(db.default(), ana)
    with db.write_session() as session:
        ways.turn_off(session, ana, NoticeWay.EMAIL)
    create_completed(db.default(), ana)
    assert send_due(site) == 0
    with db.write_session() as session:
        ways.turn_on(session, ana, NoticeWay.EMAIL)
    create_completed(db.default(), ana)
    assert send_due(site) == 1
    assert len(post_office.mails) == 1


def test_mail_server_that_has_no_time(site: Settings, ana: Member, post_office: MailServer) -> None:
    """It is tried again later under the same Message-ID, and its person sees meanwhile that nothing arrives."""
    way = by_mail(db.default(), ana)
    post_office.answers = ["451 4.3.0 not now"]
    create_completed(db.default(), ana)
    send_due(site)
    assert (states(), post_office.mails) == ([SendState.DUE], [])
    with db.read_session() as session:
        failing = session.get_one(WayToTell, way.id)
        assert failing.error is not None
        assert (failing.error.code, failing.failing_since is None) == ("mail_not_taken", False)
    assert send_due(site) == 0
    make_due()
    send_due(site)
    with db.read_session() as session:
        assert session.get_one(WayToTell, way.id).failing_since is None
    assert (states(), len(post_office.mails)) == ([SendState.SENT], 1)


def test_mail_server_that_is_away(site: Settings, ana: Member, post_office: MailServer) -> None:
    """Nothing is lost, and after the last of the attempts it is given up."""
    by_mail(db.default(), ana)
    post_office.stop()
    create_completed(db.default(), ana)
    for _ in range(len(retry.WEBHOOK_SECONDS)):
        assert send_due(site) == 1
        assert states() == [SendState.DUE]
        make_due()
    send_due(site)
    assert states() == [SendState.GIVEN_UP]


def test_address_that_nobody_has(site: Settings, ana: Member, post_office: MailServer) -> None:
    """A server that knows for sure is not asked again."""
    by_mail(db.default(), ana)
    post_office.refuses_recipients = True
    create_completed(db.default(), ana)
    send_due(site)
    assert states() == [SendState.GIVEN_UP]


def test_digest_of_a_day(site: Settings, ana: Member, post_office: MailServer) -> None:
    """All of a day is one mail in the morning of its person's time zone; what comes later is in the next."""
    by_mail(db.default(), ana)
    with db.write_session() as session:
        ways.set_digest(session, ana, is_daily=True, time_zone="Asia/Jakarta")
    for _ in range(3):
        create_completed(db.default(), ana)
    assert send_due(site) == 0
    with db.write_session() as session:
        session.execute(update(WayToTell).values(digest_at=utc_now()))
    send_due(site)
    send_due(site)
    create_completed(db.default(), ana)
    assert send_due(site) == 0
    (mail,) = post_office.mails
    assert mail["Subject"] == "3 pieces of news from AI Video Generator"
    assert words(mail).count("A clip is finished") == 6  # each in words, and as a link
    with db.write_session() as session:
        ways.set_digest(session, ana, is_daily=False)
    assert send_due(site) == 1
    assert len(post_office.mails) == 2


def test_morning_of_a_time_zone() -> None:
    """The next digest is at eight there, today or tomorrow, also where summer time begins."""
    for zone, after, wanted in (
        ("Asia/Jakarta", "2026-03-01T00:59:00", "2026-03-01T01:00:00"),
        ("Asia/Jakarta", "2026-03-01T01:00:00", "2026-03-02T01:00:00"),
        ("Europe/Berlin", "2026-03-28T12:00:00", "2026-03-29T06:00:00"),
        ("no/where", "2026-03-28T12:00:00", "2026-03-29T08:00:00"),
    ):
        found = ways.next_digest(zone, datetime.fromisoformat(after).replace(tzinfo=UTC))
        assert found == datetime.fromisoformat(wanted).replace(tzinfo=UTC)


def test_two_senders_send_each_message_once(site: Settings, ana: Member, post_office: MailServer) -> None:
    """However they meet, each message is one attempt of one sender."""
    people = [ana, *(create_member(db.default(), f"p{number}@example.org") for number in range(5))]
    for person in people:
        by_mail(db.default(), person)
        for _ in range(2):
            create_completed(db.default(), person)
    together = threading.Barrier(3)

    def work(_nth: int) -> None:
        together.wait(60)
        while send_due(site):
            pass

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, range(3)))
    make_due()
    send_due(site)
    assert len({mail["Message-ID"] for mail in post_office.mails}) == len(post_office.mails) == 12
    assert {one.attempts for one in all_sends(db.default())} == {1}


def test_test_message(site: Settings, ana: Member, post_office: MailServer) -> None:
    """It shows that a way works, once a minute."""
    by_mail(db.default(), ana)
    with db.write_session() as session:
        ways.send_test(session, ana, NoticeWay.EMAIL)
    with db.write_session() as session, pytest.raises(errors.RateLimited):
        ways.send_test(session, ana, NoticeWay.EMAIL)
    send_due(site)
    (mail,) = post_office.mails
    assert mail["Subject"] == "This is a test"


def test_mail_over_tls_and_with_a_password(
    site: Settings, ana: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that wants both gets both; one whose certificate nobody vouches for gets neither mail nor password."""
    certificate, key = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    by_mail(db.default(), ana)
    with mail_server(tls=context, password="letters") as guarded:
        for name, value in {
            "SMTP_HOST": "localhost",
            "SMTP_PORT": str(guarded.port),
            "SMTP_SECURITY": "starttls",
            "SMTP_USER": "video",
            "SMTP_PASSWORD": "letters",
        }.items():
            monkeypatch.setenv(name, value)
        settings = installations.reopen().settings
        create_completed(db.default(), ana)
        send_due(settings)
        assert guarded.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        make_due()
        send_due(settings)
        assert len(guarded.mails) == 1
    assert current().settings.smtp_password in current().settings.secrets


def test_sender_without_mail_server(site: Settings, ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no mail is sent from, nobody can wish for it, and what was wished before waits."""
    by_mail(db.default(), ana)
    create_completed(db.default(), ana)
    for name in ("SMTP_HOST", "SMTP_FROM"):
        monkeypatch.delenv(name)
    settings = installations.reopen().settings
    with db.write_session() as session, pytest.raises(errors.Conflict):
        ways.turn_on_mail(session, ana, can_mail=settings.can_mail)
    send_due(settings)
    assert states() == [SendState.DUE]


def test_names_mean_nothing_in_a_mail(site: Settings, ana: Member, post_office: MailServer) -> None:
    """A team's name with a line end cannot add a header, and one with markup is text."""
    by_mail(db.default(), ana)
    (at,) = teams.create_team(db.default(), (ana, WorkspaceRole.MANAGER), name="Lakes\nBcc: eve@example.org <b>")
    root = teams.create_admin(db.default())
    with db.write_session() as session:
        credits.grant(session, root, at.workspace_id, credits=5, reason="Spring")
    send_due(site)
    (mail,) = post_office.mails
    assert mail["Bcc"] is None
    assert "&lt;b&gt;" in mail.as_string()


def test_lease_of_a_message(site: Settings, ana: Member) -> None:
    """What a sender took and did not write down comes due again, and its late record then changes nothing."""
    by_mail(db.default(), ana)
    create_completed(db.default(), ana)
    (first,) = notice_sender.claim(10)
    assert notice_sender.claim(10) == []
    make_due()
    (second,) = notice_sender.claim(10)
    assert (first.send.id, second.send.attempts) == (second.send.id, 2)
    with db.write_session() as session:
        notice_sender.record(session, first, notice_sender.Outcome())
    assert states() == [SendState.DUE]
    assert all_sends(db.default())[0].next_at is not None
    with db.write_session() as session:
        notice_sender.record(session, second, notice_sender.Outcome())
    assert states() == [SendState.SENT]
