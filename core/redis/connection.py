"""Connections to Redis."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

Connection = Redis
Unreachable = RedisError


def connect(url: str) -> Connection:
    """A connection pool to Redis that reports an outage at once instead of retrying inside a call."""
    return Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=10, retry=Retry(NoBackoff(), 0), health_check_interval=30
    )


def ping(redis: Connection) -> bool:
    """Whether Redis answers."""
    try:
        return bool(redis.ping())
    except RedisError:
        return False
