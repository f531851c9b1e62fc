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
