"""Lets a person in: who they are, what their groups give them, and the session of their browser, in one transaction."""

from datetime import timedelta

from core import audit_log
from core.audit_log import Act
from core.config import Settings
from core.db import WriteSession
from core.db.tables import User
from core.identity import claims as said
from core.identity import identities, sessions
from core.identity.claims import Claims
from core.identity.sessions import Visit
from core.workspaces import claimed_members, departures


def recognise(session: WriteSession, claims: Claims, *, settings: Settings) -> User:
    """The person of these claims, with the roles and workspaces that their groups give; SignInRefused."""
    user = identities.recognise(session, claims, settings=settings).user
    roles = said.workspace_roles(claims, settings.role_map)
    claimed_members.sync(session, user, roles, is_complete=claims.has_all_groups)
    departures.forget_callers(session)  # who come with a token of this person, with the roles they had before
    return user


def sign_in(
    session: WriteSession,
    claims: Claims,
    *,
    settings: Settings,
    visit: Visit,
    by: str,
    sid: str | None = None,
    id_token: str | None = None,
) -> str:
    """Let in who these claims name; what their cookie holds. Raises SignInRefused. `by` is `oidc` or `proxy`."""
    user = recognise(session, claims, settings=settings)
    return begin(
        session,
        user,
        settings=settings,
        visit=visit,
        by=by,
        issuer=claims.issuer,
        subject=claims.subject,
        sid=sid,
        id_token=id_token,
    )


def begin(
    session: WriteSession,
    user: User,
    *,
    settings: Settings,
    visit: Visit,
    by: str,
    issuer: str | None = None,
    subject: str | None = None,
    sid: str | None = None,
    id_token: str | None = None,
) -> str:
    """Begin a session of somebody who may come in; what their cookie holds."""
    token = sessions.start(
        session,
        user,
        visit=visit,
        lasts=timedelta(hours=settings.session_hours),
        issuer=issuer,
        subject=subject,
        sid=sid,
        id_token=id_token,
    )
    audit_log.record(
        session,
        user,
        Act.SIGN_IN_SUCCEEDED,
        target=user.email,
        target_id=user.id,
        after={"by": by} | ({"issuer": issuer} if issuer else {}),
    )
    return token
