"""What is under way for everybody, for those who run the installation: how many where, and which for longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.db import ReadSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, User, Workspace, is_live
from core.workspaces import profiles
from core.workspaces.access import Member
from core.workspaces.permissions import Action


@dataclass(frozen=True, slots=True)
class Count:
    """How many clips of a provider are in a state, and when the oldest of them was ordered."""

    provider: str
    status: Status
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A clip under way, whose it is and where; neither its prompt nor a way to it."""

    person: str
    workspace: str
    model_name: str
    stage: Stage
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    """All of it counted, and those that were ordered first."""

    counts: Sequence[Count]
    longest: Sequence[Waiting]


def look(session: ReadSession, admin: Member, *, limit: int) -> UnderWay:
    """What is under way now, `limit` of it by name; Forbidden for who does not run the installation."""
    admin.require(Action.OPERATE)
    counted = (
        select(Generation.provider, Generation.status, func.count(), func.min(Generation.created_at))
        .where(is_live())
        .group_by(Generation.provider, Generation.status)
        .order_by(Generation.provider, Generation.status)
    )
    named = (
        select(
            profiles.person_name(User),
            profiles.workspace_name(Workspace),
            Generation.model_name,
            Generation.stage,
            Generation.created_at,
        )
        .join(User, User.id == Generation.user_id)
        .join(Workspace, Workspace.id == Generation.workspace_id)
        .where(is_live(), Generation.stage != Stage.AWAITING_APPROVAL)  # which waits for no machine
        .order_by(Generation.created_at)
        .limit(limit)
    )
    return UnderWay(
        [Count(*row) for row in session.execute(counted)], [Waiting(*row) for row in session.execute(named)]
    )
