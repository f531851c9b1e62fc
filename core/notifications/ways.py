"""The ways in which a person is told, as they choose them: on and off, addresses, kinds, and a daily digest.

Each is its person's own, whatever workspace they are at work in. Mail goes to the address they sign in with and to no
other, so that nobody can have it sent to strangers.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

from core import db, errors
from core.clock import utc_now
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import NoticeAudience, NoticeKind, NoticeWay, SendState
from core.db.tables import Notice, NoticeSend, WayToTell
from core.db.types import insert as insert_or
from core.ids import new_id
from core.messages import message
from core.notifications.webhooks import ValidUrl
from core.workspaces.access import Member

KINDS: Sequence[NoticeKind] = tuple(kind for kind in NoticeKind if kind not in (NoticeKind.TEST, NoticeKind.REPORT))
"""What can be switched off; a report is asked for by itself."""

WITH_ADDRESS = (NoticeWay.SLACK, NoticeWay.TEAMS, NoticeWay.WEBHOOK)
DIGEST_HOUR = 8
"""When a daily digest comes, by the clock of its person."""

TEST_PAUSE = timedelta(minutes=1)
UTC = "UTC"


def of_person(session: ReadSession, member: Member) -> Mapping[NoticeWay, WayToTell]:
    """The ways that somebody has set up; the inbox is there without. Forbidden with a token of one workspace."""
    _require_all_of_it(member)
    rows = session.scalars(select(WayToTell).where(WayToTell.user_id == member.id))
    return {row.way: row for row in rows}


def by_id(session: ReadSession, member: Member, way_id: str) -> WayToTell:
    """A way that somebody has set up; NotFound for any other."""
    _require_all_of_it(member)
    query = select(WayToTell).where(WayToTell.id == way_id, WayToTell.user_id == member.id)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise errors.NotFound(message("way_not_found"))
    return found


def turn_on_mail(session: WriteSession, member: Member, *, can_mail: bool) -> WayToTell:
    """Let mail come to the address somebody signs in with; Conflict where no mail is sent from here."""
    if not can_mail:
        raise errors.Conflict(message("mail_is_off"))
    return _set(session, member, NoticeWay.EMAIL, is_on=True)


def set_address(session: WriteSession, member: Member, way: NoticeWay, address: ValidUrl) -> WayToTell:
    """Let messages come to a chat or webhook at this address, checked by `webhooks.validate_url`; it is turned on."""
    if way not in WITH_ADDRESS:
        raise errors.InvalidRequest(fields={"way": message("way_not_found")})
    return _set(session, member, way, address=address.url, is_on=True, failing_since=None, error=None)


def turn_off(session: WriteSession, member: Member, way: NoticeWay) -> None:
    """Send nothing more this way; what was still to be sent is dropped, the choices stay."""
    found = _get(session, member, way)
    found.is_on = False
    _drop_all(session, found)
    session.flush()


def turn_on(session: WriteSession, member: Member, way: NoticeWay) -> None:
    """Send this way again; NotFound where it was never set up."""
    _get(session, member, way).is_on = True
    session.flush()


def remove(session: WriteSession, member: Member, way: NoticeWay) -> None:
    """Forget a way, its address and what was still to be sent."""
    found = _get(session, member, way)
    session.execute(delete(WayToTell).where(WayToTell.id == found.id).execution_options(synchronize_session=False))
    session.expunge(found)


def mute(session: WriteSession, member: Member, way: NoticeWay, kind: NoticeKind, *, is_muted: bool) -> None:
    """Leave a kind of notices out of a way, or take it in again; for those to come."""
    found = _set(session, member, way) if way is NoticeWay.INBOX else _get(session, member, way)
    kept = [word for word in found.muted if word != kind]
    found.muted = [*kept, kind.value] if is_muted else kept
    session.flush()


def set_kinds(session: WriteSession, member: Member, way: NoticeWay, kinds: Collection[NoticeKind]) -> None:
    """Let just these kinds of notices take a way, of those that can be switched off; for those to come."""
    for kind in KINDS:
        mute(session, member, way, kind, is_muted=kind not in kinds)


def set_digest(session: WriteSession, member: Member, *, is_daily: bool, time_zone: str = UTC) -> None:
    """Let mail come once a day, in the morning of a time zone, or at once; what was kept for a digest comes at once."""
    found = _get(session, member, NoticeWay.EMAIL)
    now = db.now(session)
    if is_daily:
        found.time_zone = time_zone if zone(time_zone) is not None else UTC
        found.digest_at = next_digest(found.time_zone, now)
    else:
        found.digest_at = None
        held = NoticeSend.way_id == found.id, NoticeSend.state == SendState.HELD
        update_where(session, NoticeSend, *held, state=SendState.DUE, next_at=now)
    session.flush()


def send_test(session: WriteSession, member: Member, way: NoticeWay) -> None:
    """Tell somebody a test by one way, to see whether it arrives; RateLimited for more than one a minute."""
    found = _get(session, member, way)
    newest = session.scalar(
        select(func.max(Notice.created_at)).where(Notice.user_id == member.id, Notice.kind == NoticeKind.TEST)
    )
    if newest is not None and utc_now() - newest < TEST_PAUSE:
        raise errors.RateLimited(message("too_many_tests"), retry_after_seconds=int(TEST_PAUSE.total_seconds()))
    test = Notice(
        user_id=member.id,
        audience=NoticeAudience.SELF,
        kind=NoticeKind.TEST,
        group_key=f"test:{new_id()}",
        title=message("notice_test"),
        body=message("notice_test_meaning"),
        in_inbox=False,
        told_at=db.now(session),
    )
    session.add(test)
    session.flush()
    session.add(NoticeSend(way_id=found.id, notice_id=test.id, next_at=db.now(session)))
    session.flush()


def secret(way: WayToTell, *, key: bytes) -> str:
    """What the receiver of a webhook verifies signatures with: `whsec_` and 32 bytes in base64; kept nowhere."""
    digest = hmac.digest(key, f"way\n{way.id}".encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(digest).decode()}"


def next_digest(time_zone: str, after: datetime) -> datetime:
    """The next morning in a time zone."""
    there = after.astimezone(zone(time_zone) or after.tzinfo)
    today = there.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return (today if today > there else today + timedelta(days=1)).astimezone(after.tzinfo)


def zone(name: str) -> tzinfo | None:
    """The time zone of this name; None for none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def _require_all_of_it(member: Member) -> None:
    """Ways carry what is told of every workspace: a token of one does not reach them."""
    if member.is_confined:
        raise errors.Forbidden(message("not_allowed"))


def _get(session: WriteSession, member: Member, way: NoticeWay) -> WayToTell:
    found = _found(session, member, way)
    if found is None:
        raise errors.NotFound(message("way_not_found"))
    return found


def _found(session: WriteSession, member: Member, way: NoticeWay) -> WayToTell | None:
    _require_all_of_it(member)
    query = select(WayToTell).where(WayToTell.user_id == member.id, WayToTell.way == way).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _set(session: WriteSession, member: Member, way: NoticeWay, **values: object) -> WayToTell:
    """The row of a way, made where there is none; two tabs make one."""
    _require_all_of_it(member)
    new = insert_or(session, WayToTell).values(id=new_id(), user_id=member.id, way=way, muted=[])
    session.execute(new.on_conflict_do_nothing(index_elements=["user_id", "way"]))
    found = _get(session, member, way)
    for name, value in values.items():
        setattr(found, name, value)
    session.flush()
    return found


def _drop_all(session: WriteSession, way: WayToTell) -> None:
    open_ones = NoticeSend.way_id == way.id, NoticeSend.state.in_((SendState.DUE, SendState.HELD))
    update_where(session, NoticeSend, *open_ones, state=SendState.DROPPED, next_at=None)
