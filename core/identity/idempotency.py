"""What a person's idempotency keys have made, for everything but orders, which carry their key themselves.

A key is kept for ever: a repeat that comes late is answered by what the first request made, or is a conflict.
"""

import hashlib

from sqlalchemy import select

from core import errors
from core.db import WriteSession
from core.db.tables import IdempotencyRecord, User
from core.identity import users
from core.messages import message

KEY_LIMIT_CHARS = 200


def check_key(key: str) -> None:
    """Return for a key that can be kept; else InvalidRequest."""
    if not key or len(key) > KEY_LIMIT_CHARS or not key.isprintable():
        raise errors.InvalidRequest(
            fields={"Idempotency-Key": message("idempotency_key_unusable", limit=KEY_LIMIT_CHARS)}
        )


def made_before(session: WriteSession, user: User, key: str | None, *, request: str) -> str | None:
    """The id of what this key has made; None for a new key, whose repeats wait until this session ends, and for none.

    `request` is the same for the same request. Raises InvalidRequest for a key that cannot be kept, IdempotencyConflict
    when it came with another request.
    """
    if key is None:
        return None
    check_key(key)
    users.lock(session, user.id)
    first = session.scalar(
        select(IdempotencyRecord).where(IdempotencyRecord.user_id == user.id, IdempotencyRecord.key == key)
    )
    if first is None:
        return None
    if first.request_hash != _hash(request):
        raise errors.IdempotencyConflict
    return first.made_id


def remember(session: WriteSession, user: User, key: str | None, *, request: str, made_id: str) -> None:
    """Keep what a new key has made, in the transaction that makes it; nothing without a key."""
    if key is None:
        return
    session.add(IdempotencyRecord(user_id=user.id, key=key, request_hash=_hash(request), made_id=made_id))
    session.flush()


def _hash(request: str) -> str:
    return hashlib.sha256(request.encode("utf-8", "replace")).hexdigest()
