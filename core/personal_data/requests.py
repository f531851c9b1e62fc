"""Asks for a person to be erased, and says beforehand what that means; a worker does it (`core.personal_data.steps`).

Whoever is erased is let in no more from that moment on. It cannot be undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false, func, or_, select, true

from core import audit_log, db, errors
from core.audit_log import Act
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import ErasureState, Status, WorkspaceKind
from core.db.tables import Erasure, Generation, Upload, User, Workspace, is_live
from core.generations import approval_requests, lifecycle
from core.messages import Message, message
from core.personal_data.columns import OF_PERSON
from core.workspaces import people
from core.workspaces.access import Member
from core.workspaces.permissions import Action

GRACE = timedelta(seconds=10)
"""Other processes notice within a second that somebody is let in no more; until then nothing is erased."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What erasing a person means: counts of what goes and of what stays without their name."""

    email: str
    own_clips: int
    own_bytes: int
    own_uploads: int
    team_clips: int
    under_way: int
    """Clips that have to end first."""
    uncertain: int
    """Those of them that wait for a decision of an administrator."""
    teams_left_alone: Sequence[str]
    """Teams that nobody else who can act manages."""
    rows: Mapping[str, int]
    """By table, what is theirs alone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an erasure is."""

    user_id: str
    state: ErasureState
    error: Message | None
    asked_at: datetime
    ended_at: datetime | None


def plan(session: ReadSession, member: Member, user_id: str) -> Plan:
    """What erasing somebody would do; changes nothing. NotFound, Conflict and Forbidden as `ask`."""
    member.require(Action.MANAGE_PEOPLE)
    person = session.get(User, user_id)
    if person is None:
        raise errors.NotFound(message("person_not_found"))
    _check(member, person)
    return _planned(session, member, person)


def _planned(session: ReadSession, member: Member, person: User) -> Plan:
    own = Generation.workspace_id == person.id, _is_personal(session, person.id)
    theirs = Generation.user_id == person.id
    counted = func.count(), func.coalesce(func.sum(Generation.stored_bytes), 0)
    clips, size_bytes = session.execute(select(*counted).where(*own, Generation.purged_at.is_(None))).one()
    under_way = session.execute(
        select(Generation.status, func.count()).where(is_live(), or_(theirs, own[0])).group_by(Generation.status)
    ).all()
    numbers = {row[0]: row[1] for row in under_way}
    return Plan(
        email=person.email,
        own_clips=int(clips),
        own_bytes=int(size_bytes),
        own_uploads=_count(session, Upload, Upload.workspace_id == person.id, Upload.purged_at.is_(None)),
        team_clips=_count(session, Generation, theirs, Generation.workspace_id != person.id),
        under_way=sum(numbers.values()),
        uncertain=numbers.get(Status.UNCERTAIN, 0),
        teams_left_alone=people.teams_left_alone(session, member, person.id),
        rows={
            table.__tablename__: number
            for table, column in OF_PERSON
            if (number := _count(session, table, getattr(table, column) == person.id))
        },
    )


def ask(session: WriteSession, member: Member, user_id: str, *, email: str) -> Standing:
    """Erase somebody, who is let in no more from here on; orders of theirs that nothing was sent of are cancelled.

    `email` is their address once more, so that nobody is erased by a slip; InvalidRequest for another one. Conflict for
    oneself, for the last administrator, and for who was merged into somebody, with whom they are erased. Asked again,
    nothing changes.
    """
    member.require(Action.MANAGE_PEOPLE)
    administrators, (person,) = people.lock(session, user_id)
    if (known := session.get(Erasure, user_id)) is not None:
        return _standing(known)
    _check(member, person)
    if email.strip().lower() != person.email.lower():
        raise errors.InvalidRequest(fields={"email": message("erase_other_address")})
    people.check_others_remain(administrators, person)
    merged = session.scalars(select(User).where(User.merged_into_id == person.id).order_by(User.id)).all()
    for each in (*merged, person):
        people.switch_off(session, each)
        _cancel_pending(session, each, actor=member.email)
        session.add(
            Erasure(
                user_id=each.id,
                asked_by_id=member.id,
                asked_by=member.email,
                next_at=db.now(session) + GRACE,
                asked_at=db.now(session),
            )
        )
        session.flush()
        audit_log.record(session, member.user, Act.PERSON_ERASURE_ASKED, target=each.email, target_id=each.id)
    return _standing(session.get_one(Erasure, person.id))


def begin_now(session: WriteSession, user_id: str) -> None:
    """Let an erasure, and those of who was merged into this person, go on at once: nobody else serves them."""
    merged = select(User.id).where(User.merged_into_id == user_id)
    of_them = or_(Erasure.user_id == user_id, Erasure.user_id.in_(merged))
    update_where(session, Erasure, of_them, Erasure.next_at.is_not(None), next_at=db.now(session))


def standings(session: ReadSession, member: Member) -> Sequence[Standing]:
    """Erasures that are not over, oldest first; for administrators."""
    member.require(Action.MANAGE_PEOPLE)
    live = select(Erasure).where(Erasure.next_at.is_not(None)).order_by(Erasure.asked_at, Erasure.user_id)
    return [_standing(row) for row in session.scalars(live)]


def standing(session: ReadSession, member: Member, user_id: str) -> Standing | None:
    """How far the erasure of somebody is; None where nobody has asked for it."""
    member.require(Action.MANAGE_PEOPLE)
    row = session.get(Erasure, user_id)
    return None if row is None else _standing(row)


def _standing(row: Erasure) -> Standing:
    return Standing(row.user_id, row.state, row.error, row.asked_at, row.ended_at)


def _check(member: Member, person: User) -> None:
    if person.id == member.id:
        raise errors.Conflict(message("erase_not_oneself"))
    if person.merged_into_id is not None:
        raise errors.Conflict(message("person_merged"))
    if person.erased_at is not None:
        raise errors.Conflict(message("person_erased"))


def _cancel_pending(session: WriteSession, person: User, *, actor: str) -> None:
    waiting = select(Generation.id).where(Generation.user_id == person.id, Generation.status == Status.PENDING)
    for id_ in session.scalars(waiting).all():
        row = lifecycle.locked(session, id_)
        if row is not None and row.status is Status.PENDING:
            approval_requests.withdraw(session, row, actor=actor)


def _is_personal(session: ReadSession, user_id: str) -> ColumnElement[bool]:
    """Whether what was their own workspace still is; of who was merged it is a team."""
    kind = session.scalar(select(Workspace.kind).where(Workspace.id == user_id))
    return true() if kind is WorkspaceKind.PERSONAL else false()


def _count(session: ReadSession, table: type, *where: object) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*where)) or 0  # type: ignore[arg-type]  # conditions
