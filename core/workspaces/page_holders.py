"""Who speaks with a page's token, as they are by now: signed in still, and at work where the page was."""

from core import errors
from core.config import Settings
from core.db import ReadSession
from core.identity import sessions, users
from core.identity.page_tokens import Holder
from core.workspaces import members
from core.workspaces.access import Member


def member(session: ReadSession, holder: Holder, settings: Settings) -> Member:
    """The person at work; Unauthorized for who was deactivated, has signed out or has left the workspace."""
    if settings.has_sign_in and not sessions.is_live(
        session.connection(), holder.session_id, idle=settings.session_idle
    ):
        raise errors.Unauthorized
    user = users.by_id(session, holder.user_id)
    if user is None or user.deactivated_at is not None:
        raise errors.Unauthorized
    try:
        return members.at_work(session, user, holder.workspace_id)
    except errors.NotFound:
        raise errors.Unauthorized from None
