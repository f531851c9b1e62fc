"""What is told of a job of the queue: its lines have the generation's ids, its time is measured, its end is a line.

It changes nothing, and what goes wrong here ends no job.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError

from core import db, metrics
from core.clock import utc_now
from core.db.enums import ENDED_STATUSES, Stage, Status
from core.db.tables import Generation
from core.generations import told
from core.redis import job_queue
from core.worker import traces

log = logging.getLogger(__name__)

_SECONDS = {job_queue.SUBMIT: metrics.SUBMIT, job_queue.DOWNLOAD: metrics.COLLECT}
_SAID = {job_queue.SUBMIT: "sending", job_queue.DOWNLOAD: "collecting"}
_DONE = {job_queue.SUBMIT: (Stage.WAITING, Stage.READY_TO_DOWNLOAD), job_queue.DOWNLOAD: (Stage.FINALIZED,)}


@contextmanager
def job(queue: str, generation_id: str) -> Iterator[None]:
    """Around one job; the line at its end says what the row says then."""
    before = _look(generation_id)
    if before is None:
        yield
        return
    waited = (utc_now() - before.updated_at).total_seconds()
    metrics.QUEUE_WAIT.labels(queue).observe(max(0.0, waited))  # the moment is by the database's clock
    began = time.monotonic()
    with told.about(before):
        try:
            yield
        finally:
            _tell(queue, generation_id, time.monotonic() - began)


def _tell(queue: str, generation_id: str, seconds: float) -> None:
    after = _look(generation_id)
    if after is None:
        return
    outcome = _outcome(queue, after)
    _SECONDS[queue].labels(after.provider, outcome).observe(seconds)
    log.info("%s %s: %s, after %.3f s", _SAID[queue], generation_id, outcome, seconds)
    if after.status in ENDED_STATUSES:
        traces.ended(generation_id)


def _outcome(queue: str, after: Row[*tuple[Any, ...]]) -> str:
    if after.stage in _DONE[queue] and after.status in (Status.PROCESSING, Status.COMPLETED):
        return "ok"
    return str(after.error_code or after.status)


_STATE = select(*told.COLUMNS, Generation.status, Generation.stage, Generation.error_code, Generation.updated_at)


def _look(generation_id: str) -> Row[*tuple[Any, ...]] | None:
    """How the row stands; None when nobody can say, which holds up no job."""
    try:
        with db.read_connection() as reading:
            return reading.execute(_STATE.where(Generation.id == generation_id)).one_or_none()
    except SQLAlchemyError:
        return None
