"""Sessions of browsers that are signed in: begun, looked up, ended one by one, all of a person or by their provider.

Only a hash of what the cookie holds is kept. A session is over when it was ended, when it has lasted or was idle for
too long, and from the moment in which its person is deactivated. All of it goes by the database's clock.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, select

from core import audit_log, db
from core.audit_log import Act
from core.db import Reader, ReadSession, WriteSession, update_where
from core.db.tables import BrowserSession, User
from core.db.types import UtcDateTime
from core.identity.api_tokens import hash_of

_NOTE_EVERY = timedelta(minutes=1)
_KEPT_AFTER_END = timedelta(days=30)
_AGENT_LIMIT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Visit:
    """From where a browser comes: the address of its client, and what it says it is."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that holds, and its person. `id` is the hash that is kept; `issuer` is None after a link of ours."""

    user: User
    id: str
    issuer: str | None
    subject: str | None
    seen_at: datetime


def start(
    session: WriteSession,
    user: User,
    *,
    visit: Visit,
    lasts: timedelta,
    issuer: str | None = None,
    subject: str | None = None,
    sid: str | None = None,
    id_token: str | None = None,
) -> str:
    """Begin a session and return what its cookie holds; this is the one time it can be read.

    `sid` and `id_token` are the provider's. The person's sessions that ended a month ago are forgotten.
    """
    now = db.about_now(session)
    token = secrets.token_urlsafe(32)
    session.execute(
        delete(BrowserSession).where(BrowserSession.user_id == user.id, BrowserSession.ends_at < now - _KEPT_AFTER_END)
    )
    session.add(
        BrowserSession(
            token_hash=hash_of(token),
            user_id=user.id,
            issuer=issuer,
            subject=subject,
            sid=sid,
            id_token=id_token,
            address=visit.address[:64],
            agent=visit.agent[:_AGENT_LIMIT_CHARS],
            created_at=now,
            seen_at=now,
            ends_at=now + lasts,
        )
    )
    session.flush()
    return token


def look(session: ReadSession, token: str, *, idle: timedelta) -> SignedIn | None:
    """The session of a cookie, None when it is over or there is none; one indexed look."""
    found = session.execute(_LIVE, _now(session, hash_of(token), idle)).first() if token else None
    return None if found is None else SignedIn(found[0], *found[1:])


def is_live(session: Reader, session_id: str, *, idle: timedelta) -> bool:
    """Whether the session of this id holds."""
    return session.execute(_IS_LIVE, _now(session, session_id, idle)).first() is not None


def _now(session: Reader, session_id: str, idle: timedelta) -> dict[str, object]:
    now = db.about_now(session)
    return {"id": session_id, "now": now, "since": now - idle}


def count_live(session: ReadSession, user: User, *, idle: timedelta) -> int:
    """With how many browsers a person is signed in."""
    now = db.about_now(session)
    live = (
        BrowserSession.user_id == user.id,
        BrowserSession.ended_at.is_(None),
        BrowserSession.ends_at > now,
        BrowserSession.seen_at > now - idle,
    )
    return session.scalar(select(func.count()).select_from(BrowserSession).where(*live)) or 0


def use_is_old(signed_in: SignedIn, *, now: datetime) -> bool:
    """Whether the last use that was written down is long enough ago to write another."""
    return not now - _NOTE_EVERY < signed_in.seen_at


def note_use(session: WriteSession, session_id: str) -> None:
    """Remember that a session is in use, to the minute, so that looks seldom write."""
    now = db.about_now(session)
    update_where(
        session,
        BrowserSession,
        BrowserSession.token_hash == session_id,
        BrowserSession.seen_at < now - _NOTE_EVERY,
        seen_at=now,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that was just ended; `issuer` and `id_token` are for signing out at its provider, too."""

    issuer: str | None
    id_token: str | None


def end(session: WriteSession, token: str) -> Ended | None:
    """End the session of a cookie, in all tabs; None when it was over or there is none."""
    row = session.get(BrowserSession, hash_of(token)) if token else None
    if row is None or _end(session, BrowserSession.token_hash == row.token_hash) == 0:
        return None
    _record(session, session.get_one(User, row.user_id), by="person")
    return Ended(row.issuer, row.id_token)


def end_all_of(session: WriteSession, user: User, *, by: User | None) -> int:
    """End every session of a person, as when they are deactivated; how many there were. `by` None: the system."""
    ended = _end(session, BrowserSession.user_id == user.id)
    if ended:
        audit_log.record(
            session, by, Act.SIGN_IN_ENDED, target=user.email, target_id=user.id, after={"sessions": ended}
        )
    return ended


def end_at_provider(session: WriteSession, issuer: str, *, sid: str | None, subject: str | None) -> int:
    """End what a provider says has ended: its one session, or all of a subject where it names none; how many."""
    here = BrowserSession.issuer == issuer
    which = here & (BrowserSession.sid == sid if sid else BrowserSession.subject == subject)
    people = session.scalars(
        select(User)
        .join(BrowserSession, BrowserSession.user_id == User.id)
        .where(which, BrowserSession.ended_at.is_(None))
        .distinct()
    ).all()
    ended = _end(session, which)
    for person in people:
        _record(session, person, by="provider")
    return ended


def _end(session: WriteSession, which: ColumnElement[bool]) -> int:
    # Signing out at the provider needs its token once: afterwards nobody does.
    now = db.about_now(session)
    return update_where(session, BrowserSession, which, BrowserSession.ended_at.is_(None), ended_at=now, id_token=None)


def _record(session: WriteSession, person: User, *, by: str) -> None:
    audit_log.record(session, person, Act.SIGN_IN_ENDED, target=person.email, target_id=person.id, after={"by": by})


# Put together once: every run of a page and every request with a cookie asks it.
_HOLDS = (
    BrowserSession.user_id == User.id,
    BrowserSession.token_hash == bindparam("id"),
    BrowserSession.ended_at.is_(None),
    BrowserSession.ends_at > bindparam("now", type_=UtcDateTime()),
    BrowserSession.seen_at > bindparam("since", type_=UtcDateTime()),
    User.deactivated_at.is_(None),
)
_LIVE = select(
    User, BrowserSession.token_hash, BrowserSession.issuer, BrowserSession.subject, BrowserSession.seen_at
).where(*_HOLDS)
_IS_LIVE = select(BrowserSession.token_hash).where(*_HOLDS)
