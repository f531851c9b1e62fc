"""API tokens: made, listed, looked up, revoked. Only a hash is kept, so one can be read once, when it is made.

They end by the database's clock.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import BindParameter, ColumnElement, bindparam, event, func, or_, select

from core import audit_log, db, errors, validation
from core.audit_log import Act
from core.clock import is_within
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import Scope
from core.db.tables import ApiToken, User, Workspace, WorkspaceMember
from core.db.types import UtcDateTime
from core.messages import Message, message

NAME_LIMIT_CHARS = 120
MAX_LIVE_TOKENS = 100
"""How many tokens a person may have at once: more than anybody can look after."""

CAP_LIMIT_CREDITS = 10**12
"""The highest cap: beyond it somebody has mistyped."""

_PREFIX_CHARS = 12
_NOTE_EVERY = timedelta(minutes=1)
_REACH = tuple(Scope)


class Clearable(Protocol):
    """What remembers tokens and can be told to forget them."""

    def clear(self) -> None:
        """Forget all of them."""


def satisfies(scope: Scope, needed: Scope) -> bool:
    """Whether a token of `scope` may do what needs `needed`; each scope includes the ones before it."""
    return _REACH.index(scope) >= _REACH.index(needed)


def create(
    session: WriteSession,
    user: User,
    *,
    name: str,
    scope: Scope = Scope.GENERATE,
    expires_at: datetime | None = None,
    workspace_id: str | None = None,
    cap_credits: int | None = None,
    made_with_id: str | None = None,
    made_by: str | None = None,
) -> str:
    """Make a bearer token and return it; this is the one time it can be read. `expires_at` None: until it is revoked.

    It reaches one workspace of its person, or all of theirs where none is named, and orders for `cap_credits` at most.
    `made_with_id` is the token that asks for it, beyond whose workspace the new one does not reach; `made_by` is who
    makes it for the person, None for the person. Raises InvalidRequest for a name, time, workspace or cap that cannot
    be used, Conflict when the person has too many, Forbidden where the token that asks has a cap, which another one
    would get around.
    """
    made_with = None if made_with_id is None else get(session, user, made_with_id)
    if made_with is not None and made_with.cap_credits is not None:
        raise errors.Forbidden(message("capped_token_makes_none"))
    if made_with is not None and made_with.workspace_id is not None and workspace_id is None:
        workspace_id = made_with.workspace_id
    name = name.strip()
    wrong = _wrong(name, expires_at, cap_credits, now=db.about_now(session))
    if workspace_id is not None and not _reaches(session, user, made_with, workspace_id):
        wrong["workspaceId"] = message("workspace_not_found")
    if wrong:
        raise errors.InvalidRequest(fields=wrong)
    if (
        session.scalar(select(func.count()).where(ApiToken.user_id == user.id, _is_valid(db.about_now(session)))) or 0
    ) >= MAX_LIVE_TOKENS:
        raise errors.Conflict(message("too_many_tokens", limit=MAX_LIVE_TOKENS))
    token = f"avg_{secrets.token_urlsafe(32)}"
    row = ApiToken(
        user_id=user.id,
        name=name,
        token_hash=hash_of(token),
        prefix=token[:_PREFIX_CHARS],
        scope=scope,
        expires_at=expires_at,
        workspace_id=workspace_id,
        cap_credits=cap_credits,
    )
    session.add(row)
    session.flush()
    _record_made(session, row, user, by=made_by or user)
    return token


def _record_made(session: WriteSession, row: ApiToken, user: User, *, by: User | str) -> None:
    details = {
        "person": user.email,
        "scope": row.scope,
        "expires_at": None if row.expires_at is None else row.expires_at.isoformat(),
        "cap_credits": row.cap_credits,
    }
    audit_log.record(
        session, by, Act.TOKEN_MADE, target=row.name, target_id=row.id, workspace_id=row.workspace_id, after=details
    )


def _wrong(name: str, expires_at: datetime | None, cap_credits: int | None, *, now: datetime) -> dict[str, Message]:
    """What cannot be used, by field."""
    wrong: dict[str, Message] = {}
    if problem := message("name_missing") if not name else validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        wrong["name"] = problem
    if expires_at is not None and expires_at <= now:
        wrong["expiresAt"] = message("time_has_passed")
    if cap_credits is not None and not 0 < cap_credits <= CAP_LIMIT_CREDITS:
        wrong["capCredits"] = message("cap_out_of_range", limit=CAP_LIMIT_CREDITS)
    return wrong


def list_for_user(session: ReadSession, user: User, *, workspace_id: str | None = None) -> Sequence[ApiToken]:
    """A person's tokens, newest first, with those that have expired and without those that were revoked.

    With a workspace only those that were made for it.
    """
    mine = select(ApiToken).where(_is_of(user, workspace_id), ApiToken.revoked_at.is_(None))
    return session.scalars(mine.order_by(ApiToken.id.desc()).limit(2 * MAX_LIVE_TOKENS)).all()


def get(session: ReadSession, user: User, token_id: str, *, workspace_id: str | None = None) -> ApiToken:
    """A person's own token; NotFound also when it was revoked, is somebody else's, or not for the named workspace."""
    mine = select(ApiToken).where(_is_of(user, workspace_id), ApiToken.revoked_at.is_(None))
    row = session.scalar(mine.where(ApiToken.id == token_id))
    if row is None:
        raise errors.NotFound
    return row


def revoke(
    session: WriteSession, user: User, token_id: str, *, cache: Clearable, workspace_id: str | None = None
) -> None:
    """End a token; NotFound when it is not theirs, was revoked before, or is for another workspace than the named one.

    What shares this cache takes it no more once the session has committed, other processes within a second.
    """
    row = get(session, user, token_id, workspace_id=workspace_id)
    ended = update_where(
        session,
        ApiToken,
        ApiToken.id == token_id,
        ApiToken.revoked_at.is_(None),
        revoked_at=db.about_now(session),
    )
    if ended != 1:
        raise errors.NotFound
    event.listen(session, "after_commit", lambda _session: cache.clear())
    audit_log.record(session, user, Act.TOKEN_REVOKED, target=row.name, target_id=row.id, workspace_id=row.workspace_id)


def spend(session: WriteSession, token_id: str, *, credits: int) -> None:
    """Count the price of an order against its token; TokenCapReached when that would be more than its cap.

    One conditional UPDATE, so that no number of orders at once comes past a cap. The account is locked before it.
    """
    fits = or_(ApiToken.cap_credits.is_(None), ApiToken.spent_credits + credits <= ApiToken.cap_credits)
    spent = ApiToken.spent_credits + credits
    if update_where(session, ApiToken, ApiToken.id == token_id, fits, spent_credits=spent) != 1:
        raise errors.TokenCapReached


def give_back(session: WriteSession, token_id: str, *, credits: int) -> None:
    """Take what an order was not charged off its token's account."""
    update_where(session, ApiToken, ApiToken.id == token_id, spent_credits=ApiToken.spent_credits - credits)


def by_token(session: ReadSession, token: str) -> tuple[User, ApiToken]:
    """The person a bearer token belongs to, and what is kept of it; Unauthorized when it is not valid.

    The look-up is by hash, so its time tells nothing about how near a guess was; and unknown, revoked and expired
    ones are the same empty answer of the same query.
    """
    found = session.execute(_BY_HASH, {"hash": hash_of(token), "now": db.about_now(session)}).first()
    if found is None:
        raise errors.Unauthorized
    return found[0], found[1]


def is_valid(session: ReadSession, token_id: str) -> bool:
    """Whether a token of this id still lets its person in."""
    live = select(ApiToken.id).join(User, ApiToken.user_id == User.id)
    where = (ApiToken.id == token_id, User.deactivated_at.is_(None), _is_valid(db.about_now(session)))
    return session.scalar(live.where(*where)) is not None


def use_is_old(token: ApiToken, *, now: datetime) -> bool:
    """Whether the last use that was written down is long enough ago to write another."""
    return not is_within(_NOTE_EVERY, token.last_used_at, now=now)


def note_use(session: WriteSession, token_id: str) -> None:
    """Remember when a token was last used, to the minute, so that reads seldom write."""
    now = db.about_now(session)
    update_where(
        session,
        ApiToken,
        ApiToken.id == token_id,
        or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < now - _NOTE_EVERY, ApiToken.last_used_at > now),
        last_used_at=now,
    )


def _is_of(user: User, workspace_id: str | None) -> ColumnElement[bool]:
    """A person's tokens, with a workspace only those that were made for it."""
    mine = ApiToken.user_id == user.id
    return mine if workspace_id is None else mine & (ApiToken.workspace_id == workspace_id)


def _reaches(session: ReadSession, user: User, made_with: ApiToken | None, workspace_id: str) -> bool:
    """Whether a person is in a workspace, which is that of the token they ask with if it is for one."""
    if made_with is not None and made_with.workspace_id not in (None, workspace_id):
        return False
    there = (
        select(WorkspaceMember.role)
        .join(Workspace, Workspace.id == WorkspaceMember.workspace_id)
        .where(
            WorkspaceMember.user_id == user.id,
            WorkspaceMember.workspace_id == workspace_id,
            Workspace.archived_at.is_(None),
        )
    )
    return session.scalar(there) is not None


def _is_valid(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return ApiToken.revoked_at.is_(None) & or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)


# Put together once: every request runs it, and putting it together takes as long as running it.
_BY_HASH = (
    select(User, ApiToken)
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(
        ApiToken.token_hash == bindparam("hash"),
        User.deactivated_at.is_(None),
        _is_valid(bindparam("now", type_=UtcDateTime())),
    )
)


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
