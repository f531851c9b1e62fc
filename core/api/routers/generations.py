"""Generations over REST: order, look, cancel, retry, delete."""

from typing import Annotated, Literal, Self

from fastapi import Header, Query
from starlette.responses import Response

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentUser, PathId
from core.api.http.installed import CurrentInstallation
from core.api.routers import estimates
from core.api.routers.media import RequestLinks
from core.api.schemas import requests, responses
from core.db import ReadSession
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation, User
from core.generations import commands, queries, review
from core.generations.queries import ReviewStatus
from core.generations.submit import Order, submit

router = routing.router("generations")

POLL_SECONDS = 2
"""How often it is worth asking how a generation goes."""

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="New for each request; a repeat with the same key orders nothing."),
]


class Ordered(responses.ApiModel):
    """A generation just ordered."""

    id: str
    status: Status
    credit_used: int

    @classmethod
    def of(cls, row: Generation) -> Self:
        """The shape of a row."""
        return cls(id=row.id, status=row.status, credit_used=row.credits)


class OrderedAnswer(responses.Response):
    """A generation was ordered."""

    generation: Ordered
    message: str


class ClipsAnswer(responses.Response):
    """A page of generations; `nextCursor` asks for the next one."""

    generations: list[responses.Clip]
    next_cursor: str | None


class ClipAnswer(responses.Response):
    """One generation."""

    generation: responses.Clip
    message: str


class ClipWithHistoryAnswer(responses.Response):
    """One generation with all that can be told."""

    generation: responses.ClipDetails


class Progress(responses.ApiModel):
    """Where a generation stands; `progress` is a percentage, 100 only when completed."""

    id: str
    status: Status
    progress: int
    video_url: str | None
    thumbnail_url: str | None
    error_code: str | None
    error_message: str | None

    @classmethod
    def of(cls, standing: queries.StatusSnapshot, link: responses.Link) -> Self:
        """The shape of where a generation stands."""
        done = standing.status is Status.COMPLETED
        wrong = responses.has_error(standing)
        return cls(
            id=standing.id,
            status=standing.status,
            progress=responses.percent(standing),
            video_url=link(standing.output_key) if done else None,
            thumbnail_url=link(standing.thumbnail_key) if done else None,
            error_code=standing.error_code if wrong else None,
            error_message=standing.error_message if wrong else None,
        )


class ProgressAnswer(responses.Response):
    """Where a generation stands."""

    status: Progress


@router.post("/generate", status_code=202)
def generate(
    person: CurrentUser,
    installation: CurrentInstallation,
    body: requests.GenerateBody,
    idempotency_key: IdempotencyKey = None,
) -> OrderedAnswer:
    """Order a clip: its price is reserved now and charged when the clip is here."""
    order = order_of(body)
    with db.write_session() as session:
        row = submit(
            session,
            person,
            order,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            idempotency_key=idempotency_key,
            extends_id=body.extends_id,
        )
    return _ordered(row)


@router.get("/generations")
def list_generations(
    person: CurrentUser, link: RequestLinks, query: Annotated[requests.GenerationsQuery, Query()]
) -> ClipsAnswer:
    """Generations, newest first unless asked otherwise, a page at a time."""
    chosen = queries.ListFilter(
        project_id=query.project_id,
        statuses=tuple(query.status),
        model_id=query.model_id,
        provider=query.provider,
        text=query.text,
        since=query.since,
        until=query.until,
        favourite=query.favourite,
        verdict=None if query.kept is None else _verdict(query.kept),
        tag=query.tag,
        oldest_first=query.oldest_first,
    )
    with db.read_connection() as connection:
        page = queries.list_page(connection, person, chosen, cursor=query.cursor, limit=query.limit)
    return ClipsAnswer(generations=responses.clips(page.rows, link), next_cursor=page.next_cursor)


@router.get("/generations/{id}")
def get_generation(person: CurrentUser, generation_id: PathId, link: RequestLinks) -> ClipWithHistoryAnswer:
    """All that can be told of a generation, with its timeline and its receipt."""
    with db.read_session() as session:
        row = queries.get(session, person, generation_id)
        return _whole(session, person, row, link)


@router.patch("/generations/{id}")
def change_generation(
    person: CurrentUser, generation_id: PathId, link: RequestLinks, body: requests.GenerationChanges
) -> ClipWithHistoryAnswer:
    """Mark a clip as a favourite, keep or reject it, tag it, move it to another project.

    What a moved clip cost stays with the project it was charged in.
    """
    changes = review.Changes(
        favourite=body.favourite,
        verdict=ReviewStatus.of(body.kept) if "kept" in body.model_fields_set else None,
        tags=body.tags,
        project_id=body.project_id,
    )
    with db.write_session() as session:
        row = review.update(session, person, generation_id, changes)
        return _whole(session, person, row, link)


@router.get("/generations/{id}/status", response_model=ProgressAnswer)
def get_status(person: CurrentUser, generation_id: PathId, link: RequestLinks) -> Response:
    """Where a generation stands; while it has not ended, `Retry-After` says in how many seconds to ask again."""
    with db.read_connection() as connection:
        standing = queries.status_snapshot(connection, person, generation_id)
    hint = {} if standing.status in ENDED_STATUSES else {"Retry-After": str(POLL_SECONDS)}
    return routing.written(ProgressAnswer(status=Progress.of(standing, link)), headers=hint)


@router.post("/generations/{id}/cancel")
def cancel(person: CurrentUser, generation_id: PathId, link: RequestLinks) -> ClipAnswer:
    """Cancel: free while it is pending; afterwards a wish, where the provider can stop a job at all."""
    with db.write_session() as session:
        row = commands.cancel(session, person, generation_id)
    message = (
        f"Cancelled; {row.credits:,} credits were returned."
        if row.status is Status.CANCELLED
        else "The provider is being asked to stop it; its status will tell."
    )
    return ClipAnswer(generation=responses.Clip.of(row, link), message=message)


@router.post("/generations/{id}/retry", status_code=202)
def retry(
    person: CurrentUser,
    installation: CurrentInstallation,
    generation_id: PathId,
    idempotency_key: IdempotencyKey = None,
) -> OrderedAnswer:
    """Order a failed or cancelled one again, at today's price, as a new generation."""
    with db.write_session() as session:
        row = commands.retry(
            session,
            person,
            generation_id,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            idempotency_key=idempotency_key,
        )
    return _ordered(row)


@router.delete("/generations/{id}")
def delete(person: CurrentUser, generation_id: PathId) -> responses.Response:
    """Take an ended generation out of sight; its files follow, its charges stay on record."""
    with db.write_session() as session:
        commands.delete(session, person, generation_id)
    return responses.Response()


def _verdict(kept: bool | Literal["undecided"]) -> ReviewStatus:
    return ReviewStatus.UNDECIDED if kept == "undecided" else ReviewStatus.of(kept)


def _whole(session: ReadSession, person: User, row: Generation, link: responses.Link) -> ClipWithHistoryAnswer:
    story, tags = queries.details(session, row), review.tags_of(session, person, row.id)
    return ClipWithHistoryAnswer(generation=responses.ClipDetails.with_history(row, story, tags, link))


def order_of(body: requests.OrderBody) -> Order:
    """What is ordered by a body; without `duration` it is the default of the model."""
    default = {}
    if body.duration_seconds is None:
        default["duration_seconds"] = estimates.known_model(body.model_id).default_seconds
    return Order(body.project_id, body.spec(**default))


def _ordered(row: Generation) -> OrderedAnswer:
    return OrderedAnswer(
        generation=Ordered.of(row),
        message=f"{row.credits:,} credits are reserved. Ask /generations/{row.id}/status how it goes.",
    )
