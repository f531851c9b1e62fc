"""People as administrators see and change them: their role in the installation, and whether they may come in at all.

An installation always keeps an administrator who can act.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.orm import aliased

from core import audit_log, errors, normal_form
from core.audit_log import Act
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.enums import Role, WorkspaceKind, WorkspaceRole
from core.db.tables import BrowserSession, Erasure, User, Workspace, WorkspaceMember
from core.messages import message
from core.notices import causes
from core.workspaces import departures
from core.workspaces.access import Member
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the installation, as administrators see them.

    `last_seen_at` is when a browser of theirs was last seen, None for who never signed in or only sends requests.
    `merged_into_id` is who they are now, None for who was not merged into somebody. Of who was erased, at `erased_at`,
    only a made-up address is left.
    """

    id: str
    email: str
    name: str
    role: Role
    workspace_count: int
    created_at: datetime
    last_seen_at: datetime | None
    deactivated_at: datetime | None
    merged_into_id: str | None
    erased_at: datetime | None
    is_being_erased: bool


def list_page(
    session: ReadSession,
    member: Member,
    *,
    search: str = "",
    role: Role | None = None,
    deactivated: bool | None = None,
    after_email: str = "",
    limit: int = 100,
) -> Sequence[Person]:
    """People by address, a keyset page at a time; `deactivated` None for both. Forbidden for others than admins."""
    member.require(Action.MANAGE_PEOPLE)
    query = _people().where(User.email > after_email).order_by(User.email).limit(limit)
    if wanted := search.strip():
        query = query.where(User.search_key.contains(normal_form.normal(wanted), autoescape=True))
    if role is not None:
        query = query.where(User.role == role)
    if deactivated is not None:
        query = query.where(User.deactivated_at.is_not(None) if deactivated else User.deactivated_at.is_(None))
    return [_person(row) for row in session.execute(query)]


def get(session: ReadSession, member: Member, user_id: str) -> Person:
    """One person; NotFound when there is none, Forbidden for others than administrators."""
    member.require(Action.MANAGE_PEOPLE)
    row = session.execute(_people().where(User.id == user_id)).first()
    if row is None:
        raise errors.NotFound(message("person_not_found"))
    return _person(row)


def set_role(session: WriteSession, member: Member, user_id: str, role: Role) -> Person:
    """Say what somebody is in the installation, from their next click or call on.

    Conflict for the last administrator who can act, and for who was deactivated.
    """
    member.require(Action.MANAGE_PEOPLE)
    administrators, (person,) = lock(session, user_id)
    if person.deactivated_at is not None:
        raise errors.Conflict(message("person_deactivated"))
    if person.role is not role:
        check_others_remain(administrators, person)
        before, person.role = person.role, role
        session.flush()
        departures.forget_callers(session)
        audit_log.record(
            session,
            member.user,
            Act.PERSON_ROLE_CHANGED,
            target=person.email,
            target_id=person.id,
            before={"role": before.value},
            after={"role": role.value},
        )
        causes.has_installation_role(session, person.id, role, actor=member.email)
    return get(session, member, user_id)


def deactivate(session: WriteSession, member: Member, user_id: str) -> Person:
    """Let somebody in no more: no page, no token, no webhook; clips under way finish, what they made stays.

    Conflict for the last administrator who can act. Somebody who was deactivated before stays so.
    """
    member.require(Action.MANAGE_PEOPLE)
    administrators, (person,) = lock(session, user_id)
    if person.deactivated_at is None:
        check_others_remain(administrators, person)
        switch_off(session, person)
        audit_log.record(session, member.user, Act.PERSON_DEACTIVATED, target=person.email, target_id=person.id)
    return get(session, member, user_id)


def teams_left_alone(session: ReadSession, member: Member, user_id: str) -> Sequence[str]:
    """Names of the teams that this person manages and nobody else who can act does: somebody has to be found."""
    member.require(Action.MANAGE_PEOPLE)
    other, other_person = aliased(WorkspaceMember), aliased(User)
    acts = exists().where(
        other.workspace_id == Workspace.id,
        other.role == WorkspaceRole.MANAGER,
        other.user_id != user_id,
        other_person.id == other.user_id,
        other_person.deactivated_at.is_(None),
    )
    query = (
        select(Workspace.name)
        .join(WorkspaceMember, WorkspaceMember.workspace_id == Workspace.id)
        .where(
            WorkspaceMember.user_id == user_id,
            WorkspaceMember.role == WorkspaceRole.MANAGER,
            Workspace.kind == WorkspaceKind.TEAM,
            Workspace.archived_at.is_(None),
            ~acts,
        )
    )
    return session.scalars(query.order_by(Workspace.name_key, Workspace.id)).all()


def reactivate(session: WriteSession, member: Member, user_id: str) -> Person:
    """Let somebody in again, who makes tokens and starts webhooks anew. Conflict for who was merged."""
    member.require(Action.MANAGE_PEOPLE)
    _administrators, (person,) = lock(session, user_id)
    if person.merged_into_id is not None:
        raise errors.Conflict(message("person_merged"))
    if person.erased_at is not None or session.get(Erasure, user_id) is not None:
        raise errors.Conflict(message("person_erased"))
    if person.deactivated_at is not None:
        person.deactivated_at = None
        session.flush()
        audit_log.record(session, member.user, Act.PERSON_REACTIVATED, target=person.email, target_id=person.id)
    return get(session, member, user_id)


def lock(session: WriteSession, *user_ids: str) -> tuple[Collection[str], Sequence[User]]:
    """The ids of the administrators who can act, and people who are to be changed; all rows locked.

    So two who take each other's role away go one after the other, and the second sees what the first has left.
    (SQLite's write lock covers the whole file.) NotFound when there is no such person.
    """
    administrators = session.scalars(_ADMINISTRATORS).all()
    found = {
        person.id: person
        for person in session.scalars(
            select(User)
            .where(User.id.in_(user_ids))
            .order_by(User.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    }
    if not found.keys() >= set(user_ids):
        raise errors.NotFound(message("person_not_found"))
    return administrators, [found[user_id] for user_id in user_ids]


def check_others_remain(administrators: Collection[str], person: User) -> None:
    """Return unless this person is the one administrator who can act; else Conflict."""
    if set(administrators) == {person.id}:
        raise errors.Conflict(message("last_administrator"))


def switch_off(session: WriteSession, person: User) -> None:
    """Deactivate somebody whose row is locked."""
    person.deactivated_at = utc_now()
    session.flush()
    departures.end_everywhere(session, person.id)


_ADMINISTRATORS = (
    select(User.id)
    .where(User.role == Role.ADMIN, User.deactivated_at.is_(None))
    .order_by(User.id)
    .with_for_update(key_share=True)
)


def _people() -> Select[Any]:
    workspaces = (
        select(func.count())
        .select_from(WorkspaceMember)
        .where(WorkspaceMember.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    last_seen = (
        select(func.max(BrowserSession.seen_at))
        .where(BrowserSession.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    return select(
        User.id,
        User.email,
        User.name,
        User.role,
        workspaces.label("workspace_count"),
        User.created_at,
        last_seen.label("last_seen_at"),
        User.deactivated_at,
        User.merged_into_id,
        User.erased_at,
        exists().where(Erasure.user_id == User.id, Erasure.ended_at.is_(None)).label("is_being_erased"),
    )


def _person(row: Row[Any]) -> Person:
    return Person(**row._mapping)
