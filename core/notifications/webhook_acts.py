"""What is written down of webhooks in the log of administrative acts, where others read it: never a secret.

An address may be one.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from core import audit_log
from core.audit_log import Act
from core.db import WriteSession
from core.db.tables import WebhookEndpoint
from core.redaction import shown_address
from core.workspaces.access import Member


def record(session: WriteSession, member: Member, act: Act, endpoint: WebhookEndpoint, **details: Any) -> None:
    """Append an act on a webhook; `details` are `before` and `after`."""
    audit_log.record(
        session,
        member.user,
        act,
        target=shown_address(endpoint.url),
        target_id=endpoint.id,
        workspace_id=endpoint.workspace_id,
        **details,
    )


def record_change(
    session: WriteSession, member: Member, endpoint: WebhookEndpoint, *, before: Mapping[str, Any]
) -> None:
    """Append what differs from how it was told before; nothing where nothing does."""
    after = told(endpoint)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        was, became = ({name: values[name] for name in changed} for values in (before, after))
        record(session, member, Act.WEBHOOK_CHANGED, endpoint, before=was, after=became)


def told(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A webhook as it is told; the fingerprint shows that the hidden part of its address has changed."""
    return {
        "address": shown_address(endpoint.url),
        "address_fingerprint": hashlib.sha256(endpoint.url.encode()).hexdigest()[:12],
        "description": endpoint.description,
        "events": endpoint.events,
        "stopped": endpoint.disabled_at is not None,
    }
