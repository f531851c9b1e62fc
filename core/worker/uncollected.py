"""What becomes of a finished clip that could not be brought home: who has paid for it gets it.

Nothing is final that time or a fresh link may change: it is tried again for hours, then left to a person, and asked for
now and then even so. It is refused only where no other try can give it: the same bytes came each time, over a while,
and they are no video that can be shown.
"""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from core import db, errors
from core.clock import utc_now
from core.db import ReadSession, WriteSession
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent
from core.generations import lifecycle
from core.messages import message
from core.retry import delay

log = logging.getLogger(__name__)

COLLECT_DEADLINE = timedelta(hours=6)
"""After the provider said that it was finished."""
ASK_AGAIN_AFTER, ASK_AGAIN_AT_LAST = timedelta(minutes=5), timedelta(days=1)
"""How soon and how late a clip is tried again that is left to a person."""
SAME_BYTES_TRIES, SAME_BYTES_SPAN = 4, timedelta(minutes=5)
"""So often, and for so long, the same unusable bytes have to come before they are taken as all there is."""
_NOT_THERE_YET = frozenset({"empty", "html", "json", "playlist", "image", "not_a_video"})
"""Reasons of a file that stands where the clip is to come."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that was fetched whole and cannot be delivered, and how often just these bytes came, since when."""

    sha256: str
    tries: int
    since: str

    @property
    def is_all_there_is(self) -> bool:
        """Whether no other try can be expected to give another file."""
        return self.tries >= SAME_BYTES_TRIES and utc_now() - datetime.fromisoformat(self.since) >= SAME_BYTES_SPAN


def note_unusable(note: Path, error: errors.MediaRejected, *, sha256: str) -> Unusable | None:
    """Count one more time that these bytes came, in a small file; None for what only stands in the clip's place.

    The file is this machine's own. Where it is lost, or another machine had the earlier tries, more tries are made.
    """
    if error.reason in _NOT_THERE_YET:
        note.unlink(missing_ok=True)
        return None
    try:
        before = Unusable(**json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):
        before = Unusable("", 0, "")
    same = before.sha256 == sha256
    seen = Unusable(sha256, before.tries + 1 if same else 1, before.since if same else utc_now().isoformat())
    note.write_text(json.dumps(asdict(seen)))
    return seen


def record(
    generation_id: str,
    attempt: int,
    error: errors.AppError,
    *,
    was_given_up: bool = False,
    seen: Unusable | None = None,
) -> None:
    """Write down a try that failed: again later, left to a person, or given up with the credits back.

    `was_given_up`: it had been left to a person before this try, and is again.
    """
    with db.write_session() as session:
        row = lifecycle.locked(session, generation_id)
        if row is None or row.stage is not Stage.DOWNLOADING or row.collect_attempt != attempt:
            return
        now = db.now(session)
        log.warning("collect of %s, try %s: %s (%s)", generation_id, attempt, error, _detail(error))
        age = now - _finished_at(session, row)
        is_late = age > COLLECT_DEADLINE and (row.deadline_at is None or now > row.deadline_at)  # follows a clock set
        if seen is not None and seen.is_all_there_is:
            lifecycle.fail(session, row, error)
        elif was_given_up or is_late:
            pause = min(ASK_AGAIN_AT_LAST, max(ASK_AGAIN_AFTER, age / 4))
            lifecycle.mark_uncertain(session, row, error, next_at=now + pause, setbacks=0)
        else:
            wait = delay(attempt + 2 if seen else attempt)
            _try_later(session, row, error, at=now + wait, wait=wait)


def _try_later(
    session: WriteSession, row: Generation, error: errors.AppError, *, at: datetime, wait: timedelta
) -> None:
    what = message("not_fetched_yet", seconds=wait.total_seconds(), error=error.message)
    lifecycle.transition(
        session,
        row,
        Status.PROCESSING,
        Stage.READY_TO_DOWNLOAD,
        what=what,
        next_at=at,
        setbacks=0,
        error_detail=_detail(error),
    )


def _detail(error: errors.AppError) -> str:
    """What an administrator reads: the rule that a file broke is a word of its own."""
    reason = f"{error.reason} " if isinstance(error, errors.MediaRejected) else ""
    return f"{reason}{error.detail}"[:4000].strip() or str(error)


def _finished_at(session: ReadSession, row: Generation) -> datetime:
    """When the provider said that the clip was finished."""
    first = select(func.min(GenerationEvent.at)).where(
        GenerationEvent.generation_id == row.id, GenerationEvent.stage == Stage.READY_TO_DOWNLOAD
    )
    return session.scalar(first) or row.updated_at
