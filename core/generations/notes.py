"""Notes on a clip, at a moment of it where one is given: its workspace reads them, makers write and change their own.

A note's person is shown as they are called when it is read. Texts are texts: whoever shows them escapes them.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from core import db, errors, validation
from core.db import Reader, ReadSession, WriteSession, update_where
from core.db.tables import ClipNote, Generation, User
from core.messages import message
from core.workspaces.access import Member, visible_to
from core.workspaces.permissions import Action
from core.workspaces.profiles import Profile, person_name

TEXT_LIMIT_CHARS = 2000
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it is read; `at_seconds` is None for one about all of the clip, `is_own` whose reader may change it."""

    id: str
    text: str
    at_seconds: float | None
    writer: Profile
    is_own: bool
    created_at: datetime
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class NotePage:
    """One keyset page, oldest first; `next_cursor` is None on the last."""

    notes: Sequence[Note]
    next_cursor: str | None


def list_page(
    session: ReadSession, member: Member, generation_id: str, *, cursor: str | None = None, limit: int = PAGE_SIZE
) -> NotePage:
    """The notes on a clip, oldest first; NotFound for a clip that the member does not see."""
    _clip(session, member, generation_id)
    query = _NOTES.where(ClipNote.generation_id == generation_id, ClipNote.deleted_at.is_(None))
    if cursor is not None:
        query = query.where(ClipNote.id > cursor)
    found = session.execute(query.order_by(ClipNote.id).limit(limit + 1)).all()
    notes = [_note(row, member) for row in found[:limit]]
    return NotePage(notes, notes[-1].id if len(found) > limit else None)


def count(session: ReadSession, member: Member, generation_id: str) -> int:
    """How many notes there are on a clip; NotFound for one that the member does not see."""
    _clip(session, member, generation_id)
    query = select(func.count()).where(ClipNote.generation_id == generation_id, ClipNote.deleted_at.is_(None))
    return session.scalar(query) or 0


def counts(session: Reader, generation_ids: Collection[str]) -> Mapping[str, int]:
    """Generation -> how many notes there are on it, of those with any; the caller may see all of them."""
    if not generation_ids:
        return {}
    return {row.generation_id: row.number for row in session.execute(_COUNTS, {"ids": list(generation_ids)})}


def add(
    session: WriteSession, member: Member, generation_id: str, *, text: str, at_seconds: float | None = None
) -> Note:
    """Write a note.

    NotFound for a clip that the member does not see, Forbidden where they may not write, InvalidRequest for a text or
    moment that cannot be used.
    """
    clip = _clip(session, member, generation_id)
    member.require(Action.EDIT, clip.workspace_id)
    row = ClipNote(
        generation_id=clip.id,
        user_id=member.id,
        text=_checked_text(text),
        at_seconds=_checked_moment(clip, at_seconds),
        created_at=db.now(session),
    )
    session.add(row)
    session.flush()
    return get(session, member, clip.id, row.id)


def edit(session: WriteSession, member: Member, generation_id: str, note_id: str, *, text: str) -> Note:
    """Write a note of one's own anew. NotFound for others and deleted ones, Forbidden and InvalidRequest as `add`."""
    clip = _clip(session, member, generation_id)
    member.require(Action.EDIT, clip.workspace_id)
    text = _checked_text(text)
    _change_own(session, member, clip, note_id, text=text, edited_at=db.now(session))
    return get(session, member, clip.id, note_id)


def delete(session: WriteSession, member: Member, generation_id: str, note_id: str) -> None:
    """Take back a note of one's own. NotFound for others and deleted ones, Forbidden as `add`."""
    clip = _clip(session, member, generation_id)
    member.require(Action.EDIT, clip.workspace_id)
    _change_own(session, member, clip, note_id, deleted_at=db.now(session))


def get(session: ReadSession, member: Member, generation_id: str, note_id: str) -> Note:
    """A note on a clip that the member sees; else NotFound."""
    clip = _clip(session, member, generation_id)
    found = session.execute(_NOTES.where(*_is(clip, note_id))).first()
    if found is None:
        raise errors.NotFound(message("note_not_found"))
    return _note(found, member)


_COUNTS = (
    select(ClipNote.generation_id, func.count().label("number"))
    .where(ClipNote.generation_id.in_(bindparam("ids", expanding=True)), ClipNote.deleted_at.is_(None))
    .group_by(ClipNote.generation_id)
)

# Columns and no entity: what another statement of the session has just changed is read as it is.
_NOTES = select(
    ClipNote.id,
    ClipNote.text,
    ClipNote.at_seconds,
    ClipNote.user_id,
    person_name(User).label("name"),
    User.email,
    ClipNote.created_at,
    ClipNote.edited_at,
).join(User, User.id == ClipNote.user_id)


def _note(row: Any, member: Member) -> Note:
    return Note(
        id=row.id,
        text=row.text,
        at_seconds=row.at_seconds,
        writer=Profile(row.user_id, row.name, row.email),
        is_own=row.user_id == member.id,
        created_at=row.created_at,
        edited_at=row.edited_at,
    )


def _clip(session: ReadSession, member: Member, generation_id: str) -> Generation:
    query = select(Generation).where(
        visible_to(Generation, member), Generation.deleted_at.is_(None), Generation.id == generation_id
    )
    row = session.scalar(query)
    if row is None:
        raise errors.NotFound(message("generation_not_found"))
    return row


def _change_own(session: WriteSession, member: Member, clip: Generation, note_id: str, **values: Any) -> None:
    if not update_where(session, ClipNote, *_is(clip, note_id), ClipNote.user_id == member.id, **values):
        raise errors.NotFound(message("note_not_found"))


def _is(clip: Generation, note_id: str) -> tuple[ColumnElement[bool], ...]:
    return (ClipNote.id == note_id, ClipNote.generation_id == clip.id, ClipNote.deleted_at.is_(None))


def _checked_text(text: str) -> str:
    text = text.strip()
    if not text:
        raise errors.InvalidRequest(fields={"text": message("note_is_empty")})
    if wrong := validation.text_error(text, limit_chars=TEXT_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"text": wrong})
    return text


def _checked_moment(clip: Generation, at_seconds: float | None) -> float | None:
    """Within the clip: as long as its file was measured, else as it was ordered."""
    if at_seconds is None:
        return None
    length = float((clip.output_facts or {}).get("duration_seconds") or clip.duration_seconds)
    if not (math.isfinite(at_seconds) and 0 <= at_seconds <= length):
        raise errors.InvalidRequest(fields={"atSeconds": message("note_beyond_clip", seconds=length)})
    return at_seconds
