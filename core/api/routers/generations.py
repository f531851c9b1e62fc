"""Generations over REST: order, look, cancel, retry, delete."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from core import db, errors
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import NOT_MODIFIED, RETRY_AFTER, leads_to, next_page, refuses
from core.api.routers import estimates
from core.api.routers.media import RequestLinks
from core.api.schemas import fields, requests, responses
from core.assets import library, made_from, mentions
from core.db import ReadSession
from core.db.enums import ENDED_STATUSES, Status
from core.db.tables import Generation
from core.files.findings import FindingKind
from core.generations import commands, queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.submit import Order, submit
from core.workspaces.access import Member

router = routing.router("generations")

POLL_SECONDS = 2
"""How often it is worth asking how a generation goes."""


def _is_empty(names: Sequence[object]) -> bool:
    return not names


class NamedReferences(responses.ApiModel):
    """What came into an order by a name in its prompt."""

    name: Annotated[str, Field(examples=["mira"])]
    references: Annotated[
        list[responses.ReferenceShape],
        Field(examples=[[{"filePath": "images/ab/abcdef.jpg", "kind": "image", "role": "subject"}]]),
    ]


class Ordered(responses.ApiModel):
    """A generation that was just ordered.

    `used` are names in the prompt (`@mira`) that brought references; `leftAsText` are others, which the model reads as
    they stand. Each is there only where the prompt has such names.
    """

    id: fields.Id
    status: Status
    credit_used: fields.Credits
    used: Annotated[list[NamedReferences], Field(exclude_if=_is_empty)]
    left_as_text: Annotated[list[str], Field(exclude_if=_is_empty, examples=[["@somebody"]])]

    @classmethod
    def of(cls, session: ReadSession, rows: Sequence[Generation]) -> list[Self]:
        """The shapes of rows."""
        names = made_from.names_of(session, rows)
        return [
            cls(
                id=row.id,
                status=row.status,
                credit_used=row.credits,
                used=[
                    NamedReferences(name=name, references=[responses.ReferenceShape.of(each) for each in brought])
                    for name, brought in names.get(row.id, {}).items()
                ],
                left_as_text=list(dict.fromkeys(f"@{left.name}" for left in mentions.find(row.prompt))),
            )
            for row in rows
        ]


class OrderedAnswer(responses.Response):
    """A generation was ordered."""

    generation: Ordered
    message: Annotated[str, Field(examples=["3,250 credits are reserved."])]


class ClipsAnswer(responses.Response):
    """A page of generations; `nextCursor` asks for the next one."""

    generations: list[responses.Clip]
    next_cursor: fields.TextOrNull


class ClipAnswer(responses.Response):
    """One generation."""

    generation: responses.Clip
    message: Annotated[str, Field(examples=["Cancelled; 3,250 credits were returned."])]


class ClipWithHistoryAnswer(responses.Response):
    """One generation with timeline and receipt."""

    generation: responses.ClipDetails


class Progress(responses.ApiModel):
    """Status of a generation; `progress` is a percentage, 100 only when completed."""

    id: fields.Id
    status: Status
    progress: fields.Percent
    video_url: fields.TextOrNull
    thumbnail_url: fields.TextOrNull
    error_code: fields.TextOrNull
    error_message: fields.TextOrNull

    @classmethod
    def of(cls, snapshot: queries.StatusSnapshot, link: responses.Link) -> Self:
        """The shape of where a generation stands."""
        done = snapshot.status is Status.COMPLETED
        wrong = responses.has_error(snapshot)
        return cls(
            id=snapshot.id,
            status=snapshot.status,
            progress=responses.percent(snapshot),
            video_url=link(snapshot.output_key) if done else None,
            thumbnail_url=link(snapshot.thumbnail_key) if done else None,
            error_code=snapshot.error_code if wrong else None,
            error_message=snapshot.error_message if wrong else None,
        )


class ProgressAnswer(responses.Response):
    """Status of a generation."""

    status: Progress


@router.post(
    "/generate",
    status_code=202,
    response_model=OrderedAnswer,
    responses=refuses(402, 404, 409)
    | idempotency.says_so(
        202,
        {
            "links": leads_to(
                "getGeneration",
                "getGenerationStatus",
                "downloadGeneration",
                "cancelGeneration",
                "retryGeneration",
                "deleteGeneration",
                id_at="generation/id",
            )
        },
    ),
)
def generate(
    member: CurrentMember,
    installation: CurrentInstallation,
    body: requests.GenerateBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Order a clip; its price is reserved now and charged on completion.

    `@name` in the prompt is a character, product or style of the workspace (`/asset-groups`): its assets go along as
    references, and the model reads words that it understands in its place. `\\@name` is text.
    """
    order = order_of(body)
    with db.write_session() as session:
        row = submit(
            session,
            member,
            order,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            idempotency_key=idempotency_key,
            extends_id=body.extends_id,
        )
        if not row.replayed and body.expected_credits not in (None, row.credits):
            raise errors.PriceChanged  # which takes the order back
        return _ordered(session, row)


@router.get("/generations", responses=refuses(404) | {200: {"links": next_page("listGenerations")}})
def list_generations(
    member: CurrentMember, link: RequestLinks, query: Annotated[requests.GenerationsQuery, Query()]
) -> ClipsAnswer:
    """List generations, newest first by default, a page at a time."""
    with db.read_session() as session:
        filters = filter_of(session, member, query)
    with db.read_connection() as connection:
        page = queries.list_page(connection, member, filters, cursor=query.cursor, limit=query.limit)
    return ClipsAnswer(generations=responses.clips(page.rows, link), next_cursor=page.next_cursor)


def filter_of(session: ReadSession, member: Member, query: requests.GenerationsQuery) -> ListFilter:
    """The filter that a query string asks for; NotFound for an asset that they do not see."""
    file = None if query.asset_id is None else library.get(session, member, query.asset_id).storage_key
    return ListFilter(
        project_id=query.project_id,
        statuses=tuple(query.status),
        model_id=query.model_id,
        provider=query.provider,
        text=query.text,
        since=query.since,
        until=query.until,
        favourite=query.favourite,
        verdict=None if query.kept is None else _verdict(query.kept),
        reject_reason=query.reject_reason,
        error_code=query.error_code,
        opened=query.opened,
        tag=query.tag,
        made_from=file,
        findings=tuple(FindingKind) if "any" in query.finding else tuple(map(FindingKind, query.finding)),
        oldest_first=query.oldest_first,
    )


@router.get("/generations/{id}", responses=refuses(404))
def get_generation(member: CurrentMember, generation_id: PathId, link: RequestLinks) -> ClipWithHistoryAnswer:
    """Get a generation with timeline and receipt."""
    with db.read_session() as session:
        row = queries.get(session, member, generation_id)
        return _whole(session, member, row, link)


@router.patch("/generations/{id}", responses=refuses(404, 409))
def change_generation(
    member: CurrentMember, generation_id: PathId, link: RequestLinks, body: requests.GenerationChanges
) -> ClipWithHistoryAnswer:
    """Mark a generation as favourite, keep or reject it, tag it, or move it to another project.

    What a moved generation cost stays with the project it was charged in.
    """
    changes = review.Changes(
        favourite=body.favourite,
        verdict=ReviewStatus.of(body.kept) if "kept" in body.model_fields_set else None,
        reject_reason=body.reject_reason,
        tags=body.tags,
        project_id=body.project_id,
    )
    with db.write_session() as session:
        row = review.update(session, member, generation_id, changes)
        return _whole(session, member, row, link)


@router.get(
    "/generations/{id}/status",
    response_model=ProgressAnswer,
    responses=refuses(404) | {200: {"headers": RETRY_AFTER}, 304: NOT_MODIFIED | {"headers": RETRY_AFTER}},
)
def get_generation_status(member: CurrentMember, generation_id: PathId, link: RequestLinks) -> Response:
    """Get the status of a generation.

    While it has not ended, `Retry-After` says in how many seconds to ask again.
    """
    with db.read_connection() as connection:
        snapshot = queries.status_snapshot(connection, member, generation_id)
    hint = {} if snapshot.status in ENDED_STATUSES else {"Retry-After": str(POLL_SECONDS)}
    return routing.written(ProgressAnswer(status=Progress.of(snapshot, link)), headers=hint)


@router.post("/generations/{id}/cancel", responses=refuses(404, 409))
def cancel_generation(member: CurrentMember, generation_id: PathId, link: RequestLinks) -> ClipAnswer:
    """Cancel a generation: free while it is pending, later only if the provider can stop it."""
    with db.write_session() as session:
        row = commands.cancel(session, member, generation_id)
    message = (
        f"Cancelled; {row.credits:,} credits were returned."
        if row.status is Status.CANCELLED
        else "The provider is being asked to stop it; its status will tell."
    )
    return ClipAnswer(generation=responses.Clip.of(row, link), message=message)


@router.post(
    "/generations/{id}/retry",
    status_code=202,
    response_model=OrderedAnswer,
    responses=refuses(402, 404, 409, 413, 422)
    | idempotency.says_so(202, {"links": leads_to("getGenerationStatus", id_at="generation/id")}),
)
def retry_generation(
    member: CurrentMember,
    installation: CurrentInstallation,
    generation_id: PathId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Order a failed or cancelled generation again, at today's price, as a new one.

    While a retry of it is under way, a further one orders nothing and is answered by that one.
    """
    with db.write_session() as session:
        row = commands.retry(
            session,
            member,
            generation_id,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            idempotency_key=idempotency_key,
        )
        return _ordered(session, row)


@router.delete("/generations/{id}", responses=refuses(404, 409))
def delete_generation(member: CurrentMember, generation_id: PathId) -> responses.Response:
    """Delete a finished generation.

    Its files are removed soon after; its charges stay on record.
    """
    with db.write_session() as session:
        commands.delete(session, member, generation_id)
    return responses.Response()


def _verdict(kept: bool | Literal["undecided"]) -> ReviewStatus:
    return ReviewStatus.UNDECIDED if kept == "undecided" else ReviewStatus.of(kept)


def _whole(session: ReadSession, member: Member, row: Generation, link: responses.Link) -> ClipWithHistoryAnswer:
    details, tags = queries.details(session, row), review.tags_of(session, member, row.id)
    return ClipWithHistoryAnswer(generation=responses.ClipDetails.with_history(row, details, tags, link))


def order_of(body: requests.OrderBody) -> Order:
    """What is ordered by a body; without `duration` it is the default of the model."""
    default = {}
    if body.duration_seconds is None:
        default["duration_seconds"] = estimates.known_model(body.model_id).default_seconds
    return Order(body.project_id, body.spec(**default))


def _ordered(session: ReadSession, row: Generation) -> Response:
    [ordered] = Ordered.of(session, [row])
    answer = OrderedAnswer(
        generation=ordered,
        message=f"{row.credits:,} credits are reserved. Ask /generations/{row.id}/status how it goes.",
    )
    return routing.written(answer, status=202, headers=idempotency.headers(replayed=row.replayed))
