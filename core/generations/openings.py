"""Notes when a finished clip is opened for the first time, beside whatever opens it.

Who opened it is not kept. Whoever serves a file only says its key: a thread of its own writes, so that nobody waits for
the database, and nothing fails while that is busy or away.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select

from core.clock import utc_now
from core.db import Database, WriteSession, availability, update_where
from core.db.enums import Status
from core.db.tables import Generation
from core.usage import rollups

log = logging.getLogger(__name__)

MOST_KNOWN = 20_000
"""So many keys that were written are remembered, and so many wait at most; what is beyond is noted when it is opened
again."""

AT_ONCE = 200
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

_CLIP = re.compile(r"videos/(?P<id>[0-9a-f-]{36})/[0-9a-f]+\.mp4")
"""The key of a clip's own file: posters and previews are called otherwise."""


class Openings:
    """What was opened and is not written down yet; for one database.

    It has a thread while something waits. What waits when the process is killed is lost: it is noted when the clip is
    opened again.
    """

    def __init__(self, database: Database, *, pause_seconds: float = FIRST_PAUSE_SECONDS) -> None:
        self._database = database
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._calm = threading.Condition(self._lock)
        self._waiting: dict[str, datetime] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        self._thread: threading.Thread | None = None

    def note(self, keys: Iterable[str | None]) -> None:
        """Somebody opens the clips of these files now; quick, and it never fails. Other files are nobody's clips."""
        now = utc_now()
        with self._lock:
            for key in keys:
                if key is None or key in self._known or key in self._waiting or not _CLIP.fullmatch(key):
                    continue
                if len(self._waiting) < MOST_KNOWN:
                    self._waiting[key] = now
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="openings", daemon=True)
                self._thread.start()

    def written(self, timeout_seconds: float) -> bool:
        """Wait until nothing waits any more; whether that came to be in time."""
        with self._lock:
            return self._calm.wait_for(lambda: self._thread is None, timeout_seconds)

    def _write_all(self) -> None:
        pause = self._pause_seconds
        while some := self._next():
            try:
                with self._database.write_session() as session:
                    write(session, some)
            except Exception as failure:
                if availability.is_away(failure):
                    time.sleep(pause)
                    pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
                    continue
                log.exception("When clips were opened first cannot be noted")
            pause = self._pause_seconds
            self._done(some)

    def _next(self) -> Mapping[str, datetime]:
        """What is to be written, oldest first; nothing ends the thread."""
        with self._lock:
            some = dict(list(self._waiting.items())[:AT_ONCE])
            if not some:
                self._thread = None
                self._calm.notify_all()
            return some

    def _done(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._waiting.pop(key, None)
                self._known[key] = None
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def write(session: WriteSession, opened: Mapping[str, datetime]) -> int:
    """Note when the clips of these files were opened, where nobody had before; how many that were.

    A clip that is there already as opened, or of before openings were noted, stays as it is. The figures of waste of
    its workspace are read anew.
    """
    found: list[str] = []
    for key, at in sorted(opened.items()):  # in one order, so that two that write cannot deadlock
        clip = _CLIP.fullmatch(key)
        if clip is None:
            continue
        is_first = update_where(
            session,
            Generation,
            Generation.id == clip["id"],
            Generation.output_key == key,
            Generation.status == Status.COMPLETED,
            Generation.first_opened_at.is_(None),
            first_opened_at=at,
        )
        found += [clip["id"]] if is_first else []
    if found:
        of = select(Generation.workspace_id).where(Generation.id.in_(found))
        rollups.note_change(session, session.scalars(of).all())
    return len(found)
