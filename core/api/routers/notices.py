"""What you were told, over REST: your own inbox."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import next_page, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import NoticeKind
from core.notifications import inbox
from core.notifications.inbox import Told

router = routing.router("notices")


class NoticesQuery(requests.Query):
    """Which notices, and which page of them."""

    unread: bool = False
    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = inbox.PAGE_SIZE


class NoticeChanges(requests.Body):
    """Whether it was read."""

    read: bool


class NoticeShape(responses.ApiModel):
    """Something you were told; `workspaceId` is null for what is about you or the installation.

    `generationId` is the clip to look at and null where you do not see it any more; `clipCount` is of how many clips it
    speaks, which were ordered with one press.
    """

    id: fields.Id
    kind: NoticeKind
    title: Annotated[str, Field(examples=["40 clips are finished: Spring campaign"])]
    body: fields.TextOrNull
    workspace_id: fields.TextOrNull
    project_id: fields.TextOrNull
    generation_id: fields.TextOrNull
    clip_count: Annotated[int, Field(examples=[40])]
    told_at: datetime
    read_at: fields.MomentOrNull

    @classmethod
    def of(cls, told: Told) -> Self:
        """The shape of a notice."""
        return cls(
            id=told.id,
            kind=told.kind,
            title=str(told.title),
            body=None if told.body is None else str(told.body),
            workspace_id=told.workspace_id,
            project_id=told.project_id,
            generation_id=told.generation_id,
            clip_count=told.clip_count,
            told_at=told.told_at,
            read_at=told.read_at,
        )


class NoticesAnswer(responses.Response):
    """A page of notices, newest first; `nextCursor` asks for the next one."""

    notices: list[NoticeShape]
    next_cursor: fields.TextOrNull


class NoticeAnswer(responses.Response):
    """One notice."""

    notice: NoticeShape


class ReadAnswer(responses.Response):
    """How many had not been read."""

    read_count: Annotated[int, Field(examples=[3])]


@router.get("/notices", responses=refuses(404) | {200: {"links": next_page("listNotices")}})
def list_notices(member: CurrentMember, query: Annotated[NoticesQuery, Query()]) -> NoticesAnswer:
    """List what you were told, newest first; with a token of one workspace what belongs there."""
    with db.read_session() as session:
        found = inbox.list_page(session, member, is_unread=query.unread, before_id=query.cursor, limit=query.limit + 1)
    page = found[: query.limit]
    cursor = page[-1].id if len(found) > query.limit else None
    return NoticesAnswer(notices=[NoticeShape.of(each) for each in page], next_cursor=cursor)


@router.patch("/notices/{id}", responses=refuses(404, 409))
def change_notice(member: CurrentMember, notice_id: PathId, body: NoticeChanges) -> NoticeAnswer:
    """Note that you have read a notice, or that you want to read it once more."""
    with db.write_session() as session:
        return NoticeAnswer(notice=NoticeShape.of(inbox.mark_read(session, member, notice_id, is_read=body.read)))


@router.post("/notices/read")
def read_notices(member: CurrentMember) -> ReadAnswer:
    """Note that you have read all of them."""
    with db.write_session() as session:
        return ReadAnswer(read_count=inbox.mark_all_read(session, member))
