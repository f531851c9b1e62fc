"""Connections to Redis."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.redaction import shown_address

Connection = Redis
Unreachable = RedisError


def connect(url: str) -> Connection:
    """A connection pool to Redis that reports an outage at once instead of retrying inside a call."""
    return Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=10, retry=Retry(NoBackoff(), 0), health_check_interval=30
    )


def address_error(url: str) -> str | None:
    """What is wrong with an address, whether or not anybody answers there; None when it can be used."""
    try:
        connect(url).connection_pool.make_connection()
    except (TypeError, ValueError) as wrong:
        return f"'{shown_address(url)}' cannot be used: {wrong}"
    return None


def ping(redis: Connection) -> bool:
    """Whether Redis answers."""
    try:
        return bool(redis.ping())
    except RedisError:
        return False
