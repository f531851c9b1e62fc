"""Deleted clips that can be brought back, over REST."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query

from core import db, installation
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.db.tables import Generation
from core.generations import trash

router = routing.router("generations")


class TrashQuery(requests.Query):
    """Which page of it."""

    cursor: requests.Word = ""
    limit: requests.PageSize = 100


class TrashedClip(responses.ApiModel):
    """A deleted clip; from `goneAt` on it cannot be brought back."""

    id: fields.Id
    project_id: fields.Id
    model_id: str
    prompt: str
    deleted_at: datetime
    gone_at: datetime

    @classmethod
    def of(cls, row: Generation, *, days: int) -> Self:
        """The shape of a deleted clip."""
        assert row.deleted_at is not None, "it is in the trash"  # noqa: S101 -- for the type checker
        return cls(
            id=row.id,
            project_id=row.project_id,
            model_id=row.model_id,
            prompt=row.prompt,
            deleted_at=row.deleted_at,
            gone_at=trash.gone_at(row, days=days),
        )


class TrashAnswer(responses.Response):
    """A page of deleted clips, newest deletion first; `nextCursor` asks for the next one."""

    clips: list[TrashedClip]
    next_cursor: fields.TextOrNull


class BroughtBack(responses.Response):
    """A clip that is out of the trash."""

    id: fields.Id


@router.get("/trash", responses=refuses(403, 404))
def list_trash(member: CurrentMember, query: Annotated[TrashQuery, Query()]) -> TrashAnswer:
    """List deleted clips of the workspace that can be brought back, for who may delete there.

    They are kept for `TRASH_DAYS` days; without that setting there are none.
    """
    days = installation.current().settings.trash_days
    with db.read_session() as session:
        found = trash.page(session, member, days=days, before_id=query.cursor or None, limit=query.limit + 1)
    page = found[: query.limit]
    return TrashAnswer(
        clips=[TrashedClip.of(row, days=days) for row in page],
        next_cursor=page[-1].id if len(found) > query.limit else None,
    )


@router.post("/generations/{id}/restore", responses=refuses(403, 404, 409))
def bring_back(member: CurrentMember, generation_id: PathId) -> BroughtBack:
    """Take a deleted clip out of the trash again; 404 once it is gone for good, 409 for one that was not deleted."""
    days = installation.current().settings.trash_days
    with db.write_session() as session:
        trash.bring_back(session, member, [generation_id], days=days)
    return BroughtBack(id=generation_id)
