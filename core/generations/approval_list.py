"""Orders that wait for approval, as those see them who may decide: with what is left of budgets and balance.

Who decides from outside of a workspace sees neither prompt nor pictures. Nothing is decided here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from core.billing import ledger
from core.db import Reader, ReadSession
from core.db.enums import ApprovalCause, Decision, Stage
from core.db.tables import Approval, Generation, Project, User, WorkspaceMember, is_live
from core.usage import limits
from core.usage.limits import Limit
from core.workspaces import profiles
from core.workspaces.access import Member, in_workspace
from core.workspaces.permissions import IN_WORKSPACE, Action

PAGE_SIZE = 20
MOST_COUNTED = 100
"""More are not counted: that many says enough."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits for approval. Its prompt and pictures are for who is in its workspace: `is_inside`.

    All that was ordered with its press has one `press_id` and costs `press_credits`. `limits` are the budgets that it
    counts against in its month, and `available_credits` what the workspace can still spend, both with it taken.
    """

    row: Generation
    is_inside: bool
    maker: str
    project: str
    workspace: str
    cause: ApprovalCause
    press_id: str
    press_credits: int
    asked_at: datetime
    lapses_at: datetime
    limits: Sequence[Limit]
    available_credits: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a clip's approval: why it was asked for, until when it waits, and what became of it."""

    cause: ApprovalCause
    asked_at: datetime
    lapses_at: datetime | None
    decision: Decision | None
    decided_by: str | None
    decided_at: datetime | None
    note: str


def decidable(session: ReadSession, member: Member, *, after_id: str = "", limit: int = PAGE_SIZE) -> Sequence[Waiting]:
    """Those that this person can decide where they are at work, oldest first, a keyset page at a time.

    For administrators of the installation also those of all workspaces where nobody else can.
    """
    found = _waiting(_for(member)).where(Generation.id > after_id).order_by(Generation.id).limit(limit)
    return _told(session, member, session.scalars(found).all())


def ids_of_press(session: ReadSession, member: Member, press_id: str) -> Sequence[str]:
    """Ids of all that was ordered with one press, still waits, and can be decided by this person, in their order."""
    query = _waiting(_for(member)).join(Approval, Approval.generation_id == Generation.id)
    query = query.where(Approval.press_id == press_id).order_by(Generation.id)
    return session.scalars(query.with_only_columns(Generation.id)).all()


def of_others(session: ReadSession, member: Member, *, limit: int = PAGE_SIZE) -> Sequence[Waiting]:
    """Those of the workspace where they are at work that this person cannot decide, oldest first."""
    found = _waiting(and_(in_workspace(Generation, member), ~_for(member)))
    return _told(session, member, session.scalars(found.order_by(Generation.id).limit(limit)).all())


def count(reader: Reader, member: Member) -> int:
    """How many this person can decide, `MOST_COUNTED` for that many and more; nothing is asked for who decides none."""
    if not (member.may(Action.APPROVE) or member.may(Action.APPROVE_ELSEWHERE)):
        return 0
    some = _waiting(_for(member)).with_only_columns(Generation.id).limit(MOST_COUNTED).subquery()
    return int(reader.execute(select(func.count()).select_from(some)).scalar_one())


def of_clip(session: ReadSession, row: Generation) -> Told | None:
    """What is told of the approval of a clip that the caller may see; None where it never asked."""
    found = session.get(Approval, row.id)
    if found is None:
        return None
    by = profiles.people(session, [found.decided_by_id])[found.decided_by_id].name if found.decided_by_id else None
    waits = row.stage is Stage.AWAITING_APPROVAL
    return Told(
        found.cause,
        found.asked_at,
        row.deadline_at if waits else None,
        found.decision,
        by,
        found.decided_at,
        found.note,
    )


def _waiting(which: ColumnElement[bool]) -> Select[Generation]:
    return select(Generation).where(
        is_live(), Generation.stage == Stage.AWAITING_APPROVAL, Generation.deleted_at.is_(None), which
    )


def _for(member: Member) -> ColumnElement[bool]:
    """What this person decides about: of others, where they manage, and as an administrator where nobody else can."""
    merged = aliased(User)
    is_own = or_(
        Generation.user_id == member.id,
        exists().where(merged.id == Generation.user_id, merged.merged_into_id == member.id),
    )
    inside = in_workspace(Generation, member) if member.may(Action.APPROVE) else false()
    elsewhere: ColumnElement[bool] = false()
    if member.may(Action.APPROVE_ELSEWHERE):
        elsewhere = ~exists().where(
            WorkspaceMember.workspace_id == Generation.workspace_id,
            WorkspaceMember.role.in_(IN_WORKSPACE[Action.APPROVE]),
            WorkspaceMember.user_id != Generation.user_id,
            User.id == WorkspaceMember.user_id,
            User.deactivated_at.is_(None),
        )
    return and_(~is_own, or_(inside, elsewhere))


def _told(session: ReadSession, member: Member, rows: Sequence[Generation]) -> Sequence[Waiting]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    asked = {one.generation_id: one for one in session.scalars(select(Approval).where(Approval.generation_id.in_(ids)))}
    people = profiles.people(session, [row.user_id for row in rows])
    workspaces = profiles.workspace_names(session, [row.workspace_id for row in rows])
    projects = _project_names(session, [row.project_id for row in rows])
    available = {each: ledger.balance(session, each).available_credits for each in workspaces}
    taken: dict[tuple[str, str, str | None], Sequence[Limit]] = {}
    found = []
    for row in rows:
        key = (row.project_id, row.user_id, row.budget_month)
        if key not in taken:
            taken[key] = limits.of_row(session, row)
        one = asked[row.id]
        found.append(
            Waiting(
                row=row,
                is_inside=row.workspace_id in member.roles,
                maker=people[row.user_id].name,
                project=projects[row.project_id],
                workspace=workspaces[row.workspace_id],
                cause=one.cause,
                press_id=one.press_id,
                press_credits=one.press_credits,
                asked_at=one.asked_at,
                lapses_at=row.deadline_at or one.asked_at,
                limits=taken[key],
                available_credits=available[row.workspace_id],
            )
        )
    return found


def _project_names(session: ReadSession, ids: Sequence[str]) -> Mapping[str, str]:
    named = select(Project.id, Project.name).where(Project.id.in_(set(ids)))
    return {row.id: row.name for row in session.execute(named)}
