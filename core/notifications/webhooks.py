"""Webhooks as people and scripts see them: addresses to be told at, their secrets, and what was delivered.

Sending is done by core/notifications/webhook_sender.py; the events are written by core/notifications/outbox.py.
"""

import base64
import hashlib
import hmac
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import httpcore
import httpx
from sqlalchemy import ColumnElement, Select, func, literal_column, select
from sqlalchemy import delete as sql_delete

from core import db, egress, errors, ids, validation
from core.audit_log import Act
from core.clock import is_within, utc_now
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import DeliveryState, DisabledReason
from core.db.tables import WebhookDelivery, WebhookEndpoint, Workspace
from core.ids import new_id
from core.messages import Message, message
from core.notifications import outbox, webhook_acts
from core.proxies import DIRECT, Proxies
from core.workspaces.access import Member, in_workspace, visible_to
from core.workspaces.permissions import Action

MAX_ENDPOINTS = 10
URL_LIMIT_CHARS = 2000
DESCRIPTION_LIMIT_CHARS = 200
BY_HAND_PER_MINUTE = 60
OLD_SECRET_LIFETIME = timedelta(hours=24)
DELIVERY_RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ValidUrl:
    """An address that may be sent to; made by `checked` alone, so that no door can leave the check out."""

    url: str


class SecretStanding(StrEnum):
    """Whether the secret that a webhook's person has is still one that events are signed with."""

    CURRENT = "current"
    CHANGING = "changing"
    """Until the change of `SECRET_KEY` is over, and it was made with the key before."""
    LOST = "lost"
    """It was made with a key that is known no more."""


def validate_url(
    url: str,
    *,
    allow: frozenset[str],
    proxies: Proxies = DIRECT,
    resolver: Callable[[str, int], list[str]] = egress.resolve,
) -> ValidUrl:
    """Look at an address, and its name up; InvalidRequest when it is not https or leads to a private network.

    `allow` holds `host:port`s that may be private and plain http. It can take as long as a look-up does, so it is
    done before a session is opened. The same is asked again at each connection, since names can change.
    """
    wanted = url.strip()
    if wrong := validation.text_error(wanted, limit_chars=URL_LIMIT_CHARS):
        raise _bad_address(wrong)
    guard = egress.GuardedBackend(allow, deadline=math.inf, proxies=proxies, resolver=resolver)
    try:
        parsed = httpx.URL(wanted)
        guard.check_reachable(parsed)
    except (httpx.InvalidURL, ValueError):
        raise _bad_address(message("not_an_address")) from None
    except egress.AddressRefused as refused:
        raise _bad_address(message("address_refused", refused=refused.message)) from None
    except httpcore.ConnectError as failure:
        raise _bad_address(message("address_unknown", failure=egress.reason(failure))) from None
    return ValidUrl(wanted)


def create(
    session: WriteSession,
    member: Member,
    address: ValidUrl,
    *,
    key: bytes,
    description: str = "",
    events: Collection[str] | None = None,
) -> WebhookEndpoint:
    """Register an address for these events, None for all; its secret, made with `key`, is shown with `secret`.

    Conflict when there are as many as may be; InvalidRequest for no event or an unknown one.
    """
    member.require(Action.USE_WEBHOOKS)
    session.execute(select(Workspace.id).where(Workspace.id == member.workspace_id).with_for_update(key_share=True))
    count = session.scalar(select(func.count()).where(in_workspace(WebhookEndpoint, member))) or 0
    if count >= MAX_ENDPOINTS:
        raise errors.Conflict(message("too_many_webhooks", limit=MAX_ENDPOINTS))
    endpoint = WebhookEndpoint(
        workspace_id=member.workspace_id,
        user_id=member.id,
        url=address.url,
        description=_description(description),
        events=_events(events),
        secret_key_id=key_id(key),
    )
    session.add(endpoint)
    session.flush()
    webhook_acts.record(session, member, Act.WEBHOOK_MADE, endpoint, after=webhook_acts.told(endpoint))
    return endpoint


def list_for_workspace(session: ReadSession, member: Member) -> Sequence[WebhookEndpoint]:
    """The workspace's webhooks, oldest first; Forbidden for who may not use them."""
    member.require(Action.USE_WEBHOOKS)
    query = select(WebhookEndpoint).where(in_workspace(WebhookEndpoint, member)).order_by(WebhookEndpoint.id)
    return session.scalars(query).all()


def get(session: ReadSession, member: Member, endpoint_id: str) -> WebhookEndpoint:
    """A webhook of a workspace of theirs; NotFound also when it is in another one, Forbidden for who may not use it."""
    return _allowed(member, session.scalar(_own(member, endpoint_id)))


def update(
    session: WriteSession,
    member: Member,
    endpoint_id: str,
    *,
    address: ValidUrl | None = None,
    description: str | None = None,
    events: Collection[str] | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Change an address, description or its events, stop it or start it again; None leaves a field as it is.

    Another choice of events counts for those still to come. What was still to be delivered when it is stopped is given
    up, and can be replayed. Whoever starts one whose person has left takes it over.
    """
    endpoint = _locked(session, member, endpoint_id)
    before = webhook_acts.told(endpoint)
    if address is not None:
        endpoint.url = address.url
        endpoint.failing_since = None
    if description is not None:
        endpoint.description = _description(description)
    if events is not None:
        endpoint.events = _events(events)
    if enabled is True and endpoint.disabled_at is not None:
        if endpoint.disabled_reason is DisabledReason.DEPARTED:
            endpoint.user_id = member.id
        endpoint.disabled_at = endpoint.disabled_reason = endpoint.failing_since = None
    elif enabled is False and endpoint.disabled_at is None:
        disable(session, endpoint, DisabledReason.PERSON)
    session.flush()
    webhook_acts.record_change(session, member, endpoint, before=before)
    return endpoint


def delete(session: WriteSession, member: Member, endpoint_id: str) -> None:
    """Delete a webhook with the record of its deliveries."""
    endpoint = _locked(session, member, endpoint_id)
    session.delete(endpoint)
    webhook_acts.record(session, member, Act.WEBHOOK_DELETED, endpoint, before=webhook_acts.told(endpoint))


def rotate(session: WriteSession, member: Member, endpoint_id: str, *, key: bytes) -> WebhookEndpoint:
    """Give a webhook a new secret, made with `key`; for a day everything is signed with the one before as well."""
    endpoint = _locked(session, member, endpoint_id)
    endpoint.secret_version += 1
    endpoint.secret_key_id = key_id(key)
    endpoint.rotated_at = utc_now()
    session.flush()
    webhook_acts.record(session, member, Act.WEBHOOK_SECRET_REPLACED, endpoint)
    return endpoint


def send_test(session: WriteSession, member: Member, endpoint_id: str) -> WebhookDelivery:
    """Send an event that means nothing, to see whether it arrives."""
    endpoint = _ready(session, member, endpoint_id)
    data = {"webhookId": endpoint.id, "message": "This is a test. No generation has changed."}
    delivery = WebhookDelivery(
        endpoint_id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        event=outbox.TEST,
        event_id=new_id(),
        body=outbox.body(outbox.TEST, data),
        next_at=db.now(session),
    )
    session.add(delivery)
    session.flush()
    return delivery


def replay(session: WriteSession, member: Member, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    """Deliver an event once more, from the first attempt on, as a delivery of its own; the event keeps its id.

    One that is still being tried ends with this, so that the event is not on its way twice.
    """
    endpoint = _ready(session, member, endpoint_id)
    before = session.scalar(
        select(WebhookDelivery).where(
            WebhookDelivery.id == delivery_id,
            WebhookDelivery.endpoint_id == endpoint.id,
            visible_to(WebhookDelivery, member),
        )
    )
    if before is None:
        raise errors.NotFound
    abandon(session, WebhookDelivery.id == before.id, why=message("replaced_by_replay"))
    again = WebhookDelivery(
        endpoint_id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        generation_id=before.generation_id,
        event=before.event,
        event_id=before.event_id,
        body=before.body,
        next_at=db.now(session),
    )
    session.add(again)
    session.flush()
    return again


def list_deliveries(
    session: ReadSession, member: Member, endpoint_id: str, *, before_id: str | None = None, limit: int = 50
) -> Sequence[WebhookDelivery]:
    """What was and is to be delivered to a webhook, newest first, a keyset page at a time."""
    endpoint = get(session, member, endpoint_id)
    query = select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, visible_to(WebhookDelivery, member)
    )
    if before_id is not None:
        query = query.where(WebhookDelivery.id < before_id)
    return session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def secret(endpoint: WebhookEndpoint, *, key: bytes) -> str:
    """What the receiver verifies signatures with: `whsec_` and 32 bytes in base64; shown once and kept nowhere."""
    return _secret(endpoint.id, endpoint.secret_version, key)


def secrets_in_force(endpoint: WebhookEndpoint, *, keys: Sequence[bytes], now: datetime) -> Sequence[str]:
    """The secrets to sign with, the newest first: for a day after a change the one before it, too.

    `keys` are the key of the installation and, while that is changed, the one before: then everything is signed with
    what each of them makes, also with the secret before one that was made meanwhile.
    """
    newest, *older = keys
    found = [secret(endpoint, key=newest)]
    if endpoint.rotated_at is not None and now < endpoint.rotated_at + OLD_SECRET_LIFETIME:
        found.append(_secret(endpoint.id, endpoint.secret_version - 1, newest))
    for key in older:
        found.append(secret(endpoint, key=key))
        if endpoint.rotated_at is not None:
            found.append(_secret(endpoint.id, endpoint.secret_version - 1, key))
    return list(dict.fromkeys(found))


def secret_standing(endpoint: WebhookEndpoint, *, keys: Sequence[bytes]) -> SecretStanding:
    """How the secret of a webhook stands that was made with one of these keys, the newest first, or with another."""
    made_with = endpoint.secret_key_id
    newest, *older = map(key_id, keys)
    if made_with in (None, newest):
        return SecretStanding.CURRENT
    return SecretStanding.CHANGING if made_with in older else SecretStanding.LOST


def key_id(key: bytes) -> str:
    """What a key is known by in the database: it tells nothing about the key, and another key has another."""
    return hmac.digest(key, b"id of this key", hashlib.sha256).hex()[:16]


def without_key(session: ReadSession) -> bool:
    """Whether it is not noted of some webhook with which key its secret was made; so rows of older versions are."""
    return (
        session.scalar(select(WebhookEndpoint.id).where(WebhookEndpoint.secret_key_id.is_(None)).limit(1)) is not None
    )


def note_key(session: WriteSession, *, keys: Sequence[bytes]) -> None:
    """Note, where it is not, that secrets were made with the oldest of these keys."""
    update_where(session, WebhookEndpoint, WebhookEndpoint.secret_key_id.is_(None), secret_key_id=key_id(keys[-1]))


def count_lost_secrets(session: ReadSession, *, keys: Sequence[bytes]) -> int:
    """How many webhooks that are sent to have a secret that none of these keys has made."""
    lost = WebhookEndpoint.secret_key_id.not_in([key_id(key) for key in keys])
    return session.scalar(select(func.count()).where(lost, WebhookEndpoint.disabled_at.is_(None))) or 0


def disable(session: WriteSession, endpoint: WebhookEndpoint, reason: DisabledReason) -> None:
    """Send nothing more to a webhook whose row is locked; what was still to be delivered is given up."""
    endpoint.disabled_at, endpoint.disabled_reason = utc_now(), reason
    abandon(session, WebhookDelivery.endpoint_id == endpoint.id, why=message("webhook_stopped_before"))


def abandon(session: WriteSession, which: ColumnElement[bool], *, why: Message) -> None:
    """Give up every due delivery that meets the condition, for the reason `why`."""
    ended = {"state": DeliveryState.GIVEN_UP, "next_at": None, "last_error": str(why), "error": why}
    update_where(session, WebhookDelivery, which, is_due(), **ended)


def is_due() -> ColumnElement[bool]:
    """Still to be delivered; a literal, because SQLite uses a partial index only for the very same words."""
    return WebhookDelivery.state == literal_column("'due'")


def prune(session: WriteSession, *, days: int = DELIVERY_RETENTION.days, limit: int = 1000) -> None:
    """Remove deliveries that are over and older than so many days, a batch at a time.

    Ids begin with their time, so no index is needed.
    """
    old = select(WebhookDelivery.id).where(*_is_old(days)).order_by(WebhookDelivery.id).limit(limit)
    session.execute(
        sql_delete(WebhookDelivery).where(WebhookDelivery.id.in_(old)).execution_options(synchronize_session=False)
    )


def old(session: ReadSession, *, days: int) -> int:
    """How many deliveries `prune` would remove if it came to its end."""
    return session.scalar(select(func.count()).select_from(WebhookDelivery).where(*_is_old(days))) or 0


def _is_old(days: int) -> tuple[ColumnElement[bool], ...]:
    begin = ids.lowest_at(utc_now() - timedelta(days=days))
    return WebhookDelivery.id < begin, WebhookDelivery.state != DeliveryState.DUE


def _locked(session: WriteSession, member: Member, endpoint_id: str) -> WebhookEndpoint:
    """The row, kept from changing; always before any of its deliveries, so that nobody deadlocks."""
    query = _own(member, endpoint_id).with_for_update(key_share=True)
    return _allowed(member, session.scalar(query.execution_options(populate_existing=True)))


def _own(member: Member, endpoint_id: str) -> Select[WebhookEndpoint]:
    return select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, visible_to(WebhookEndpoint, member))


def _allowed(member: Member, endpoint: WebhookEndpoint | None) -> WebhookEndpoint:
    if endpoint is None:
        raise errors.NotFound(message("webhook_not_found"))
    member.require(Action.USE_WEBHOOKS, endpoint.workspace_id)
    return endpoint


def _ready(session: WriteSession, member: Member, endpoint_id: str) -> WebhookEndpoint:
    """A webhook that something may be sent to by hand: enabled, and not flooded."""
    endpoint = _locked(session, member, endpoint_id)
    if endpoint.disabled_at is not None:
        raise errors.Conflict(message("webhook_is_stopped"))
    nth_newest = (
        select(WebhookDelivery.created_at)
        .where(WebhookDelivery.endpoint_id == endpoint.id)
        .order_by(WebhookDelivery.id.desc())
        .offset(BY_HAND_PER_MINUTE - 1)
        .limit(1)
    )
    then = session.scalar(nth_newest)
    if is_within(timedelta(minutes=1), then, now=utc_now()):
        raise errors.RateLimited(retry_after_seconds=60)
    return endpoint


def _secret(endpoint_id: str, version: int, key: bytes) -> str:
    digest = hmac.digest(key, f"webhook\n{endpoint_id}\n{version}".encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(digest).decode()}"


def _description(value: str) -> str:
    trimmed = value.strip()
    if wrong := validation.text_error(trimmed, limit_chars=DESCRIPTION_LIMIT_CHARS):
        raise errors.InvalidRequest(fields={"description": wrong})
    return trimmed


def _events(chosen: Collection[str] | None) -> list[str] | None:
    """The value of the column: None for all events, so that a later kind of event is sent, too."""
    known = list(outbox.ALL_EVENTS)
    if chosen is None or set(chosen) == set(known):
        return None
    if not chosen:
        raise errors.InvalidRequest(fields={"events": message("no_event_chosen")})
    if not set(chosen) <= set(known):
        raise errors.InvalidRequest(fields={"events": message("no_such_event", known=", ".join(known))})
    return [event for event in known if event in chosen]


def _bad_address(wrong: Message) -> errors.InvalidRequest:
    return errors.InvalidRequest(fields={"url": wrong})
