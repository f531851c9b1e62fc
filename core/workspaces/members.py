"""Who is in which workspace: looked up for everything that a person does, and changed by managers.

A team always keeps a manager who can act. Whoever the groups of their sign-in have put into a workspace is changed and
taken out by these alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select

from core import audit_log, errors, normal_form
from core.audit_log import Act
from core.db import Reader, ReadSession, WriteSession
from core.db.enums import MemberSource, WorkspaceKind, WorkspaceRole
from core.db.tables import ApiToken, User, Workspace, WorkspaceMember
from core.identity import users
from core.messages import message
from core.workspaces import departures
from core.workspaces.access import Member
from core.workspaces.permissions import Action

_ROLES_OF = (
    select(WorkspaceMember.workspace_id, WorkspaceMember.role)
    .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
    .join(User, User.id == WorkspaceMember.user_id)
    .where(
        WorkspaceMember.user_id == bindparam("user_id"), Workspace.archived_at.is_(None), User.deactivated_at.is_(None)
    )
    .order_by(WorkspaceMember.workspace_id)
)


def with_token(session: Reader, user: User, token: ApiToken) -> Member:
    """The person who comes with an API token: in its workspace and no other, or in all of theirs.

    Unauthorized when they are not in its workspace.
    """
    roles = _roles(session, user)
    if token.workspace_id is None:
        return Member(user, user.id, roles, token.id)
    if token.workspace_id not in roles:
        raise errors.Unauthorized
    reach = {token.workspace_id: roles[token.workspace_id]}
    return Member(user, token.workspace_id, reach, token.id, is_confined=True)


def at_work(session: Reader, user: User, workspace_id: str | None = None) -> Member:
    """The person in a workspace, their personal one where none is named; one indexed look.

    NotFound for a workspace they are not in, Unauthorized for who is in none, since they were deactivated.
    """
    return Member(user, user.id, _roles(session, user)).moved_to(workspace_id or user.id)


def again(session: ReadSession, member: Member) -> Member:
    """The same person in the same workspace as they are by now, with all of theirs in reach.

    Forbidden when they were deactivated meanwhile, NotFound when they have left the workspace.
    """
    user = session.get_one(User, member.id)
    if user.deactivated_at is not None:
        raise errors.Forbidden
    return at_work(session, user, member.workspace_id)


def _roles(session: Reader, user: User) -> Mapping[str, WorkspaceRole]:
    roles = {row.workspace_id: row.role for row in session.execute(_ROLES_OF, {"user_id": user.id})}
    if not roles:
        raise errors.Unauthorized
    return roles


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """Somebody in a workspace, as its people see them; `source` says who put them there and may take them out."""

    user_id: str
    email: str
    name: str
    role: WorkspaceRole
    source: MemberSource
    since: datetime
    is_active: bool
    """False for who was deactivated in the installation and so cannot act."""


_ROSTER = (
    select(
        WorkspaceMember.user_id,
        User.email,
        User.name,
        WorkspaceMember.role,
        WorkspaceMember.source,
        WorkspaceMember.created_at.label("since"),
        User.deactivated_at.is_(None).label("is_active"),
    )
    .join(User, User.id == WorkspaceMember.user_id)
    .order_by(User.email)
)


def list_page(
    session: ReadSession,
    member: Member,
    workspace_id: str,
    *,
    search: str = "",
    after_email: str = "",
    limit: int = 100,
) -> Sequence[RosterEntry]:
    """Who is in a workspace, by address, a keyset page at a time; NotFound for who is not in it."""
    if not (member.may(Action.SEE, workspace_id) or member.may(Action.MANAGE_WORKSPACES)):
        raise errors.NotFound(message("workspace_not_found"))
    query = _ROSTER.where(WorkspaceMember.workspace_id == workspace_id, User.email > after_email).limit(limit)
    if wanted := search.strip():
        query = query.where(User.search_key.contains(normal_form.normal(wanted), autoescape=True))
    return [RosterEntry(**row._mapping) for row in session.execute(query)]


def managers(session: ReadSession, member: Member, *, limit: int) -> Sequence[str]:
    """The names, or addresses, of some who manage the workspace where a person is at work."""
    query = _ROSTER.where(
        WorkspaceMember.workspace_id == member.workspace_id,
        WorkspaceMember.role == WorkspaceRole.MANAGER,
        User.deactivated_at.is_(None),
    )
    return [row.name or row.email for row in session.execute(query.limit(limit))]


def get(session: ReadSession, member: Member, workspace_id: str, user_id: str) -> RosterEntry:
    """One person of a workspace; NotFound when they, or who asks, are not in it."""
    if not (member.may(Action.SEE, workspace_id) or member.may(Action.MANAGE_WORKSPACES)):
        raise errors.NotFound(message("workspace_not_found"))
    query = _ROSTER.where(WorkspaceMember.workspace_id == workspace_id, WorkspaceMember.user_id == user_id)
    row = session.execute(query).first()
    if row is None:
        raise errors.NotFound(message("not_a_member"))
    return RosterEntry(**row._mapping)


def add(session: WriteSession, member: Member, workspace_id: str, *, email: str, role: WorkspaceRole) -> RosterEntry:
    """Put somebody who is known here into a team.

    Raises as `managed_team`, InvalidRequest for an address that nobody here has, Conflict for who is in it already.
    """
    team = managed_team(session, member, workspace_id)
    person = active_person(session, email)
    if _found(session, team.id, person.id) is not None:
        raise errors.Conflict(message("already_a_member", email=person.email))
    put(session, team.id, person.id, role)
    audit_log.record(
        session,
        member.user,
        Act.MEMBER_ADDED,
        target=person.email,
        target_id=person.id,
        workspace_id=team.id,
        after={"role": role.value},
    )
    return get(session, member, team.id, person.id)


def active_person(session: ReadSession, email: str, *, field: str = "email") -> User:
    """The person with this address who can act here; InvalidRequest on `field` when there is none."""
    try:
        person = users.get(session, email)
    except errors.NotFound as unknown:
        raise errors.InvalidRequest(fields={field: unknown.message}) from None
    if person.deactivated_at is not None:
        raise errors.InvalidRequest(fields={field: message("no_such_person", email=email)})
    return person


def put(
    session: WriteSession,
    workspace_id: str,
    user_id: str,
    role: WorkspaceRole,
    source: MemberSource = MemberSource.MANUAL,
) -> None:
    """Write a membership down; who may do so and what is kept of it is the caller's to say.

    Conflict for somebody of the sample company in a workspace of others.
    """
    if session.get_one(User, user_id).is_sample and not session.get_one(Workspace, workspace_id).is_sample:
        raise errors.Conflict(message("sample_apart"))
    session.add(WorkspaceMember(workspace_id=workspace_id, user_id=user_id, role=role, source=source))
    session.flush()
    departures.forget_callers(session)


def change_role(
    session: WriteSession, member: Member, workspace_id: str, user_id: str, role: WorkspaceRole
) -> RosterEntry:
    """Give somebody of a team another role, from their next click or call on.

    Conflict for the team's last manager, and for who is in it by the groups of their sign-in.
    """
    team = managed_team(session, member, workspace_id)
    there = _changeable(session, team.id, user_id)
    if there.role is not role:
        if there.role is WorkspaceRole.MANAGER:
            _check_not_last_manager(session, team.id, user_id)
        before, there.role = there.role, role
        session.flush()
        departures.forget_callers(session)
        audit_log.record(
            session,
            member.user,
            Act.MEMBER_ROLE_CHANGED,
            target=_address(session, user_id),
            target_id=user_id,
            workspace_id=team.id,
            before={"role": before.value},
            after={"role": role.value},
        )
    return get(session, member, team.id, user_id)


def remove(session: WriteSession, member: Member, workspace_id: str, user_id: str) -> None:
    """Take somebody out of a team: their tokens and webhooks there end with it, what they made stays.

    Conflict for the team's last manager, and for who is in it by the groups of their sign-in.
    """
    _take_out(session, member, managed_team(session, member, workspace_id), user_id, Act.MEMBER_REMOVED)


def leave(session: WriteSession, member: Member, workspace_id: str) -> None:
    """Go out of a team; as `remove`, by oneself."""
    if workspace_id not in member.roles:
        raise errors.NotFound(message("workspace_not_found"))
    _take_out(session, member, locked_team(session, workspace_id), member.id, Act.MEMBER_LEFT)


def managed_team(session: WriteSession, member: Member, workspace_id: str) -> Workspace:
    """The team, kept from other changes of its people until the transaction ends, for who may change them.

    Managers of it and administrators may. NotFound for who is not in it, Forbidden for who manages it not.
    """
    if not member.may(Action.MANAGE_WORKSPACES):
        if workspace_id not in member.roles:
            raise errors.NotFound(message("workspace_not_found"))
        member.require(Action.MANAGE_MEMBERS, workspace_id)
    team = locked_team(session, workspace_id)
    if not member.may(Action.MANAGE_WORKSPACES):  # they may have lost their role while this waited
        there = _found(session, workspace_id, member.id)
        if there is None or there.role is not WorkspaceRole.MANAGER:
            raise errors.Forbidden(message("not_allowed"))
    return team


def locked_team(session: WriteSession, workspace_id: str) -> Workspace:
    """A team in use, its row locked, so that changes of its people come one after the other; Conflict for another kind.

    (SQLite's write lock covers the whole file.)
    """
    query = select(Workspace).where(Workspace.id == workspace_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise errors.NotFound(message("workspace_not_found"))
    if found.kind is WorkspaceKind.PERSONAL:
        raise errors.Conflict(message("personal_workspace"))
    if found.archived_at is not None:
        raise errors.Conflict(message("workspace_archived"))
    return found


def _found(session: ReadSession, workspace_id: str, user_id: str) -> WorkspaceMember | None:
    query = select(WorkspaceMember).where(
        WorkspaceMember.workspace_id == workspace_id, WorkspaceMember.user_id == user_id
    )
    return session.scalar(query.execution_options(populate_existing=True))


def _changeable(session: WriteSession, workspace_id: str, user_id: str) -> WorkspaceMember:
    """A membership that people decide about; NotFound where there is none."""
    there = _found(session, workspace_id, user_id)
    if there is None:
        raise errors.NotFound(message("not_a_member"))
    if there.source is MemberSource.CLAIMS:
        raise errors.Conflict(message("member_by_claims"))
    return there


def _check_not_last_manager(session: WriteSession, workspace_id: str, user_id: str) -> None:
    """Return while somebody else who can act manages the team; else Conflict. One who was deactivated may go."""
    managers = (
        select(func.count())
        .select_from(WorkspaceMember)
        .join(User, User.id == WorkspaceMember.user_id)
        .where(
            WorkspaceMember.workspace_id == workspace_id,
            WorkspaceMember.role == WorkspaceRole.MANAGER,
            User.deactivated_at.is_(None),
        )
    )
    others = session.scalar(managers.where(User.id != user_id))
    if not others and session.scalar(managers.where(User.id == user_id)):
        raise errors.Conflict(message("last_manager"))


def _take_out(session: WriteSession, member: Member, team: Workspace, user_id: str, act: Act) -> None:
    there = _changeable(session, team.id, user_id)
    if there.role is WorkspaceRole.MANAGER:
        _check_not_last_manager(session, team.id, user_id)
    session.execute(
        delete(WorkspaceMember).where(WorkspaceMember.workspace_id == team.id, WorkspaceMember.user_id == user_id)
    )
    departures.end_in_workspace(session, user_id, team.id)
    audit_log.record(
        session,
        member.user,
        act,
        target=_address(session, user_id),
        target_id=user_id,
        workspace_id=team.id,
        before={"role": there.role.value},
    )


def _address(session: ReadSession, user_id: str) -> str:
    return session.scalars(select(User.email).where(User.id == user_id)).one()
