"""What becomes of a generation that cannot be looked at, fetched or written down: a few more tries, then put aside.

Each look and each fetch counts before it begins (`Generation.setbacks`) and is uncounted by an orderly end, whatever
that says. So the count also grows when the process dies of it, and whatever the cause, nothing is repeated for ever.
"""

import logging
import traceback
from datetime import timedelta

from core import db, errors
from core.db import WriteSession, update_where
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.generations import lifecycle
from core.messages import message
from core.retry import delay

log = logging.getLogger(__name__)

TRIES = 5
REST = timedelta(days=1)
"""After that, what was put aside is tried once more, for what broke may be mended."""


def record(row: Generation, failure: BaseException) -> None:
    """Write down, in a transaction of its own, that nothing could be written of a row, and when it is tried again."""
    detail = "".join(traceback.format_exception(failure))
    with db.write_session() as session:
        found = lifecycle.locked(session, row.id)
        if found is not None and (found.stage, found.version) == (row.stage, row.version):
            note(session, found, detail)


def note(session: WriteSession, row: Generation, detail: str) -> None:
    """Say when a row that met a setback is tried again, or put it aside when it met too many; the row is locked."""
    if row.setbacks < TRIES:
        next_at = db.now(session) + delay(row.setbacks)
        if row.stage is Stage.DOWNLOADING:
            what = message("fetched_again")
            lifecycle.transition(session, row, Status.PROCESSING, Stage.READY_TO_DOWNLOAD, what=what, next_at=next_at)
        else:
            update_where(session, Generation, Generation.id == row.id, next_at=next_at)
        return
    log.error("%s is put aside after %s tries: %s", row.id, row.setbacks, detail)
    next_at = db.now(session) + REST
    if row.status is Status.UNCERTAIN:
        update_where(session, Generation, Generation.id == row.id, next_at=next_at)
    else:
        lifecycle.mark_uncertain(session, row, errors.PutAside(detail=_writable(detail)), next_at=next_at)


def _writable(text: str) -> str:
    """In letters that every database takes, for what could not be written may be the text itself."""
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
