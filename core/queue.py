"""RQ and Redis: the doorbell and the muscle, never the truth; the only module of core that knows them.

Everything in Redis can be lost at any moment: the dispatcher rebuilds it from the table.
"""

import logging
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError

log = logging.getLogger(__name__)

SUBMIT = "video-submit"
COLLECT = "video-collect"
_FUNCTIONS = {SUBMIT: "core.jobs.submit", COLLECT: "core.jobs.collect"}
_TIMEOUT_SECONDS = {SUBMIT: 180, COLLECT: 3600}

Unreachable = RedisError


@lru_cache(maxsize=1)
def connection(url: str) -> Redis:
    """A connection pool to Redis that reports an outage at once instead of retrying inside a call."""
    return Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=10, retry=Retry(NoBackoff(), 0), health_check_interval=30
    )


def ping(url: str) -> bool:
    """Whether Redis answers."""
    try:
        return bool(connection(url).ping())
    except RedisError:
        return False


def enqueue(url: str, queue: str, generation_id: str, version: int) -> None:
    """Ask a worker to run the queue's function on a generation; once per generation and version.

    Raises Unreachable when Redis is away.
    """
    try:
        Queue(queue, connection=connection(url)).enqueue_call(
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


def length(url: str, queue: str) -> int:
    """How many jobs wait in a queue. Raises Unreachable when Redis is away."""
    return Queue(queue, connection=connection(url)).count


def reserve_call(url: str, provider: str, per_second: float) -> float:
    """Book the next free moment for a call to a provider, shared by all workers; seconds until then.

    Calls are spaced evenly by Redis's own clock. Raises Unreachable when Redis is away.
    """
    wait = connection(url).eval(_RESERVE, 1, f"video-calls:{provider}", str(1 / per_second))
    return float(str(wait, "ascii") if isinstance(wait, bytes) else str(wait))


_RESERVE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.6f', at + ARGV[1]), 'EX', 600)
return string.format('%.6f', at - now)
"""


def work(url: str, queue: str) -> None:
    """Run one queue's jobs in this process until it is told to stop.

    One queue a worker: with several, RQ takes jobs with BLPOP and a kill right then loses one for good. An idle
    worker must wake often, or its maintenance (stuck jobs) waits minutes.
    """
    worker_connection = Redis.from_url(url, socket_connect_timeout=5, health_check_interval=30)
    worker = SimpleWorker(
        [Queue(queue, connection=worker_connection)],
        connection=worker_connection,
        maintenance_interval=30,
        worker_ttl=45,
        job_monitoring_interval=5,
    )
    worker.work(logging_level="WARNING", max_jobs=1000)
