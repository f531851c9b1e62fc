"""RQ and Redis: the doorbell and the muscle, never the truth; the only module of core that knows them.

Everything in Redis can be lost at any moment: the dispatcher rebuilds it from the table. Nothing in it is believed: a
worker takes the id of a job and no more, so neither code nor pickles nor commands reach it that way.
"""

import logging
import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

from core.redis.connection import Connection

log = logging.getLogger(__name__)
SUBMIT = "video-submit"
DOWNLOAD = "video-collect"
_FUNCTIONS = {SUBMIT: "core.worker.tasks.submit", DOWNLOAD: "core.worker.tasks.ingest"}
_PREVIEWS = "previews"
_TTL_SECONDS = 600
"""How long a job's note stays in Redis when nobody takes it; its generation comes due again long before."""

_ID = re.compile(rb"(?P<generation_id>[A-Za-z0-9-]{1,64})-(?P<version>[0-9]{1,18})")

REST_SECONDS = 20
"""How long a worker that has run a job waits for the next before it leaves."""
_WAIT_SECONDS = 1
"""The longest wait for a job in one go, and so how late a worker may notice that it is to stop."""
_HEARTBEAT_SECONDS = 15
_WORKER_TTL_SECONDS = 45
_LONGEST_PAUSE_SECONDS = 10.0
_TELL_SECONDS = 60.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Ring:
    """What a job's id says: of which queue it is, and for which version of a generation; None is for previews."""

    queue: str
    generation_id: str | None
    version: int = 0


def enqueue(redis: Connection, queue: str, generation_id: str, version: int) -> None:
    """Ask a worker to run the queue's function on a generation; once per generation and version.

    Raises Unreachable when Redis is away.
    """
    _enqueue(redis, queue, f"{generation_id}-{version}", _FUNCTIONS[queue], generation_id)


def enqueue_previews(redis: Connection) -> None:
    """Ask a worker that brings clips home to make previews instead, while no clip waits; Unreachable as ever."""
    _enqueue(redis, DOWNLOAD, _PREVIEWS, "core.worker.previews.make_due")


def _enqueue(redis: Connection, queue: str, name: str, function: str, *arguments: str) -> None:
    """The function and its arguments are for who looks with RQ's tools; workers go by the id alone."""
    found = Queue(queue, connection=redis, serializer=JSONSerializer)
    job_id = f"{queue}-{name}"
    for is_last in (False, True):
        try:
            found.enqueue_call(function, args=arguments, job_id=job_id, unique=True, ttl=_TTL_SECONDS, result_ttl=0)
        except DuplicateJobError:
            log.debug("%s is queued already", job_id)
        except ResponseError as refusal:
            if is_last or not _is_wrong_kind(refusal):
                raise
            _remove_what_is_no_queue(redis, found.key)
            redis.delete(Job.key_for(job_id))
            continue
        return


def length(redis: Connection, queue: str) -> int:
    """How many jobs wait in a queue. Raises Unreachable when Redis is away."""
    try:
        return Queue(queue, connection=redis).count
    except ResponseError as refusal:
        if _is_wrong_kind(refusal):
            return 0  # no queue at all; who next hands something over puts it right
        raise


def _is_wrong_kind(refusal: ResponseError) -> bool:
    return "WRONGTYPE" in str(refusal)  # a script's refusal begins with its own words


def _remove_what_is_no_queue(redis: Connection, queue_key: str) -> None:
    """Make room for RQ's keys where somebody has put something else."""
    for key, kind in ((queue_key, b"list"), (Queue.redis_queues_keys, b"set")):
        if (found := redis.type(key)) not in (kind, b"none"):
            log.warning("%s in Redis was a %s and is removed", key, found)
            redis.delete(key)


class Listener:
    """Waits for the jobs of one queue, and hands on what their ids say.

    RQ knows it as a worker, so that its tools list it, and has no part in what it does: what a job holds beside its id
    is never read, and there is no channel for commands. An id is taken off for good; a process that dies with it loses
    nothing, since the row comes due again.
    """

    def __init__(self, url: str, queue: str) -> None:
        self._queue = queue
        self._is_ours = re.compile(re.escape(f"{queue}-".encode()) + rb"(?:%s|%s)" % (_ID.pattern, _PREVIEWS.encode()))
        self._redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=10, health_check_interval=30)
        self._for_rq = Redis.from_url(url, socket_connect_timeout=5)  # RQ changes the time-outs of what it is given
        self._stop = threading.Event()
        self._worker: SimpleWorker | None = None
        self._heartbeat_at = 0.0
        self._is_away = False
        self._tell_at = 0.0

    def listen(
        self,
        take: Callable[[Ring], None],
        is_busy: Callable[[], bool],
        beat: Callable[[bool, float], None] = lambda _is_well, _pause_seconds: None,
        may_take: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Hand on each ring until the process is told to stop, or has rested for a while after the last one.

        True for the latter: FFmpeg and its buffers have doubled the process by then, so whoever runs it may start it
        anew. SIGTERM and SIGINT ask it to stop, however often, since what is under way may be paid for; only after a
        rest they do again what they did before, so that none goes unheard between one start and the next.

        `beat` is told of each round: whether Redis answered, and for how many seconds it pauses. While it may not take
        any, rings stay in the queue for others.
        """
        before = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
        for number in _STOP_SIGNALS:
            signal.signal(number, lambda _number, _frame: self._stop.set())
        has_worked, active_at, pause_seconds = False, time.monotonic(), 0.5
        while not self._stop.is_set():
            if not may_take():
                beat(False, 0.0)
                self._stop.wait(_WAIT_SECONDS)
                continue
            try:
                ring = self._next()
            except RedisError as away:
                self._note_away(away)
                beat(False, pause_seconds)
                self._stop.wait(pause_seconds)
                pause_seconds = min(_LONGEST_PAUSE_SECONDS, pause_seconds * 2)
                continue
            pause_seconds = 0.5
            beat(True, 0.0)
            if ring is not None:
                take(ring)
                has_worked = True
            if ring is not None or is_busy():
                active_at = time.monotonic()
            elif has_worked and time.monotonic() - active_at > REST_SECONDS:
                break
        with suppress(RedisError):
            if self._worker is not None:
                self._worker.register_death()  # type: ignore[no-untyped-call]  # as RQ has it
        self._redis.close()
        self._for_rq.close()
        if not self._stop.is_set():
            for number, handler in before.items():
                signal.signal(number, handler)
        return not self._stop.is_set()

    def _next(self) -> Ring | None:
        """The next ring, if one comes soon. Raises RedisError."""
        self._beat()
        key = f"{Queue.redis_queue_namespace_prefix}{self._queue}"
        try:
            taken: Any = self._redis.blpop([key], timeout=_WAIT_SECONDS)
        except ResponseError as refusal:
            if not _is_wrong_kind(refusal):
                raise
            _remove_what_is_no_queue(self._redis, key)
            return None
        if self._is_away:
            log.warning("Redis is back")
            self._is_away = False
        if taken is None:
            return None
        job_id: bytes = taken[1]
        if (match := self._is_ours.fullmatch(job_id)) is None:
            self._note_foreign(job_id)
            return None
        self._redis.delete(Job.key_for(job_id.decode("ascii")))
        if match["generation_id"] is None:
            return Ring(self._queue, None)
        return Ring(self._queue, match["generation_id"].decode("ascii"), int(match["version"]))

    def _beat(self) -> None:
        """Tell RQ that this worker lives; what stands there serves nobody but who looks."""
        if time.monotonic() < self._heartbeat_at:
            return
        try:
            if self._worker is None or not self._redis.exists(self._worker.key):
                queue = Queue(self._queue, connection=self._for_rq, serializer=JSONSerializer)
                self._worker = SimpleWorker(
                    [queue], connection=self._for_rq, serializer=JSONSerializer, worker_ttl=_WORKER_TTL_SECONDS
                )
                self._worker.register_birth()  # type: ignore[no-untyped-call]  # as RQ has it
                self._worker.set_state(WorkerStatus.IDLE)
            self._worker.heartbeat()
        except (ResponseError, ValueError) as rubbish:
            log.debug("RQ's list of workers cannot be kept: %s", rubbish)
        self._heartbeat_at = time.monotonic() + _HEARTBEAT_SECONDS

    def _note_away(self, away: RedisError) -> None:
        if not self._is_away:
            log.warning("Redis is away (%s); this worker waits for it", away)
        self._is_away = True

    def _note_foreign(self, job_id: bytes) -> None:
        """At most one line a minute, however much stands in the queue."""
        if time.monotonic() >= self._tell_at:
            self._tell_at = time.monotonic() + _TELL_SECONDS
            log.warning("%s held a job that is not ours, which is not run: %.80r", self._queue, job_id)
