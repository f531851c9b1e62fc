"""Spans of what became of a generation, made at its end from the moments of its timeline; none where nobody wants them.

Each hangs on the span of the order and is linked to it, so that one trace leads from the press to the file.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError

from core import db, tracing
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent

log = logging.getLogger(__name__)

_Order = tuple[str | None, str, str, Status]

_STAGES: Mapping[Stage, str] = {
    Stage.AWAITING_APPROVAL: "approval",
    Stage.QUEUED: "queue",
    Stage.DISPATCHED: "queue",
    Stage.SUBMITTING: "submit",
    Stage.WAITING: "wait",
    Stage.READY_TO_DOWNLOAD: "collect",
    Stage.DOWNLOADING: "collect",
}
"""What a stage is called as a span; several tries of one are one span."""


def ended(generation_id: str) -> None:
    """Make the spans of a generation that has just ended."""
    if not tracing.is_on():
        return
    try:
        row, events = _read(generation_id)
    except SQLAlchemyError as away:
        log.info("no spans of %s: %s", generation_id, type(away).__name__)
        return
    if row is None or row.traceparent is None:
        return
    for name, (began, over) in _spans(events).items():
        tracing.stage(
            name, row.traceparent, began=began, ended=over, video__generation_id=generation_id, **_attributes(row)
        )


def preview(generation: Generation, *, began: datetime, over: datetime) -> None:
    """Make the span of preview and check, which come after the end."""
    if generation.traceparent is not None:
        tracing.stage("preview", generation.traceparent, began=began, ended=over, video__generation_id=generation.id)


def _attributes(row: Row[*_Order]) -> dict[str, str]:
    return {"video__provider": row.provider, "video__model_id": row.model_id, "video__status": str(row.status)}


def _read(generation_id: str) -> tuple[Row[*_Order] | None, Sequence[Row[Stage, datetime]]]:
    wanted = select(Generation.traceparent, Generation.provider, Generation.model_id, Generation.status)
    moments = select(GenerationEvent.stage, GenerationEvent.at).where(GenerationEvent.generation_id == generation_id)
    with db.read_session() as session:
        row = session.execute(wanted.where(Generation.id == generation_id)).one_or_none()
        events = session.execute(moments.order_by(GenerationEvent.id)).all() if row is not None else []
    return row, events


def _spans(events: Sequence[Row[Stage, datetime]]) -> dict[str, tuple[datetime, datetime]]:
    """Name -> from when to when, as the timeline goes from stage to stage."""
    found: dict[str, tuple[datetime, datetime]] = {}
    for here, following in pairwise(events):
        if (name := _STAGES.get(here.stage)) is not None:
            began = found[name][0] if name in found else here.at
            found[name] = (began, following.at)
    return found
