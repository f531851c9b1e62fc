"""Counters in Redis, shared by all processes: requests of an API token, and calls to a provider."""

import math
import time
from dataclasses import dataclass
from functools import cached_property

from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from core.redis.connection import Connection
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


def reserve_call(redis: Connection, provider: str, per_second: float) -> float:
    """Book the next free moment for a call to a provider, shared by all workers; seconds until then.

    Calls are spaced evenly by Redis's own clock. Raises Unreachable when Redis is away.
    """
    wait = redis.eval(_RESERVE, 1, f"video-calls:{provider}", str(1 / per_second))
    return float(str(wait, "ascii") if isinstance(wait, bytes) else str(wait))


def booked_seconds(redis: Connection, provider: str) -> float:
    """In how many seconds a call to a provider could be booked, which this does not. Raises as `reserve_call`."""
    wait = redis.eval(_BOOKED, 1, f"video-calls:{provider}")
    return float(str(wait, "ascii") if isinstance(wait, bytes) else str(wait))


# The next free moment, and when it was booked: a booking from the future was made before the clock was set back.
_NEXT_FREE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local booked, asked = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) ?(%S*)$')
local at = now
if booked and now >= (tonumber(asked) or now) - 1 then
  at = math.max(now, tonumber(booked))
end
"""
_BOOKED = f"{_NEXT_FREE} return string.format('%.6f', at - now)"
_RESERVE = f"""{_NEXT_FREE}
redis.call('SET', KEYS[1], string.format('%.6f %.6f', at + ARGV[1], now), 'EX', 600)
return string.format('%.6f', at - now)
"""


class RateLimiter:
    """Counts requests by key, evenly refilled, all of a minute at once at most; shared by all processes.

    Nobody counts without a limit (0), without Redis, and while it is away, which is logged once an outage.
    """

    def __init__(self, url: str | None, per_minute: int) -> None:
        self._url = url
        self._per_minute = per_minute
        self._ask_again_at = 0.0  # monotonic seconds; after an outage was met
        self._is_away = False

    @property
    def is_enforced(self) -> bool:
        """Whether `consume` would ask Redis: there is a limit, a Redis, and it was not found away a moment ago."""
        return self._url is not None and self._per_minute > 0 and time.monotonic() >= self._ask_again_at

    def consume(self, key: str) -> RateLimitState | None:
        """Count one request of `key`; None when nobody counts."""
        if not self.is_enforced:
            return None
        try:
            wait, full_in = self._script(keys=[f"video-requests:{key}"], args=[self._per_minute])
        except RedisError as failure:
            if not self._is_away:
                log.warning("Requests are not counted: Redis does not answer (%s)", failure)
            self._is_away, self._ask_again_at = True, time.monotonic() + COOLDOWN_SECONDS
            return None
        self._is_away, self._ask_again_at = False, 0.0
        full_in_seconds = float(full_in)
        return RateLimitState(
            per_minute=self._per_minute,
            remaining=max(0, math.floor((60 - full_in_seconds) * self._per_minute / 60 + 0.001)),
            full_in_seconds=math.ceil(full_in_seconds),
            wait_seconds=float(wait),
        )

    @cached_property
    def _script(self) -> Script:
        """The script that counts, on a connection that gives up soon: somebody waits for an answer behind it."""
        quick = Redis.from_url(self._url or "", socket_connect_timeout=0.5, socket_timeout=0.5, retry=_NO_RETRY)
        return quick.register_script(_CONSUME)


_NO_RETRY = Retry(NoBackoff(), 0)


# A bucket as one moment (GCRA): when all would be there again. `wait` is above 0 when there was none to take.
_CONSUME = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local each = 60 / tonumber(ARGV[1])
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
if full_at > now + 60 + each then
  full_at = now  -- no bucket takes so long: the clock was set back
end
local wait = full_at + each - now - 60
if wait > 0.000001 then
  return {string.format('%.6f', wait), string.format('%.6f', full_at - now)}
end
redis.call('SET', KEYS[1], string.format('%.6f', full_at + each), 'EX', 61)
return {'0', string.format('%.6f', full_at + each - now)}
"""
