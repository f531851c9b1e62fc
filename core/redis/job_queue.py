"""RQ and Redis: the doorbell and the muscle, never the truth; the only module of core that knows them.

Everything in Redis can be lost at any moment: the dispatcher rebuilds it from the table.
"""

import logging
from types import FrameType

from redis import Redis
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError

from core.redis.connection import Connection, Unreachable

log = logging.getLogger(__name__)
SUBMIT = "video-submit"
DOWNLOAD = "video-collect"
_FUNCTIONS = {SUBMIT: "core.worker.tasks.submit", DOWNLOAD: "core.worker.tasks.ingest"}
_TIMEOUT_SECONDS = {SUBMIT: 86_400, DOWNLOAD: 3600}
"""A submit limits what it waits for by itself; beyond that it keeps an answer until the database takes it."""
_PREVIEWS_TIMEOUT_SECONDS = 300

REST_SECONDS = 20
"""How long a worker that has run a job waits for the next before it leaves."""


def enqueue(redis: Connection, queue: str, generation_id: str, version: int) -> None:
    """Ask a worker to run the queue's function on a generation; once per generation and version.

    Raises Unreachable when Redis is away.
    """
    try:
        Queue(queue, connection=redis).enqueue_call(
            _FUNCTIONS[queue],
            args=(generation_id,),
            job_id=f"{queue}-{generation_id}-{version}",
            unique=True,
            timeout=_TIMEOUT_SECONDS[queue],
            result_ttl=0,
            failure_ttl=86_400,
        )
    except DuplicateJobError:
        log.debug("%s of %s version %s is queued already", queue, generation_id, version)


def enqueue_previews(redis: Connection) -> None:
    """Ask a worker that brings clips home to make previews instead, while no clip waits; Unreachable as ever."""
    Queue(DOWNLOAD, connection=redis).enqueue_call(
        "core.worker.previews.make_due", timeout=_PREVIEWS_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=86_400
    )


def length(redis: Connection, queue: str) -> int:
    """How many jobs wait in a queue. Raises Unreachable when Redis is away."""
    return Queue(queue, connection=redis).count


class _Worker(SimpleWorker):
    """Remembers that it was told to stop, since `work` returns in the same way when there is nothing to do."""

    is_told_to_stop = False

    def request_stop(self, signum: int | None, frame: FrameType | None) -> None:
        """RQ's handler of SIGTERM and SIGINT."""
        self.is_told_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # as RQ has it


def work(url: str, queue: str) -> bool:
    """Run one queue's jobs in this process until it is told to stop, or has rested for a while after a job.

    True for the latter: FFmpeg and its buffers have doubled the process by then, so whoever runs it may start it anew.
    One queue a worker: with several, RQ takes jobs with BLPOP and a kill right then loses one for good. An idle worker
    must wake often, or its maintenance (stuck jobs) waits minutes.
    """
    worker_connection = Redis.from_url(url, socket_connect_timeout=5, health_check_interval=30)
    while True:
        worker = _Worker(
            [Queue(queue, connection=worker_connection)],
            connection=worker_connection,
            maintenance_interval=30,
            worker_ttl=45,
            job_monitoring_interval=5,
        )
        try:
            has_worked = worker.work(logging_level="WARNING", max_jobs=1000, max_idle_time=REST_SECONDS)
        except Unreachable as away:  # whoever supervises starts it again; at the end of all, Redis may go first
            log.warning("Redis is away (%s); this worker ends", away)
            return False
        if worker.is_told_to_stop:
            return False
        if has_worked:
            return True
