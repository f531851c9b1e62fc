"""What people are told arrives exactly once, wherever a process is killed between the cause and the sending."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.clock import utc_now
from core.db.enums import NoticeWay, ReportEvery, SendState, Status
from core.db.tables import NoticeSend, ReportSchedule
from core.notifications import report_schedules
from core.usage import saved_views
from core.usage.views import View
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    finish,
)
from tests.factories.notices import all_notices, all_sends, by_mail, press
from tests.system.installation import ROOT, Installation, installed, kill_tree

pytestmark = [pytest.mark.process, pytest.mark.both_databases]


class PostOffice:
    """A mail server in a process of its own; what it has taken lies in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen([sys.executable, "-m", "tests.fixtures.mail_server", str(folder)], cwd=ROOT)
        end = time.monotonic() + 120
        while not (folder / "port").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        self.port = (folder / "port").read_text()

    def mails(self) -> list[EmailMessage]:
        """What was taken."""
        found = [message_from_bytes(each.read_bytes(), policy=policy.default) for each in self._folder.glob("*.eml")]
        return [each for each in found if isinstance(each, EmailMessage)]

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture
def post_office(tmp_path: Path) -> Iterator[PostOffice]:
    """A mail server."""
    folder = tmp_path / "mail"
    folder.mkdir()
    found = PostOffice(folder)
    yield found
    found.stop()


@pytest.fixture
def site(post_office: PostOffice, database_url: str) -> Iterator[Installation]:
    """An installation that sends mail, to a person who wants it; it needs no vendor and no Redis."""
    environ = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": post_office.port,
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "video@example.org",
        "SECRET_KEY": "a key for tests",
    }
    with installed("http://127.0.0.1:9", database_url, environ) as found:
        by_mail(found.database, found.user)
        yield found


def all_sent(site: Installation) -> bool:
    """Whether nothing is left to send."""
    return all(one.state is SendState.SENT for one in all_sends(site.database))


def end_leases(site: Installation) -> None:
    """Let what was claimed come due again, rather than to wait for it."""
    with site.database.write_session() as session:
        session.execute(update(NoticeSend).where(NoticeSend.state == SendState.DUE).values(next_at=utc_now()))


@pytest.mark.parametrize("where", ["claimed", "connected", "sending"])
def test_sender_killed_before_the_mail_was_taken(site: Installation, post_office: PostOffice, where: str) -> None:
    """Another sender sends it: exactly one mail."""
    create_completed(site.database, site.user)
    command = [sys.executable, "-m", "tests.system.killed_notice", where]
    assert subprocess.run(command, env=site.environ, cwd=ROOT, check=False, timeout=240).returncode == -signal.SIGKILL
    (left,) = all_sends(site.database)
    assert (left.state, left.attempts, post_office.mails()) == (SendState.DUE, 1, [])
    end_leases(site)
    site.start_worker("--role", "dispatcher")
    site.until(lambda: all_sent(site), "sent by another sender", seconds=240)
    (mail,) = post_office.mails()
    assert left.id in mail["Message-ID"]


def test_sender_killed_between_the_mail_and_its_record(site: Installation, post_office: PostOffice) -> None:
    """The one point at which a double can be: it has the same Message-ID, by which it is known and left out."""
    create_completed(site.database, site.user)
    command = [sys.executable, "-m", "tests.system.killed_notice", "sent"]
    assert subprocess.run(command, env=site.environ, cwd=ROOT, check=False, timeout=240).returncode == -signal.SIGKILL
    (left,) = all_sends(site.database)
    assert (left.state, len(post_office.mails())) == (SendState.DUE, 1)
    end_leases(site)
    site.start_worker("--role", "dispatcher")
    site.until(lambda: all_sent(site), "sent again", seconds=240)
    assert len({mail["Message-ID"] for mail in post_office.mails()}) == 1
    assert len({mail["Date"] for mail in post_office.mails()}) == 1


@pytest.mark.parametrize(("when", "nth", "is_ended"), [("before", 1, False), ("after", 1, True)])
def test_worker_killed_at_the_cause(
    site: Installation, post_office: PostOffice, when: str, nth: int, is_ended: bool
) -> None:
    """The message is there exactly if the end of the clip is, and is sent once."""
    generation_id = create_pending_end(site)
    command = [sys.executable, "-m", "tests.system.killed_cause", generation_id, when, str(nth)]
    assert subprocess.run(command, env=site.environ, cwd=ROOT, check=False, timeout=240).returncode == -signal.SIGKILL
    assert (site.row(generation_id).status is Status.COMPLETED) is is_ended
    assert len(all_sends(site.database)) == int(is_ended)
    if not is_ended:
        run = [sys.executable, "-m", "tests.system.killed_cause", generation_id, "never", "0"]
        subprocess.run(run, env=site.environ, cwd=ROOT, check=True, timeout=240)
    site.start_worker("--role", "dispatcher")
    site.until(lambda: all_sent(site), "sent", seconds=240)
    assert len(post_office.mails()) == 1


def test_forty_clips_and_two_dispatchers(site: Installation, post_office: PostOffice) -> None:
    """A press of forty clips is one mail though two dispatchers run all the while and one of them is killed."""
    ids = press(site.database, site.user, 40)
    first, _second = (site.start_worker("--role", "dispatcher") for _ in range(2))
    for generation_id in ids[:20]:
        finish(site.database, generation_id)
    kill_tree(first)
    assert post_office.mails() == []
    for generation_id in ids[20:]:
        finish(site.database, generation_id)
    site.until(lambda: bool(all_sends(site.database)) and all_sent(site), "sent", seconds=240)
    (mail,) = post_office.mails()
    assert mail["Subject"] == "40 clips are finished: Lakes"
    assert len(all_notices(site.database)) == 1


def create_pending_end(site: Installation) -> str:
    """An order whose file is about to be recorded; its id."""
    (generation_id,) = press(site.database, site.user, 1)
    advance(site.database, generation_id, DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING)
    return generation_id


@pytest.mark.parametrize(("when", "is_written"), [("before", False), ("after", True)])
def test_killed_when_a_report_is_due(site: Installation, post_office: PostOffice, when: str, is_written: bool) -> None:
    """The message is there exactly if its period is done; with two more dispatchers it is one mail."""
    with site.database.write_session() as session:
        view = saved_views.create(session, site.user, name="Ours", view=View(period="7"))
        report_schedules.put(session, site.user, view.id, NoticeWay.EMAIL, every=ReportEvery.DAILY, time_zone="UTC")
        session.execute(update(ReportSchedule).values(next_at=utc_now()))
    command = [sys.executable, "-m", "tests.system.killed_report", when]
    assert subprocess.run(command, env=site.environ, cwd=ROOT, check=False, timeout=240).returncode == -signal.SIGKILL
    assert (len(all_sends(site.database)), post_office.mails()) == (int(is_written), [])
    with site.database.read_session() as session:
        [schedule] = session.scalars(select(ReportSchedule))
        assert (schedule.next_at > utc_now()) is is_written
    for _ in range(2):
        site.start_worker("--role", "dispatcher")
    site.until(lambda: bool(all_sends(site.database)) and all_sent(site), "sent", seconds=240)
    [mail] = post_office.mails()
    assert mail["Subject"].startswith("Ours, ")
