"""Webhooks over REST: addresses, their secrets, and what was delivered."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import auth, idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import DeliveryState, DisabledReason
from core.db.tables import WebhookDelivery, WebhookEndpoint
from core.identity import idempotency as keys
from core.installation import current
from core.notifications import outbox, webhooks
from core.workspaces.permissions import Action

router = routing.router("webhooks")

Events = Annotated[
    list[str],
    Field(json_schema_extra={"minItems": 1, "items": {"type": "string", "enum": [*outbox.ALL_EVENTS]}}),
]
"""What the service takes; its refusal names what there is."""


class NewWebhook(requests.Body):
    """An address to send events to: https, on the public internet; all events unless `events` names some."""

    url: str
    description: str = ""
    events: Events | None = None


class WebhookChanges(requests.Changes):
    """What to change of a webhook; what is absent or null stays."""

    url: str | None = None
    description: str | None = None
    events: Events | None = None
    enabled: bool | None = None


class DeliveriesQuery(requests.Query):
    """Which page of the deliveries."""

    cursor: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    limit: requests.PageSize = 50


class Webhook(responses.ApiModel):
    """An address that events are sent to; `failingSince` is the first failure after the last success."""

    id: fields.Id
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

    id: fields.Id
    event_id: str
    event: str
    generation_id: fields.Id | None
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

    secret: Annotated[str, Field(examples=["whsec_3vQx9LmT…"])]


class DeliveryAnswer(responses.Response):
    """A delivery that was just started."""

    delivery: Delivery


class DeliveriesAnswer(responses.Response):
    """A page of deliveries, newest first; `nextCursor` asks for the next one."""

    deliveries: list[Delivery]
    next_cursor: fields.TextOrNull


DeliveryId = Annotated[str, Path(alias="deliveryId"), auth.WellFormedId]


@router.get("/webhooks")
def list_webhooks(member: CurrentMember) -> WebhooksAnswer:
    """List webhooks, oldest first."""
    with db.read_session() as session:
        rows = webhooks.list_for_workspace(session, member)
    return WebhooksAnswer(webhooks=[Webhook.of(row) for row in rows])


@router.post(
    "/webhooks",
    status_code=201,
    response_model=SecretAnswer,
    responses=refuses(404, 409)
    | idempotency.says_so(
        201,
        {
            "links": leads_to(
                "getWebhook",
                "changeWebhook",
                "rotateSecret",
                "sendTest",
                "listDeliveries",
                "deleteWebhook",
                id_at="webhook/id",
            )
        },
    ),
)
def create_webhook(member: CurrentMember, body: NewWebhook, idempotency_key: IdempotencyKey = None) -> Response:
    """Register a webhook.

    Events are signed with its secret as Standard Webhooks 1.0.0 says. A repeat tells the webhook and its secret as they
    are by then; 404 when it was deleted.
    """
    member.require(Action.USE_WEBHOOKS)  # before a name is looked up for them
    address, request = _checked(body.url), f"webhook\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            row = webhooks.create(
                session,
                member,
                address,
                key=current().settings.secret_key,
                description=body.description,
                events=body.events,
            )
            keys.remember(session, member.user, idempotency_key, request=request, made_id=row.id)
        else:
            row = webhooks.get(session, member, made_id)
    headers = idempotency.headers(replayed=made_id is not None)
    return routing.written(_with_secret(row), status=201, headers=headers)


@router.get("/webhooks/{id}", responses=refuses(404))
def get_webhook(member: CurrentMember, webhook_id: PathId) -> WebhookAnswer:
    """Get a webhook."""
    with db.read_session() as session:
        row = webhooks.get(session, member, webhook_id)
    return WebhookAnswer(webhook=Webhook.of(row))


@router.patch("/webhooks/{id}", responses=refuses(404, 409))
def change_webhook(member: CurrentMember, webhook_id: PathId, body: WebhookChanges) -> WebhookAnswer:
    """Change the address, description or events of a webhook, disable or enable it."""
    with db.read_session() as session:
        webhooks.get(session, member, webhook_id)
    address = None if body.url is None else _checked(body.url)
    with db.write_session() as session:
        row = webhooks.update(
            session,
            member,
            webhook_id,
            address=address,
            description=body.description,
            events=body.events,
            enabled=body.enabled,
        )
    return WebhookAnswer(webhook=Webhook.of(row))


@router.delete("/webhooks/{id}", responses=refuses(404, 409))
def delete_webhook(member: CurrentMember, webhook_id: PathId) -> responses.Response:
    """Delete a webhook and the record of its deliveries."""
    with db.write_session() as session:
        webhooks.delete(session, member, webhook_id)
    return responses.Response()


@router.post("/webhooks/{id}/rotate", responses=refuses(404, 409))
def rotate_secret(member: CurrentMember, webhook_id: PathId) -> SecretAnswer:
    """Replace the signing secret; for a day events are signed with the old one as well."""
    with db.write_session() as session:
        row = webhooks.rotate(session, member, webhook_id, key=current().settings.secret_key)
    return _with_secret(row)


@router.post("/webhooks/{id}/test", status_code=202, responses=refuses(404, 409))
def send_test(member: CurrentMember, webhook_id: PathId) -> DeliveryAnswer:
    """Send a test event."""
    with db.write_session() as session:
        row = webhooks.send_test(session, member, webhook_id)
    return DeliveryAnswer(delivery=Delivery.of(row))


@router.get("/webhooks/{id}/deliveries", responses=refuses(404))
def list_deliveries(
    member: CurrentMember, webhook_id: PathId, query: Annotated[DeliveriesQuery, Query()]
) -> DeliveriesAnswer:
    """List deliveries of a webhook, newest first, a page at a time.

    They are kept for 30 days.
    """
    with db.read_session() as session:
        rows = webhooks.list_deliveries(session, member, webhook_id, before_id=query.cursor, limit=query.limit + 1)
    page = rows[: query.limit]
    return DeliveriesAnswer(
        deliveries=[Delivery.of(row) for row in page],
        next_cursor=page[-1].id if len(rows) > query.limit else None,
    )


@router.post("/webhooks/{id}/deliveries/{deliveryId}/replay", status_code=202, responses=refuses(404, 409))
def replay_delivery(member: CurrentMember, webhook_id: PathId, delivery_id: DeliveryId) -> DeliveryAnswer:
    """Deliver an event again under the same webhook-id."""
    with db.write_session() as session:
        row = webhooks.replay(session, member, webhook_id, delivery_id)
    return DeliveryAnswer(delivery=Delivery.of(row))


def _checked(url: str) -> webhooks.ValidUrl:
    settings = current().settings
    return webhooks.validate_url(url, allow=settings.webhook_allow_hosts, proxies=settings.proxies)


def _with_secret(row: WebhookEndpoint) -> SecretAnswer:
    return SecretAnswer(webhook=Webhook.of(row), secret=webhooks.secret(row, key=current().settings.secret_key))
