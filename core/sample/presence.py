"""Whether the sample company is there, and who its people are."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import bindparam, exists, func, or_, select
from sqlalchemy.orm import aliased

from core import audit_log, errors
from core.audit_log import Act
from core.config import Settings
from core.db import Reader, ReadSession, WriteSession
from core.db.enums import Role, WorkspaceKind, WorkspaceRole
from core.db.tables import User, Workspace, WorkspaceMember

MODE = "local"
"""The only `AUTH_MODE` in which there may be one: in all others people are who they have shown to be."""


class Presence(StrEnum):
    """How much of the company there is; its people's own workspaces are put away unless all is well."""

    NONE = "none"
    UNFINISHED = "unfinished"
    """Being made or removed, or what a process has left that was killed over it."""
    THERE = "there"


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """Somebody that one can look as; `workspace_role` is what they are in `team`, None for who is in none."""

    id: str
    email: str
    name: str
    role: Role
    workspace_role: WorkspaceRole | None
    team: str | None


def is_allowed(settings: Settings) -> bool:
    """Whether this installation may have one."""
    return settings.auth_mode == MODE


def presence(session: ReadSession) -> Presence:
    """How much there is."""
    number, put_away = session.execute(_OWN).one()
    if number:
        return Presence.UNFINISHED if put_away == number else Presence.THERE  # one alone is that of an erased person
    return Presence.UNFINISHED if session.scalar(_REST) else Presence.NONE


def people(session: Reader) -> Sequence[SamplePerson]:
    """The people that one can look as, by role and name; nobody while the company is unfinished."""
    found: dict[str, SamplePerson] = {}
    for row in session.execute(_PEOPLE):
        one = SamplePerson(**row._mapping)
        if one.id not in found or _rank(one) < _rank(found[one.id]):
            found[one.id] = one
    return sorted(found.values(), key=lambda one: (_rank(one), one.name))


def find(session: ReadSession, email: str) -> User | None:
    """Somebody that one can look as, by address; None for anybody else."""
    return session.scalar(_ONE, {"email": email})


def note_look(session: WriteSession, person: User, *, email: str) -> None:
    """Write down that `person` looks as somebody of the company. NotFound for who is not of it."""
    found = find(session, email)
    if found is None:
        raise errors.NotFound
    audit_log.record(session, person, Act.SIGN_IN_SWITCHED, target=found.email, target_id=found.id)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Make or remove it one at a time on this machine; a process that dies gives way by that."""
    folder = os.open(settings.data_dir, os.O_RDONLY)  # itself, so that no file of a lock is left behind
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def is_busy(settings: Settings) -> bool:
    """Whether it is just being made or removed on this machine."""
    folder = os.open(settings.data_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who looks is in the way of nobody else who looks
    except BlockingIOError:
        return True
    finally:
        os.close(folder)
    return False


_OWN = select(func.count(), func.count(Workspace.archived_at)).where(
    Workspace.is_sample, Workspace.kind == WorkspaceKind.PERSONAL
)
_REST = select(or_(exists().where(Workspace.is_sample), exists().where(User.is_sample)))

_own, _team = aliased(Workspace), aliased(Workspace)
_PEOPLE = (
    select(
        User.id,
        User.email,
        User.name,
        User.role,
        WorkspaceMember.role.label("workspace_role"),
        _team.name.label("team"),
    )
    .join(_own, (_own.id == User.id) & _own.archived_at.is_(None))
    .outerjoin(WorkspaceMember, (WorkspaceMember.user_id == User.id) & (WorkspaceMember.workspace_id != User.id))
    .outerjoin(_team, (_team.id == WorkspaceMember.workspace_id) & _team.archived_at.is_(None))
    .where(User.is_sample, User.deactivated_at.is_(None))
    .order_by(User.id, _team.name)
)
_ONE = (
    select(User)
    .join(_own, (_own.id == User.id) & _own.archived_at.is_(None))
    .where(User.is_sample, User.deactivated_at.is_(None), User.email == bindparam("email"))
)


def _rank(one: SamplePerson) -> int:
    """Makers first, since they are most; then those who decide, read figures, administer and look."""
    order = (WorkspaceRole.MAKER, WorkspaceRole.MANAGER, Role.ANALYST, Role.ADMIN, WorkspaceRole.VIEWER)
    of_one = one.workspace_role if one.role is Role.USER and one.team else one.role
    return order.index(of_one) if of_one in order else len(order)
