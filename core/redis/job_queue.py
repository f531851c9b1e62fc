"""RQ and Redis: the doorbell and the muscle, never the truth; the only module of core that knows them.

Everything in Redis can be lost at any moment: the dispatcher rebuilds it from the table.
"""

import logging
import math
import time
from dataclasses import dataclass
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DuplicateJobError

log = logging.getLogger(__name__)

SUBMIT = "video-submit"
COLLECT = "video-collect"
_FUNCTIONS = {SUBMIT: "core.worker.tasks.submit", COLLECT: "core.worker.tasks.collect"}
_TIMEOUT_SECONDS = {SUBMIT: 180, COLLECT: 3600}
_PREVIEWS_TIMEOUT_SECONDS = 300

Unreachable = RedisError


AWAY_SECONDS = 5.0
"""How long nobody is counted after Redis did not answer, so that an outage costs no request a timeout."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests are left of `per_minute`, in how long all of them will be, and how long to wait if none is."""

    per_minute: int
    remaining: int
    full_in_seconds: int
    wait_seconds: float


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


def enqueue_previews(url: str) -> None:
    """Ask a worker that brings clips home to make previews instead, while no clip waits; Unreachable as ever."""
    Queue(COLLECT, connection=connection(url)).enqueue_call(
        "core.worker.previews.make_due", timeout=_PREVIEWS_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=86_400
    )


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


def bring(url: str | None) -> None:
    """Say where the Redis is that the app has brought along itself; None when that has ended."""
    _brought.clear()
    if url is not None:
        _brought.append(url)


def address(configured: str | None) -> str | None:
    """Where Redis is: as configured, else the one the app has brought; None when there is none."""
    return configured or (_brought[0] if _brought else None)


def counts(url: str | None, per_minute: int) -> bool:
    """Whether `take` would ask Redis: there is a limit, a Redis, and it was not found away a moment ago."""
    where = address(url)
    return where is not None and per_minute > 0 and time.monotonic() >= _away_until.get(where, 0.0)


def take(url: str | None, key: str, per_minute: int) -> Allowance | None:
    """Count one request of `key`, evenly refilled, all of a minute at once at most; shared by all processes.

    None when nobody counts: without a limit (0), without Redis, and while it is away, which is logged once an outage.
    """
    where = address(url)
    if where is None or not counts(url, per_minute):
        return None
    try:
        wait, full_in = _taking(where)(keys=[f"video-requests:{key}"], args=[per_minute])
    except RedisError as failure:
        if where not in _away_until:
            log.warning("Requests are not counted: Redis does not answer (%s)", failure)
        _away_until[where] = time.monotonic() + AWAY_SECONDS
        return None
    _away_until.pop(where, None)
    full_in_seconds = float(full_in)
    return Allowance(
        per_minute=per_minute,
        remaining=max(0, math.floor((60 - full_in_seconds) * per_minute / 60 + 0.001)),
        full_in_seconds=math.ceil(full_in_seconds),
        wait_seconds=float(wait),
    )


@lru_cache(maxsize=1)
def _taking(url: str) -> Script:
    """The script that counts, on a connection that gives up soon: somebody waits for an answer behind it."""
    quick = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    return quick.register_script(_TAKE)


_brought: list[str] = []
_away_until: dict[str, float] = {}  # address -> when to ask it again, monotonic seconds

# A bucket as one moment (GCRA): when all would be there again. `wait` is above 0 when there was none to take.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local each = 60 / tonumber(ARGV[1])
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local wait = full_at + each - now - 60
if wait > 0.000001 then
  return {string.format('%.6f', wait), string.format('%.6f', full_at - now)}
end
redis.call('SET', KEYS[1], string.format('%.6f', full_at + each), 'EX', 61)
return {'0', string.format('%.6f', full_at + each - now)}
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
