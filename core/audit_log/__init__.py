"""Writes down administrative acts, each in its own transaction; rows are appended here and changed nowhere.

Who acts is said by the service that does it; from where, by the door that let them in (`acting_from`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from core import db, security_log
from core.audit_log.acts import Act, said
from core.db import WriteSession
from core.db.tables import AuditLogEntry, User

__all__ = ["COMMAND_LINE", "SYSTEM", "Act", "Origin", "act_from", "acting_from", "origin", "record", "record_export"]

SYSTEM = "system"
COMMAND_LINE = "command line"


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


def act_from(address: str, request_id: str | None = None) -> None:
    """The same for what follows in this thread; for a door whose threads each serve one client only."""
    _origin.set(Origin(address[:64], request_id))


def origin() -> Origin:
    """From where the present act comes."""
    return _origin.get()


def record(
    session: WriteSession,
    actor: User | str | None,
    action: Act | str,
    *,
    target: str = "",
    target_id: str | None = None,
    workspace_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append one act to the log: it is there exactly if what it tells of is committed.

    `actor` None is the system itself, a text the name of a part of it. `target` is what people call what was acted
    upon, at that moment. `before` and `after` are JSON, without secrets. ValueError for an action that is no `Act`, or
    whose sentence names a detail that is not in them.
    """
    act, where = Act(action), origin()
    said(act, before, after)
    who = actor.email if isinstance(actor, User) else actor or SYSTEM
    session.add(
        AuditLogEntry(
            actor_id=actor.id if isinstance(actor, User) else None,
            actor=who,
            address=where.address,
            request_id=where.request_id,
            noun=act.noun,
            action=act,
            target=target[:300],
            target_id=target_id,
            workspace_id=workspace_id,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )
    session.flush()
    security_log.note(session, act, actor=who, about=target_id or target)


def record_export(actor: User, *, what: str, workspace_id: str | None = None, **details: str | int) -> None:
    """Append that somebody takes data away, before they have it, in a transaction of its own: the rest only reads.

    `what` names the data, such as `usage`; `workspace_id` is None for what is of several workspaces.
    """
    with db.write_session() as session:
        record(session, actor, Act.EXPORT_MADE, target=what, workspace_id=workspace_id, after=details)
