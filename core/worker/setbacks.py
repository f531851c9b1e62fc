"""What becomes of a generation that cannot be looked at, fetched or written down: a few more tries, then put aside.

Each look and each fetch counts before it begins (`Flight.setbacks`) and is uncounted by an orderly end, whatever
that says. So the count also grows when the process dies of it, and whatever the cause, nothing is repeated for ever.
"""

import logging
import traceback
from datetime import timedelta

from core import db, errors
from core.db import WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Flight, Generation
from core.generations import flights, lifecycle
from core.messages import message
from core.retry import delay

log = logging.getLogger(__name__)

TRIES = 5
REST = timedelta(days=1)
"""After that, what was put aside is tried once more, for what broke may be mended."""


def record(seen: Flight | Generation, failure: BaseException) -> None:
    """Write down, in a transaction of its own, that nothing could be written of a row, and when it is tried again.

    `seen` is what was claimed for a look, or the row that was fetched; if that has moved on, nothing is written.
    """
    detail = "".join(traceback.format_exception(failure))
    with db.write_session() as session:
        found, flight = lifecycle.locked(session, seen.id), flights.current(session, seen.id)
        now = flight if isinstance(seen, Flight) else found
        if found is not None and now is not None and (now.stage, now.version) == (seen.stage, seen.version):
            note(session, found, flight.setbacks if flight else 1, detail)


def note(session: WriteSession, row: Generation, setbacks: int, detail: str) -> None:
    """Say when a row that met so many setbacks is tried again, or put it aside; the row is locked."""
    if setbacks < TRIES:
        next_at = db.now(session) + delay(setbacks)
        if row.stage is Stage.DOWNLOADING:
            what = message("fetched_again")
            lifecycle.transition(session, row, Status.PROCESSING, Stage.READY_TO_DOWNLOAD, what=what, next_at=next_at)
        else:
            flights.note(session, row.id, next_at=next_at)
        return
    log.error("%s is put aside after %s tries: %s", row.id, setbacks, detail)
    next_at = db.now(session) + REST
    if row.status is Status.UNCERTAIN:
        flights.note(session, row.id, next_at=next_at)
    else:
        lifecycle.mark_uncertain(session, row, errors.PutAside(detail=_writable(detail)), next_at=next_at)


def _writable(text: str) -> str:
    """In letters that every database takes, for what could not be written may be the text itself."""
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
