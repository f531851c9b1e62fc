"""What is sent to webhooks, for the OpenAPI document; nothing here is served."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.api.http import routing
from core.api.schemas import fields, responses
from core.db.enums import ApprovalCause, Decision, Status
from core.notifications import outbox

router = routing.router("webhooks")


class SentLinks(responses.ApiModel):
    """Paths below this installation's address; they ask for a token. `download` is there once there is a clip."""

    generation: str
    download: str | None = None


class SentApproval(responses.ApiModel):
    """Why an order asked for approval, until when it waits, and what became of it; null while that is not so."""

    cause: ApprovalCause
    lapses_at: datetime | None
    decision: Decision | None
    note: fields.TextOrNull


class SentData(responses.ApiModel):
    """A generation as events tell it; `creditsCharged` is 0 unless it is completed."""

    id: fields.Id
    project_id: fields.Id
    status: Status
    provider: fields.ProviderName
    model_id: fields.ModelId
    credit_used: fields.Credits
    credits_charged: int
    error_code: fields.TextOrNull
    error_message: fields.TextOrNull
    retry_of: fields.TextOrNull
    created_at: datetime
    ended_at: datetime | None
    links: SentLinks


class SentEvent(responses.ApiModel):
    """What is sent; `timestamp` is when it happened, the same in every attempt."""

    type: Annotated[str, Field(examples=["generation.completed"])]
    timestamp: datetime
    data: SentData


class SentApprovalData(SentData):
    """A generation that asked for approval, as events of that tell it."""

    approval: SentApproval


class SentApprovalEvent(responses.ApiModel):
    """What is sent of an approval; `timestamp` is when it happened, the same in every attempt."""

    type: Annotated[str, Field(examples=["generation.approval_decided"])]
    timestamp: datetime
    data: SentApprovalData


def _sent_of_approval(body: SentApprovalEvent) -> None:
    """Sent when an order waits for approval, or was approved, declined or answered by nobody, as other events are.

    What was declined or lapsed is told of by `generation.cancelled` as well.
    """


def _sent(body: SentEvent) -> None:
    """Sent when a generation gets this status, signed as Standard Webhooks 1.0.0 says.

    Verify `webhook-signature` over `webhook-id`, `webhook-timestamp` and the body with the secret of the webhook. An
    event can come more than once, under the same webhook-id. Any answer of 200 to 299 within 15 seconds takes it; 410
    stops the webhook; anything else is tried again, ten times in about three days. The test event, `webhook.test`, is
    sent in the same way, with `{webhookId, message}` for data.
    """


for _event in outbox.ALL_EVENTS:
    router.add_api_route(
        _event,
        _sent if _event in outbox.EVENTS.values() else _sent_of_approval,
        methods=["POST"],
        operation_id=_event.replace(".", "_"),
        summary=f"Generation {_event.rpartition('.')[2].replace('_', ' ')}",
        status_code=204,
        responses={"default": {"description": "It is tried again"}},
    )
