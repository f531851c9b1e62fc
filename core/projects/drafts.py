"""What a person has written in a form of a workspace and not sent: kept, so that it outlives connection and process.

It is kept as it stands in the form and checked by whoever takes it up again; nothing is ordered from here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, null, select, true

from core.clock import utc_now
from core.db import ReadSession, WriteSession, types, update_where
from core.db.tables import Draft
from core.workspaces.access import Member
from core.workspaces.permissions import Action

LIMIT_CHARS = 100_000
"""A draft of more JSON than this is not kept: a person has pasted a book, and every change would write it anew."""


def find(session: ReadSession, member: Member, form: str) -> Draft | None:
    """What the person has written in a form; None when there is nothing."""
    return session.scalar(select(Draft).where(*_of(member, form)))


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft that was kept, at what time; and when what another session had written was written, if that is aside."""

    at: datetime
    set_aside_at: datetime | None


def save(
    session: WriteSession,
    member: Member,
    form: str,
    content: Mapping[str, Any],
    *,
    written_by: str,
    based_on: datetime | None = None,
) -> Saved | None:
    """Keep what is written in a form in place of what was kept; `written_by` is the browser session that shows it.

    `based_on` is when what that session knows of was written. What another one has written since is set aside, in the
    same statement, and can be taken back. None, and nothing changed, where it is too long to be kept. Forbidden for who
    may not order there.
    """
    member.require(Action.ORDER)
    if len(json.dumps(content)) > LIMIT_CHARS:
        return None
    now = utc_now()
    values = {"content": dict(content), "written_by": written_by, "updated_at": now}
    is_unknown = true() if based_on is None else Draft.updated_at != based_on
    aside = {
        "set_aside": case((is_unknown, Draft.content), else_=Draft.set_aside),
        "set_aside_at": case((is_unknown, Draft.updated_at), else_=Draft.set_aside_at),
    }
    set_aside_at = session.execute(
        types.insert(session, Draft)
        .values(workspace_id=member.workspace_id, user_id=member.id, form=form, **values)
        .on_conflict_do_update(index_elements=["user_id", "workspace_id", "form"], set_=values | aside)
        .returning(Draft.set_aside_at)
    ).scalar_one()
    return Saved(now, set_aside_at)


def take_over(session: WriteSession, member: Member, form: str, *, written_by: str) -> None:
    """Note that another browser session shows the draft as it is; when it was written stays."""
    update_where(session, Draft, *_of(member, form), written_by=written_by)


def take_back(session: WriteSession, member: Member, form: str, *, written_by: str) -> Draft | None:
    """Put what was set aside in the place of the draft, which is set aside for it; None where nothing is."""
    member.require(Action.ORDER)
    swapped = update_where(
        session,
        Draft,
        *_of(member, form),
        Draft.set_aside_at.is_not(None),
        content=Draft.set_aside,
        set_aside=Draft.content,
        set_aside_at=Draft.updated_at,
        updated_at=utc_now(),
        written_by=written_by,
    )
    return session.scalar(select(Draft).where(*_of(member, form))) if swapped else None


def put_aside(session: WriteSession, member: Member, form: str, content: Mapping[str, Any]) -> datetime | None:
    """Set aside what a tab had written and could not tell in time, while the draft, which is newer, stays.

    When that was; None where there is no draft, or it is too long to be kept. Forbidden for who may not order there.
    """
    member.require(Action.ORDER)
    now = utc_now()
    if len(json.dumps(content)) > LIMIT_CHARS:
        return None
    put = update_where(session, Draft, *_of(member, form), set_aside=dict(content), set_aside_at=now)
    return now if put else None


def leave_aside(session: WriteSession, member: Member, form: str) -> None:
    """Forget what was set aside."""
    update_where(session, Draft, *_of(member, form), set_aside=null(), set_aside_at=None)


def _of(member: Member, form: str) -> tuple[ColumnElement[bool], ...]:
    """A draft is its person's alone, whoever else is in the workspace."""
    return Draft.user_id == member.id, Draft.workspace_id == member.workspace_id, Draft.form == form
