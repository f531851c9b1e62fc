"""What the queue's rings lead to in this process: a generation's row says which provider and file host it belongs to.

A ring is believed to be no more than a hint: what the row does not bear out is not run.
"""

import logging
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError

from core import db, installation
from core.db.enums import Stage
from core.db.tables import Flight, Generation
from core.redis import job_queue
from core.redis.job_queue import Ring
from core.worker import observed
from core.worker.bulkheads import Bulkheads, Job

log = logging.getLogger(__name__)

SUBMITS_PER_PROVIDER = 2
"""At once in one process; a kill can leave as many generations of each provider uncertain."""
DOWNLOADS_PER_PROVIDER = 4
DOWNLOADS_PER_HOST = 2
PREVIEWS = "previews"
_STAGES = {job_queue.SUBMIT: Stage.DISPATCHED, job_queue.DOWNLOAD: Stage.READY_TO_DOWNLOAD}

_Row = Row[str, Stage, int, str | None]
_COLUMNS = select(Flight.provider, Flight.stage, Flight.version, Generation.provider_video_url).join(Generation)


def taker(bulkheads: Bulkheads) -> Callable[[Ring], None]:
    """What a queue's listener calls with each ring."""

    def take(ring: Ring) -> None:
        if ring.generation_id is None:
            bulkheads.take(Job(PREVIEWS, PREVIEWS, {PREVIEWS: 1}, partial(_make_previews, bulkheads)))
            return
        try:
            row = _row_of(ring)
        except SQLAlchemyError as away:
            log.warning("the row of %s cannot be read now (%s); it comes due again", ring.generation_id, away)
            return
        if row is not None:
            bulkheads.take(Job(ring.generation_id, row[0], _places(ring.queue, row), partial(_run, ring)))

    return take


def _row_of(ring: Ring) -> _Row | None:
    """(provider, stage, version, link), if the row still stands as when the ring was given."""
    with db.read_connection() as reading:
        row = reading.execute(_COLUMNS.where(Flight.id == ring.generation_id)).one_or_none()
    is_current = row is not None and (row[1], row[2]) == (_STAGES[ring.queue], ring.version)
    return row if is_current else None


def _places(queue: str, row: _Row) -> dict[str, int]:
    provider, _, _, link = row
    if queue == job_queue.SUBMIT:
        return {provider: SUBMITS_PER_PROVIDER}
    return {provider: DOWNLOADS_PER_PROVIDER, f"{provider} {_host(link)}": DOWNLOADS_PER_HOST}


def _host(link: str | None) -> str:
    try:
        return urlsplit(link or "").hostname or ""
    except ValueError:
        return ""


def _run(ring: Ring) -> None:
    """The queue's one function, unless the row has moved on while the ring waited."""
    from core.worker import tasks  # large, and a process that only waits does without

    if ring.queue == job_queue.DOWNLOAD and not installation.current().store_clock.takes_ours():
        return  # it comes due again, for whoever can store it
    if ring.generation_id is not None and _row_of(ring) is not None:
        with observed.job(ring.queue, ring.generation_id):
            (tasks.submit if ring.queue == job_queue.SUBMIT else tasks.ingest)(ring.generation_id)


def _make_previews(bulkheads: Bulkheads) -> None:
    from core.worker import previews

    previews.make_due(is_wanted_elsewhere=partial(bulkheads.is_busy, besides=PREVIEWS))
