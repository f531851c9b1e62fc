"""Sends events to webhooks, signed as Standard Webhooks 1.0.0 says, at least once each.

Runs in the dispatcher's process, but with threads of its own: a slow address or a name that takes long to look up
holds one of these, and never one that generations wait for. Any number of senders may run: a delivery is claimed by
moving its `next_at`, which is schedule and lease in one, as with generations. One that dies between the POST and its
record is sent again when the lease is over, under the same webhook-id.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import httpcore
import httpx
import standardwebhooks
from sqlalchemy import case, func, select, update

from core import db, egress, retry
from core.config import Settings
from core.db import ReadSession, WriteSession, update_where, writing
from core.db.enums import DeliveryState, DisabledReason
from core.db.tables import User, WebhookDelivery, WebhookEndpoint
from core.files import download
from core.messages import Message, message
from core.notifications import rounds, webhooks
from core.proxies import DIRECT, Proxies

log = logging.getLogger(__name__)

MAX_CONCURRENT = 100
MAX_CONCURRENT_PER_ENDPOINT = 8
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
LEASE = timedelta(seconds=90)
"""More than a look-up of the name and an exchange can take together."""

KEPT_SECONDS = 60.0
"""How long an answer is kept that the database does not take; with the exchange it stays within the lease."""

MAX_RETRY_WAIT = timedelta(days=1)
DISABLE_AFTER = timedelta(days=5)
_SCANNED_ROWS = 500
_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Claimed:
    """One attempt that is ours to make; the endpoint is as it was at the claim, whose person may be deactivated."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint
    is_deactivated: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What came of an attempt: `error` is a sentence for people, None when it arrived."""

    status: int | None
    error: Message | None
    retry_after: timedelta = timedelta()


class Sender(rounds.Rounds[Claimed]):
    """The loop."""

    def __init__(self, settings: Settings) -> None:
        work = rounds.Work(
            "webhook",
            claim,
            partial(deliver, settings),
            lambda claimed: claimed.endpoint.id,
            MAX_CONCURRENT,
            TOTAL_SECONDS,
        )
        super().__init__(work)


def claim(limit: int, busy: Collection[str] = frozenset()) -> Sequence[Claimed]:
    """Take due deliveries, oldest due first, a few an endpoint and one only of an endpoint that fails.

    `busy` are endpoints that this process still waits for: they get their next ones when these are done, so that a
    slow one keeps itself waiting and nobody else.
    """
    with db.read_session() as session:
        now = db.now(session)
        wanted = _next_in_line(session, now, limit, busy)
    if not wanted:
        return []
    with db.write_session() as session:
        now = db.now(session)
        due = (webhooks.is_due(), WebhookDelivery.next_at <= now)
        free = select(WebhookDelivery.id).where(WebhookDelivery.id.in_(wanted), *due)
        taken = session.scalars(
            update(WebhookDelivery)
            .where(WebhookDelivery.id.in_(free.with_for_update(skip_locked=True)))
            .values(next_at=now + LEASE, attempts=WebhookDelivery.attempts + 1)
            .returning(WebhookDelivery)
            .execution_options(synchronize_session=False, populate_existing=True)
        ).all()
        of = select(WebhookEndpoint, User.deactivated_at.is_not(None)).join(User, User.id == WebhookEndpoint.user_id)
        found = session.execute(of.where(WebhookEndpoint.id.in_({row.endpoint_id for row in taken})))
        endpoints = {endpoint.id: (endpoint, is_deactivated) for endpoint, is_deactivated in found}
    return [Claimed(row, *endpoints[row.endpoint_id]) for row in taken if row.endpoint_id in endpoints]


def _next_in_line(session: ReadSession, now: datetime, limit: int, busy: Collection[str]) -> Sequence[str]:
    oldest = (
        select(WebhookDelivery.id, WebhookDelivery.endpoint_id, WebhookDelivery.next_at)
        .where(webhooks.is_due(), WebhookDelivery.next_at <= now, WebhookDelivery.endpoint_id.not_in(busy))
        .order_by(WebhookDelivery.next_at)
        .limit(_SCANNED_ROWS)
        .subquery()
    )
    place = func.row_number().over(partition_by=oldest.c.endpoint_id, order_by=oldest.c.next_at).label("place")
    at_most = case((WebhookEndpoint.failing_since.is_(None), MAX_CONCURRENT_PER_ENDPOINT), else_=1).label("at_most")
    placed = (
        select(oldest.c.id, oldest.c.next_at, place, at_most)
        .join(WebhookEndpoint, WebhookEndpoint.id == oldest.c.endpoint_id)
        .subquery()
    )
    query = select(placed.c.id).where(placed.c.place <= placed.c.at_most).order_by(placed.c.next_at).limit(limit)
    return session.scalars(query).all()


def deliver(settings: Settings, claimed: Claimed) -> None:
    """Make one attempt and write down what came of it."""
    delivery, endpoint = claimed.delivery, claimed.endpoint
    if endpoint.disabled_at is not None or claimed.is_deactivated:  # stopped while the event was being written
        with db.write_session() as session:
            webhooks.abandon(session, WebhookDelivery.id == delivery.id, why=message("webhook_stopped"))
        return
    now = db.clock().now()
    secrets = webhooks.secrets_in_force(endpoint, keys=settings.secrets_in_force, now=now)
    signed = headers(delivery.event_id, delivery.body, secrets=secrets, now=now)
    outcome = post(endpoint.url, delivery.body, signed, allow=settings.webhook_allow_hosts, proxies=settings.proxies)
    if outcome.error is not None:
        log.info("delivery %s, attempt %s: %s", delivery.id, delivery.attempts, outcome.error)
    what = f"what came of delivery {delivery.id}"
    writing.until_written(lambda session: record(session, claimed, outcome), what=what, for_seconds=KEPT_SECONDS)


def headers(event_id: str, body: str, *, secrets: Sequence[str], now: datetime) -> Mapping[str, str]:
    """The headers of Standard Webhooks: one signature for each secret over id, time of the attempt and body."""
    signatures = [standardwebhooks.Webhook(secret).sign(event_id, now, body) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def post(
    address: str,
    body: str,
    signed: Mapping[str, str],
    *,
    allow: frozenset[str],
    proxies: Proxies = DIRECT,
    total_seconds: float = TOTAL_SECONDS,
) -> DeliveryResult:
    """One POST to a public address or one that `allow` names; redirects are not followed, the body is not read."""
    network = egress.GuardedBackend(allow, deadline=time.monotonic() + total_seconds, proxies=proxies)
    try:
        url = httpx.URL(address)
        ours = {"Host": url.netloc.decode(), "User-Agent": "ai-video-generator", "Content-Type": "application/json"}
        with (
            network.pool(url) as pool,
            pool.stream(
                "POST",
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=list((ours | dict(signed)).items()),
                content=body.encode(),
                extensions={"timeout": {"connect": CONNECT_SECONDS}},
            ) as response,
        ):
            return _classify(response)
    except egress.AddressRefused as refused:
        return DeliveryResult(None, message("nothing_sent", refused=refused.message))
    except httpcore.ConnectTimeout:
        return DeliveryResult(None, message("connection_not_in_time"))
    except httpcore.TimeoutException:
        return DeliveryResult(None, message("answer_not_in_time", seconds=total_seconds))
    except httpcore.ConnectError as failure:
        return DeliveryResult(None, message("no_connection", failure=egress.reason(failure)))
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as failure:
        return DeliveryResult(None, message("connection_broke", name=type(failure).__name__))


def _classify(response: httpcore.Response) -> DeliveryResult:
    status = response.status
    if status in _SUCCESS:
        return DeliveryResult(status, None)
    wait = timedelta(seconds=min(download.retry_after(response) or 0, MAX_RETRY_WAIT.total_seconds()))
    if status in _REDIRECTS:
        return DeliveryResult(status, message("answer_redirects", status=status), wait)
    return DeliveryResult(status, message("answer_was", status=status), wait)


def record(session: WriteSession, claimed: Claimed, outcome: DeliveryResult) -> None:
    """Write down an attempt, unless the delivery is no longer ours, and what it says of its endpoint."""
    endpoint = session.scalar(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == claimed.endpoint.id)
        .with_for_update(key_share=True)  # before the delivery, as everywhere
    )
    if endpoint is None:
        return  # deleted meanwhile, its deliveries with it
    now = db.now(session)
    arrived = outcome.error is None
    pause = None if outcome.status == _GONE else retry.webhook_delay(claimed.delivery.attempts)
    if arrived:
        state, next_at = DeliveryState.DELIVERED, None
    elif pause is None:
        state, next_at = DeliveryState.GIVEN_UP, None
    else:
        state, next_at = DeliveryState.DUE, now + max(pause, outcome.retry_after)
    written = update_where(
        session,
        WebhookDelivery,
        WebhookDelivery.id == claimed.delivery.id,
        WebhookDelivery.attempts == claimed.delivery.attempts,
        webhooks.is_due(),
        state=state,
        next_at=next_at,
        last_status=outcome.status,
        last_error=None if outcome.error is None else str(outcome.error)[:500],
        error=outcome.error,
        delivered_at=now if arrived else None,
    )
    if written == 1:
        _update_endpoint_health(session, endpoint, outcome, now)


def _update_endpoint_health(
    session: WriteSession, endpoint: WebhookEndpoint, outcome: DeliveryResult, now: datetime
) -> None:
    """What an attempt says of its endpoint: gone, failing, or well again."""
    if outcome.error is None:
        endpoint.failing_since = None
    elif endpoint.disabled_at is None:
        endpoint.failing_since = endpoint.failing_since or now
        if outcome.status == _GONE:
            webhooks.disable(session, endpoint, DisabledReason.GONE)
        elif now - endpoint.failing_since >= DISABLE_AFTER:
            webhooks.disable(session, endpoint, DisabledReason.FAILING)
