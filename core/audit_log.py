"""Writes down administrative acts, each in its own transaction; rows are appended here and changed nowhere.

Who acts is said by the service that does it; from where, by the door that let them in (`acting_from`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from core import security_log
from core.db import WriteSession
from core.db.tables import AuditLogEntry, User

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act comes from: a client's address, and the request it came with."""

    address: str = ""
    request_id: str | None = None


_origin: ContextVar[Origin] = ContextVar("_origin", default=Origin())  # noqa: B039 -- frozen


@contextmanager
def acting_from(address: str, request_id: str | None = None) -> Iterator[None]:
    """Let what is written down in the block say from where it was done; for doors only."""
    token = _origin.set(Origin(address[:64], request_id))
    try:
        yield
    finally:
        _origin.reset(token)


def record(
    session: WriteSession,
    actor: User | None,
    action: str,
    *,
    target: str = "",
    target_id: str | None = None,
    workspace_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append one act to the log: it is there exactly if what it tells of is committed.

    `actor` None is the system itself. `action` is `noun.verb`, such as `member.added`; `target` is what people call
    what was acted upon, at that moment. `before` and `after` are JSON, without secrets.
    """
    origin = _origin.get()
    who = SYSTEM if actor is None else actor.email
    session.add(
        AuditLogEntry(
            actor_id=None if actor is None else actor.id,
            actor=who,
            address=origin.address,
            request_id=origin.request_id,
            action=action,
            target=target[:300],
            target_id=target_id,
            workspace_id=workspace_id,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )
    session.flush()
    security_log.note(session, action, actor=who, about=target_id or target)
