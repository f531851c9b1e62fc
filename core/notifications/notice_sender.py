"""Sends what people are told by mail, chat and their own webhooks: each message once, whatever dies.

A message is claimed by moving its `next_at`, which is schedule and lease in one, and written down as sent when the far
side has taken it. A sender that dies between those two sends it again when its lease is over, under the same
Message-ID or `webhook-id`; dying at any other point sends it exactly once.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, exists, literal_column, select, update

from core import db, errors, retry
from core.config import Settings
from core.db import ReadSession, WriteSession, update_where, writing
from core.db.enums import NoticeKind, NoticeWay, SendState
from core.db.tables import NoticeSend, User, WayToTell
from core.ids import new_id
from core.messages import Message, Writer, message
from core.notifications import mail, notice_texts, report_issues, report_texts, rounds, ways, webhook_sender
from core.notifications.mail import Mail
from core.notifications.notice_texts import Letter

log = logging.getLogger(__name__)

MAX_CONCURRENT = 16
LEASE = timedelta(minutes=5)
"""More than an exchange with a mail server and the record of it can take together."""

KEPT_SECONDS = 60.0
PATIENCE_SECONDS = 20.0
_GONE = (404, 410)
"""What chats answer for an address that was taken away."""
_SCANNED_ROWS = 200


@dataclass(frozen=True, slots=True)
class Claimed:
    """One attempt that is ours to make; the way is as it was at the claim."""

    send: NoticeSend
    way: WayToTell


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: `error` None when the far side took it; `is_dropped` when nothing was to be sent."""

    error: Message | None = None
    is_final: bool = False
    is_dropped: bool = False
    retry_after: timedelta = timedelta()


class Sender(rounds.Rounds[Claimed]):
    """The loop; `writers` put messages into words, by the tag of a language."""

    def __init__(self, settings: Settings, writers: Mapping[str, Writer]) -> None:
        work = rounds.Work(
            "notice",
            claim,
            partial(deliver, settings, writers),
            lambda one: one.way.id,
            MAX_CONCURRENT,
            PATIENCE_SECONDS,
        )
        super().__init__(work)


def claim(limit: int, busy: Collection[str] = frozenset()) -> Sequence[Claimed]:
    """Begin the digests and reports that are due, then take due messages, oldest due first, one of each way at a time.

    `busy` are ways that this process still waits for.
    """
    with db.read_session() as session:
        now = db.now(session)
        has_digest = session.scalar(select(exists().where(WayToTell.digest_at <= now)))
        has_report = report_issues.are_due(session, now)
        wanted = _next_in_line(session, now, limit, busy)
    if has_digest:
        with db.write_session() as session:
            begin_digests(session)
    if has_report:
        with db.write_session() as session:
            report_issues.write_due(session)
    if not wanted:
        return []
    with db.write_session() as session:
        now = db.now(session)
        free = select(NoticeSend.id).where(NoticeSend.id.in_(wanted), _is_due(), NoticeSend.next_at <= now)
        taken = session.scalars(
            update(NoticeSend)
            .where(NoticeSend.id.in_(free.with_for_update(skip_locked=True)))
            .values(next_at=now + LEASE, attempts=NoticeSend.attempts + 1)
            .returning(NoticeSend)
            .execution_options(synchronize_session=False, populate_existing=True)
        ).all()
        found = session.scalars(select(WayToTell).where(WayToTell.id.in_({row.way_id for row in taken})))
        of = {way.id: way for way in found}
    return [Claimed(row, of[row.way_id]) for row in taken if row.way_id in of]


def _next_in_line(session: ReadSession, now: datetime, limit: int, busy: Collection[str]) -> Sequence[str]:
    oldest = session.execute(
        select(NoticeSend.id, NoticeSend.way_id)
        .where(_is_due(), NoticeSend.next_at <= now, NoticeSend.way_id.not_in(busy))
        .order_by(NoticeSend.next_at)
        .limit(_SCANNED_ROWS)
    )
    first: dict[str, str] = {}
    for row in oldest:
        first.setdefault(row.way_id, row.id)
    return list(first.values())[:limit]


def begin_digests(session: WriteSession) -> None:
    """Make one message of all that was kept for each digest that is due, and set the next morning.

    In one transaction, so that what is kept is in one digest and in no other; what is kept meanwhile is in the next.
    """
    now = db.now(session)
    due = select(WayToTell).where(WayToTell.digest_at <= now).order_by(WayToTell.id).with_for_update(skip_locked=True)
    for way in session.scalars(due.execution_options(populate_existing=True)).all():
        digest_id = new_id()
        held = NoticeSend.way_id == way.id, NoticeSend.state == literal_column("'held'")
        number = update_where(session, NoticeSend, *held, state=SendState.SENT, digest_id=digest_id, sent_at=now)
        way.digest_at = ways.next_digest(way.time_zone, now)
        if number:
            session.add(NoticeSend(id=digest_id, way_id=way.id, next_at=now))
        session.flush()


def deliver(settings: Settings, writers: Mapping[str, Writer], claimed: Claimed) -> None:
    """Make one attempt and write down what came of it."""
    with db.read_session() as session:
        way = session.get(WayToTell, claimed.way.id)  # it may have been turned off since it was claimed
        user_id = claimed.way.user_id
        found = notice_texts.letter(session, claimed.send, user_id) if way is not None and way.is_on else None
        is_active = session.scalar(select(User.deactivated_at.is_(None)).where(User.id == user_id))
        is_report = found is not None and found.items[0].kind is NoticeKind.REPORT
    if found is None or not is_active:
        outcome = Outcome(is_dropped=True)
    elif is_report:
        outcome = _send_report(settings, writers.get(found.language or "", Writer()), claimed, found)
    else:
        outcome = _send(settings, writers.get(found.language or "", Writer()), claimed, found)
    if outcome.error is not None:
        log.info(
            "message %s by %s, attempt %s: %s", claimed.send.id, claimed.way.way, claimed.send.attempts, outcome.error
        )
    what = f"what came of message {claimed.send.id}"
    writing.until_written(lambda session: record(session, claimed, outcome), what=what, for_seconds=KEPT_SECONDS)


def _send_report(settings: Settings, writer: Writer, claimed: Claimed, found: Letter) -> Outcome:
    """A view of usage with its file, made of the figures of now for who may see them now."""
    notice_id = found.items[0].id
    try:
        with db.read_session() as session:
            report = report_issues.read(session, notice_id, claimed.way.user_id)
    except (errors.Forbidden, errors.InvalidRequest, errors.NotFound, errors.Unauthorized) as refused:
        return Outcome(report_issues.why(refused), is_dropped=True)
    if report is None:
        return Outcome(is_dropped=True)
    send = claimed.send
    if claimed.way.way is NoticeWay.EMAIL:
        letter = report_texts.mail(report, writer, settings.public_url, send=send, to=found.to)
        return _by_mail(settings, letter)
    written_at = send.created_at
    body = report_texts.webhook(report, writer, settings.public_url, notice_id=notice_id, written_at=written_at)
    return _to_webhook(settings, claimed, body)


def _send(settings: Settings, writer: Writer, claimed: Claimed, found: Letter) -> Outcome:
    if claimed.way.way is NoticeWay.EMAIL:
        return _by_mail(settings, _mail(settings, writer, claimed.send, found))
    if claimed.way.way is NoticeWay.WEBHOOK:
        body = notice_texts.webhook(found, writer, settings.public_url, written_at=claimed.send.created_at)
        return _to_webhook(settings, claimed, body)
    form = notice_texts.slack if claimed.way.way is NoticeWay.SLACK else notice_texts.teams
    return _post(settings, claimed, form(found, writer, settings.public_url), {})


def _by_mail(settings: Settings, letter: Mail) -> Outcome:
    if not settings.can_mail:
        return Outcome(message("mail_is_off"))
    told = mail.send(settings, letter)
    return Outcome(told.error, told.is_final)


def _to_webhook(settings: Settings, claimed: Claimed, body: str) -> Outcome:
    """To a person's own webhook, signed with its secret."""
    secrets = [ways.secret(claimed.way, key=key) for key in settings.secrets_in_force]
    headers = webhook_sender.headers(claimed.send.id, body, secrets=secrets, now=db.clock().now())
    return _post(settings, claimed, body, headers)


def _post(settings: Settings, claimed: Claimed, body: str, headers: Mapping[str, str]) -> Outcome:
    said = webhook_sender.post(
        claimed.way.address,
        body,
        {**headers, "Idempotency-Key": claimed.send.id},
        allow=settings.webhook_allow_hosts,
        proxies=settings.proxies,
    )
    return Outcome(said.error, said.status in _GONE, retry_after=said.retry_after)


def _mail(settings: Settings, writer: Writer, send: NoticeSend, found: Letter) -> Mail:
    is_digest = len(found.items) > 1
    text: list[str] = []
    links: list[tuple[str, str]] = []
    for item in found.items:
        text += notice_texts.lines(item, writer, with_title=True)
        if link := notice_texts.address(settings.public_url, item):
            words = writer.write(item.title if is_digest else message("notice_open"))
            links.append((words, link))
    return Mail(
        id=send.id,
        to=found.to,
        subject=writer.write(found.subject),
        lines=tuple(text),
        links=tuple(links),
        footer=writer.write(message("notice_why")),
        written_at=send.created_at,
    )


def record(session: WriteSession, claimed: Claimed, outcome: Outcome) -> None:
    """Write down an attempt, unless the message is no longer ours, and what it says of its way."""
    now = db.now(session)
    pause = None if outcome.is_final else retry.webhook_delay(claimed.send.attempts)
    sent_at, next_at = None, None
    if outcome.is_dropped:
        state = SendState.DROPPED
    elif outcome.error is None:
        state, sent_at = SendState.SENT, now
    elif pause is None:
        state = SendState.GIVEN_UP
    else:
        state, next_at = SendState.DUE, now + max(pause, outcome.retry_after)
    written = update_where(
        session,
        NoticeSend,
        NoticeSend.id == claimed.send.id,
        NoticeSend.attempts == claimed.send.attempts,
        _is_due(),
        state=state,
        next_at=next_at,
        sent_at=sent_at,
        error=outcome.error,
    )
    if written != 1:
        return
    if claimed.send.notice_id is not None:
        report_issues.record(session, claimed.send.notice_id, state=state, error=outcome.error, way=claimed.way.way)
    if outcome.is_dropped:
        return
    way = session.scalar(select(WayToTell).where(WayToTell.id == claimed.way.id).with_for_update())
    if way is not None:
        way.failing_since = None if outcome.error is None else way.failing_since or now
        way.error = outcome.error
        session.flush()


def _is_due() -> ColumnElement[bool]:
    """Still to be sent; a literal, because SQLite uses a partial index only for the very same words."""
    return NoticeSend.state == literal_column("'due'")
