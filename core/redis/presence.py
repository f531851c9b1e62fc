"""Which parts of the workers are there: each says so in Redis under a name that expires if it does not say so again."""

from enum import StrEnum

from core.redis.connection import Connection

LIFETIME_SECONDS = 8
"""How long a part counts as there after it last said so: a page tells it within 15 s, with its looks and ours."""


class Role(StrEnum):
    """The parts without which work stands still, as `worker.py` names them; any process of a role stands for it."""

    DISPATCHER = "dispatcher"
    SUBMIT = "submit"
    COLLECT = "collect"


def announce(redis: Connection, role: Role) -> None:
    """Say that a process of this role works. Raises Unreachable when Redis is away."""
    redis.set(_key(role), "1", ex=LIFETIME_SECONDS)


def present(redis: Connection) -> frozenset[Role]:
    """The roles of which some process works. Raises Unreachable when Redis is away."""
    found = redis.mget([_key(role) for role in Role])
    return frozenset(role for role, said in zip(Role, found, strict=True) if said)


def _key(role: Role) -> str:
    return f"video-present:{role}"


def join(redis: Connection, name: str) -> tuple[int, int]:
    """Say that this process is one of the dispatchers; its place among those that are there, from 0, and how many.

    Who does not say so again is taken out after `LIFETIME_SECONDS`. Raises Unreachable when Redis is away.
    """
    there = sorted(_text(found) for found in redis.eval(_JOIN, 1, _DISPATCHERS, name, LIFETIME_SECONDS))
    return there.index(name), len(there)


def leave(redis: Connection, name: str) -> None:
    """Say that it ends. Raises Unreachable when Redis is away."""
    redis.zrem(_DISPATCHERS, name)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


_DISPATCHERS = "video-dispatchers"

# By Redis's own clock; who said so in the future did it before the clock was set back.
_JOIN = """
local time = redis.call('TIME')
local now, lasts = time[1] + time[2] / 1000000, tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - lasts)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 1, '+inf')
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], lasts)
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
