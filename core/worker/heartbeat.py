"""The sign of life of a worker's process: said in Redis at every breath, and by the dispatcher in SQL now and then."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from core.db import availability
from core.insights import workers
from core.insights.workers import Part
from core.installation import Installation
from core.redis import presence
from core.redis.connection import Unreachable
from core.redis.presence import Role

log = logging.getLogger(__name__)

BREATH_SECONDS = 1.5
"""A fifth of how long a sign lasts, so that a busy machine may be late."""
NOTE_SECONDS = 9.0
"""Seldom, as each is a commit; it is as exact as "since when" is told."""


@contextmanager
def beating(installation: Installation, role: Role) -> Iterator[None]:
    """Give signs of life of this role while the block runs, from threads: a job or a tick may take its time."""
    stop = threading.Event()
    loops: list[tuple[float, Callable[[], None]]] = [(BREATH_SECONDS, lambda: _announce(installation, role))]
    if role is Role.DISPATCHER:
        loops.append((NOTE_SECONDS, _Notes(installation).write))
    threads = [threading.Thread(target=_repeat, args=(stop, *loop), name="heartbeat", daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        end = time.monotonic() + 1
        for thread in threads:  # one that waits for a database goes with the process
            thread.join(max(0.0, end - time.monotonic()))


def _repeat(stop: threading.Event, every_seconds: float, act: Callable[[], None]) -> None:
    while not stop.is_set():
        act()
        stop.wait(every_seconds)


def _announce(installation: Installation, role: Role) -> None:
    if role is Role.COLLECT and installation.store_clock.refusal:
        return  # who can store nothing is as good as missing
    try:
        presence.announce(installation.redis, role)
    except Unreachable as away:  # said by whoever needs Redis for work; a page sees for itself that it is away
        log.debug("no sign of life, as Redis is away: %s", away)


class _Notes:
    """Writes down who works; says once that it cannot."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._is_away = False

    def write(self) -> None:
        """Write down the dispatcher, which this process is, and whom it sees in Redis."""
        try:
            seen = {Part.REDIS, *(Part(role) for role in presence.present(self._installation.redis))}
        except Unreachable:
            seen = set()
        try:
            with self._installation.database.write_session() as session:
                workers.note(session, seen | {Part.DISPATCHER})
        except (SQLAlchemyError, OSError) as away:
            if not self._is_away and not availability.is_away(away):  # of which the log has a line already
                log.warning("who works cannot be written down: %s", type(away).__name__)
            self._is_away = True
        else:
            self._is_away = False
