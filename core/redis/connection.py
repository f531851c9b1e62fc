"""Connections to Redis, and where it is: as configured, or the one the app has started itself."""

from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

Unreachable = RedisError


@lru_cache(maxsize=1)
def connect(url: str) -> Redis:
    """A connection pool to Redis that reports an outage at once instead of retrying inside a call."""
    return Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=10, retry=Retry(NoBackoff(), 0), health_check_interval=30
    )


def ping(url: str) -> bool:
    """Whether Redis answers."""
    try:
        return bool(connect(url).ping())
    except RedisError:
        return False


def set_local_url(url: str | None) -> None:
    """Say where the Redis is that the app has brought along itself; None when that has ended."""
    _local_url.clear()
    if url is not None:
        _local_url.append(url)


def url_in_use(configured: str | None) -> str | None:
    """Where Redis is: as configured, else the one the app has brought; None when there is none."""
    return configured or (_local_url[0] if _local_url else None)


_local_url: list[str] = []
