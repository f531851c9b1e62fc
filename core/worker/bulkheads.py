"""Runs jobs in threads, a few at once for each provider and each file host, so that none holds up another.

It knows nothing of what the jobs do; what is lost with the process comes due again in the table.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.db import availability

log = logging.getLogger(__name__)

MAX_WAITING = 100
"""How many jobs of one owner may wait here for a place; one more is dropped, since its row comes due again."""
MAX_RUNNING = 32
"""Of all owners together, which bounds memory and connections."""
LIMIT_SECONDS = 3600.0
"""How long a job may keep its places; no call and no download lasts as long, so this is for what nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to run once its places are free. Of one `key` there is one at a time, waiting or running.

    `places` says in which compartments it takes a place, and how many places each of these has.
    """

    key: str
    owner: str
    places: Mapping[str, int]
    run: Callable[[], None]


class Bulkheads:
    """The jobs of one process: those that wait, in the order of their coming, and those that run."""

    def __init__(self, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._limit_seconds = limit_seconds
        self._waiting: dict[str, Job] = {}
        self._running: dict[str, tuple[Job, float]] = {}
        self._closed = False
        self._changed = threading.Condition()

    def take(self, job: Job) -> None:
        """Run a job now, or as soon as it has places; one that waits keeps its turn, one that runs is enough."""
        with self._changed:
            if self._closed or job.key in self._running:
                return
            if job.key not in self._waiting and self._count_waiting(job.owner) >= MAX_WAITING:
                log.debug("%s comes again: enough of %s wait here", job.key, job.owner)
                return
            self._waiting[job.key] = job
            self._start_what_fits()

    def is_busy(self, *, besides: str = "") -> bool:
        """Whether any job but the one of the key `besides` waits or runs."""
        with self._changed:
            return bool((self._waiting.keys() | self._running.keys()) - {besides})

    def close(self, *, within_seconds: float | None = None) -> int:
        """Start nothing more, and return when all that runs has ended, or the time is over; how many still run."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.wait_for(lambda: not self._running, within_seconds)
            return len(self._running)

    def _count_waiting(self, owner: str) -> int:
        return sum(job.owner == owner for job in self._waiting.values())

    def _start_what_fits(self) -> None:
        """Start every waiting job whose places are free; who holds the lock calls it after each change."""
        self._give_up_what_hangs()
        taken = Counter(name for job, _ in self._running.values() for name in job.places)
        for job in list(self._waiting.values()):
            if len(self._running) >= MAX_RUNNING:
                return
            if any(taken[name] >= size for name, size in job.places.items()):
                continue
            started = time.monotonic()
            try:
                threading.Thread(target=self._run, args=(job, started), name=job.key, daemon=True).start()
            except RuntimeError:
                log.exception("no thread for %s; it is started when another job has ended", job.key)
                return
            del self._waiting[job.key]
            self._running[job.key] = job, started
            taken.update(job.places.keys())

    def _give_up_what_hangs(self) -> None:
        for key, (_, started) in list(self._running.items()):
            if time.monotonic() - started > self._limit_seconds:
                log.error("%s has run for %.0f s; others get its place", key, self._limit_seconds)
                del self._running[key]

    def _run(self, job: Job, started: float) -> None:
        try:
            job.run()
        except Exception as failure:
            if availability.is_away(failure):  # the log has the outage
                log.info("%s is left for later", job.key)
            else:
                log.exception("%s broke; its row comes due again", job.key)
        finally:
            with self._changed:
                if self._running.get(job.key, (job, 0.0))[1] == started:  # else it was given up, and maybe begun anew
                    self._running.pop(job.key, None)
                if not self._closed:
                    self._start_what_fits()
                self._changed.notify_all()
