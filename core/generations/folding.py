"""Folds the steps of clips that ended long ago into their rows, where they take less room, and gives them back.

What is folded is the same to whoever reads it. A batch is one transaction: killed, nothing has happened.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from core import db
from core.db import ReadSession, WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent
from core.messages import Message

BATCH = 200
_WALKED_ROWS = 5_000
"""Steps are looked through from the oldest on; those of clips that are under way for that long are few."""


def fold(session: WriteSession, *, days: int, limit: int = BATCH) -> int:
    """Fold the steps of some clips that ended more than so many days ago; how many clips those were."""
    ids = due(session, days=days, limit=limit)
    locked = session.scalars(
        select(Generation.id).where(Generation.id.in_(ids)).order_by(Generation.id).with_for_update(skip_locked=True)
    ).all()
    steps = session.scalars(
        select(GenerationEvent)
        .where(GenerationEvent.generation_id.in_(locked))
        .order_by(GenerationEvent.generation_id, GenerationEvent.id)
    ).all()
    for id_, of_clip in itertools.groupby(steps, key=lambda step: step.generation_id):
        before = session.scalar(select(Generation.timeline).where(Generation.id == id_)) or []
        folded = [*before, *(packed(step) for step in of_clip)]
        changed = update(Generation).where(Generation.id == id_).values(timeline=folded)
        session.execute(changed.execution_options(synchronize_session=False))
    gone = delete(GenerationEvent).where(GenerationEvent.generation_id.in_(locked))
    session.execute(gone.execution_options(synchronize_session=False))
    return len(locked)


def due(session: ReadSession, *, days: int, limit: int = BATCH) -> Sequence[str]:
    """Clips whose steps are to be folded, some of them: those of the oldest steps."""
    before = db.now(session) - timedelta(days=days)
    oldest = (
        select(GenerationEvent.generation_id, GenerationEvent.at)
        .order_by(GenerationEvent.id)
        .limit(_WALKED_ROWS)
        .subquery()
    )
    found = (
        select(oldest.c.generation_id)
        .join(Generation, Generation.id == oldest.c.generation_id)
        .where(oldest.c.at < before, Generation.ended_at < before)
        .distinct()
    )
    return session.scalars(found.limit(limit)).all()


def old(session: ReadSession, *, days: int) -> int:
    """How many steps `fold` would fold if it came to its end."""
    before = db.now(session) - timedelta(days=days)
    steps = select(func.count()).select_from(GenerationEvent).join(Generation)
    return session.scalar(steps.where(GenerationEvent.at < before, Generation.ended_at < before)) or 0


def unfolded(timeline: Sequence[Any] | None, generation_id: str) -> list[GenerationEvent]:
    """The steps that a row keeps, as they were; rows of no table."""
    return [
        GenerationEvent(
            id=step["id"],
            generation_id=generation_id,
            at=datetime.fromisoformat(step["at"]),
            status=Status(step["status"]),
            stage=Stage(step["stage"]),
            what=step["what"],
            message=Message.from_json(step["message"]) if step["message"] else None,
            actor=step["actor"],
        )
        for step in timeline or ()
    ]


def packed(step: GenerationEvent) -> dict[str, Any]:
    """A step as a row keeps it."""
    return {
        "id": step.id,
        "at": step.at.isoformat(),
        "status": step.status.value,
        "stage": step.stage.value,
        "what": step.what,
        "message": step.message.to_json() if step.message else None,
        "actor": step.actor,
    }
