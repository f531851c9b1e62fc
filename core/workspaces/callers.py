"""Who comes with an API token: the person at work in a workspace, remembered for a moment."""

import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select

from core import db
from core.db import ReadSession
from core.db.tables import ApiToken, User, Workspace, WorkspaceMember
from core.db.types import UtcDateTime
from core.identity import api_tokens, sessions
from core.workspaces import members
from core.workspaces.access import Member

CACHE_SECONDS = 1.0
"""How long a token that was looked up is taken as valid without looking again, and its person's roles with it."""

_MAX_CACHED = 10_000

_AT_ONCE = 500
"""So many ids a statement: databases limit their parameters."""

_LET_IN = (
    select(ApiToken.id, WorkspaceMember.workspace_id)
    .join(User, User.id == ApiToken.user_id)
    .join(WorkspaceMember, WorkspaceMember.user_id == User.id)
    .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
    .where(
        ApiToken.id.in_(bindparam("token_ids", expanding=True)),
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > bindparam("now", type_=UtcDateTime())),
        User.deactivated_at.is_(None),
        Workspace.archived_at.is_(None),
    )
)

_IS_IN = (
    select(WorkspaceMember.workspace_id)
    .join(User, User.id == WorkspaceMember.user_id)
    .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
    .where(
        WorkspaceMember.user_id == bindparam("user_id"),
        WorkspaceMember.workspace_id == bindparam("workspace_id"),
        User.deactivated_at.is_(None),
        Workspace.archived_at.is_(None),
    )
)


class CallerCache:
    """Tokens that were looked up in this process a moment ago.

    One that is revoked elsewhere, or a role that is taken away, counts for `CACHE_SECONDS` more at most. For reading
    only: all requests of a token are given the same rows.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Member, ApiToken]] = {}  # by hash; began at, in monotonic seconds

    def authenticate(self, session: ReadSession, token: str) -> tuple[Member, ApiToken]:
        """The caller with a bearer token, and the token, remembered for `CACHE_SECONDS`.

        They are at work in the token's own workspace, and reach no other; where it has none, in their personal one, and
        reach all of theirs. Unauthorized if it is not valid, or if they are not in its workspace.
        """
        began = time.monotonic()
        user, row = api_tokens.by_token(session, token)
        member = members.with_token(session, user, row)
        if len(self._found) >= _MAX_CACHED:
            self._found.clear()
        self._found[api_tokens.hash_of(token)] = (began, member, row)
        return member, row

    def get(self, token: str, *, now: datetime) -> tuple[Member, ApiToken] | None:
        """What `authenticate` found within the last `CACHE_SECONDS`, unless it has ended `now`; None: to be asked."""
        found = self._found.get(api_tokens.hash_of(token))
        if found is None or time.monotonic() - found[0] > CACHE_SECONDS:
            return None
        _began, member, row = found
        return (member, row) if row.expires_at is None or row.expires_at > now else None

    def clear(self) -> None:
        """Forget all of them."""
        self._found.clear()


def still_let_in(session: ReadSession, callers: Collection[Member], *, idle: timedelta) -> Sequence[bool]:
    """Of each of these callers whether their token or session still holds, and whether they are in their workspace.

    `idle` is how long a session may be without use.
    """
    token_ids = sorted({caller.token_id for caller in callers if caller.token_id is not None})
    by_token: set[tuple[str, str]] = set()
    for place in range(0, len(token_ids), _AT_ONCE):
        some = {"token_ids": token_ids[place : place + _AT_ONCE], "now": db.about_now(session)}
        by_token.update((row.id, row.workspace_id) for row in session.execute(_LET_IN, some))
    return [
        _is_let_in_without_token(session, caller, idle=idle)
        if caller.token_id is None
        else (caller.token_id, caller.workspace_id) in by_token
        for caller in callers
    ]


def _is_let_in_without_token(session: ReadSession, caller: Member, *, idle: timedelta) -> bool:
    if caller.session_id is not None and not sessions.is_live(session, caller.session_id, idle=idle):
        return False
    who = {"user_id": caller.id, "workspace_id": caller.workspace_id}
    return session.scalar(_IS_IN, who) is not None
