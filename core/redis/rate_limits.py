"""Counters in Redis, shared by all processes: requests of an API token, and calls to a provider."""

import math
import time
from dataclasses import dataclass
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from core.redis.connection import connect, url_in_use
from core.redis.job_queue import log

COOLDOWN_SECONDS = 5.0
"""How long nobody is counted after Redis did not answer, so that an outage costs no request a timeout."""


@dataclass(frozen=True, slots=True)
class RateLimitState:
    """How many requests are left of `per_minute`, in how long all of them will be, and how long to wait if none is."""

    per_minute: int
    remaining: int
    full_in_seconds: int
    wait_seconds: float


def reserve_call(url: str, provider: str, per_second: float) -> float:
    """Book the next free moment for a call to a provider, shared by all workers; seconds until then.

    Calls are spaced evenly by Redis's own clock. Raises Unreachable when Redis is away.
    """
    wait = connect(url).eval(_RESERVE, 1, f"video-calls:{provider}", str(1 / per_second))
    return float(str(wait, "ascii") if isinstance(wait, bytes) else str(wait))


_RESERVE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.6f', at + ARGV[1]), 'EX', 600)
return string.format('%.6f', at - now)
"""


def is_enforced(url: str | None, per_minute: int) -> bool:
    """Whether `take` would ask Redis: there is a limit, a Redis, and it was not found away a moment ago."""
    where = url_in_use(url)
    return where is not None and per_minute > 0 and time.monotonic() >= _unavailable_until.get(where, 0.0)


def consume(url: str | None, key: str, per_minute: int) -> RateLimitState | None:
    """Count one request of `key`, evenly refilled, all of a minute at once at most; shared by all processes.

    None when nobody counts: without a limit (0), without Redis, and while it is away, which is logged once an outage.
    """
    where = url_in_use(url)
    if where is None or not is_enforced(url, per_minute):
        return None
    try:
        wait, full_in = _consume_script(where)(keys=[f"video-requests:{key}"], args=[per_minute])
    except RedisError as failure:
        if where not in _unavailable_until:
            log.warning("Requests are not counted: Redis does not answer (%s)", failure)
        _unavailable_until[where] = time.monotonic() + COOLDOWN_SECONDS
        return None
    _unavailable_until.pop(where, None)
    full_in_seconds = float(full_in)
    return RateLimitState(
        per_minute=per_minute,
        remaining=max(0, math.floor((60 - full_in_seconds) * per_minute / 60 + 0.001)),
        full_in_seconds=math.ceil(full_in_seconds),
        wait_seconds=float(wait),
    )


@lru_cache(maxsize=1)
def _consume_script(url: str) -> Script:
    """The script that counts, on a connection that gives up soon: somebody waits for an answer behind it."""
    quick = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    return quick.register_script(_CONSUME)


_unavailable_until: dict[str, float] = {}  # address -> when to ask it again, monotonic seconds


# A bucket as one moment (GCRA): when all would be there again. `wait` is above 0 when there was none to take.
_CONSUME = """
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
