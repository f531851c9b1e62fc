"""Ends what a person has in a workspace, or everywhere, when they go: in the transaction in which they go.

What they have made stays, and clips under way finish.
"""

from typing import Any

from sqlalchemy import ColumnElement, event, func, true

from core.clock import utc_now
from core.db import WriteSession, update_where
from core.db.enums import DisabledReason
from core.db.tables import ApiToken, BrowserSession, Invitation, SignInLink, WebhookEndpoint

CALLERS = "callers"
"""Under this name a session's `info` has what remembers the callers of this process."""


def end_in_workspace(session: WriteSession, user_id: str, workspace_id: str) -> None:
    """End the tokens a person has for a workspace, stop their webhooks there, revoke invitations they have made."""
    _end(session, user_id, workspace_id)


def end_everywhere(session: WriteSession, user_id: str) -> None:
    """End all tokens, webhooks and open invitations of a person, and sign them out of every browser."""
    _end(session, user_id, None)
    now = utc_now()
    update_where(
        session, BrowserSession, BrowserSession.user_id == user_id, BrowserSession.ended_at.is_(None), ended_at=now
    )
    update_where(session, SignInLink, SignInLink.user_id == user_id, SignInLink.used_at.is_(None), used_at=now)


def forget_callers(session: WriteSession) -> None:
    """Let this process look at its callers anew once the session has committed; others do within a second."""
    if (callers := session.info.get(CALLERS)) is not None:
        event.listen(session, "after_commit", lambda _session: callers.clear(), once=True)


def _end(session: WriteSession, user_id: str, workspace_id: str | None) -> None:
    """What is still to be delivered to a stopped webhook is given up by its sender."""
    now = utc_now()

    def there(column: Any) -> ColumnElement[bool]:
        return true() if workspace_id is None else column == workspace_id

    update_where(
        session,
        ApiToken,
        ApiToken.user_id == user_id,
        there(ApiToken.workspace_id),
        ApiToken.revoked_at.is_(None),
        revoked_at=now,
    )
    forget_callers(session)
    update_where(
        session,
        WebhookEndpoint,
        WebhookEndpoint.user_id == user_id,
        there(WebhookEndpoint.workspace_id),
        disabled_at=func.coalesce(WebhookEndpoint.disabled_at, now),
        disabled_reason=DisabledReason.DEPARTED,
    )
    update_where(
        session,
        Invitation,
        Invitation.invited_by_id == user_id,
        there(Invitation.workspace_id),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        revoked_at=now,
    )
