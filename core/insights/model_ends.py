"""Tells people that a model which they use ends: a month before, once more a week before, and when it has ended.

What ends is known from the catalogue; who used it, from the daily figures. A notice has a key of its cause, so that any
number of processes may look at the same time and nobody is told twice.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, union

from core.catalog import in_force
from core.catalog.records import LifeState
from core.db import Reader, WriteSession
from core.db.enums import WorkspaceRole
from core.db.tables import Notice, UsageDay, User, Workspace, WorkspaceMember
from core.notices import causes

TOLD_BEFORE = timedelta(days=30)
"""How long before its end it is told of first."""
TOLD_AGAIN = timedelta(days=7)
USED_WITHIN = timedelta(days=30)
TOLD_AFTER = timedelta(days=2)
"""So long after its end it is still told of to who was not told before: an administrator may end a model at once."""


class Part(StrEnum):
    """When somebody is told."""

    MONTH = "month"
    WEEK = "week"
    """In the last week before, or when it has ended, and not twice."""


@dataclass(frozen=True, slots=True)
class End:
    """A model that ends or has ended."""

    model_id: str
    name: str
    at: datetime

    @property
    def day(self) -> date:
        """Its last day, or the first one without it; UTC."""
        return self.at.date()


def coming(now: datetime, *, within: timedelta, past: timedelta) -> Iterator[End]:
    """Models that end within so long of now, or have ended no longer ago than `past`; the first to end first."""
    ends = (
        End(model_id, entry.model.name, life.since)
        for model_id, entry in in_force.current().entries.items()
        for life in entry.lives[-1:]
        if life.state is LifeState.WITHDRAWN and -past < life.since - now < within
    )
    yield from sorted(ends, key=lambda end: (end.at, end.model_id))


def to_tell(reader: Reader, now: datetime) -> dict[tuple[End, Part], Collection[str]]:
    """Who is to be told of what; nothing is asked of the database while no model ends."""
    found = {}
    for end in coming(now, within=TOLD_BEFORE, past=TOLD_AFTER):
        part = Part.MONTH if end.at - now > TOLD_AGAIN else Part.WEEK
        people = _not_told(reader, end, part, now)
        if people:
            found[end, part] = people
    return found


def tell(session: WriteSession, found: dict[tuple[End, Part], Collection[str]]) -> None:
    """Tell them, each once, whoever else does so at the same time."""
    for (end, part), people in found.items():
        causes.model_ends(session, people, end.model_id, name=end.name, day=end.day, part=part)


def _not_told(reader: Reader, end: End, part: Part, now: datetime) -> Collection[str]:
    """Who used it lately, and who manages where that was; without those who know."""
    used = (UsageDay.day >= (now - USED_WITHIN).date().isoformat(), UsageDay.model_id == end.model_id)
    made = (UsageDay.completed + UsageDay.failed) > 0
    makers = select(UsageDay.user_id).where(*used, made)
    managers = (
        select(WorkspaceMember.user_id)
        .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
        .where(
            WorkspaceMember.role == WorkspaceRole.MANAGER,
            Workspace.archived_at.is_(None),
            WorkspaceMember.workspace_id.in_(select(UsageDay.workspace_id).where(*used, made)),
        )
    )
    key = causes.model_ends_key(end.model_id, end.day, part)
    knows = select(Notice.id).where(Notice.user_id == User.id, Notice.group_key == key).exists()
    everybody = union(makers, managers).subquery()
    query = select(User.id).where(User.id.in_(select(everybody.c.user_id)), User.deactivated_at.is_(None), ~knows)
    return reader.scalars(query.order_by(User.id)).all()
