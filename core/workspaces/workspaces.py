"""Workspaces: teams made, renamed and archived, and what an overview says of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, tuple_

from core import audit_log, errors, normal_form, validation
from core.audit_log import Act
from core.billing import ledger
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.enums import WorkspaceKind, WorkspaceRole
from core.db.tables import Account, User, Workspace, WorkspaceMember
from core.messages import message
from core.workspaces import departures, members
from core.workspaces.access import Member
from core.workspaces.permissions import Action

NAME_LIMIT_CHARS = 120
MOST_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Overview:
    """A workspace as a list shows it; `role` is what the person who looks is in it, None for an outsider.

    `credited_credits` is all that ever came in less what was handed on, `spent_credits` what was charged of it.
    `member_count` counts who can act.
    """

    id: str
    kind: WorkspaceKind
    name: str
    role: WorkspaceRole | None
    member_count: int
    available_credits: int
    held_credits: int
    credited_credits: int
    storage_bytes: int
    visible_mark: bool
    tells_prompts: bool
    turn_weight: int
    created_at: datetime
    archived_at: datetime | None

    @property
    def spent_credits(self) -> int:
        """What was charged since the beginning."""
        return self.credited_credits - self.available_credits - self.held_credits


def list_own(session: ReadSession, member: Member) -> Sequence[Overview]:
    """The workspaces in a person's reach: their personal one first, then teams by name."""
    query = _overviews().where(Workspace.id.in_(member.workspace_ids))
    found = _read(session, member, query.order_by(Workspace.name_key, Workspace.id))
    return sorted(found, key=lambda each: each.id != member.id)


def list_all(
    session: ReadSession,
    member: Member,
    *,
    search: str = "",
    archived: bool = False,
    kind: WorkspaceKind | None = None,
    after_id: str | None = None,
    limit: int = 100,
) -> Sequence[Overview]:
    """Everybody's workspaces, or those of one kind, by name, a keyset page at a time; for administrators only.

    `after_id` is the last one of the page before; NotFound when there is none such.
    """
    member.require(Action.MANAGE_WORKSPACES)
    query = _overviews().where(Workspace.archived_at.is_not(None) if archived else Workspace.archived_at.is_(None))
    if kind is not None:
        query = query.where(Workspace.kind == kind)
    if wanted := search.strip():
        query = query.where(Workspace.name_key.contains(normal_form.normal(wanted), autoescape=True))
    if after_id is not None:
        last = find(session, member, after_id)
        query = query.where(tuple_(Workspace.name_key, Workspace.id) > tuple_(last.name_key, last.id))
    return _read(session, member, query.order_by(Workspace.name_key, Workspace.id).limit(limit))


def overview(session: ReadSession, member: Member, workspace_id: str) -> Overview:
    """One workspace; NotFound for who is not in it, but for administrators."""
    find(session, member, workspace_id)
    return _read(session, member, _overviews().where(Workspace.id == workspace_id))[0]


def find(session: ReadSession, member: Member, workspace_id: str) -> Workspace:
    """The row of a workspace that is in a person's reach, any for administrators; else NotFound."""
    found = None
    if workspace_id in member.roles or member.may(Action.MANAGE_WORKSPACES):
        found = session.get(Workspace, workspace_id)
    if found is None:
        raise errors.NotFound(message("workspace_not_found"))
    return found


def create(session: WriteSession, member: Member, *, name: str, manager_email: str | None = None) -> Workspace:
    """Make a team with an empty account and its first manager, oneself where nobody is named; for administrators.

    Raises InvalidRequest for a name that cannot be used or an address that nobody here has.
    """
    member.require(Action.MANAGE_WORKSPACES)
    manager = member.user
    if manager_email is not None:
        manager = members.active_person(session, manager_email, field="managerEmail")
    team = Workspace(kind=WorkspaceKind.TEAM, name=_name(name), is_sample=manager.is_sample)
    session.add(team)
    session.flush()
    ledger.open_account(session, team.id)
    members.put(session, team.id, manager.id, WorkspaceRole.MANAGER)
    audit_log.record(
        session,
        member.user,
        Act.WORKSPACE_MADE,
        target=team.name,
        target_id=team.id,
        workspace_id=team.id,
        after={"name": team.name, "manager": manager.email},
    )
    return team


def rename(session: WriteSession, member: Member, workspace_id: str, *, name: str) -> Workspace:
    """Call a team otherwise. Raises as `members.managed_team`, and InvalidRequest for a name that cannot be used."""
    team = members.managed_team(session, member, workspace_id)
    before, team.name = team.name, _name(name)
    if team.name != before:
        team.name_key = normal_form.normal(team.name)
        session.flush()
        audit_log.record(
            session,
            member.user,
            Act.WORKSPACE_RENAMED,
            target=team.name,
            target_id=team.id,
            workspace_id=team.id,
            before={"name": before},
            after={"name": team.name},
        )
    return team


def set_visible_mark(session: WriteSession, member: Member, workspace_id: str, *, is_on: bool) -> Workspace:
    """Let clips that are ordered there from now on show that they were made by AI, or not; for its managers.

    Raises NotFound for who is not in it and Forbidden.
    """
    workspace = find(session, member, workspace_id)
    member.require(Action.MARK_CLIPS, workspace_id)
    if workspace.visible_mark is not is_on:
        workspace.visible_mark = is_on
        session.flush()
        audit_log.record(
            session,
            member.user,
            Act.WORKSPACE_MARK_ON if is_on else Act.WORKSPACE_MARK_OFF,
            target=workspace.name,
            target_id=workspace.id,
            workspace_id=workspace.id,
        )
    return workspace


def set_turn_weight(session: WriteSession, member: Member, workspace_id: str, *, weight: int) -> Workspace:
    """Let what is ordered there from now on come so many times as often out of a line; for administrators.

    Raises Forbidden, NotFound and InvalidRequest for a weight that is not from 1 to `MOST_WEIGHT`.
    """
    workspace = find(session, member, workspace_id)
    member.require(Action.MANAGE_WORKSPACES)
    if not 1 <= weight <= MOST_WEIGHT:
        raise errors.InvalidRequest(fields={"turnWeight": message("weight_out_of_range", most=MOST_WEIGHT)})
    before, workspace.turn_weight = workspace.turn_weight, weight
    if before != weight:
        session.flush()
        audit_log.record(
            session,
            member.user,
            Act.WORKSPACE_WEIGHED,
            target=workspace.name,
            target_id=workspace.id,
            workspace_id=workspace.id,
            before={"turn_weight": before},
            after={"turn_weight": weight},
        )
    return workspace


def set_tells_prompts(session: WriteSession, member: Member, workspace_id: str, *, is_on: bool) -> Workspace:
    """Let prompts be told in mail and chats to people of a workspace, or not; for its managers.

    Raises NotFound for who is not in it and Forbidden.
    """
    workspace = find(session, member, workspace_id)
    member.require(Action.TELL_PROMPTS, workspace_id)
    if workspace.tells_prompts is not is_on:
        workspace.tells_prompts = is_on
        session.flush()
        audit_log.record(
            session,
            member.user,
            Act.WORKSPACE_PROMPTS_TOLD if is_on else Act.WORKSPACE_PROMPTS_KEPT,
            target=workspace.name,
            target_id=workspace.id,
            workspace_id=workspace.id,
        )
    return workspace


def archive(session: WriteSession, member: Member, workspace_id: str) -> Workspace:
    """Take a team out of use: nobody is at work in it from then on, what is in it and its credits stay.

    Clips under way finish. Raises as `members.managed_team`.
    """
    team = members.managed_team(session, member, workspace_id)
    team.archived_at = utc_now()
    session.flush()
    departures.forget_callers(session)
    audit_log.record(
        session, member.user, Act.WORKSPACE_ARCHIVED, target=team.name, target_id=team.id, workspace_id=team.id
    )
    return team


def restore(session: WriteSession, member: Member, workspace_id: str) -> Workspace:
    """Bring an archived team back; for administrators, since nobody else can see it."""
    member.require(Action.MANAGE_WORKSPACES)
    team = find(session, member, workspace_id)
    if team.archived_at is not None:
        team.archived_at = None
        session.flush()
        departures.forget_callers(session)
        audit_log.record(
            session, member.user, Act.WORKSPACE_RESTORED, target=team.name, target_id=team.id, workspace_id=team.id
        )
    return team


def check_together(one: Workspace, other: Workspace) -> None:
    """Return unless just one of two is of the sample company, which goes with all that is in it; else Conflict."""
    if one.is_sample is not other.is_sample:
        raise errors.Conflict(message("sample_apart"))


def _overviews() -> Select[Workspace, Account, int]:
    count = (
        select(func.count())
        .select_from(WorkspaceMember)
        .join(User, User.id == WorkspaceMember.user_id)
        .where(WorkspaceMember.workspace_id == Workspace.id, User.deactivated_at.is_(None))
        .correlate(Workspace)
        .scalar_subquery()
    )
    return select(Workspace, Account, count).join(Account, Account.workspace_id == Workspace.id)


def _read(session: ReadSession, member: Member, query: Select[Workspace, Account, int]) -> Sequence[Overview]:
    rows = session.execute(query).all()
    credited: Mapping[str, int] = ledger.total_credited(session, [account.id for _workspace, account, _count in rows])
    return [
        Overview(
            id=workspace.id,
            kind=workspace.kind,
            name=workspace.name,
            role=member.roles.get(workspace.id),
            member_count=count,
            available_credits=account.available_credits,
            held_credits=account.held_credits,
            credited_credits=credited.get(account.id, 0),
            storage_bytes=workspace.storage_bytes,
            visible_mark=workspace.visible_mark,
            tells_prompts=workspace.tells_prompts,
            turn_weight=workspace.turn_weight,
            created_at=workspace.created_at,
            archived_at=workspace.archived_at,
        )
        for workspace, account, count in rows
    ]


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name:
        raise errors.InvalidRequest(fields={"name": message("name_missing")})
    if wrong := validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"name": wrong})
    return name
