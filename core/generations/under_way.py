"""What is under way, for those in charge of it: how many where, and each clip with whose it is, the oldest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, tuple_

from core import errors, normal_form
from core.db import ReadSession
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation, Project, User, Workspace
from core.generations.queries import NOT_FOUND
from core.workspaces import profiles
from core.workspaces.access import Charge, live_in


@dataclass(frozen=True, slots=True)
class Count:
    """How many clips of a provider are in a state, and when the oldest of them was ordered."""

    provider: str
    status: Status
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A clip under way, whose it is and where; not its prompt."""

    id: str
    workspace_id: str
    person: str
    workspace: str
    project: str
    provider: str
    model_name: str
    status: Status
    stage: Stage
    created_at: datetime
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: of a provider, in a state, with words that are in the name of person, workspace or project."""

    provider: str | None = None
    status: Status | None = None
    words: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row must meet, with person, workspace and project beside it."""
        found: list[ColumnElement[bool]] = []
        if self.provider is not None:
            found.append(Generation.provider == self.provider)
        if self.status is not None:
            found.append(Generation.status == self.status)
        if words := normal_form.normal(self.words.strip()):
            names = (User.search_key, Workspace.name_key, Project.name_key)
            found.append(or_(*(name.contains(words, autoescape=True) for name in names)))
        return found


EVERYTHING = Wanted()


def counts(session: ReadSession, charge: Charge) -> Sequence[Count]:
    """How many are under way at which provider, in which state."""
    query = (
        select(Flight.provider, Flight.status, func.count(), func.min(Flight.created_at))
        .where(charge.covers(Flight.workspace_id), Flight.stage != Stage.AWAITING_APPROVAL)
        .group_by(Flight.provider, Flight.status)
        .order_by(Flight.provider, Flight.status)
    )
    return [Count(*row) for row in session.execute(query)]


def page(
    session: ReadSession, charge: Charge, wanted: Wanted = EVERYTHING, *, after_id: str = "", limit: int
) -> Sequence[Waiting]:
    """Those that were ordered first, a keyset page at a time; NotFound when there is no `after_id` in this charge."""
    query = (
        select(
            Generation.id,
            Generation.workspace_id,
            profiles.person_name(User),
            profiles.workspace_name(Workspace),
            Project.name,
            Generation.provider,
            Generation.model_name,
            Generation.status,
            Generation.stage,
            Generation.created_at,
            Generation.submitted_at,
        )
        .join(User, User.id == Generation.user_id)
        .join(Workspace, Workspace.id == Generation.workspace_id)
        .join(Project, Project.id == Generation.project_id)
        .where(live_in(charge), _waits_for_machines(), *wanted.conditions())
    )
    if after_id:
        of_last = select(Generation.created_at).where(Generation.id == after_id, charge.covers(Generation.workspace_id))
        last_at = session.scalar(of_last)
        if last_at is None:
            raise errors.NotFound(NOT_FOUND)
        query = query.where(tuple_(Generation.created_at, Generation.id) > tuple_(last_at, after_id))
    rows = session.execute(query.order_by(Generation.created_at, Generation.id).limit(limit))
    return [Waiting(*row) for row in rows]


def _waits_for_machines() -> ColumnElement[bool]:
    """Not for approval, which no machine gives."""
    return Generation.stage != Stage.AWAITING_APPROVAL
