"""Steps of generations as they happen, read from `generation_events` in the order of their ids, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, Select, and_, func, select, text
from sqlalchemy.orm import aliased

from core.clock import utc_now
from core.db import ReadSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent
from core.workspaces.access import Member, in_workspace

HOLE_LASTS = timedelta(seconds=30)
_FIRST_LOOK_BACK = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a generation in a workspace; `progress` (0 to 1) is that of the generation now."""

    id: int
    workspace_id: str
    generation_id: str
    status: Status
    stage: Stage
    progress: float
    what: str
    at: datetime


class Tail:
    """Reads on where it stopped, everybody's steps.

    PostgreSQL gives out ids when rows are written and shows the rows when they are committed, so that a lower id can
    come to light after a higher one. A hole in the ids is therefore waited at until every transaction that was under
    way when it was seen has ended: then it is filled, or was undone and stays. (A hole that is older than HOLE_LASTS
    is passed in any case, so that a forgotten transaction stops nobody's news.) What was read is thus in order and
    complete, and the last id alone says where to go on. SQLite has one writer at a time, and no holes.
    """

    def __init__(self, last_id: int) -> None:
        self.last_id = last_id
        self._settled_to = last_id
        self._seen_to: tuple[int, int] | None = None  # highest id seen, and the first transaction after that

    @classmethod
    def at_present(cls, session: ReadSession) -> "Tail":
        """One that reads what comes from now on, and what is still being written now."""
        newest = session.scalar(select(func.max(GenerationEvent.id))) or 0
        found = cls(max(0, newest - _FIRST_LOOK_BACK))
        found.read(session, limit=_FIRST_LOOK_BACK)
        return found

    def read(self, session: ReadSession, *, limit: int = 1000) -> Sequence[Step]:
        """The next steps, oldest first."""
        server = session.get_bind().dialect.name == "postgresql"
        if self._seen_to is not None and _oldest_running(session) >= self._seen_to[1]:
            self._settled_to, self._seen_to = self._seen_to[0], None
        query = _steps().where(GenerationEvent.id > self.last_id).order_by(GenerationEvent.id).limit(limit)
        steps = [_step(row) for row in session.execute(query)]
        for place, step in enumerate(steps):
            is_hole = server and step.id > max(self.last_id, self._settled_to) + 1
            if is_hole and step.at > utc_now() - HOLE_LASTS:
                if self._seen_to is None:
                    self._seen_to = (steps[-1].id, _next_to_run(session))
                return steps[:place]
            self.last_id = step.id
        if not steps and not server:  # where rows are removed, as the sample company's, SQLite gives their ids again
            self.last_id = min(self.last_id, session.scalar(select(func.max(GenerationEvent.id))) or 0)
        return steps


def of_member(
    session: ReadSession, member: Member, *, after_id: int, until_id: int, limit: int = 500
) -> Sequence[Step]:
    """The steps that a person sees with ids above `after_id` up to `until_id`, oldest first."""
    # The steps are taken by their ids first, with a limit that none of them can exceed: otherwise both databases may
    # begin with all generations of the workspace.
    is_own = and_(in_workspace(Generation, member), Generation.deleted_at.is_(None)).label("is_own")
    between = (
        _steps()
        .add_columns(is_own)
        .where(GenerationEvent.id > after_id, GenerationEvent.id <= until_id)
        .order_by(GenerationEvent.id)
        .limit(max(0, until_id - after_id))
        .subquery()
    )
    event = aliased(GenerationEvent, between)
    query = select(event, between.c.workspace_id, between.c.progress).where(between.c.is_own)
    return [_step(row) for row in session.execute(query.order_by(between.c.id).limit(limit))]


def _steps() -> Select[GenerationEvent, str, float]:
    return select(GenerationEvent, Generation.workspace_id, Generation.progress).join(
        Generation, Generation.id == GenerationEvent.generation_id
    )


def _step(row: Row[GenerationEvent, str, float]) -> Step:
    event, workspace_id, progress = row
    return Step(event.id, workspace_id, event.generation_id, event.status, event.stage, progress, event.what, event.at)


def _oldest_running(session: ReadSession) -> int:
    return int(session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")))


def _next_to_run(session: ReadSession) -> int:
    return int(session.scalar(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")))
