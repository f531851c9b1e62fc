"""What is said to webhooks: a generation has come to its end, or asks for approval; written down for each address.

Called with the move itself, in its transaction, so that no event is lost and none is made of a move that was undone.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from core import db
from core.clock import utc_now
from core.config import API_PATH
from core.db import ReadSession, WriteSession
from core.db.enums import Status
from core.db.tables import Approval, Generation, User, WebhookDelivery, WebhookEndpoint
from core.ids import new_id

EVENTS: Mapping[Status, str] = {
    Status.COMPLETED: "generation.completed",
    Status.FAILED: "generation.failed",
    Status.CANCELLED: "generation.cancelled",
    Status.UNCERTAIN: "generation.uncertain",
}
"""Status reached -> type of its event. An uncertain one may still come to another end, which is an event, too."""

APPROVAL_REQUESTED = "generation.approval_requested"
APPROVAL_DECIDED = "generation.approval_decided"
"""Approved, declined, or nobody answered in time; the last two have the event of their end as well."""

ALL_EVENTS = (*EVENTS.values(), APPROVAL_REQUESTED, APPROVAL_DECIDED)

TEST = "webhook.test"

PUBLIC_PATH = "public_path"
"""Under this name a session's `info` has the path of PUBLIC_URL, below which the API is reached from outside."""


def enqueue(session: WriteSession, generation_id: str, workspace_id: str, status: Status) -> None:
    """Write down the event of a status just reached, if it has one; as `enqueue_event`."""
    if status in EVENTS:
        enqueue_event(session, generation_id, workspace_id, EVENTS[status])


def enqueue_event(session: WriteSession, generation_id: str, workspace_id: str, name: str) -> None:
    """Write down an event for each address of its workspace that chose it.

    Addresses of people who were deactivated are told nothing.
    The rows of the addresses are kept from being deleted meanwhile: a delivery to nowhere would undo the move.
    """
    listening = (
        select(WebhookEndpoint.id, WebhookEndpoint.events)
        .join(User, User.id == WebhookEndpoint.user_id)
        .where(
            WebhookEndpoint.workspace_id == workspace_id,
            WebhookEndpoint.disabled_at.is_(None),
            User.deactivated_at.is_(None),
        )
    )
    endpoint_ids = [
        row.id
        for row in session.execute(listening.with_for_update(read=True, key_share=True, of=WebhookEndpoint))
        if name in events_in_order(row.events)
    ]
    if not endpoint_ids:
        return
    event = {
        "event": name,
        "event_id": new_id(),
        "body": body(name, _data(session, generation_id) | _approval(session, generation_id, name)),
        "generation_id": generation_id,
        "workspace_id": workspace_id,
        "next_at": db.now(session),
    }
    session.execute(insert(WebhookDelivery), [event | {"endpoint_id": endpoint_id} for endpoint_id in endpoint_ids])


def events_in_order(events: Sequence[str] | None) -> Sequence[str]:
    """The events of a webhook, from what its row has: None stands for all."""
    return ALL_EVENTS if events is None else events


def body(event: str, data: Mapping[str, Any]) -> str:
    """The JSON that is sent, in the shape that Standard Webhooks recommends."""
    return json.dumps({"type": event, "timestamp": _moment(utc_now()), "data": data}, separators=(",", ":"))


def _data(session: ReadSession, generation_id: str) -> dict[str, Any]:
    """A generation as events tell it: no prompt and no signed link, which are asked for with a token."""
    row = session.execute(
        select(
            Generation.project_id,
            Generation.status,
            Generation.provider,
            Generation.model_id,
            Generation.credits,
            Generation.error_code,
            Generation.error_message,
            Generation.retry_of_id,
            Generation.created_at,
            Generation.ended_at,
        ).where(Generation.id == generation_id)
    ).one()
    completed = row.status is Status.COMPLETED
    api = f"{session.info.get(PUBLIC_PATH, '')}{API_PATH}"
    links = {"generation": f"{api}/generations/{generation_id}"}
    if completed:
        links["download"] = f"{api}/download/{generation_id}"
    return {
        "id": generation_id,
        "projectId": row.project_id,
        "status": row.status.value,
        "provider": row.provider,
        "modelId": row.model_id,
        "creditUsed": row.credits,
        "creditsCharged": row.credits if completed else 0,
        "errorCode": row.error_code,
        "errorMessage": row.error_message,
        "retryOf": row.retry_of_id,
        "createdAt": _moment(row.created_at),
        "endedAt": _moment(row.ended_at) if row.ended_at else None,
        "links": links,
    }


def _approval(session: ReadSession, generation_id: str, name: str) -> dict[str, Any]:
    """What an event of approval tells beside the generation."""
    if name not in (APPROVAL_REQUESTED, APPROVAL_DECIDED):
        return {}
    row = session.execute(
        select(Approval.cause, Approval.decision, Approval.note, Approval.decided_at, Generation.deadline_at)
        .join(Generation, Generation.id == Approval.generation_id)
        .where(Approval.generation_id == generation_id)
    ).one()
    return {
        "approval": {
            "cause": row.cause.value,
            "lapsesAt": _moment(row.deadline_at) if row.decision is None else None,
            "decision": row.decision.value if row.decision else None,
            "note": row.note or None,
        }
    }


def _moment(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")
