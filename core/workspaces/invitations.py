"""Invitations: a link for one address, which lets its owner in once, into a team if it names one.

What the link holds is read when the invitation is made, and kept as a hash only.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from core import audit_log, db, errors, validation
from core.audit_log import Act
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import MemberSource, Role, WorkspaceRole
from core.db.tables import Invitation, User, Workspace, WorkspaceMember
from core.identity import users
from core.messages import message
from core.notices import causes
from core.workspaces import departures, members
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LIFETIME = timedelta(days=7)
PAGE = "invitation"
"""The page that a link leads to; what the link holds is its parameter `token`."""

_ROLES = tuple(Role)
_WORKSPACE_ROLES = tuple(WorkspaceRole)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with the name of its team and who has made it; `workspace_name` is None where it is for none."""

    id: str
    email: str
    role: Role
    workspace_id: str | None
    workspace_name: str | None
    workspace_role: WorkspaceRole | None
    invited_by: str
    created_at: datetime
    expires_at: datetime


def create(
    session: WriteSession,
    member: Member,
    *,
    email: str,
    workspace_id: str | None = None,
    workspace_role: WorkspaceRole | None = None,
    role: Role = Role.USER,
) -> tuple[Invited, str]:
    """Invite an address into a team, or only into the installation; the invitation, and what its link holds.

    That can be read this once, and an earlier link for the same address and team opens nothing any more. Managers
    invite into their team, administrators into any, and only they into the installation or with a role in it. Raises
    InvalidRequest for an address or a choice that cannot be, Conflict for who is in the team already or where it is not
    in use, Forbidden, NotFound for a team out of reach.
    """
    address = users.canonical_email(email)
    if not _is_address(address):
        raise errors.InvalidRequest(fields={"email": message("not_an_email", email=email)})
    if (workspace_id is None) != (workspace_role is None):
        raise errors.InvalidRequest(fields={"workspaceRole": message("workspace_with_role")})
    if workspace_id is None or role is not Role.USER:
        member.require(Action.MANAGE_PEOPLE)
    if workspace_id is not None:
        members.managed_team(session, member, workspace_id)
        _check_is_not_in(session, workspace_id, address)
    _replace_earlier(session, address, workspace_id)
    token = secrets.token_urlsafe(32)
    row = Invitation(
        email=address,
        role=role,
        workspace_id=workspace_id,
        workspace_role=workspace_role,
        token_hash=_hash(token),
        invited_by_id=member.id,
        expires_at=db.about_now(session) + LIFETIME,
    )
    session.add(row)
    session.flush()
    details = {"role": role.value, "workspace_role": None if workspace_role is None else workspace_role.value}
    audit_log.record(
        session,
        member.user,
        Act.INVITATION_MADE,
        target=address,
        target_id=row.id,
        workspace_id=workspace_id,
        after=details,
    )
    known = session.scalar(select(User.id).where(User.email == address, User.deactivated_at.is_(None)))
    if known is not None:
        causes.invited(session, known, row.id, workspace_id=workspace_id, actor=member.email)
    return _read(session, Invitation.id == row.id)[0], token


def list_open(session: ReadSession, member: Member, *, workspace_id: str | None = None) -> Sequence[Invited]:
    """Invitations that can still be accepted, newest first: of a team one manages, or all for administrators."""
    if workspace_id is None:
        member.require(Action.MANAGE_PEOPLE)
        return _read(session, _is_open(db.about_now(session)))
    _require_team(member, workspace_id)
    return _read(session, _is_open(db.about_now(session)), Invitation.workspace_id == workspace_id)


def revoke(session: WriteSession, member: Member, invitation_id: str) -> None:
    """Take an open invitation back: its link opens nothing more. NotFound when there is none in reach."""
    row, now = _in_reach(session, member, invitation_id), db.about_now(session)
    if update_where(session, Invitation, Invitation.id == row.id, _is_open(now), revoked_at=now) != 1:
        raise errors.NotFound(message("invitation_unusable"))
    audit_log.record(
        session,
        member.user,
        Act.INVITATION_REVOKED,
        target=row.email,
        target_id=row.id,
        workspace_id=row.workspace_id,
    )


def get_open(session: ReadSession, member: Member, invitation_id: str) -> Invited:
    """An invitation that can still be accepted, for who may take it back; else NotFound."""
    row = _in_reach(session, member, invitation_id)
    found = _read(session, Invitation.id == row.id, _is_open(db.about_now(session)))
    if not found:
        raise errors.NotFound(message("invitation_unusable"))
    return found[0]


def look(session: ReadSession, token: str) -> Invited:
    """What an invitation says, for whoever has its link; NotFound when it cannot be accepted any more."""
    found = _read(session, Invitation.token_hash == _hash(token), _is_open(db.about_now(session)))
    if not found:
        raise errors.NotFound(message("invitation_unusable"))
    return found[0]


def accept(session: WriteSession, member: Member, token: str) -> Invited:
    """Take an invitation up: one address, once. Repeated by the same person it changes nothing more.

    A role that the person has already is raised, never lowered, and one that the groups of their sign-in gave stays.
    Forbidden when it is for another address than those the person is known by, NotFound when it was used, has expired
    or was taken back.
    """
    user = member.user
    row = session.scalar(select(Invitation).where(Invitation.token_hash == _hash(token)))
    if row is None:
        raise errors.NotFound(message("invitation_unusable"))
    if row.email not in _addresses(session, user):
        raise errors.Forbidden(message("invitation_of_another"))
    if row.workspace_id is not None and row.accepted_by_id != user.id:
        members.locked_team(session, row.workspace_id)  # Conflict where it is out of use; before the invitation's row
    now = db.about_now(session)
    taken = update_where(
        session, Invitation, Invitation.id == row.id, _is_open(now), accepted_at=now, accepted_by_id=user.id
    )
    if taken != 1:
        session.refresh(row)
        if row.accepted_by_id != user.id:
            raise errors.NotFound(message("invitation_unusable"))
        return _read(session, Invitation.id == row.id)[0]
    before = _raise_roles(session, user, row)
    departures.forget_callers(session)
    after = {"role": row.role.value, "workspace_role": None if row.workspace_role is None else row.workspace_role.value}
    audit_log.record(
        session,
        user,
        Act.INVITATION_ACCEPTED,
        target=row.email,
        target_id=row.id,
        workspace_id=row.workspace_id,
        before=before,
        after=after,
    )
    return _read(session, Invitation.id == row.id)[0]


def _raise_roles(session: WriteSession, user: User, row: Invitation) -> dict[str, str | None]:
    """Give what the invitation gives where it is more than the person has; what they had before."""
    had = session.execute(
        select(User.role, WorkspaceMember.role, WorkspaceMember.source)
        .outerjoin(
            WorkspaceMember,
            and_(WorkspaceMember.user_id == User.id, WorkspaceMember.workspace_id == row.workspace_id),
        )
        .where(User.id == user.id)
    ).one()
    role, workspace_role, source = had
    if _ROLES.index(row.role) > _ROLES.index(role):
        update_where(session, User, User.id == user.id, role=row.role)
    if row.workspace_id is not None and row.workspace_role is not None:
        if workspace_role is None:
            members.put(session, row.workspace_id, user.id, row.workspace_role)
        elif source is MemberSource.MANUAL and higher(row.workspace_role, workspace_role) is not workspace_role:
            update_where(
                session,
                WorkspaceMember,
                WorkspaceMember.workspace_id == row.workspace_id,
                WorkspaceMember.user_id == user.id,
                role=row.workspace_role,
            )
    return {"role": role.value, "workspace_role": None if workspace_role is None else workspace_role.value}


def higher(one: WorkspaceRole, other: WorkspaceRole) -> WorkspaceRole:
    """Of two roles the one that includes the other."""
    return max(one, other, key=_WORKSPACE_ROLES.index)


def _addresses(session: ReadSession, user: User) -> set[str]:
    """The addresses a person is known by: their own, and those of people who were merged into them."""
    merged = session.scalars(select(User.email).where(User.merged_into_id == user.id))
    return {user.email, *merged}


def _in_reach(session: ReadSession, member: Member, invitation_id: str) -> Invitation:
    """An invitation into a team that they manage, any for administrators; else NotFound."""
    row = session.get(Invitation, invitation_id)
    if row is None or (row.workspace_id is None and not member.may(Action.MANAGE_PEOPLE)):
        raise errors.NotFound(message("invitation_unusable"))
    if row.workspace_id is not None:
        _require_team(member, row.workspace_id)
    return row


def _require_team(member: Member, workspace_id: str) -> None:
    """Return for who may change the people of a team; NotFound for outsiders, Forbidden for its other people."""
    if member.may(Action.MANAGE_WORKSPACES):
        return
    if workspace_id not in member.roles:
        raise errors.NotFound(message("workspace_not_found"))
    member.require(Action.MANAGE_MEMBERS, workspace_id)


def _replace_earlier(session: WriteSession, address: str, workspace_id: str | None) -> None:
    same = and_(Invitation.email == address, Invitation.workspace_id.is_not_distinct_from(workspace_id))
    now = db.about_now(session)
    update_where(session, Invitation, same, _is_open(now), revoked_at=now)


def _check_is_not_in(session: ReadSession, workspace_id: str, address: str) -> None:
    there = (
        select(WorkspaceMember.user_id)
        .join(User, User.id == WorkspaceMember.user_id)
        .where(WorkspaceMember.workspace_id == workspace_id, User.email == address)
    )
    if session.scalar(there) is not None:
        raise errors.Conflict(message("already_a_member", email=address))


def _is_open(now: datetime) -> ColumnElement[bool]:
    """It was neither used nor taken back nor has expired, and who made it could still make it."""
    manages = exists().where(
        WorkspaceMember.workspace_id == Invitation.workspace_id,
        WorkspaceMember.user_id == Invitation.invited_by_id,
        WorkspaceMember.role == WorkspaceRole.MANAGER,
    )
    may_invite = exists().where(
        User.id == Invitation.invited_by_id,
        User.deactivated_at.is_(None),
        or_(User.role == Role.ADMIN, and_(Invitation.role == Role.USER, manages.correlate(Invitation))),
    )
    return and_(
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now,
        may_invite.correlate(Invitation),
    )


def _invited() -> Select[Invitation, str, str]:
    """A team that was archived takes nobody in, so its invitations are not shown as open either."""
    return (
        select(Invitation, Workspace.name, User.email)
        .outerjoin(Workspace, Workspace.id == Invitation.workspace_id)
        .join(User, User.id == Invitation.invited_by_id)
        .where(or_(Invitation.workspace_id.is_(None), Workspace.archived_at.is_(None)))
        .order_by(Invitation.id.desc())
    )


def _read(session: ReadSession, *where: ColumnElement[bool]) -> Sequence[Invited]:
    return [
        Invited(
            id=row.id,
            email=row.email,
            role=row.role,
            workspace_id=row.workspace_id,
            workspace_name=workspace_name,
            workspace_role=row.workspace_role,
            invited_by=invited_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row, workspace_name, invited_by in session.execute(_invited().where(*where))
    ]


def _is_address(address: str) -> bool:
    name, at, host = address.partition("@")
    plain = not any(char.isspace() for char in address) and validation.text_error(address, limit_chars=254) is None
    return bool(name and at and host) and "@" not in host and plain


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
