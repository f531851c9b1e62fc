"""What a person has written in a form of a workspace and not sent: kept, so that it outlives connection and process.

It is kept as it stands in the form and checked by whoever takes it up again; nothing is ordered from here.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

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


def save(session: WriteSession, member: Member, form: str, content: Mapping[str, Any], *, written_by: str) -> bool:
    """Keep what is written in a form in place of what was kept; `written_by` is the browser session that shows it.

    False, and nothing changed, where it is too long to be kept. Forbidden for who may not order there.
    """
    member.require(Action.ORDER)
    if len(json.dumps(content)) > LIMIT_CHARS:
        return False
    values = {"content": dict(content), "written_by": written_by, "updated_at": utc_now()}
    session.execute(
        types.insert(session, Draft)
        .values(workspace_id=member.workspace_id, user_id=member.id, form=form, **values)
        .on_conflict_do_update(index_elements=["user_id", "workspace_id", "form"], set_=values)
    )
    return True


def take_over(session: WriteSession, member: Member, form: str, *, written_by: str) -> None:
    """Note that another browser session shows the draft as it is; when it was written stays."""
    update_where(session, Draft, *_of(member, form), written_by=written_by)


def _of(member: Member, form: str) -> tuple[ColumnElement[bool], ...]:
    """A draft is its person's alone, whoever else is in the workspace."""
    return Draft.user_id == member.id, Draft.workspace_id == member.workspace_id, Draft.form == form
