"""Live steps of a person's generations, as server-sent events (WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from anyio import to_thread
from fastapi import Depends, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.routers import event_hub
from core.api.schemas import fields, responses
from core.db.enums import Stage, Status
from core.generations import timeline
from core.generations.timeline import Step
from core.workspaces.access import Member

router = routing.router("generations")

RETRY_MILLISECONDS = 2000
HEARTBEAT_SECONDS = 15.0
LIFETIME_SECONDS = 600.0
"""A stream ends after this and is taken up again by the client, so that a revoked token does not listen for ever."""

RESUME_SPAN = 20_000
"""How many steps of the installation a client can have missed and still be told its own of them."""


AppStatus.enable_automatic_graceful_drain = False
"""The hub ends the streams, each after its last whole event; the library would cut them off in the middle."""


class LiveStep(responses.ApiModel):
    """The data of an event of type `generation`: a step, and the percentage done by now."""

    id: fields.Id
    status: Status
    stage: Stage
    progress: fields.Percent
    what: str
    at: datetime

    @classmethod
    def of(cls, step: Step) -> Self:
        """The shape of a step."""
        return cls(
            id=step.generation_id,
            status=step.status,
            stage=step.stage,
            progress=responses.percent(step),
            what=step.what,
            at=step.at,
        )


class EventStream(EventSourceResponse):
    """Server-sent events to one subscription, cut off with it."""

    def __init__(self, content: AsyncIterator[ServerSentEvent], subscription: event_hub.Subscription) -> None:
        super().__init__(content, sep="\n", ping=HEARTBEAT_SECONDS, ping_message_factory=_heartbeat)
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or until a client that does not read is given up."""
        with self._subscription.scope:
            await super().__call__(scope, receive, send)


async def _subscription(request: Request, member: CurrentMember) -> AsyncIterator[event_hub.Subscription]:
    async with request.app.state.hub.subscribe(member) as subscription:
        yield subscription


StepId = Annotated[int | None, Query(alias="lastEventId", ge=0, lt=2**63, description="As Last-Event-ID.")]
StepIdHeader = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, lt=2**63, description="The id of the last event that arrived.")
]
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get("/generations/events", response_class=StreamingResponse, responses=_DOCUMENT)
async def listen_to_generations(
    member: CurrentMember,
    subscription: Annotated[event_hub.Subscription, Depends(_subscription)],
    in_query: StepId = None,
    in_header: StepIdHeader = None,
) -> EventStream:
    """Stream the progress of your generations as server-sent events.

    It begins now, or after the last event that arrived.

    An event has the type `generation`, the id of the step, and `{id, status, stage, progress, what, at}`. The type
    `reload` says that too much was missed: ask for the list again. The stream ends now and then; take it up again with
    Last-Event-ID, as browsers do by themselves.
    """
    return EventStream(_events(member, subscription, in_header if in_header is not None else in_query), subscription)


@router.head("/generations/events", include_in_schema=False)
async def would_listen() -> Response:
    """What listening would answer with, without the stream that does not end."""
    return Response(media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(
    member: Member, subscription: event_hub.Subscription, last_id: int | None
) -> AsyncIterator[ServerSentEvent]:
    """The stream: what was missed, then what comes, each step once and in order."""
    yield ServerSentEvent(retry=RETRY_MILLISECONDS, sep="\n")
    if last_id is None:
        last_id = subscription.start_id
    elif abs(subscription.start_id - last_id) > RESUME_SPAN:
        last_id = subscription.start_id
        yield _event(last_id, "reload", "{}")
    while last_id < subscription.start_id and (
        missed := await to_thread.run_sync(_missed, member, last_id, subscription.start_id)
    ):
        for step in missed:
            yield _event(step.id, "generation", LiveStep.of(step).model_dump_json(by_alias=True))
        last_id = missed[-1].id
    clock = asyncio.get_running_loop()
    end = clock.time() + LIFETIME_SECONDS
    while not subscription.ended and clock.time() < end:
        following = await subscription.next(end - clock.time())
        if following is not None and following.id > last_id:
            last_id = following.id
            yield _event(last_id, "generation", LiveStep.of(following).model_dump_json(by_alias=True))


def _missed(member: Member, after_id: int, until_id: int) -> Sequence[Step]:
    with db.read_session() as session:
        return timeline.of_member(session, member, after_id=after_id, until_id=until_id)


def _event(id: int, kind: str, data: str) -> ServerSentEvent:
    return ServerSentEvent(data, event=kind, id=str(id), sep="\n")


def _heartbeat() -> ServerSentEvent:
    return ServerSentEvent(comment="still here", sep="\n")
