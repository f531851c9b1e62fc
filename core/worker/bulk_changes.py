"""Works bulk changes down, a batch after another, beside the rounds of the dispatcher; any number of processes may."""

import logging
import time
from collections.abc import Callable

from sqlalchemy import select

from core import db
from core.db import availability
from core.db.enums import BulkKind
from core.db.tables import BulkJob
from core.generations import bulk_batches

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.02
"""Between two batches, for who waits to write: SQLite has no line in which they would stand."""


def work_down(is_over: Callable[[], bool] = lambda: False) -> None:
    """Work until no change is due, or until it `is_over`."""
    while not is_over() and any_due():
        try:
            with db.write_session() as session:
                if not bulk_batches.work_next(session):
                    return  # another process has taken what was due
        except Exception as failure:
            if availability.is_away(failure):
                raise
            log.exception("a batch of a bulk job broke; the job waits")
            with db.write_session() as session:
                bulk_batches.put_off(session)
        time.sleep(PAUSE_SECONDS)


def any_due() -> bool:
    """Whether a change is due; a plain read, so that an idle dispatcher takes no write lock."""
    with db.read_session() as session:
        due = select(BulkJob.id).where(BulkJob.next_at <= db.now(session), BulkJob.kind != BulkKind.FETCH)
        return session.scalar(select(due.exists())) is True
