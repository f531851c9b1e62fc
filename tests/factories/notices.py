"""What people were told, the ways by which they are told, and senders that make one round."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from core import db
from core.config import Settings
from core.db import Database
from core.db.enums import NoticeWay
from core.db.tables import Notice, NoticeSend, WayToTell
from core.generations import batches
from core.generations.submit_many import submit_many
from core.ids import new_id
from core.messages import Writer
from core.notifications import inbox, notice_sender, ways, webhooks
from core.notifications.inbox import Told
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order
from tests.factories.projects import create_project
from tests.fixtures.mail_server import MailServer
from tests.fixtures.receiver import Receiver

PUBLIC = "https://video.example.org"


def told(database: Database, person: Member) -> Sequence[Told]:
    """A person's inbox, newest first."""
    with database.read_session() as session:
        return inbox.list_page(session, person, limit=100)


def titles(database: Database, person: Member) -> list[str]:
    """The titles in a person's inbox, newest first, in English."""
    return [str(one.title) for one in told(database, person)]


def all_notices(database: Database) -> Sequence[Notice]:
    """Every row, in the order in which they were written."""
    with database.read_session() as session:
        return session.scalars(select(Notice).order_by(Notice.id)).all()


def all_sends(database: Database) -> Sequence[NoticeSend]:
    """Every message, in the order in which they were written."""
    with database.read_session() as session:
        return session.scalars(select(NoticeSend).order_by(NoticeSend.id)).all()


def by_mail(database: Database, person: Member) -> WayToTell:
    """Somebody who is told by mail."""
    with database.write_session() as session:
        return ways.turn_on_mail(session, person, can_mail=True)


def by_address(person: Member, way: NoticeWay, url: str, settings: Settings) -> WayToTell:
    """Somebody who is told at an address, in the installation that is open."""
    address = webhooks.validate_url(url, allow=settings.webhook_allow_hosts)
    with db.write_session() as session:
        return ways.set_address(session, person, way, address)


def send_due(settings: Settings, writers: Mapping[str, Writer] | None = None) -> int:
    """Claim and send what is due, as a sender's round does; how many attempts were made."""
    claimed = notice_sender.claim(100)
    for one in claimed:
        notice_sender.deliver(settings, writers or {}, one)
    return len(claimed)


def press(database: Database, person: Member, number: int, **changes: Any) -> list[str]:
    """The ids of clips that somebody ordered with one press."""
    project_id = create_project(database, person).id
    orders = [build_order(project_id, **changes) for _ in range(number)]
    how = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES}
    total = batches.total_credits(orders)
    with database.write_session() as session:
        rows = submit_many(session, person, orders, batch_id=new_id(), shown_credits=total, **how)  # type: ignore[arg-type]  # both are what they are called
        return [row.id for row in rows]


def reaching(post_office: MailServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of the installation, which from now on sends mail by this server, and may send to the receiver."""
    for name, value in {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(post_office.port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "AI Video Generator <video@example.org>",
        "WEBHOOK_ALLOW_HOSTS": receiver.host_port,
        "PUBLIC_URL": PUBLIC,
    }.items():
        monkeypatch.setenv(name, value)
    return installations.reopen().settings
