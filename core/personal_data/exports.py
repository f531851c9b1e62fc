"""Packs of all that is kept of a person: asked for by them or by an administrator, looked at, claimed by a worker.

A claim is a lease with a version: who lost theirs (killed, or too slow) finds nothing to write, and what was packed up
to then stays. Each claim stores its file under a key of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, select

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import BulkState
from core.db.tables import PersonExport, User
from core.identity import users
from core.messages import Message, message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LIVE = (BulkState.WAITING, BulkState.RUNNING)
LEASE = timedelta(seconds=60)
TRIES = 4
AGAIN_AFTER = timedelta(seconds=20)
LISTED = 5


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A ZIP of a pack."""

    key: str
    size_bytes: int
    name: str


def start(session: WriteSession, member: Member, *, of_user_id: str | None = None) -> PersonExport:
    """Write down that all that is kept of somebody is to be packed: of oneself, or for administrators of anybody.

    While one is under way, it is that one. Forbidden with a token of one workspace alone; NotFound, Conflict for who
    was erased.
    """
    user_id = of_user_id or member.id
    if user_id != member.id:
        member.require(Action.MANAGE_PEOPLE)
    if member.is_confined:
        raise errors.Forbidden(message("not_allowed"))
    person = session.get(User, user_id)
    if person is None:
        raise errors.NotFound(message("person_not_found"))
    if person.erased_at is not None:
        raise errors.Conflict(message("person_erased"))
    users.lock(session, member.id)  # two presses count one after the other
    under_way = select(PersonExport).where(PersonExport.user_id == user_id, PersonExport.state.in_(LIVE))
    if (known := session.scalar(under_way.where(visible(member)).limit(1))) is not None:
        return known
    now = db.now(session)
    made = PersonExport(user_id=user_id, asked_by_id=member.id, next_at=now, created_at=now)
    session.add(made)
    session.flush()
    audit_log.record(session, member.user, Act.EXPORT_MADE, target="person", target_id=user_id, after={"format": "zip"})
    return made


def visible(member: Member) -> ColumnElement[bool]:
    """Those that a person finds: what they asked for of themselves, as administrators of anybody."""
    if member.is_confined:
        return PersonExport.id.is_(None)
    asked = PersonExport.asked_by_id == member.id
    return asked if member.may(Action.MANAGE_PEOPLE) else asked & (PersonExport.user_id == member.id)


def list_visible(session: ReadSession, member: Member, *, of_user_id: str | None = None) -> Sequence[PersonExport]:
    """The newest of somebody, of oneself unless it is said, newest first."""
    of = PersonExport.user_id == (of_user_id or member.id)
    found = select(PersonExport).where(of, visible(member)).order_by(PersonExport.id.desc()).limit(LISTED)
    return session.scalars(found.execution_options(populate_existing=True)).all()


def get(session: ReadSession, member: Member, export_id: str) -> PersonExport:
    """One of them; else NotFound."""
    row = session.scalar(select(PersonExport).where(PersonExport.id == export_id, visible(member)))
    if row is None:
        raise errors.NotFound(message("pack_not_found"))
    return row


def files_of(row: PersonExport) -> Sequence[PackedFile]:
    """What can be fetched of it now."""
    if row.expires_at is None or row.state is not BulkState.DONE:
        return ()
    day, several = f"{row.created_at:%Y-%m-%d}", len(row.files) > 1
    return [
        PackedFile(each["key"], each["size_bytes"], f"about-me-{day}{f'-{number}' if several else ''}.zip")
        for number, each in enumerate(row.files, start=1)
    ]


def key_of(row: PersonExport) -> str:
    """Under which key the file of this claim lies."""
    return f"people/{row.id}/{len(row.files) + 1}-{row.version}.zip"


def any_due(session: ReadSession) -> bool:
    """Whether one is to be packed now."""
    return (
        session.scalar(select(select(PersonExport.id).where(PersonExport.next_at <= db.now(session)).exists())) is True
    )


def claim(session: WriteSession) -> PersonExport | None:
    """The one that is longest due, leased; one that came to no end too often is ended instead."""
    due = select(PersonExport).where(PersonExport.next_at <= db.now(session))
    row = session.scalar(
        due.order_by(PersonExport.next_at, PersonExport.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    now = db.now(session)
    if row.attempt >= TRIES:
        row.state, row.next_at, row.ended_at = BulkState.FAILED, None, now
        row.error, row.expires_at = row.error or message("bulk_broke"), now  # what was packed goes
        session.flush()
        return None
    row.state, row.attempt, row.version = BulkState.RUNNING, row.attempt + 1, row.version + 1
    row.next_at = now + LEASE
    session.flush()
    return row


def extend(session: WriteSession, row: PersonExport) -> bool:
    """Say that its maker lives; False when it is another's by now."""
    return bool(update_where(session, PersonExport, *_own(row), next_at=db.now(session) + LEASE))


def record(
    session: WriteSession, row: PersonExport, *, size_bytes: int, after_id: str, is_last: bool, days: int
) -> bool:
    """Write a file down, and that all is packed with the last one; False when it is another's by now."""
    now = db.now(session)
    files = [*row.files, {"key": key_of(row), "size_bytes": size_bytes}]
    ends = {"state": BulkState.DONE, "next_at": None, "ended_at": now, "expires_at": now + timedelta(days=days)}
    goes_on = {"next_at": now}
    values = {"files": files, "after_id": after_id, "attempt": 0, "error": None, **(ends if is_last else goes_on)}
    return bool(update_where(session, PersonExport, *_own(row), **values))


def put_off(session: WriteSession, row: PersonExport, error: Message) -> None:
    """Try again a little later: a disk may be emptied, a store come back."""
    again = db.now(session) + AGAIN_AFTER * row.attempt
    update_where(session, PersonExport, *_own(row), error=error, next_at=again)


def give_back(session: WriteSession, row: PersonExport) -> None:
    """Let another worker go on at once, since this one ends; it is no failed try."""
    update_where(session, PersonExport, *_own(row), attempt=row.attempt - 1, next_at=db.now(session))


def _own(row: PersonExport) -> tuple[ColumnElement[bool], ...]:
    return (
        PersonExport.id == row.id,
        PersonExport.version == row.version,
        PersonExport.state == BulkState.RUNNING,
    )
