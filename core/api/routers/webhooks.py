"""Webhooks over REST: addresses to be told at, their secrets, and what was delivered."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import Field, model_validator

from core import db
from core.api.http import auth, routing
from core.api.http.auth import CurrentUser, PathId
from core.api.schemas import requests, responses
from core.db.enums import DeliveryState, DisabledReason, Status
from core.db.tables import WebhookDelivery, WebhookEndpoint
from core.installation import current
from core.notifications import outbox, webhooks

router = routing.router("webhooks")
outgoing = routing.router("webhooks")
"""What is sent, for the OpenAPI document; nothing here is served."""


Events = Annotated[
    list[str],
    Field(json_schema_extra={"minItems": 1, "items": {"type": "string", "enum": [*outbox.EVENTS.values()]}}),
]
"""What the service takes; its refusal names what there is."""


class NewWebhook(requests.Body):
    """An address to be told at: https, and on the public internet; without `events` it is told all of them."""

    url: str
    description: str = ""
    events: Events | None = None


class WebhookChanges(requests.Body):
    """What to change of a webhook; what is absent or null stays."""

    url: str | None = None
    description: str | None = None
    events: Events | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.url is None and self.description is None and self.events is None and self.enabled is None:
            raise ValueError("Give at least one of: url, description, events, enabled.")
        return self


class DeliveriesQuery(requests.Query):
    """Which page of the deliveries."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 50


class Webhook(responses.ApiModel):
    """An address that is told when a generation ends; `failingSince` is the first failure after the last success."""

    id: str
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: WebhookEndpoint) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            url=row.url,
            description=row.description,
            events=list(outbox.events_in_order(row.events)),
            enabled=row.disabled_at is None,
            disabled_at=row.disabled_at,
            disabled_reason=row.disabled_reason,
            failing_since=row.failing_since,
            created_at=row.created_at,
        )


class Delivery(responses.ApiModel):
    """One event on its way to one webhook; `eventId` is what the receiver gets as webhook-id."""

    id: str
    event_id: str
    event: str
    generation_id: str | None
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: WebhookDelivery) -> Self:
        """The shape of a row."""
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class WebhooksAnswer(responses.Response):
    """All webhooks."""

    webhooks: list[Webhook]


class WebhookAnswer(responses.Response):
    """One webhook."""

    webhook: Webhook


class SecretAnswer(WebhookAnswer):
    """A webhook and its new signing secret, which is not shown again."""

    secret: str


class DeliveryAnswer(responses.Response):
    """A delivery just begun."""

    delivery: Delivery


class DeliveriesAnswer(responses.Response):
    """A page of deliveries, newest first; `nextCursor` asks for the next one."""

    deliveries: list[Delivery]
    next_cursor: str | None


class SentLinks(responses.ApiModel):
    """Paths below this installation's address; they ask for a token. `download` is there once there is a clip."""

    generation: str
    download: str | None = None


class SentData(responses.ApiModel):
    """A generation as events tell it; `creditsCharged` is 0 unless it is completed."""

    id: str
    project_id: str
    status: Status
    provider: str
    model_id: str
    credit_used: int
    credits_charged: int
    error_code: str | None
    error_message: str | None
    retry_of: str | None
    created_at: datetime
    ended_at: datetime | None
    links: SentLinks


class SentEvent(responses.ApiModel):
    """What is sent; `timestamp` is when it happened, the same in every attempt."""

    type: str
    timestamp: datetime
    data: SentData


def _told(body: SentEvent) -> None:
    """Sent when a generation gets this status, signed as Standard Webhooks 1.0.0 says.

    Verify `webhook-signature` over `webhook-id`, `webhook-timestamp` and the body with the secret of the webhook. An
    event can come more than once, under the same webhook-id. Any answer of 200 to 299 within 15 seconds takes it; 410
    stops the webhook; anything else is tried again, ten times in about three days. The test event, `webhook.test`, is
    sent in the same way, with `{webhookId, message}` for data.
    """


for _event in outbox.EVENTS.values():
    outgoing.add_api_route(
        _event,
        _told,
        methods=["POST"],
        operation_id=_event.replace(".", "_"),
        status_code=204,
        responses={"default": {"description": "It is tried again"}},
    )


DeliveryId = Annotated[str, Path(alias="deliveryId"), auth.WellFormedId]


@router.get("/webhooks")
def list_webhooks(person: CurrentUser) -> WebhooksAnswer:
    """All of them, oldest first."""
    with db.read_session() as session:
        rows = webhooks.list_for_user(session, person)
    return WebhooksAnswer(webhooks=[Webhook.of(row) for row in rows])


@router.post("/webhooks", status_code=201)
def create_webhook(person: CurrentUser, body: NewWebhook) -> SecretAnswer:
    """Register an address. Events are signed with the secret as Standard Webhooks 1.0.0 says."""
    address = _checked(body.url)
    with db.write_session() as session:
        row = webhooks.create(session, person, address, description=body.description, events=body.events)
    return _with_secret(row)


@router.get("/webhooks/{id}")
def get_webhook(person: CurrentUser, webhook_id: PathId) -> WebhookAnswer:
    """One of them."""
    with db.read_session() as session:
        row = webhooks.get(session, person, webhook_id)
    return WebhookAnswer(webhook=Webhook.of(row))


@router.patch("/webhooks/{id}")
def change_webhook(person: CurrentUser, webhook_id: PathId, body: WebhookChanges) -> WebhookAnswer:
    """Change address, description or events, stop it or start it again."""
    with db.read_session() as session:
        webhooks.get(session, person, webhook_id)
    address = None if body.url is None else _checked(body.url)
    with db.write_session() as session:
        row = webhooks.update(
            session,
            person,
            webhook_id,
            address=address,
            description=body.description,
            events=body.events,
            enabled=body.enabled,
        )
    return WebhookAnswer(webhook=Webhook.of(row))


@router.delete("/webhooks/{id}")
def delete_webhook(person: CurrentUser, webhook_id: PathId) -> responses.Response:
    """Delete a webhook with the record of its deliveries."""
    with db.write_session() as session:
        webhooks.delete(session, person, webhook_id)
    return responses.Response()


@router.post("/webhooks/{id}/rotate")
def rotate_secret(person: CurrentUser, webhook_id: PathId) -> SecretAnswer:
    """Get a new secret; for a day everything is signed with the one before as well."""
    with db.write_session() as session:
        row = webhooks.rotate(session, person, webhook_id)
    return _with_secret(row)


@router.post("/webhooks/{id}/test", status_code=202)
def send_test(person: CurrentUser, webhook_id: PathId) -> DeliveryAnswer:
    """Send an event that means nothing, to see whether it arrives."""
    with db.write_session() as session:
        row = webhooks.send_test(session, person, webhook_id)
    return DeliveryAnswer(delivery=Delivery.of(row))


@router.get("/webhooks/{id}/deliveries")
def list_deliveries(
    person: CurrentUser, webhook_id: PathId, query: Annotated[DeliveriesQuery, Query()]
) -> DeliveriesAnswer:
    """What was and is to be delivered, newest first, a page at a time; kept for 30 days."""
    with db.read_session() as session:
        rows = webhooks.list_deliveries(session, person, webhook_id, before_id=query.cursor, limit=query.limit + 1)
    page = rows[: query.limit]
    return DeliveriesAnswer(
        deliveries=[Delivery.of(row) for row in page],
        next_cursor=page[-1].id if len(rows) > query.limit else None,
    )


@router.post("/webhooks/{id}/deliveries/{deliveryId}/replay", status_code=202)
def replay_delivery(person: CurrentUser, webhook_id: PathId, delivery_id: DeliveryId) -> DeliveryAnswer:
    """Deliver the event once more, under the same webhook-id."""
    with db.write_session() as session:
        row = webhooks.replay(session, person, webhook_id, delivery_id)
    return DeliveryAnswer(delivery=Delivery.of(row))


def _checked(url: str) -> webhooks.ValidUrl:
    return webhooks.validate_url(url, allow=current().settings.webhook_allow_hosts)


def _with_secret(row: WebhookEndpoint) -> SecretAnswer:
    return SecretAnswer(webhook=Webhook.of(row), secret=webhooks.secret(row, key=current().settings.secret_key))
