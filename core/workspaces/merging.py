"""Makes one person of two: what one of them could reach the other can, and nobody comes in as the first any more.

Nothing that was made, ordered or charged changes hands: clips, notes and figures keep the name of who made them. So the
books and all figures are the same afterwards.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import delete, func, select

from core import audit_log, errors, normal_form
from core.audit_log import Act
from core.db import WriteSession, update_where
from core.db.enums import BudgetScope, NoticeKind, Role, WorkspaceKind
from core.db.tables import (
    ApiToken,
    Budget,
    Draft,
    Identity,
    Notice,
    Preset,
    ReportSchedule,
    SavedFilter,
    UsageView,
    User,
    WayToTell,
    WebhookEndpoint,
    Workspace,
    WorkspaceMember,
)
from core.messages import message
from core.workspaces import invitations, members, people
from core.workspaces.access import Member
from core.workspaces.permissions import Action

_ROLES = tuple(Role)
_NAME_LIMIT_CHARS = 80

_Named = TypeVar("_Named", Preset, SavedFilter, UsageView)


def merge(session: WriteSession, member: Member, *, gone_id: str, into_id: str) -> people.Person:
    """Let one person be another one from now on; `into_id` stays, `gone_id` is deactivated for ever.

    Sign-ins, presets, saved filters and views, ways to be told, webhooks and tokens move over, memberships too, of two
    roles the higher one; what was their personal workspace becomes a team of its name. Tokens that reached everything
    reach that team then, where they worked before. For administrators; NotFound when one is not there, Conflict when
    one was merged before, the one to stay is deactivated, or the two are one.
    """
    member.require(Action.MANAGE_PEOPLE)
    if gone_id == into_id:
        raise errors.Conflict(message("merge_with_itself"))
    _administrators, (gone, into) = people.lock(session, gone_id, into_id)
    if gone.merged_into_id is not None or into.merged_into_id is not None:
        raise errors.Conflict(message("person_merged"))
    if into.deactivated_at is not None:
        raise errors.Conflict(message("person_deactivated"))
    if gone.is_sample is not into.is_sample:
        raise errors.Conflict(message("sample_apart"))
    before = {"role": into.role.value}
    _free_personal_workspace(session, gone)
    _move_memberships(session, gone, into)
    _move_access(session, gone, into)
    _move_budgets(session, gone, into)
    _move_named(session, Preset, gone, into)
    _move_named(session, SavedFilter, gone, into)
    _move_named(session, UsageView, gone, into)
    _move_ways(session, gone, into)
    into.role = max(gone.role, into.role, key=_ROLES.index)
    gone.role, gone.merged_into_id = Role.USER, into.id
    people.switch_off(session, gone)
    audit_log.record(
        session,
        member.user,
        Act.PERSON_MERGED,
        target=gone.email,
        target_id=gone.id,
        before=before,
        after={"role": into.role.value, "into": into.email, "into_id": into.id},
    )
    return people.get(session, member, into.id)


def _free_personal_workspace(session: WriteSession, gone: User) -> None:
    """Make a team of the personal workspace, whose id and account stay."""
    own = session.scalars(select(Workspace).where(Workspace.id == gone.id).with_for_update(key_share=True)).one()
    own.kind, own.name = WorkspaceKind.TEAM, (gone.name or gone.email)[:120]
    own.name_key = normal_form.normal(own.name)
    session.flush()


def _move_memberships(session: WriteSession, gone: User, into: User) -> None:
    """The workspace rows are locked by their ids' order, as a change of one team's people locks it."""
    theirs = session.scalars(select(WorkspaceMember).where(WorkspaceMember.user_id == gone.id)).all()
    session.execute(
        select(Workspace.id)
        .where(Workspace.id.in_([one.workspace_id for one in theirs]))
        .order_by(Workspace.id)
        .with_for_update(key_share=True)
    )
    had: Mapping[str, WorkspaceMember] = {
        one.workspace_id: one
        for one in session.scalars(select(WorkspaceMember).where(WorkspaceMember.user_id == into.id))
    }
    for one in theirs:
        there = had.get(one.workspace_id)
        if there is None:
            members.put(session, one.workspace_id, into.id, one.role, one.source)
        elif invitations.higher(one.role, there.role) is not there.role:
            there.role, there.source = one.role, one.source
    session.flush()
    session.execute(delete(WorkspaceMember).where(WorkspaceMember.user_id == gone.id))
    session.execute(delete(Draft).where(Draft.user_id == gone.id))


def _move_access(session: WriteSession, gone: User, into: User) -> None:
    """Sign-ins, tokens and webhooks; before the person is switched off, which ends those that are theirs."""
    update_where(session, Identity, Identity.user_id == gone.id, user_id=into.id)
    update_where(session, User, User.merged_into_id == gone.id, merged_into_id=into.id)
    live: Any = ApiToken.revoked_at.is_(None)
    where = func.coalesce(ApiToken.workspace_id, gone.id)
    update_where(session, ApiToken, ApiToken.user_id == gone.id, live, user_id=into.id, workspace_id=where)
    update_where(
        session,
        WebhookEndpoint,
        WebhookEndpoint.user_id == gone.id,
        WebhookEndpoint.disabled_at.is_(None),
        user_id=into.id,
    )


def _move_budgets(session: WriteSession, gone: User, into: User) -> None:
    """Where both have a budget, that of the one who stays holds; what was counted stays with who ordered it."""
    of_members = Budget.scope == BudgetScope.MEMBER
    had = set(session.scalars(select(Budget.workspace_id).where(of_members, Budget.subject_id == into.id)))
    for budget in session.scalars(select(Budget).where(of_members, Budget.subject_id == gone.id)).all():
        if budget.workspace_id in had:
            session.delete(budget)
        else:
            budget.subject_id = into.id
    session.flush()


def _move_named(session: WriteSession, kept: type[_Named], gone: User, into: User) -> None:
    """A name that both have used in a workspace gets the address of whose it was beside it."""
    taken = {(row.workspace_id, row.name) for row in session.scalars(select(kept).where(kept.user_id == into.id))}
    for row in session.scalars(select(kept).where(kept.user_id == gone.id)):
        if (row.workspace_id, row.name) in taken:
            row.name = f"{row.name[: _NAME_LIMIT_CHARS - 40]} ({gone.email[:30]})"
        row.user_id = into.id
    session.flush()


def _move_ways(session: WriteSession, gone: User, into: User) -> None:
    """Ways to be told and reports; where both have one, that of the one who stays holds. Mail goes to their address."""
    had = set(session.scalars(select(WayToTell.way).where(WayToTell.user_id == into.id)))
    for way in session.scalars(select(WayToTell).where(WayToTell.user_id == gone.id)).all():
        if way.way in had:
            session.delete(way)
        else:
            way.user_id = into.id
    mine = select(ReportSchedule.view_id, ReportSchedule.way).where(ReportSchedule.user_id == into.id)
    sent = {(row.view_id, row.way) for row in session.execute(mine)}
    for report in session.scalars(select(ReportSchedule).where(ReportSchedule.user_id == gone.id)).all():
        if (report.view_id, report.way) in sent:
            session.delete(report)
        else:
            report.user_id = into.id
    session.flush()
    update_where(session, Notice, Notice.user_id == gone.id, Notice.kind == NoticeKind.REPORT, user_id=into.id)
