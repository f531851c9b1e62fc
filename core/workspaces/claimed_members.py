"""Puts people into workspaces, and takes them out, as the groups of their sign-in say."""

import logging
from collections.abc import Mapping

from sqlalchemy import delete, select

from core import audit_log, normal_form
from core.audit_log import Act
from core.db import WriteSession
from core.db.enums import MemberSource, WorkspaceKind, WorkspaceRole
from core.db.tables import User, Workspace, WorkspaceMember
from core.retry import OnceAWhile
from core.workspaces import departures, members

log = logging.getLogger(__name__)
_told = OnceAWhile()
_ROLES = tuple(WorkspaceRole)


def sync(session: WriteSession, user: User, roles: Mapping[str, WorkspaceRole], *, is_complete: bool) -> None:
    """Make their memberships those of `roles` (name of a team -> role there).

    A membership that groups gave ends with the group, unless the issuer left some out (`is_complete` False). One that a
    manager gave stays while no group speaks of its workspace; where one does, the group wins.
    """
    wanted = _by_id(session, roles)
    rows = session.scalars(select(WorkspaceMember).where(WorkspaceMember.user_id == user.id)).all()
    present = {row.workspace_id: row for row in rows}
    for workspace, role in wanted.values():
        row = present.get(workspace.id)
        if row is None:
            members.put(session, workspace.id, user.id, role, MemberSource.CLAIMS)
            _record(session, user, workspace, Act.MEMBER_ADDED, after=role)
        elif not is_complete and _ROLES.index(role) <= _ROLES.index(row.role):
            continue  # a group that was left out may have given more
        elif row.role is not role or row.source is not MemberSource.CLAIMS:
            before, row.role, row.source = row.role, role, MemberSource.CLAIMS
            departures.forget_callers(session)
            if before is not role:
                _record(session, user, workspace, Act.MEMBER_ROLE_CHANGED, before=before, after=role)
    if not is_complete:
        log.warning("The issuer of %s left out groups, for being too many: what they said before stands.", user.email)
        return
    for row in rows:
        if row.source is MemberSource.CLAIMS and row.workspace_id not in wanted:
            ended = delete(WorkspaceMember).where(
                WorkspaceMember.workspace_id == row.workspace_id, WorkspaceMember.user_id == user.id
            )
            session.execute(ended)
            departures.end_in_workspace(session, user.id, row.workspace_id)
            workspace = session.get_one(Workspace, row.workspace_id)
            _record(session, user, workspace, Act.MEMBER_REMOVED, before=row.role)


def _by_id(session: WriteSession, roles: Mapping[str, WorkspaceRole]) -> Mapping[str, tuple[Workspace, WorkspaceRole]]:
    """The teams of these names; a name that none has, or several have, is told of in the log."""
    found: dict[str, tuple[Workspace, WorkspaceRole]] = {}
    for name, role in roles.items():
        teams = session.scalars(
            select(Workspace).where(
                Workspace.name_key == normal_form.normal(name),
                Workspace.kind == WorkspaceKind.TEAM,
                Workspace.archived_at.is_(None),
                Workspace.is_sample.is_(False),
            )
        ).all()
        if len(teams) == 1:
            found[teams[0].id] = (teams[0], role)
        elif _told.is_news((name, len(teams))):
            log.warning("ROLE_MAP speaks of the workspace '%s', and %d have that name.", name, len(teams))
    return found


def _record(
    session: WriteSession,
    user: User,
    workspace: Workspace,
    act: Act,
    *,
    before: WorkspaceRole | None = None,
    after: WorkspaceRole | None = None,
) -> None:
    audit_log.record(
        session,
        None,
        act,
        target=user.email,
        target_id=user.id,
        workspace_id=workspace.id,
        before=None if before is None else {"role": before},
        after=None if after is None else {"role": after, "by": "sign-in"},
    )
