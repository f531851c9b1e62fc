"""Notes on a clip over REST."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import auth, idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import next_page, refuses
from core.api.schemas import fields, requests, responses
from core.generations import notes
from core.generations.notes import Note
from core.identity import idempotency as keys

router = routing.router("generations")

Text = Annotated[str, Field(min_length=1, max_length=notes.TEXT_LIMIT_CHARS, examples=["The horizon tilts here."])]
NoteId = Annotated[str, Path(alias="noteId", json_schema_extra=auth.ID_SCHEMA), auth.WellFormedId]


class NewNote(requests.Body):
    """A note to write, at a moment of the clip or about all of it."""

    text: Text
    at_seconds: Annotated[float | None, Field(ge=0, allow_inf_nan=False, examples=[2.5])] = None


class NoteChanges(requests.Body):
    """The note anew."""

    text: Text


class NotesQuery(requests.Query):
    """Which page of the notes."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = notes.PAGE_SIZE


class NoteShape(responses.ApiModel):
    """A note; `name` is its writer's as it is now, `mine` says whether you may change it."""

    id: fields.Id
    text: Text
    at_seconds: float | None
    user_id: fields.Id
    name: Annotated[str, Field(examples=["Ana Wijaya"])]
    mine: bool
    created_at: datetime
    edited_at: fields.MomentOrNull

    @classmethod
    def of(cls, note: Note) -> Self:
        """The shape of a note."""
        return cls(
            id=note.id,
            text=note.text,
            at_seconds=note.at_seconds,
            user_id=note.writer.id,
            name=note.writer.name,
            mine=note.is_own,
            created_at=note.created_at,
            edited_at=note.edited_at,
        )


class NotesAnswer(responses.Response):
    """A page of notes, oldest first; `nextCursor` asks for the next one."""

    notes: list[NoteShape]
    next_cursor: fields.TextOrNull


class NoteAnswer(responses.Response):
    """One note."""

    note: NoteShape


@router.get("/generations/{id}/notes", responses=refuses(404) | {200: {"links": next_page("listNotes")}})
def list_notes(member: CurrentMember, generation_id: PathId, query: Annotated[NotesQuery, Query()]) -> NotesAnswer:
    """List the notes on a clip, oldest first."""
    with db.read_session() as session:
        page = notes.list_page(session, member, generation_id, cursor=query.cursor, limit=query.limit)
    return NotesAnswer(notes=[NoteShape.of(note) for note in page.notes], next_cursor=page.next_cursor)


@router.post(
    "/generations/{id}/notes",
    status_code=201,
    response_model=NoteAnswer,
    responses=refuses(404, 409) | idempotency.says_so(201, {}),
)
def create_note(
    member: CurrentMember, generation_id: PathId, body: NewNote, idempotency_key: IdempotencyKey = None
) -> Response:
    """Write a note on a clip; all of its workspace read it.

    A repeat tells the note as it is by then; 404 when it was deleted.
    """
    request = f"note\n{generation_id}\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            note = notes.add(session, member, generation_id, text=body.text, at_seconds=body.at_seconds)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=note.id)
        else:
            note = notes.get(session, member, generation_id, made_id)
    answer = NoteAnswer(note=NoteShape.of(note))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.patch("/generations/{id}/notes/{noteId}", responses=refuses(404, 409))
def change_note(member: CurrentMember, generation_id: PathId, note_id: NoteId, body: NoteChanges) -> NoteAnswer:
    """Write a note of yours anew; it is marked as edited."""
    with db.write_session() as session:
        note = notes.edit(session, member, generation_id, note_id, text=body.text)
    return NoteAnswer(note=NoteShape.of(note))


@router.delete("/generations/{id}/notes/{noteId}", responses=refuses(404, 409))
def delete_note(member: CurrentMember, generation_id: PathId, note_id: NoteId) -> responses.Response:
    """Take back a note of yours."""
    with db.write_session() as session:
        notes.delete(session, member, generation_id, note_id)
    return responses.Response()
