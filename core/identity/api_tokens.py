"""API tokens: made, listed, looked up, revoked. Only a hash is kept, so one can be read once, when it is made."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, bindparam, event, func, or_, select

from core import errors, security_log, validation
from core.clock import is_within, utc_now
from core.db import ReadSession, WriteSession, update_where
from core.db.enums import Scope
from core.db.row_access import visible_to
from core.db.tables import ApiToken, User
from core.db.types import UtcDateTime
from core.messages import Message, message

NAME_LIMIT_CHARS = 120
MAX_LIVE_TOKENS = 100
"""How many tokens a person may have at once: more than anybody can look after."""

CACHE_SECONDS = 1.0
"""How long a token that was looked up is taken as valid without looking again."""

_MAX_CACHED = 10_000
_PREFIX_CHARS = 12
_NOTE_EVERY = timedelta(minutes=1)
_REACH = tuple(Scope)


def satisfies(scope: Scope, needed: Scope) -> bool:
    """Whether a token of `scope` may do what needs `needed`; each scope includes the ones before it."""
    return _REACH.index(scope) >= _REACH.index(needed)


def create(
    session: WriteSession, user: User, *, name: str, scope: Scope = Scope.GENERATE, expires_at: datetime | None = None
) -> str:
    """Make a bearer token and return it; this is the one time it can be read. `expires_at` None: until it is revoked.

    Raises InvalidRequest for a name or time that cannot be used, Conflict when the person has too many.
    """
    name = name.strip()
    wrong: dict[str, Message] = {}
    if problem := message("name_missing") if not name else validation.text_error(name, limit_chars=NAME_LIMIT_CHARS):
        wrong["name"] = problem
    if expires_at is not None and expires_at <= utc_now():
        wrong["expiresAt"] = message("time_has_passed")
    if wrong:
        raise errors.InvalidRequest(fields=wrong)
    if (
        session.scalar(select(func.count()).where(visible_to(ApiToken, user), _is_valid(utc_now()))) or 0
    ) >= MAX_LIVE_TOKENS:
        raise errors.Conflict(message("too_many_tokens", limit=MAX_LIVE_TOKENS))
    token = f"avg_{secrets.token_urlsafe(32)}"
    row = ApiToken(
        user_id=user.id,
        name=name,
        token_hash=_hash(token),
        prefix=token[:_PREFIX_CHARS],
        scope=scope,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    security_log.note(session, f"token with scope '{scope}' made", actor=user.email, about=row.id)
    return token


def list_for_user(session: ReadSession, user: User) -> Sequence[ApiToken]:
    """A person's tokens, newest first, with those that have expired and without those that were revoked."""
    mine = select(ApiToken).where(visible_to(ApiToken, user), ApiToken.revoked_at.is_(None))
    return session.scalars(mine.order_by(ApiToken.id.desc()).limit(2 * MAX_LIVE_TOKENS)).all()


def get(session: ReadSession, user: User, token_id: str) -> ApiToken:
    """A person's own token; NotFound also when it was revoked or is somebody else's."""
    mine = select(ApiToken).where(visible_to(ApiToken, user), ApiToken.revoked_at.is_(None))
    row = session.scalar(mine.where(ApiToken.id == token_id))
    if row is None:
        raise errors.NotFound
    return row


def revoke(session: WriteSession, user: User, token_id: str, *, cache: "TokenCache") -> None:
    """End a token; NotFound when it is not theirs or was revoked before.

    What shares this cache takes it no more once the session has committed, other processes within `CACHE_SECONDS`.
    """
    ended = update_where(
        session,
        ApiToken,
        ApiToken.id == token_id,
        visible_to(ApiToken, user),
        ApiToken.revoked_at.is_(None),
        revoked_at=utc_now(),
    )
    if ended != 1:
        raise errors.NotFound
    event.listen(session, "after_commit", lambda _session: cache.clear())
    security_log.note(session, "token revoked", actor=user.email, about=token_id)


def by_token(session: ReadSession, token: str) -> tuple[User, ApiToken]:
    """The person a bearer token belongs to, and what is kept of it; Unauthorized when it is not valid.

    The look-up is by hash, so its time tells nothing about how near a guess was; and unknown, revoked and expired
    ones are the same empty answer of the same query.
    """
    found = session.execute(_BY_HASH, {"hash": _hash(token), "now": utc_now()}).first()
    if found is None:
        raise errors.Unauthorized
    return found[0], found[1]


class TokenCache:
    """Tokens that were looked up in this process a moment ago.

    One that is revoked elsewhere, or a role that is taken away, counts for `CACHE_SECONDS` more at most. For reading
    only: all requests of a token are given the same two rows.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, User, ApiToken]] = {}  # by hash; began at, in monotonic seconds

    def authenticate(self, session: ReadSession, token: str) -> tuple[User, ApiToken]:
        """The user and token of a bearer token, remembered for `CACHE_SECONDS`; Unauthorized if it is not valid."""
        began = time.monotonic()
        user, row = by_token(session, token)
        if len(self._found) >= _MAX_CACHED:
            self._found.clear()
        self._found[_hash(token)] = (began, user, row)
        return user, row

    def get(self, token: str) -> tuple[User, ApiToken] | None:
        """What `authenticate` found within the last `CACHE_SECONDS`; None when it has to be asked."""
        began, user, row = self._found.get(_hash(token), _NOT_CACHED)
        if user is None or row is None or time.monotonic() - began > CACHE_SECONDS:
            return None
        return (user, row) if row.expires_at is None or row.expires_at > utc_now() else None

    def clear(self) -> None:
        """Forget all of them."""
        self._found.clear()


def use_is_old(token: ApiToken) -> bool:
    """Whether the last use that was written down is long enough ago to write another."""
    return not is_within(_NOTE_EVERY, token.last_used_at, now=utc_now())


def note_use(session: WriteSession, token_id: str) -> None:
    """Remember when a token was last used, to the minute, so that reads seldom write."""
    now = utc_now()
    update_where(
        session,
        ApiToken,
        ApiToken.id == token_id,
        or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < now - _NOTE_EVERY, ApiToken.last_used_at > now),
        last_used_at=now,
    )


def _is_valid(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return ApiToken.revoked_at.is_(None) & or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)


# Put together once: every request runs it, and putting it together takes as long as running it.
_BY_HASH = (
    select(User, ApiToken)
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(ApiToken.token_hash == bindparam("hash"), _is_valid(bindparam("now", type_=UtcDateTime())))
)


_NOT_CACHED = (0.0, None, None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
