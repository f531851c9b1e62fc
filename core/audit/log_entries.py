"""Reads the log of administrative acts, for administrators: a page at a time, newest first, by what people look for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, literal, select, tuple_

from core import errors, ids, normal_form
from core.audit_log import acts
from core.db import ReadSession
from core.db.tables import AuditLogEntry, Workspace
from core.db.types import UtcDateTime
from core.messages import Message, message
from core.workspaces.access import Member
from core.workspaces.permissions import Action

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
CURSOR_PATTERN = r"([0-9]{1,17})-([0-9]{1,18})"
_CURSOR = re.compile(CURSOR_PATTERN)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which entries: what is None or empty narrows nothing; `since` is included, `until` is not.

    `actor` is a person's id, the address they had, or the name of a part of the system. `noun` is what was acted upon,
    such as `token`, `action` one act of it. `text` stands in the name of who acted or of what was acted upon.
    """

    actor: str = ""
    noun: str = ""
    action: str = ""
    workspace_id: str = ""
    target_id: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an entry in the order of all; what a page begins behind."""

    at: datetime
    id: int

    @classmethod
    def of_cursor(cls, cursor: str) -> Self:
        """The place that a cursor stands for; InvalidRequest for a text that is none."""
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise errors.InvalidRequest(fields={"cursor": message("cursor_unusable")})
        return cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))

    @property
    def cursor(self) -> str:
        """It as a text that people and programs hand back."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.id}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry and what its workspace is called today; empty for none, or one that is gone."""

    entry: AuditLogEntry
    workspace: str

    @property
    def said(self) -> Message:
        """What was done, as a sentence."""
        return acts.said_of_kept(self.entry.action, self.entry.before, self.entry.after)

    @property
    def place(self) -> Place:
        """Where it stands among all."""
        return Place(self.entry.at, self.entry.id)


def page(
    session: ReadSession, member: Member, chosen: LogQuery, *, behind: Place | None = None, limit: int
) -> Sequence[LogLine]:
    """The next entries behind a place, from the beginning without one; Forbidden for who may not read the log."""
    member.require(Action.READ_AUDIT_LOG)
    query = select(AuditLogEntry).where(*_conditions(chosen)).limit(limit)
    here = tuple_(AuditLogEntry.at, AuditLogEntry.id)
    if chosen.oldest_first:
        query = query.order_by(AuditLogEntry.at, AuditLogEntry.id)
    else:
        query = query.order_by(AuditLogEntry.at.desc(), AuditLogEntry.id.desc())
    if behind is not None:
        there = tuple_(literal(behind.at, UtcDateTime()), behind.id)
        query = query.where(here > there if chosen.oldest_first else here < there)
    entries = session.scalars(query).all()
    wanted = {entry.workspace_id for entry in entries}
    rows = session.execute(select(Workspace.id, Workspace.name).where(Workspace.id.in_(wanted)))
    names = {row.id: row.name for row in rows}
    return [LogLine(entry, names.get(entry.workspace_id or "", "")) for entry in entries]


def workspace_names(session: ReadSession, member: Member, *, limit: int = 500) -> dict[str, str]:
    """Id and name of the workspaces to choose from, by name; Forbidden for who may not read the log."""
    member.require(Action.READ_AUDIT_LOG)
    rows = session.execute(select(Workspace.id, Workspace.name).order_by(Workspace.name_key, Workspace.id).limit(limit))
    return {row.id: row.name for row in rows}


def told_after(session: ReadSession, *wanted: acts.Act) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What each entry of these acts says of its target afterwards, oldest first: (target's id, values).

    As long as it is kept. For checks of the installation's own, not for people: it asks nobody who they are.
    """
    told = select(AuditLogEntry.target_id, AuditLogEntry.after).where(
        AuditLogEntry.action.in_([act.value for act in wanted])
    )
    for target_id, after in session.execute(told.order_by(AuditLogEntry.id)):
        yield str(target_id), after or {}


def _conditions(chosen: LogQuery) -> list[ColumnElement[bool]]:
    actor = AuditLogEntry.actor_id if ids.is_id(chosen.actor) else AuditLogEntry.actor
    by_column = (
        (actor, chosen.actor),
        (AuditLogEntry.noun, chosen.noun),
        (AuditLogEntry.action, chosen.action),
        (AuditLogEntry.workspace_id, chosen.workspace_id),
        (AuditLogEntry.target_id, chosen.target_id),
    )
    found = [column == value for column, value in by_column if value]
    if wanted := chosen.text.strip():
        found.append(AuditLogEntry.search_key.contains(normal_form.normal(wanted), autoescape=True))
    if chosen.since is not None:
        found.append(AuditLogEntry.at >= chosen.since)
    if chosen.until is not None:
        found.append(AuditLogEntry.at < chosen.until)
    return found
