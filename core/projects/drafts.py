"""What a person has written in a form and not sent: kept for them, so that it outlives the connection and the process.

It is kept as it stands in the form and checked by whoever takes it up again; nothing is ordered from here.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from core.clock import utc_now
from core.db import ReadSession, WriteSession, types, update_where
from core.db.row_access import visible_to
from core.db.tables import Draft, User

LIMIT_CHARS = 100_000
"""A draft of more JSON than this is not kept: a person has pasted a book, and every change would write it anew."""


def find(session: ReadSession, user: User, form: str) -> Draft | None:
    """What the person has written in a form; None when there is nothing."""
    return session.scalar(select(Draft).where(visible_to(Draft, user), Draft.form == form))


def save(session: WriteSession, user: User, form: str, content: Mapping[str, Any], *, written_by: str) -> bool:
    """Keep what is written in a form in place of what was kept; `written_by` is the browser session that shows it.

    False, and nothing changed, where it is too long to be kept.
    """
    if len(json.dumps(content)) > LIMIT_CHARS:
        return False
    values = {"content": dict(content), "written_by": written_by, "updated_at": utc_now()}
    session.execute(
        types.insert(session, Draft)
        .values(user_id=user.id, form=form, **values)
        .on_conflict_do_update(index_elements=["user_id", "form"], set_=values)
    )
    return True


def take_over(session: WriteSession, user: User, form: str, *, written_by: str) -> None:
    """Note that another browser session shows the draft as it is; when it was written stays."""
    update_where(session, Draft, visible_to(Draft, user), Draft.form == form, written_by=written_by)
