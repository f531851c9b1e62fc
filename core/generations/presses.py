"""What was ordered with one press, as the studio shows it: the newest presses of a project, each with its takes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from core.db import Reader
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.messages import Message
from core.projects import projects
from core.workspaces.access import Member

MAX_TAKES = 48
"""So many of the newest are looked at: more than twice what one press can order."""


class Take(NamedTuple):
    """A generation as the studio shows it, under the names of its columns."""

    id: str
    batch_id: str | None
    workspace_id: str
    user_id: str
    provider: str
    model_id: str
    model_name: str
    prompt: str
    resolution: str
    duration_seconds: int
    aspect_ratio: str
    credits: int
    status: Status
    stage: Stage
    progress: float
    progress_is_estimate: bool
    cancel_requested_at: datetime | None
    error_message: str | None
    error: Message | None
    output_key: str | None
    thumbnail_key: str | None
    output_facts: Mapping[str, Any] | None
    favourite: bool
    kept: bool | None
    findings: Sequence[Mapping[str, Any]] | None
    created_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Press:
    """What one press ordered; `takes` in the order in which they were ordered."""

    takes: Sequence[Take]

    @property
    def id(self) -> str:
        """The same for all takes of the press, and of no other press."""
        return self.takes[0].batch_id or self.takes[0].id


_NEWEST = (
    select(*(getattr(Generation, name) for name in Take._fields))
    .where(Generation.project_id == bindparam("project_id"), Generation.deleted_at.is_(None))
    .order_by(Generation.id.desc())
    .limit(MAX_TAKES)
)


def newest(session: Reader, member: Member, project_id: str, *, limit: int) -> Sequence[Press]:
    """The newest presses of a project, newest first, whoever made them; NotFound for a project that they do not see.

    Of the takes that are looked at the last ones may be a part of their press: that press is left out.
    """
    projects.check_visible(session, member, project_id)
    rows = session.execute(_NEWEST, {"project_id": project_id}).all()
    found = _grouped(Take._make(row) for row in rows)
    if len(rows) == MAX_TAKES and len(found) > 1:
        found.pop()
    return found[:limit]


def _grouped(takes: Iterable[Take]) -> list[Press]:
    """Takes, newest first, as presses in that order."""
    grouped: dict[str, list[Take]] = {}
    for take in takes:
        grouped.setdefault(take.batch_id or take.id, []).append(take)
    return [Press(of_one[::-1]) for of_one in grouped.values()]
